# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances leave behind: volumes, keys and scripts, and when nobody wants them any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import Instance, Volume
from ansible_collections.gpuops.cloud.plugins.module_utils._reaper.decision import (
    Account,
    Judgement,
    Rules,
    Verdict,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._reaper.rules import judge
from ansible_collections.gpuops.cloud.tests.unit.plugins import shown
from ansible_collections.gpuops.cloud.tests.unit.plugins.module_utils.test_reap import (
    ALL,
    NOW,
    at,
    machine,
    tags,
    verdicts,
)


def volume(**more: Any) -> Volume:
    """Return a loose volume of the deployment ``llm``, an hour old."""
    found = {"id": "v1", "name": "gpuops.llm.llm.data", "status": "detached", "size": 50}
    marks = tags(deployment="llm", **more.pop("marks", {}))
    row = {**found, "created_at": at(-60), "tags": marks, "base_hourly_cost": 0.1, **more}
    return shown.volume(row)


def about(judgement: Judgement) -> str | None:
    """Return why the one thing is over, ``?`` when unclear, ``kept``, or None."""
    found: list[Verdict] = [*judgement.over, *judgement.kept, *judgement.unclear]
    assert len(found) <= 1
    return (found[0].reason or "?") if found else None


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (volume(), "orphan"),
        (volume(tags=[]), "orphan"),  # its name is enough
        (volume(created_at=at(-14)), None),  # its instance may be on its way
        (volume(created_at=None), "?"),
        (volume(marks={"lease": at(-14)}), None),
        (volume(marks={"lease": at(-15)}), "orphan"),
        (volume(marks={"lease": at(600)}), None),
        (volume(marks={"lease": at(-61)}), "?"),
        (volume(marks={"lease": "soon"}), "?"),
        (volume(marks={"lease": "none"}), "kept"),
        (volume(marks={"keep": "yes", "lease": at(-30)}), "kept"),
        (volume(name="gpuops.llm.llm.os.keep", tags=[]), "kept"),
        (volume(name="gpuops.llm.models", tags=[]), "kept"),
        (volume(name="gpuops.llm.models"), "orphan"),
        # somebody has it, or it is on its way, or gone
        (volume(status="attached", instances=[{"id": "other"}]), None),
        (volume(instance_id="other"), None),
        (volume(status="detaching"), None),
        (volume(status="deleted"), None),
        (volume(status="detached", deleted_at=at(-1)), None),
        # foreign
        (volume(name="data", tags=[]), None),
        (volume(name="gpuops.llm", tags=[]), None),
        (volume(name="gpuops..x", tags=[]), None),
        (volume(name="llm.gpuops.llm.os", tags=[]), None),
    ],
)
def test_volumes(row: Volume, expected: str | None) -> None:
    somebody = shown.instance({"id": "other", "hostname": "web", "created_at": at(-60)})
    assert about(judge(Account([somebody], [row]), ALL)) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (volume(status="attached", instances=[{"id": "other"}]), "orphan"),
        (volume(status="attached", instances=[{"id": "other"}, {"id": "another"}]), "orphan"),
        (volume(status="attached", instance_id="other"), "orphan"),
        (volume(status="attached"), None),  # nobody says to what
        (volume(status="attaching", instance_id="other"), None),
        (volume(status="detaching", instance_id="other"), None),
        (volume(status="attached", instance_id="other", created_at=at(-14)), None),
        (volume(status="attached", instance_id="other", marks={"keep": "yes"}), "kept"),
        (volume(status="attached", instance_id="other", name="data", tags=[]), None),
    ],
)
def test_volumes_of_machines_that_do_not_exist(row: Volume, expected: str | None) -> None:
    judgement = judge(Account(volumes=[row]), ALL)
    assert about(judgement) == expected
    told = [verdict.detail for verdict in judgement.over]
    assert all("attached to an instance that no longer exists" in detail for detail in told)


@pytest.mark.parametrize(
    "row",
    [
        machine(),
        machine(status="provisioning"),
        machine(status="offline"),
        machine(marks={"owner": "them"}),
        machine(marks={"request": ""}),  # half of the marks are enough to leave its things alone
        machine(tags=[], description="[gpuops d=llm"),
    ],
)
def test_nothing_is_an_orphan_while_its_deployment_has_a_machine(row: Instance) -> None:
    key = shown.ssh_key({"name": "gpuops.llm.1f3a5c7e.20200101t0000z"})
    script = shown.startup_script({"name": "gpuops.llm.startup", "created_at": at(-9999)})
    found = judge(Account([row], [volume()], [key], [script]), ALL)
    assert found.over == []


@pytest.mark.parametrize("status", ["discontinued", "deleting", "error"])
def test_machine_that_is_no_more_keeps_nothing(status: str) -> None:
    row = machine(status=status, created_at=at(-1))
    assert verdicts(Account([row], [volume()])) == [("volume", "orphan")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpuops.llm.1f3a5c7e.20261121t1200z", "orphan"),
        ("gpuops.llm.1f3a5c7e.20261121t1201z", None),
        ("gpuops.llm.1f3a5c7e.20261122t1159z", None),
        ("gpuops.llm.1f3a5c7e", "?"),
        ("gpuops.llm.1f3a5c7e.20269999t9999z", "?"),
        ("gpuops.llm.laptop", "?"),
        ("laptop", None),
        ("gpuops.llm", None),
        ("20201121t1200z", None),
    ],
)
def test_keys(name: str, expected: str | None) -> None:
    assert about(judge(Account(ssh_keys=[shown.ssh_key({"name": name})]), ALL)) == expected


@pytest.mark.parametrize(
    ("created", "expected"),
    [(at(-24 * 60), "orphan"), (at(-24 * 60 + 1), None), (None, "?")],
)
def test_scripts(created: str | None, expected: str | None) -> None:
    row = shown.startup_script({"name": "gpuops.llm.startup", "created_at": created})
    assert about(judge(Account(startup_scripts=[row]), ALL)) == expected
    assert about(judge(Account(startup_scripts=[replace(row, name="mine")]), ALL)) is None


def test_keys_wait_with_volumes_that_are_kept() -> None:
    key = shown.ssh_key({"name": "gpuops.llm.1f3a5c7e.20200101t0000z"})
    kept = volume(marks={"keep": "yes"})
    assert judge(Account(volumes=[kept], ssh_keys=[key]), ALL).over == []
    other = volume(marks={"keep": "yes"}, name="gpuops.other.x", tags=[])
    assert len(judge(Account(volumes=[other], ssh_keys=[key]), ALL).over) == 1


def test_scope_of_what_is_left_behind() -> None:
    key = shown.ssh_key({"name": "gpuops.llm.1f3a5c7e.20200101t0000z"})
    mine, other = volume(marks={"owner": "me"}), volume()
    account = Account(volumes=[mine, replace(other, id="v2")], ssh_keys=[key])
    for rules, expected in (
        (Rules(NOW, deployments=frozenset({"llm"})), 3),
        (Rules(NOW, deployments=frozenset({"x"})), 0),
        (Rules(NOW, owner="me"), 1),  # neither the key nor the other volume says whose it is
        (Rules(NOW, owner="them"), 0),
    ):
        assert len(judge(account, rules).over) == expected
