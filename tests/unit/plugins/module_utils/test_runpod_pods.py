# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of RunPod: what an order holds, how answers are read, ports that change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors
from ansible_collections.gpuops.cloud.plugins.module_utils._models.status import (
    BUILDING,
    FAILED,
    GONE,
    OFF,
    RUNNING,
    UNKNOWN,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod import (
    keys,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod.parsing import (
    NO_GPU,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.conformance.runpod import RunPod
from ansible_collections.gpuops.cloud.tests.unit.plugins.runpod_data import (
    ID,
    ORDER,
    door,
    pod,
    read,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY
from gpuops_simulator.doors.runpod import RunPodDoor
from gpuops_simulator.doors.runpod_rows import GPU, gpu_row


@pytest.fixture
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunPod]:
    """Return an account of RunPod."""
    with opened(RunPod, 0.0, monkeypatch) as found:
        yield found


# -- what is sent ----------------------------------------------------------------------------------


def test_order_holds_owner_keys_and_nothing_that_the_api_does_not_know(world: RunPod) -> None:
    made = world.client().order(ORDER)
    (there,) = door(world).machines
    assert there.id == made
    assert there.facts == {
        "name": ORDER.description,
        "image": ORDER.image,
        "cloud": "SECURE",
        "dataCenterIds": ["US-KS-2"],
        "gpu": {"id": GPU, "count": 1, "minCudaVersion": "12.8"},
        "disk": 100,
        "ports": ["22/tcp"],
        "env": {"PUBLIC_KEY": ID, "GPUOPS_OWNER": "me", "GPUOPS_LEASE": "none"},
        "startSsh": True,
    }


def test_unknown_field_is_refused_by_the_door_and_told_by_name(
    world: RunPod, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, post = world.client(), world.provider.post
    monkeypatch.setattr(
        world.provider, "post", lambda self, path, body: post(self, path, {**body, "spot": True})
    )
    with pytest.raises(errors.InvalidError, match="'spot' not allowed"):
        client.order(ORDER)
    assert door(world).machines == []


@pytest.mark.parametrize("given", [(), ("mine",), (f"{ID}\nssh-rsa AAAA",), (KEY,)])
def test_order_without_a_sound_key_is_refused_before_any_request(
    world: RunPod, given: tuple[str, ...]
) -> None:
    with pytest.raises(errors.InvalidError, match="ssh_keys"):
        world.client().order(replace(ORDER, ssh_key_ids=given))
    assert world.requests() == []


def test_keys_of_the_account_are_read_and_never_written(world: RunPod) -> None:
    door(world).account_keys = [f"{ID} laptop", "ssh-rsa AAAA gpuops.llm.key", "what is this"]
    rows = world.client().ssh_keys()
    assert [(row.id, row.deployment) for row in rows] == [(ID, None), ("ssh-rsa AAAA", None)]
    assert rows[0].name == "laptop"
    assert str(rows[0].fingerprint).startswith("SHA256:")
    world.buy(ssh_keys=["laptop"])
    assert door(world).machines[0].facts["env"]["PUBLIC_KEY"] == ID
    with pytest.raises(errors.InvalidError, match="runpod has no place for SSH keys"):
        world.client().add_ssh_key("laptop", KEY)
    assert "PUT" not in [row.method for row in world.requests()]


def test_key_that_is_registered_nowhere_goes_with_the_order(world: RunPod) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA somebody@somewhere"
    bought = world.buy(ssh_keys=[other])
    assert bought["ssh_key_ids"] == [keys.key_id(other)]
    assert not world.ok("instance", **world.wish(ssh_keys=[other]))["changed"]


def test_list_of_keys_of_another_shape_is_an_error(world: RunPod) -> None:
    door(world).account_keys = None  # type: ignore[assignment]
    with pytest.raises(errors.UnavailableError, match="keys is missing"):
        world.client().ssh_keys()


# -- what is read ----------------------------------------------------------------------------------

STATES = [
    ("PROVISIONING", BUILDING),
    ("STARTING", BUILDING),
    ("RUNNING", RUNNING),
    ("EXITED", OFF),
    ("ERROR", FAILED),
    ("TERMINATED", GONE),
    ("MIGRATING", UNKNOWN),
]


@pytest.mark.parametrize(("status", "state"), STATES)
def test_status_that_nobody_knows_counts_as_alive(status: str, state: str) -> None:
    found = read(status=status)
    assert (found.status, found.state) == (status, state)
    assert found.is_billed is (state != GONE)


def test_pod_is_read() -> None:
    found = read()
    assert (found.ip, found.ssh_host, found.ssh_port) == ("203.0.113.7", "203.0.113.7", 34446)
    assert found.instance_type == "2x_NVIDIA_H100_80GB_HBM3"
    assert (found.gpu_model, found.gpu_count, found.location) == ("H100", 2, "US-KS-2")
    assert (found.name, found.ssh_key_ids) == ("llm-1", (ID,))
    assert found.born is not None
    assert found.tag_values == {"gpuops-owner": "me"}, "what else is in there may be secret"


def test_proxy_of_the_vendor_is_no_address() -> None:
    found = read(ssh={"proxy": pod()["ssh"]["proxy"], "direct": None}, runtime=None)
    assert (found.state, found.ip, found.ssh_port) == (RUNNING, None, None)


@pytest.mark.parametrize("port", ["no", 0, 65536, 22.5])
def test_port_that_is_none_is_an_error(port: Any) -> None:
    with pytest.raises(errors.UnavailableError):
        read(ssh={"direct": {"host": "203.0.113.7", "port": port}})


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"gpu": {"id": "NVIDIA H100 80GB HBM3", "count": 0}}, FAILED),
        ({"gpu": None}, FAILED),
        ({"runtime": {"uptime": 3, "gpus": []}}, UNKNOWN),  # it may not be complete yet
    ],
)
def test_pod_that_came_back_without_gpus_does_not_count_as_running(
    more: dict[str, Any], state: str
) -> None:
    found = read(**more)
    assert (found.status, found.state, found.is_billed) == (NO_GPU, state, True)


def test_pod_that_was_rented_without_gpus_runs() -> None:
    found = read(gpu=None, cpu={"id": "cpu3c", "vcpuCount": 2})
    assert (found.state, found.instance_type, found.gpu_count) == (RUNNING, None, 0)


@pytest.mark.parametrize("env", [[{"key": "TOKEN", "value": "not-to-be-told"}], "not-to-be-told"])
def test_environment_of_another_shape_is_told_in_no_error(env: Any) -> None:
    with pytest.raises(errors.UnavailableError) as caught:
        read(env=env)
    assert "not-to-be-told" not in str(caught.value)


def test_lock_is_protection_of_what_is_ours() -> None:
    ours = read(locked=True)
    assert ours.ownership is not None
    assert ours.ownership.protected
    theirs = read(locked=True, name="theirs", env={})
    assert (theirs.looks_ours, theirs.tags) == (False, ())


STORED = {"persistent": {"size": 73, "path": "/workspace"}}
COSTS = [
    ({}, 5.38 + 0.01),
    ({"mounts": STORED}, 5.38 + 0.02),
    ({"status": "EXITED", "cost": 0.0}, 0.0),
    ({"status": "EXITED", "cost": 0.0, "mounts": STORED}, 0.02),  # twice the rate
    ({"status": "EXITED", "mounts": STORED}, 5.38 + 0.02),  # a cost that stays is believed
]


@pytest.mark.parametrize(("more", "price"), COSTS)
def test_price_is_gpus_and_disks(more: dict[str, Any], price: float) -> None:
    assert read(**more).price.known("usd") == pytest.approx(price)


@pytest.mark.parametrize("cost", [0, None, "NaN"])
def test_pod_that_runs_for_nothing_is_not_believed(cost: Any) -> None:
    assert read(cost=cost).price.amount is None


# -- stop and start --------------------------------------------------------------------------------


def test_port_is_another_after_each_start_and_none_in_between(world: RunPod) -> None:
    made, client = world.client().order(ORDER), world.client()
    world.advance(60)
    before = client.instance(made).ssh_port
    client.shut_down(made)
    stopped = client.instance(made)
    assert (stopped.state, stopped.ip, stopped.ssh_port) == (OFF, None, None)
    client.start(made)
    assert client.instance(made).ip is None
    world.advance(60)
    after = client.instance(made).ssh_port
    assert None not in (before, after)
    assert before != after


def test_start_without_gpus_is_told(world: RunPod) -> None:
    bought = world.buy()
    world.ok("instance", **world.wish(state="stopped"))
    door(world).taken = True
    failed = world.fails("instance", **world.wish(state="running", wait_timeout=120))
    assert NO_GPU in failed["msg"]
    assert world.living() == [bought["id"]], "it goes on, and is named"


def test_pod_that_never_gets_a_port_is_ended_and_the_next_offer_tried(
    world: RunPod, monkeypatch: pytest.MonkeyPatch
) -> None:
    door(world).gpus = [gpu_row(places=(("US-KS-2", "HIGH"), ("EU-RO-1", "LOW")))]
    reached = RunPodDoor._reached

    def without(self: RunPodDoor, pod: Any, status: str) -> dict[str, Any]:
        found = reached(self, pod, status)
        here = pod.facts.get("dataCenterIds") == ["EU-RO-1"]
        return found if here else {**found, "ssh": {**found["ssh"], "direct": None}}

    monkeypatch.setattr(RunPodDoor, "_reached", without)
    bought = world.buy(start_timeout=60, locations=["US-KS-2", "EU-RO-1"])
    assert bought["location"] == "EU-RO-1"
    assert world.living() == [bought["id"]]
