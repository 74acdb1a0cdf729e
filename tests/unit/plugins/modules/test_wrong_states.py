# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be done in a state is known by its words, under whatever status it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base import error_mapping
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    ACTIONS,
    LISTING,
    Cloud,
    stock,
)

TYPE = "1H200.141S.44V"
TIER = {"tier": "h200_or_less"}
CODES = (400, 403, 409, 207)
VOLUMES = {"method": "PUT", "path": "/v1/volumes"}


@pytest.fixture(params=CODES)
def cloud(request: pytest.FixtureRequest, start: Start) -> Cloud:
    """Return a cloud that refuses in one of the ways that are known."""
    return start(provision_seconds=30, dialect={"refusal_code": request.param})


@pytest.mark.parametrize(
    "words",
    [
        "Can't discontinue a provisioning instance",
        "Can't discontinue a discontinued instance",
        "Cannot shutdown an offline instance",
        "Can\u2019t start a running instance",
        "Can't delete an attached volume",
        "Can't detach the OS volume",
        "Instance must be shut down",
        "Volume must be detached",
        "Volume is not attached",
    ],
)
@pytest.mark.parametrize("status", [400, 403, 409])
def test_words_decide(words: str, status: int) -> None:
    row = {"status": "error", "error": words, "statusCode": status}
    assert isinstance(error_mapping.from_row(row, "PUT /x", "delete"), errors.WrongStateError)


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "Invalid volume id", errors.NotFoundError),
        (400, "Invalid action: x", errors.InvalidError),
        (403, "Insufficient scope", errors.AuthError),
        (403, "Forbidden", errors.ForbiddenError),
        (404, "Can't find a running instance", errors.NotFoundError),
        (500, "Can't discontinue a provisioning instance", errors.UnavailableError),
    ],
)
def test_other_words_are_no_state(status: int, words: str, kind: type[Exception]) -> None:
    row = {"status": "error", "error": words, "statusCode": status}
    assert error_mapping.from_row(row, "PUT /x", "delete").__class__ is kind


def test_instance_that_is_being_built_is_ended(cloud: Cloud) -> None:
    cloud.buy(**TIER, wait=False)
    assert cloud.end(os_volume="delete")["changed"]
    cloud.sim.advance(60)
    assert cloud.machines() == cloud.sim.state()["volumes"] == []


def test_instance_that_is_gone_already_is_no_error(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    before = cloud.machine()
    cloud.end()
    cloud.fault("status", LISTING, status=200, body=[before])  # a list that is out of date
    assert cloud.end()["changed"]


@pytest.mark.parametrize("fate", ["error_later", "no_capacity_later"])
def test_dead_order_that_cannot_be_deleted_is_deleted_as_stuck(cloud: Cloud, fate: str) -> None:
    cloud.fault(fate)
    cloud.buy(**TIER, wait=False)
    cloud.sim.advance(60)
    refuse_once(cloud, "Can't discontinue a error instance")
    assert cloud.end(os_volume="delete")["changed"]
    assert cloud.machines() == []


def refuse_once(cloud: Cloud, words: str) -> None:
    """Refuse the next action as this account does."""
    status = cloud.sim.cloud.scenario.dialect.refusal_code
    body: Any = {"code": "forbidden_action", "message": words}
    if status == 207:
        body = [{"instanceId": "x", "status": "error", "error": words, "statusCode": 403}]
    cloud.fault("status", ACTIONS, status=status, body=body)


def test_walk_goes_on_after_an_order_that_ends_without_capacity(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(TYPE, "1A100.22V"))
    cloud.fault("no_capacity_later")
    refuse_once(cloud, "Can't discontinue a no_capacity instance")
    bought = cloud.buy(**TIER)
    assert [row["outcome"] for row in bought["attempts"]] == ["failed", "taken"]
    assert cloud.machine()["id"] == bought["instance"]["id"]


def test_loser_of_a_race_that_is_being_built_ends(cloud: Cloud) -> None:
    first = cloud.buy(**TIER)["instance"]["id"]
    cloud.clock.sleep(60)
    cloud.fault("status", LISTING, status=200, body=[])
    assert cloud.buy(**TIER)["instance"]["id"] == first
    assert cloud.machine()["id"] == first
    assert [row["status"] for row in cloud.sim.writes()][-2:] != [202, 202]  # it was refused first


@pytest.mark.parametrize(("have", "state"), [("stopped", "running"), ("running", "stopped")])
def test_switch_that_somebody_else_has_made_is_no_error(
    cloud: Cloud, have: str, state: str
) -> None:
    cloud.buy(**TIER)
    machine = cloud.buy(state=have)["instance"]["id"]
    before = cloud.shows("/instances")
    cloud.buy(state=state)
    cloud.fault("status", LISTING, status=200, body=before)  # a list that is out of date
    words = {"running": "start a running", "stopped": "shutdown a offline"}[state]
    refuse_once(cloud, f"Can't {words} instance")
    assert cloud.buy(state=state)["instance"]["id"] == machine


def test_switch_that_the_state_forbids_is_an_error(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    refuse_once(cloud, "Can't shutdown a strange instance")
    result = cloud.fails("datacrunch_instance", deployment="llm", state="stopped")
    assert result["error"]["code"] == "forbidden"
    assert "Can't shutdown a strange instance" in result["msg"]


def test_disk_is_detached_and_removed(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    disk = {"deployment": "llm", "name": "data"}
    cloud.ok("datacrunch_volume", **disk, size_gb=50, location="FIN-03")
    cloud.ok("datacrunch_volume", **disk, instance="llm", power_cycle=True)
    cloud.ok("datacrunch_volume", **disk, attached=False, power_cycle=True)
    assert cloud.ok("datacrunch_volume", **disk, state="absent")["changed"]


def test_reaper_ends_what_is_being_built(cloud: Cloud) -> None:
    cloud.fault("error_later")
    cloud.buy(**TIER, lease="1h", wait=False)
    cloud.sim.advance(3 * 3600)
    refuse_once(cloud, "Can't discontinue a error instance")
    assert cloud.ok("datacrunch_reap", everything=True, mode="delete")["changed"]
    assert cloud.machines() == []
