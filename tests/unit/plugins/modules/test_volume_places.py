# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes and instances: attached and detached while the instance is off, and never otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_volume import (
    DATA,
    NEW,
    living,
    make,
    refused,
    volume,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    ACTIONS,
    Cloud,
    stock,
)

TYPE = "1H200.141S.44V"
CHANGES = {"method": "PUT", "path": "/v1/volumes"}


@pytest.fixture
def fleet(cloud: Cloud) -> Cloud:
    """Return a cloud with two instances of the deployment, ``llm`` and ``llm-2``."""
    cloud.sim.set_stock(stock(TYPE, f"{TYPE}@FIN-01"))
    cloud.buy(instance_type=TYPE, locations=["FIN-03"], count=2)
    return cloud


def ids(cloud: Cloud) -> dict[str, str]:
    """Return the ids of the instances by name."""
    return {row["hostname"]: row["id"] for row in cloud.machines()}


def status(cloud: Cloud) -> dict[str, str]:
    """Return the statuses of the instances by name."""
    return {row["hostname"]: row["status"] for row in cloud.machines()}


def holder(cloud: Cloud) -> list[str]:
    """Return the instances that hold the data volume, by the simulator's own account."""
    (row,) = [row for row in living(cloud) if row["name"] == "gpuops.llm.data"]
    return [machine["id"] for machine in row["instances"]]


def test_attach_to_a_machine_that_is_off(fleet: Cloud) -> None:
    fleet.buy(state="stopped")
    result = volume(fleet, size_gb=50, instance="llm")
    machine = ids(fleet)["llm"]
    assert result["actions"] == [
        "create volume gpuops.llm.data: 50 GB NVMe in FIN-03, 10.00 usd a month",
        f"attach volume gpuops.llm.data to llm ({machine})",
    ]
    assert holder(fleet) == result["volume"]["instance_ids"] == [machine]
    assert result["volume"]["status"] == "attached"
    assert status(fleet) == {"llm": "offline", "llm-2": "running"}
    for same in ({"instance": "llm"}, {"instance": machine}, {"instance": "llm", "attached": True}):
        assert volume(fleet, **same)["actions"] == []


def test_running_machine_is_refused_before_anything_is_created(fleet: Cloud) -> None:
    words = refused(fleet, size_gb=50, instance="llm")
    assert "is running, and the cloud attaches and detaches volumes only while" in words
    assert "power_cycle: true" in words


def test_power_cycle_is_told_and_waited_for(fleet: Cloud) -> None:
    machine = f"llm ({ids(fleet)['llm']})"
    result = volume(fleet, **NEW, instance="llm", power_cycle=True)
    assert result["actions"][1:] == [
        f"shut down {machine}",
        f"attach volume gpuops.llm.data to {machine}",
        f"start {machine}",
    ]
    assert status(fleet) == {"llm": "running", "llm-2": "running"}
    result = volume(fleet, attached=False, power_cycle=True, wait=False)
    assert result["actions"][1] == f"detach volume gpuops.llm.data from {machine}"
    assert result["volume"]["status"] == "detached"
    assert status(fleet)["llm"] == "running"
    assert volume(fleet, attached=False)["actions"] == []


def test_move_to_another_machine(fleet: Cloud) -> None:
    volume(fleet, **NEW, instance="llm", power_cycle=True)
    assert "llm (" in refused(fleet, instance="llm-2")
    result = volume(fleet, instance="llm-2", power_cycle=True)
    verbs = [action.split(" ")[0] for action in result["actions"]]
    assert verbs == ["shut", "shut", "detach", "attach", "start", "start"]
    assert holder(fleet) == [ids(fleet)["llm-2"]]
    assert volume(fleet, attached=False, instance="llm")["actions"] == []
    assert volume(fleet, attached=False, instance="ended")["actions"] == []


def test_remove_detaches_first(fleet: Cloud) -> None:
    volume(fleet, **NEW, instance="llm", power_cycle=True)
    assert "is running" in refused(fleet, state="absent")
    result = volume(fleet, state="absent", power_cycle=True)
    verbs = [action.split(" ")[0] for action in result["actions"]]
    assert verbs == ["shut", "detach", "move", "start"]
    assert status(fleet)["llm"] == "running"


def test_shared_file_system_has_many_machines(fleet: Cloud) -> None:
    fleet.buy(state="stopped", count=2)
    result = volume(fleet, **NEW, type="NVMe_Shared", instance="llm")
    assert result["volume"]["device"] is None
    assert "nconnect" in result["volume"]["mount_command"]
    result = volume(fleet, instance="llm-2")
    assert sorted(result["volume"]["instance_ids"]) == sorted(ids(fleet).values())
    result = volume(fleet, attached=False, instance="llm")
    assert result["volume"]["instance_ids"] == [ids(fleet)["llm-2"]]
    assert volume(fleet, attached=False)["volume"]["status"] == "detached"


def test_other_location_is_refused(fleet: Cloud) -> None:
    words = refused(fleet, size_gb=10, location="FIN-01", instance="llm", power_cycle=True)
    assert "is in FIN-03, and volume gpuops.llm.data in FIN-01" in words


def test_foreign_machines_are_never_touched(fleet: Cloud) -> None:
    fleet.buy(deployment="chat", instance_type=TYPE, locations=["FIN-03"])
    machine = ids(fleet)["chat"]
    assert "has no instance 'chat'" in refused(fleet, **NEW, instance="chat")
    assert "has no instance" in refused(fleet, **NEW, instance=machine)
    fleet.buy(deployment="chat", state="stopped")
    theirs = make(fleet, name="gpuops.llm.data", instance_id=machine)
    for args in ({"attached": False}, {"state": "absent"}, {"instance": "llm"}):
        words = refused(fleet, **args, power_cycle=True)
        assert f"attached to instance {machine}, which is not known to be of deployment" in words
    fleet.buy(deployment="chat", state="running")
    foreign = {"id": theirs, "foreign": True, "deployment": None, "name": None}
    assert "not known" in refused(fleet, **foreign, state="absent", power_cycle=True)


def test_machine_that_is_still_built_is_refused(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(TYPE))
    cloud.buy(instance_type=TYPE, wait=False)
    words = refused(cloud, **NEW, instance="llm", power_cycle=True)
    assert "is ordered, and the cloud" in words
    assert "Wait until it runs" in words


def test_volume_that_a_machine_boots_from(fleet: Cloud) -> None:
    fleet.buy(state="stopped")
    boots = fleet.buy()["instance"]["os_volume_id"]
    for args in ({"attached": False}, {"state": "absent"}):
        words = refused(fleet, id=boots, name=None, **args)
        assert "An instance boots from volume gpuops.llm.llm.os" in words
    assert volume(fleet, name="llm.os", size_gb=120)["volume"]["id"] == boots


def test_kept_volume_of_an_ended_machine_is_removed_by_its_name(fleet: Cloud) -> None:
    fleet.end(os_volume="keep")
    assert volume(fleet, name="llm.os", state="absent", policy="delete")["changed"]
    assert volume(fleet, name="llm-2.os", state="absent")["changed"]
    assert living(fleet) == []


# -- when something fails in between ---------------------------------------------------------------


def test_machine_is_started_again_when_the_change_fails(fleet: Cloud) -> None:
    volume(fleet, **NEW)
    fleet.fault("status", CHANGES, status=403, body={"code": "forbidden_action", "message": "no"})
    result = fleet.fails("datacrunch_volume", **DATA, instance="llm", power_cycle=True)
    assert "403 forbidden_action: no. llm was started again." in result["msg"]
    assert result["changed"]
    assert status(fleet)["llm"] == "running"
    assert holder(fleet) == []
    assert volume(fleet, instance="llm", power_cycle=True)["changed"]


def test_machine_that_does_not_start_again_is_told(fleet: Cloud) -> None:
    volume(fleet, **NEW)
    refusal: dict[str, Any] = {"status": 403, "body": {"code": "forbidden_action", "message": "no"}}
    fleet.fault("status", CHANGES, **refusal)
    fleet.fault("latency", ACTIONS, seconds=0)  # the shutdown
    fleet.fault("status", ACTIONS, **refusal)
    result = fleet.fails("datacrunch_volume", **DATA, instance="llm", power_cycle=True)
    assert "could not be started again and costs as much as a running one" in result["msg"]
    assert status(fleet)["llm"] == "offline"


@pytest.mark.parametrize("fate", ["commit_then_500", "commit_then_reset", "reset"])
def test_unclear_answers_on_the_way(fleet: Cloud, fate: str) -> None:
    volume(fleet, **NEW)
    for match in (ACTIONS, CHANGES):
        fleet.fault(fate, match)
    result = fleet.ok("datacrunch_volume", **DATA, instance="llm", power_cycle=True)
    assert result["volume"]["status"] == "attached"
    assert status(fleet)["llm"] == "running"
    assert holder(fleet) == [ids(fleet)["llm"]]
