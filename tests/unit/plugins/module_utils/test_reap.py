# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is to be ended, and why: tables of instances, volumes, keys and scripts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._models.ownership import Identity
from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import Instance
from ansible_collections.gpuops.cloud.plugins.module_utils._reaper.decision import (
    Account,
    Rules,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._reaper.rules import judge
from ansible_collections.gpuops.cloud.plugins.module_utils._ssh.idle_report import Use
from ansible_collections.gpuops.cloud.tests.unit.plugins import shown

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)  # a Sunday
ALL = Rules(NOW)
IDLE = Rules(NOW, idle_after=timedelta(minutes=30))


def at(minutes: float) -> str:
    """Return a time so many minutes from now."""
    return (NOW + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def tags(**values: str | None) -> list[dict[str, str]]:
    """Return tags of ours."""
    return [
        {"key": f"gpuops-{key.replace('_', '-')}", "value": value}
        for key, value in values.items()
        if value is not None
    ]


def machine(lease: str = "none", status: str = "running", **more: Any) -> Instance:
    """Return an instance of the deployment ``llm``, an hour old; ``marks`` are other tags."""
    marks = Identity("llm", "llm", "me", lease, "r1").tags()
    extra = tags(**more.pop("marks", {}))
    names = {tag["key"] for tag in extra}
    found = {"id": "m1", "hostname": "llm", "status": status, "price_per_hour": 2.0}
    found |= {"created_at": at(-60), "tags": [t for t in marks if t["key"] not in names] + extra}
    return shown.instance({**found, **more})


def verdicts(account: Account, rules: Rules = ALL) -> list[tuple[str, str | None]]:
    """Return kind and reason of everything that is over or unclear."""
    found = judge(account, rules)
    return [(one.kind, one.reason) for one in [*found.over, *found.unclear]]


def reason(row: Instance, rules: Rules = ALL, use: Use | None = None) -> str | None:
    """Return why an instance is over, ``?`` when that is unclear, None when it may live."""
    found = judge(Account([row], uses={"m1": use} if use else {}), rules)
    assert len(found.over) + len(found.unclear) <= 1
    return "?" if found.unclear else found.over[0].reason if found.over else None


# -- leases ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lease", "expected"),
    [
        ("none", None),
        ("None", None),
        (at(1), None),
        (at(0), None),
        (at(-14.9), None),
        (at(-15), "expired"),  # the grace is over to the second
        (at(-15.1), "expired"),
        (at(-59), "expired"),
        ("9999-12-31T23:59:59Z", None),
        # nobody ordered an instance that was over before
        (at(-61), "?"),
        ("1970-01-01T00:00:00Z", "?"),
        ("0001-01-01T00:00:00+05:00", "?"),
        ("yesterday", "?"),
        ("12h", "?"),
        ("-", "?"),
    ],
)
def test_leases(lease: str, expected: str | None) -> None:
    assert reason(machine(lease)) == expected


@pytest.mark.parametrize("grace", [0, 1, 30])
def test_grace_is_exact(grace: float) -> None:
    rules = Rules(NOW, grace=timedelta(minutes=grace))
    assert reason(machine(at(-grace)), rules) == "expired"
    assert reason(machine(at(-grace + 1 / 60)), rules) is None


@pytest.mark.parametrize("created", [None, "", "long ago"])
def test_machine_of_unknown_age_is_unclear(created: str | None) -> None:
    assert reason(machine(at(-30), created_at=created)) == "?"


def test_new_lease_counts_while_it_is_written() -> None:
    assert reason(machine(at(-30), marks={"next_lease": at(60)})) is None
    assert reason(machine(at(60), marks={"next_lease": at(-30)})) == "expired"
    assert reason(machine(at(-30), marks={"lease": None, "next_lease": at(60)})) is None


@pytest.mark.parametrize("status", ["discontinued", "deleting", "notfound", "deleted"])
def test_what_has_ended_is_not_ended_again(status: str) -> None:
    assert reason(machine(at(-30), status)) is None


@pytest.mark.parametrize("status", ["running", "offline", "provisioning", "of tomorrow"])
def test_what_costs_money_is_ended_in_any_status(status: str) -> None:
    assert reason(machine(at(-30), status)) == "expired"


@pytest.mark.parametrize("status", ["error", "no_capacity", "installation_failed"])
def test_failed_orders(status: str) -> None:
    assert reason(machine(at(600), status)) == "dead"
    assert reason(machine(at(600), status, created_at=at(-15))) == "dead"
    assert reason(machine(at(600), status, created_at=at(-14))) is None


def test_protected_machine_says_so() -> None:
    row = machine(at(-30), marks={"protect": "yes"})
    (verdict,) = judge(Account([row]), ALL).over
    assert (verdict.reason, verdict.protected) == ("expired", True)


# -- use -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (Use(NOW), None),
        (Use(NOW, done=True), "done"),
        (Use(NOW, NOW - timedelta(minutes=30)), "idle"),
        (Use(NOW, NOW - timedelta(minutes=29)), None),
        # by the clock of the instance, whatever that says
        (Use(NOW + timedelta(minutes=9), NOW - timedelta(minutes=21)), "idle"),
        # it cannot have been idle before it was there
        (Use(NOW, NOW - timedelta(days=9)), "idle"),
    ],
)
def test_use(use: Use, expected: str | None) -> None:
    assert reason(machine(), IDLE, use) == expected


def test_machine_is_not_idle_for_longer_than_it_exists() -> None:
    use = Use(NOW, NOW - timedelta(days=9))
    assert reason(machine(created_at=at(-20)), IDLE, use) is None


@pytest.mark.parametrize(
    ("own", "rule", "expected"),
    [
        (120, None, "idle"),
        (121, None, None),
        # the shorter of both
        (121, 30, "idle"),
        (30, 121, "idle"),
        (121, 121, None),
        (None, 121, None),
        (None, 120, "idle"),
    ],
)
def test_machine_says_itself_for_how_long_it_may_be_idle(
    own: int | None, rule: int | None, expected: str | None
) -> None:
    limits = [None if one is None else timedelta(minutes=one) for one in (own, rule)]
    use = Use(NOW, NOW - timedelta(hours=2), idle_after=limits[0])
    found = reason(machine(created_at=at(-300)), Rules(NOW, idle_after=limits[1]), use)
    assert found == expected


def test_busy_machine_is_left_whatever_limit_it_has() -> None:
    assert reason(machine(), IDLE, Use(NOW, None, idle_after=timedelta(0))) is None


def test_idleness_ends_nothing_unless_asked_for() -> None:
    use = Use(NOW, NOW - timedelta(days=9))
    assert reason(machine(), ALL, use) is None
    assert reason(machine(), ALL, Use(NOW, done=True)) == "done"


# -- hours -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("mon-fri 08:00-19:00", "hours"),
        ("mon-sun 08:00-19:00", None),
        ("sun 08:00-11:46", None),  # within the grace
        ("sun 08:00-11:45", "hours"),
        ("sun 12:00-13:00", None),
        ("sun 12:01-13:00", "hours"),
        ("sat 20:00-14:00", None),
        ("sun 08:00-13:30 Europe/Helsinki", "hours"),  # it is 14:00 there
        ("sun 08:00-13:46 Europe/Helsinki", None),
        ("always", "?"),
        ("sun 08:00-12:00 Mars/Olympus", "?"),
    ],
)
def test_hours(hours: str, expected: str | None) -> None:
    assert reason(machine(marks={"hours": hours})) == expected


def test_machine_that_was_just_bought_outside_its_hours_has_the_grace() -> None:
    marks = {"hours": "mon-fri 08:00-19:00"}
    assert reason(machine(marks=marks, created_at=at(-14))) is None
    assert reason(machine(marks=marks, created_at=at(-15))) == "hours"


def test_lease_comes_before_hours() -> None:
    assert reason(machine(at(-30), marks={"hours": "always"})) == "expired"


# -- whose -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (machine(at(-30), tags=[]), None),
        (machine(at(-30), tags=[], description="gpuops llm"), None),
        (machine(at(-30), tags=[{"key": "deployment", "value": "llm"}]), None),
        # half of our marks are none of ours; it is only said
        (machine(at(-30), marks={"name": "llm."}), "?"),
        (machine(at(-30), marks={"deployment": "LLM!"}), "?"),
        (machine(at(-30), marks={"owner": "a b"}), "?"),
        (machine(tags=[], description="[gpuops d=llm n=llm]"), "?"),
        (machine(tags=[], description=f"[gpuops d=llm n=llm o=me l={at(-30)} r=1"), "?"),
        (machine(tags=[], description=f"[gpuops d=llm n=llm o=me l={at(-30)} r=1]"), "expired"),
    ],
)
def test_marks(row: Instance, expected: str | None) -> None:
    assert reason(row) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (ALL, "expired"),
        (Rules(NOW, deployments=frozenset({"llm", "x"})), "expired"),
        (Rules(NOW, deployments=frozenset({"ll", "llm-2", "LLM"})), None),
        (Rules(NOW, owner="me"), "expired"),
        (Rules(NOW, owner="m"), None),
        (Rules(NOW, deployments=frozenset({"llm"}), owner="me"), "expired"),
        (Rules(NOW, deployments=frozenset({"llm"}), owner="them"), None),
    ],
)
def test_scope(rules: Rules, expected: str | None) -> None:
    assert reason(machine(at(-30)), rules) == expected
    found = judge(Account([machine("none")]), rules)
    assert len(found.living) == (1 if expected else 0)
