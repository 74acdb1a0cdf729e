# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doors of further providers in one simulator: one clock, one bill, and hosts that pretend."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.simulator.test_hosts import (
    KEY,
    FakeHosts,
    eventually,
)
from gpuops_simulator import Simulator
from gpuops_simulator.clock import Clock
from gpuops_simulator.doors.vast_market import LIST
from gpuops_simulator.doorway import KNOWN

Start = Callable[..., Simulator]
OTHER = KEY.replace("home", "work")
LAUNCH = {"region_name": "us-west-1", "instance_type_name": "gpu_1x_a100_sxm4_80gb"}
WITH_KEY = {"Authorization": "Bearer of-no-account"}
ASK = {"image": "docker.io/vastai/kvm:ubuntu_terminal", "disk": 100, "runtype": "ssh_direct"}


@pytest.fixture
def start() -> Iterator[Start]:
    """Start simulators with the doors of two providers, whose time stands still."""
    running: list[Simulator] = []

    def begin(hosts: Any = None, also_host: str | None = None, **scenario: Any) -> Simulator:
        names = ["lambda", "vast"]
        one = Simulator(scenario, clock=Clock(0), hosts=hosts, providers=names, also_host=also_host)
        one.start()
        running.append(one)
        return one

    yield begin
    for one in running:
        one.stop()


def ask(url: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
    """Return status and body of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, WITH_KEY, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Account:
    """What a user does at both doors; it keeps to their paces."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def call(self, provider: str, path: str, method: str = "GET", body: Any = None) -> Any:
        """Return what is answered with success."""
        self.simulator.advance(15)
        status, found = ask(self.simulator.addresses()[provider] + path, method, body)
        assert status == 200, found
        return found

    def launch(self, *names: str, hostname: str = "llm-1") -> str:
        """Buy at Lambda Cloud with two registered keys, of which one is named."""
        for name, key in (("mine", KEY), ("other", OTHER)):
            self.call("lambda", "/ssh-keys", "POST", {"name": name, "public_key": key})
        body = {**LAUNCH, "hostname": hostname, "ssh_key_names": list(names or ["mine"])}
        made = self.call("lambda", "/instance-operations/launch", "POST", body)
        return str(made["data"]["instance_ids"][0])

    def rent(self, **more: Any) -> str:
        """Buy the cheapest of Vast.ai's offers that are left."""
        if not self.call("vast", "/api/v0/ssh/"):
            for key in (KEY, OTHER):
                self.call("vast", "/api/v0/ssh/", "POST", {"ssh_key": key})
        body = {**ASK, "vm": True, **more}
        made = self.call("vast", f"/api/v0/asks/{self.offers()[0]}/", "PUT", body)
        return str(made["new_contract"])

    def offers(self) -> list[int]:
        """Return the numbers of Vast.ai's offers."""
        found = self.call("vast", "/api/v0/bundles/", "POST", {"type": "on-demand"})
        return [row["id"] for row in found["offers"]]

    def at_lambda(self, instance_id: str) -> dict[str, Any]:
        return dict(self.call("lambda", f"/instances/{instance_id}")["data"])

    def at_vast(self, instance_id: str) -> dict[str, Any]:
        return dict(self.call("vast", f"/api/v0/instances/{instance_id}/")["instances"])

    def end_both(self, at_lambda: str, at_vast: str) -> None:
        body = {"instance_ids": [at_lambda]}
        self.call("lambda", "/instance-operations/terminate", "POST", body)
        self.call("vast", f"/api/v0/instances/{at_vast}/", "DELETE")

    def hosts(self) -> list[str]:
        """Return what the hosts of all instances are like."""
        found = self.simulator.state()["providers"]
        return [row["host"] for name in sorted(found) for row in found[name]["instances"]]


def test_one_clock_builds_and_bills_everywhere(start: Start) -> None:
    account = Account(start(provision_seconds=600))
    at_lambda, at_vast = account.launch(), account.rent()
    assert account.at_lambda(at_lambda)["status"] == "booting"
    assert account.at_vast(at_vast)["actual_status"] == "loading"
    account.simulator.advance(3600)
    assert account.at_lambda(at_lambda)["status"] == "active"
    assert account.at_vast(at_vast)["actual_status"] == "running"
    account.end_both(at_lambda, at_vast)
    begun = account.simulator.state()["providers"]
    account.simulator.advance(86400)
    ended = account.simulator.state()["providers"]
    assert begun == ended, "what is terminated costs no more"
    (there,), (here,) = (ended[name]["instances"] for name in ("lambda", "vast"))
    assert there["price_per_hour"] == 1.29
    assert there["cost"] == pytest.approx(1.29, abs=0.1)
    assert here["price_per_hour"] == pytest.approx(1.02)
    assert here["cost"] == pytest.approx(1.02, abs=0.1)


def test_answers_bear_the_time_of_the_one_clock(start: Start) -> None:
    simulator = start()
    simulator.advance(86400)
    request = urllib.request.Request(f"{simulator.addresses()['lambda']}/instances", None, WITH_KEY)
    with urllib.request.urlopen(request, timeout=5) as told:
        date = parsedate_to_datetime(told.headers["Date"])
    assert abs((date - simulator.now()).total_seconds()) < 2


def test_doors_listen_on_the_second_address_as_well(start: Start) -> None:
    simulator = start(also_host="127.0.0.2")
    for name, path in (("lambda", "/instances"), ("vast", "/api/v0/users/current/")):
        url = simulator.addresses()[name].replace("127.0.0.1", "127.0.0.2")
        assert ask(url + path)[0] == 200


def test_instances_run_when_their_hosts_are_up(start: Start) -> None:
    backend = FakeHosts()
    backend.gate.clear()
    account = Account(start(hosts=backend))
    at_lambda, at_vast = account.launch("mine"), account.rent()
    assert (account.at_lambda(at_lambda)["status"], account.at_lambda(at_lambda)["ip"]) == (
        "booting",
        None,
    )
    shown = account.at_vast(at_vast)
    assert (shown["actual_status"], shown["public_ipaddr"], shown["ports"]) == (
        "loading",
        None,
        None,
    )
    backend.gate.set()
    eventually(lambda: account.hosts() == ["up", "up"])
    assert account.at_lambda(at_lambda)["status"] == "active"
    assert account.at_lambda(at_lambda)["ip"] == "10.88.0.7"
    shown = account.at_vast(at_vast)
    assert (shown["actual_status"], shown["public_ipaddr"].strip()) == ("running", "10.88.0.7")
    assert shown["ports"]["22/tcp"][0]["HostPort"] == "22"
    started = {call[1]: call[2] for call in backend.calls}
    assert started == {"llm-1": (KEY,), f"vm-{at_vast}": (KEY, OTHER)}
    assert sorted(backend.users) == ["root", "ubuntu"]


def test_hosts_go_with_their_instances(start: Start) -> None:
    backend = FakeHosts()
    account = Account(start(hosts=backend))
    at_lambda, at_vast = account.launch(), account.rent()
    account.end_both(at_lambda, at_vast)
    eventually(lambda: sorted(backend.names()) == ["remove", "remove", "start", "start"])


def test_host_that_does_not_start_is_told_as_each_provider_tells_it(start: Start) -> None:
    backend = FakeHosts()
    backend.broken = True
    account = Account(start(hosts=backend))
    at_lambda, at_vast = account.launch(), account.rent()
    eventually(lambda: account.hosts() == ["failed", "failed"])
    assert account.at_lambda(at_lambda)["status"] == "unhealthy"
    shown = account.at_vast(at_vast)
    assert shown["actual_status"] == "created"
    assert "OCI runtime create failed" in shown["status_msg"]
    account.end_both(at_lambda, at_vast)


def test_container_and_order_that_was_refused_have_no_host(start: Start) -> None:
    backend = FakeHosts()
    account = Account(start(hosts=backend))
    account.rent(vm=False)
    account.simulator.advance(15)
    url = f"{account.simulator.addresses()['vast']}/api/v0/asks/{account.offers()[0]}/"
    assert ask(url, "PUT", {**ASK, "vm": True, "price": 0.01})[1]["error"] == "bid_too_low"
    account.simulator.stop()
    assert (account.hosts(), backend.calls) == (["none", "none"], [])


def test_end_waits_for_every_host(start: Start) -> None:
    backend = FakeHosts()
    account = Account(start(hosts=backend))
    account.launch()
    account.rent()
    account.simulator.stop()
    assert sorted(backend.names()) == ["remove", "remove", "start", "start"]
    assert backend.closed
    with pytest.raises(urllib.error.URLError):
        ask(account.simulator.addresses()["lambda"] + "/instances")


def test_reset_empties_the_other_accounts_behind_the_same_addresses(start: Start) -> None:
    backend = FakeHosts()
    account = Account(start(hosts=backend))
    account.launch()
    account.rent()
    before = account.simulator.addresses()
    account.simulator.reset()
    assert backend.names().count("remove") == 2
    assert account.simulator.addresses() == before
    assert account.call("lambda", "/instances") == {"data": []}
    assert account.offers() == [101, 102, 103]


def test_what_was_terminated_is_offered_again_by_another_number(start: Start) -> None:
    account = Account(start())
    bought = [account.rent() for _number in range(3)]
    assert account.offers() == []
    for one in bought:
        account.call("vast", f"/api/v0/instances/{one}/", "DELETE")
    found = account.offers()
    assert len(found) == 3
    assert not {101, 102, 103} & set(found)


def test_scenario_says_what_is_offered(start: Start) -> None:
    types = [{"name": "gpu_1x_h100_pcie", "gpu": "H100 (80 GB PCIe)", "cents": 49}]
    offers = [{"dph_base": 0.3}, {"gpu_name": "H100 SXM", "dph_base": 0.2, "dph_total": 0.2}]
    given = {"lambda": {"offers": types}, "vast": {"offers": offers}}
    account = Account(start(providers=given))
    listed = account.call("lambda", "/instance-types")["data"]
    assert {name: row["instance_type"]["price_cents_per_hour"] for name, row in listed.items()} == {
        "gpu_1x_h100_pcie": 49
    }
    rows = account.call("vast", "/api/v0/bundles/", "POST", {"type": "on-demand"})["offers"]
    told = {row["machine_id"]: (row["gpu_name"], row["dph_base"]) for row in rows}
    assert told == {4711: ("A100 SXM4", 0.3), 4712: ("H100 SXM", 0.2)}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"nimbus": {"offers": []}}, "no door for nimbus; there are doors for: lambda, runpod"),
        ({"vast": []}, "providers.vast is an object with offers"),
        ({"vast": {"offers": [{"price": 1}]}}, "providers.vast.offers: an offer has no price"),
        ({"vast": {"offers": [1]}}, "providers.vast.offers:"),
        ({"lambda": {"offers": [{"name": "a"}]}}, "providers.lambda.offers: a type has name and"),
    ],
)
def test_scenario_that_cannot_be_meant_is_refused(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Simulator({"providers": given}, providers=["lambda", "vast"])


def test_offers_are_no_switch(start: Start) -> None:
    with pytest.raises(ValueError, match="not a switch: providers"):
        start().switch(providers={})


@pytest.mark.parametrize("name", KNOWN)
def test_every_door_opens_to_whoever_has_a_key(name: str) -> None:
    paths = {"lambda": "/instances", "runpod": "/pods", "tensordock": "/instances", "vast": LIST}
    with Simulator(providers=[name]) as simulator:
        url = simulator.addresses()[name] + paths[name]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(url, timeout=5)
        assert ask(url)[0] == 200
        assert simulator.state()["providers"][name]["instances"] == []


def test_state_is_as_before_where_no_door_is_open() -> None:
    with Simulator() as simulator:
        assert "providers" not in simulator.state()
        assert simulator.addresses() == {"verda": f"{simulator.url}/v1"}
