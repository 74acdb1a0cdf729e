# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts that answer the end of things differently: each switch does what it says."""

from __future__ import annotations

from typing import Any

import pytest

from gpuops_simulator import Simulator

CHOSEN = "Can't discontinue a provisioning instance"


@pytest.mark.parametrize(
    ("status", "code"), [(403, "forbidden_action"), (400, "invalid_request"), (409, "conflict")]
)
def test_refusal_of_an_action_has_the_status_of_the_account(
    start: Any, status: int, code: str
) -> None:
    api = start(provision_seconds=30, dialect={"refusal_code": status})
    answer = api.act(api.buy(), "delete")
    assert (answer.status, answer.data["code"], answer.message) == (status, code, CHOSEN)
    volume = api.simulator.state()["volumes"][0]["id"]
    assert api.act_on_volume(volume, "delete").status == status


def test_refusal_may_hide_in_a_success(start: Any) -> None:
    api = start(provision_seconds=30, dialect={"refusal_code": 207})
    answer = api.act(api.buy(), "delete")
    assert answer.status == 207
    assert [(row["status"], row["error"]) for row in answer.data] == [("error", CHOSEN)]
    volume = api.simulator.state()["volumes"][0]["id"]
    answer = api.act_on_volume(volume, "delete")
    assert (answer.status, answer.data[0]["status"]) == (207, "error")


def test_what_is_wrong_with_a_request_stays_a_400(start: Any) -> None:
    api = start(dialect={"refusal_code": 409})
    assert api.act(api.buy(), "delete", volume_ids=["x"]).status == 400


def test_first_delete_does_nothing(start: Any) -> None:
    api = start(dialect={"first_delete": "404"})
    machine = api.buy()
    assert api.act(machine, "delete").status == 404
    assert api.get(f"/instances/{machine}").data["status"] == "running"
    assert api.act(machine, "delete").status == 202


@pytest.mark.parametrize(("trash", "listed"), [("late", 0), ("immediate", 1)])
def test_trash_is_late_or_immediate(start: Any, trash: str, listed: int) -> None:
    api = start(volume_seconds=5, dialect={"trash": trash})
    body = {"type": "NVMe", "name": "data", "size": 100, "location_code": "FIN-01"}
    volume = str(api.post("/volumes", body).text)
    api.simulator.advance(6)
    api.act_on_volume(volume, "delete")
    assert len(api.get("/volumes/trash").data) == listed
    api.simulator.advance(6)
    assert len(api.get("/volumes/trash").data) == 1


def test_instances_may_not_name_their_volumes(start: Any) -> None:
    api = start(dialect={"volume_ids": "missing"})
    row = api.get(f"/instances/{api.buy()}").data
    assert "volume_ids" not in row
    assert row["os_volume_id"]


def shared_by_two(api: Any) -> tuple[str, list[str]]:
    """Return a shared filesystem and the two instances, shut down, that have it."""
    machines = [str(api.buy()) for _each in "ab"]
    for machine in machines:
        api.act(machine, "shutdown")
    place = api.get(f"/instances/{machines[0]}").data["location"]
    body = {"type": "NVMe_Shared", "name": "files", "size": 100, "location_code": place}
    volume = str(api.post("/volumes", {**body, "instance_ids": machines}).text)
    api.simulator.advance(60)
    return volume, machines


@pytest.mark.parametrize("pause", [0, 1, 60])
def test_ends_of_a_shared_filesystem_that_overlap_are_both_done(start: Any, pause: int) -> None:
    api = start(delete_seconds=5, volume_seconds=5)
    volume, machines = shared_by_two(api)
    for machine in machines:
        assert api.act(machine, "delete").status == 202
        api.simulator.advance(pause)
    api.simulator.advance(60)
    row = api.volume(volume)
    assert (row["status"], row["instances"], row["instance_id"]) == ("detached", [], None)


def test_detaches_of_a_shared_filesystem_that_overlap_are_both_done(start: Any) -> None:
    api = start(volume_seconds=5)
    volume, machines = shared_by_two(api)
    for machine in machines:
        assert api.act_on_volume(volume, "detach", instance_id=machine).status == 202
    api.simulator.advance(60)
    assert api.volume(volume)["status"] == "detached"


def test_ended_instances_may_keep_their_disks(start: Any) -> None:
    api = start(dialect={"ended_disks": "attached"})
    volume, machines = shared_by_two(api)
    for machine in machines:
        api.act(machine, "delete")
    api.simulator.advance(60)
    assert api.volume(volume)["status"] == "attached"
    assert api.act_on_volume(volume, "delete").status == 403
    assert api.act_on_volume(volume, "detach").status == 202
    api.simulator.advance(60)
    assert api.act_on_volume(volume, "delete").status == 202


@pytest.mark.parametrize("wrong", [{"accent": "x"}, {"refusal_code": 418}, {"trash": "never"}])
def test_dialects_that_nobody_speaks_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"dialect keys|is one of"):
        Simulator({"dialect": wrong})
