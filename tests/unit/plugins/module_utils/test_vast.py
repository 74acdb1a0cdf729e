# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Vast.ai's alone, read and asked: its credentials, market, lists, shapes and codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors
from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import Instance
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.answers import Answer
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.row import Row, Source
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.names import state_of
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.vast import credentials
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.vast.market import (
    Ask,
    ask_from,
    gpu_of,
    vram_each,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.vast.parsing import (
    balance_from,
    instance_from,
    key_from,
)
from ansible_collections.gpuops.cloud.tests.conformance.vast import Vast
from ansible_collections.gpuops.cloud.tests.unit.plugins.vast_data import (
    NAME,
    ORDER,
    door,
    world,
)
from gpuops_simulator.doors.vast_market import offer

__all__ = ["world"]


def row(**data: Any) -> Row:
    return Row(Source("GET /somewhere"), data)


def ask(**more: Any) -> Ask:
    return ask_from(row(**offer(101, **more)))


def seen(**more: Any) -> Instance:
    """Return an instance of an answer with some fields replaced."""
    base = {
        **offer(7),
        "label": "gpo.llm.llm-1.none.5f3a9c21",
        "actual_status": "running",
        "intended_status": "running",
        "cur_state": "running",
        "next_state": "running",
        "start_date": 1790000000.5,
        "end_date": 1799990000,
        "public_ipaddr": "192.0.2.9\n",
        "ssh_host": "ssh5.example.com",
        "ssh_port": 10022,
    }
    return instance_from(row(**{**base, **more}))


def answer(status: int, body: dict[str, Any] | str) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, {}, text.encode())


# -- credentials -----------------------------------------------------------------------------------


def test_key_is_found_by_option_then_variable_then_the_file_of_the_vendors_command(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VAST_API_KEY", "VAST_URL", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(errors.NoCredentialsError, match=r"Vast\.ai"):
        credentials.find_key({})
    file = home / ".config/vastai/vast_api_key"
    file.parent.mkdir(parents=True)
    file.write_text("of-the-file\n", encoding="utf-8")
    assert credentials.find_key({}) == (credentials.DEFAULT_BASE_URL, "of-the-file")
    monkeypatch.setenv("VAST_API_KEY", "of-the-variable")
    monkeypatch.setenv("VAST_URL", "https://vast.example.com/")
    assert credentials.find_key({}) == ("https://vast.example.com", "of-the-variable")
    assert credentials.find_key({"api_key": "given"})[1] == "given"


# -- the market ------------------------------------------------------------------------------------


def test_what_is_searched_are_virtual_machines_in_verified_data_centres(world: Vast) -> None:
    others: list[dict[str, Any]] = [
        {"verification": "unverified"},
        {"vms_enabled": False},
        {"hosting_type": 0},
        {"rented": True},
        {"rentable": False},
    ]
    for number, other in enumerate(others):
        door(world).offers[200 + number] = offer(200 + number, machine=200 + number, **other)
    names = [kind.name for kind in world.client().instance_types()]
    assert names == [NAME, "1X-A100-SXM4-M4712"]


def test_of_the_same_gpus_the_cheapest_offer_is_ordered(world: Vast) -> None:
    door(world).offers[104] = offer(104, dph_base=0.9, dph_total=0.91)
    client = world.client()
    assert client.instance_types()[0].on_demand.amount == 0.9
    client.order(ORDER)
    assert 104 not in door(world).offers


@pytest.mark.parametrize(
    ("name", "megabytes", "model", "vram"),
    [
        ("H100 SXM", 81559, "H100", 80),
        ("H100 PCIE", 81000, "H100", 80),
        ("H100 NVL", 95830, "H100", 94),
        ("A100 PCIE", 40960, "A100", 40),
        ("A100 SXM4", 76500, "A100", 80),
        ("H200", 143771, "H200", 141),
        ("RTX PRO 6000 WS", 97887, "RTX PRO 6000", 96),
        ("Tesla V100", 16160, "Tesla V100", 16),
        ("RTX 4090", 24564, "RTX 4090", 24),
    ],
)
def test_gpus_are_known_by_their_model_and_usual_memory(
    name: str, megabytes: int, model: str, vram: float
) -> None:
    assert (gpu_of(name), vram_each(name, megabytes)) == (model, vram)


def test_offer_says_what_it_is_and_on_which_terms() -> None:
    found = ask(num_gpus=2, end_date=1799990000)
    kind = found.type
    assert (kind.name, kind.gpu_count, kind.vram_gb) == ("2X-A100-SXM4-M4711", 2, 160)
    assert (kind.vcpu, kind.ram_gb, found.location) == (32, 251.5, "SE")
    assert kind.terms is not None
    assert kind.terms.as_dict() == {
        "reliability": 0.9971,
        "verification": "verified",
        "traffic_down_price": 0.002,
        "traffic_up_price": 0.003,
        "contract_end": "2027-01-15T05:13:20Z",
    }
    assert kind.spot.amount == 0.401  # thousandths, and never less than what wins


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"cpu_cores": None}, {"ram_gb": 0.0}),
        ({"min_bid": None}, {"spot.amount": 0.0}),
        ({"min_bid": "NaN"}, {"spot.amount": 0.0}),
        ({"geolocation": None}, {"location": "UNKNOWN"}),
        ({"geolocation": "Texas, US"}, {"location": "US"}),
    ],
)
def test_what_an_offer_does_not_tell_is_not_made_up(
    more: dict[str, Any], kind: dict[str, Any]
) -> None:
    found = ask(**more)
    has = {
        "ram_gb": found.type.ram_gb,
        "spot.amount": found.type.spot.amount,
        "location": found.location,
    }
    assert kind.items() <= has.items()
    assert found.type.problems == ()


@pytest.mark.parametrize(
    "more", [{"num_gpus": "two"}, {"storage_cost": "free"}, {"end_date": 1e15}, {"gpu_name": None}]
)
def test_offer_that_cannot_be_read_spoils_no_other(world: Vast, more: dict[str, Any]) -> None:
    door(world).offers[150] = offer(150, machine=150, **more)
    problems = {kind.name: kind.problems for kind in world.client().instance_types()}
    assert [name for name, why in problems.items() if not why] == [NAME, "1X-A100-SXM4-M4712"]
    assert len(problems) == 3


# -- instances -------------------------------------------------------------------------------------

STOPPED = {"intended_status": "stopped", "cur_state": "stopped", "next_state": "stopped"}


@pytest.mark.parametrize(
    ("more", "state", "status"),
    [
        ({}, "running", "running"),
        ({"actual_status": None}, "building", "provisioning"),
        ({"actual_status": "loading"}, "building", "loading"),
        ({"actual_status": "created"}, "building", "created"),
        ({"actual_status": "exited"}, "off", "exited"),
        ({"actual_status": None, **STOPPED}, "off", "stopped"),
        ({"actual_status": "frozen"}, "unknown", "frozen"),
        ({"actual_status": "offline"}, "unknown", "offline"),
        ({"actual_status": "of next year"}, "unknown", "of next year"),
        ({"actual_status": "exited", "is_bid": True, **STOPPED}, "failed", "outbid"),
        ({"actual_status": None, "is_bid": True, **STOPPED}, "failed", "outbid"),
        ({"actual_status": "loading", "is_bid": True}, "building", "loading"),
        (
            {"actual_status": "created", "status_msg": "OCI runtime create failed: x"},
            "failed",
            "broken",
        ),
    ],
)
def test_status_is_read_and_a_new_one_counts_as_alive(
    more: dict[str, Any], state: str, status: str
) -> None:
    found = seen(**more)
    assert (found.state, found.status) == (state, status)
    assert state_of(status) in (state, "off")  # the first provider knows another that is offline
    assert found.is_billed
    assert found.rate > 0  # its disk costs, whatever else it does


@pytest.mark.parametrize(
    ("more", "host", "port"),
    [
        ({"ports": {"22/tcp": [{"HostIp": "", "HostPort": "41022"}]}}, None, 41022),
        ({"ports": [22, 8080]}, "ssh5.example.com", 10022),
        ({"ports": None}, "ssh5.example.com", 10022),
        ({"ports": {"22/tcp": [{"HostPort": "99999"}]}}, "ssh5.example.com", 10022),
        ({"public_ipaddr": None, "ports": {"22/tcp": []}}, "ssh5.example.com", 10022),
        ({"ssh_host": "-oProxyCommand=x"}, None, None),
        ({"ssh_port": None}, None, None),
    ],
)
def test_ssh_is_reached_directly_else_by_the_proxy(
    more: dict[str, Any], host: str | None, port: int | None
) -> None:
    found = seen(**more)
    assert (found.ssh_host, found.ssh_port) == (host, port)
    assert found.has_address


@pytest.mark.parametrize(
    ("user", "amount"),
    [
        ({"balance": 0, "credit": 25.5}, 25.5),
        ({"balance": -5, "credit": 25.5}, 20.5),
        ({"balance": 12}, 12),
        ({"balance": 7, "credit": 25.5}, 25.5),
    ],
)
def test_balance_is_what_can_be_spent(user: dict[str, Any], amount: float) -> None:
    assert balance_from(row(**user)).amount == amount
    for bad in ({}, {"credit": "NaN"}, {"credit": None, "balance": None}):
        with pytest.raises(errors.UnavailableError):
            balance_from(row(**bad))


@pytest.mark.parametrize("field", ["public_key", "key"])
def test_name_of_a_key_is_its_comment(field: str) -> None:
    found = key_from(row(id=3, **{field: "ssh-ed25519 AAAA gpuops.llm.1234"}))
    assert (found.name, found.public_key) == ("gpuops.llm.1234", "ssh-ed25519 AAAA")
    assert found.deployment == "llm"
