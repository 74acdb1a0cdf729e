# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told, in which words, and what of strangers' text can steer where it arrives."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._notify.event import (
    Event,
    amount,
    read_event,
    write_event,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._notify.messages import body_for
from ansible_collections.gpuops.cloud.plugins.module_utils._notify.receivers import Webhook
from ansible_collections.gpuops.cloud.plugins.module_utils._notify.rules import Seen, events_of

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
LIVING = {"id": "id-1", "name": "llm", "deployment": "llm", "owner": "ada", "price_per_hour": 3.555}


def told(**seen: Any) -> list[tuple[str, str]]:
    """Return ids and texts of what is told."""
    return [(one.id, one.text) for one in events_of(Seen(NOW, "usd", **seen))]


def until(minutes: float, **more: Any) -> dict[str, Any]:
    """Return an instance whose lease ends so soon."""
    return {**LIVING, "lease_end": f"{NOW + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}", **more}


@pytest.mark.parametrize(
    ("minutes", "is_told"), [(30.1, False), (30, True), (0.1, True), (0, False), (-5, False)]
)
def test_a_lease_is_told_of_in_its_last_half_hour(minutes: float, is_told: bool) -> None:
    assert bool(told(living=[until(minutes)])) is is_told


@pytest.mark.parametrize("end", [None, "soon", "2026-13-01T00:00:00Z"])
def test_without_an_end_there_is_nothing_to_tell(end: Any) -> None:
    assert told(living=[{**LIVING, "lease_end": end}]) == []


def test_words_of_a_lease_that_ends() -> None:
    ((_id, text),) = told(living=[until(25)])
    assert text == (
        "The lease of llm ends in 25 min, at 2026-11-22T12:25:00Z (deployment llm, owner ada). It "
        "costs 3.555 usd per hour. To keep it: ansible-playbook gpuops.cloud.lease "
        "-e deployment=llm -e extend=2h"
    )
    ((_id, text),) = told(living=[until(25, protected=True)])
    assert "It is protected, so it goes on costing 3.555 usd per hour." in text


# -- budgets ---------------------------------------------------------------------------------------


def limit(state: str, period: str = "month", **more: Any) -> dict[str, Any]:
    """Return the state of a limit."""
    share = {"ok": 79.99, "warning": 80, "critical": 90.5, "exceeded": 100}[state]
    row = {"period": period, "owner": None, "project": None, "limit": 3000, "state": state}
    return {**row, "used": 30 * share, "share_percent": share, **more}


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        ("ok", []),
        ("warning", ["warning"]),
        ("critical", ["critical", "warning"]),
        ("exceeded", ["exceeded", "warning", "critical"]),
    ],
)
def test_the_highest_step_of_a_budget_covers_those_below(state: str, steps: list[str]) -> None:
    found = events_of(Seen(NOW, "usd", budgets=[limit(state)]))
    ids = [name for one in found for name in (one.id, *one.covers)]
    assert ids == [f"budget:account:month:2026-11-01:3000:{step}" for step in steps]


@pytest.mark.parametrize(
    ("row", "begin", "words"),
    [
        (
            limit("critical", "day"),
            "budget:account:day:2026-11-22:",
            "2715 of 3000 usd of this day",
        ),
        (limit("critical", "hour"), "budget:account:hour:2026-11-22:", "3000 usd per hour"),
        (limit("critical", "total"), "budget:account:total::", "3000 usd in total"),
        (
            limit("critical", owner="ada"),
            "budget:owner ada:month:2026-11-01:",
            "90.5 % of the budget of owner ada is used",
        ),
        (limit("critical", project="x"), "budget:project x:month:", "budget of project x is used"),
    ],
)
def test_each_budget_is_told_in_its_own_words(row: dict[str, Any], begin: str, words: str) -> None:
    ((name, text),) = told(budgets=[row])
    assert name.startswith(begin)
    assert words in text


# -- servers ---------------------------------------------------------------------------------------


def report(minutes: float, age: float = 0, **more: Any) -> dict[str, Any]:
    """Return the report of an instance whose server is down since so long."""
    at = NOW - timedelta(minutes=age)
    server = {"port": 8000, "why": "its health check fails: Connection refused"}
    since = {"down_since": (at - timedelta(minutes=minutes)).isoformat()}
    return {"id": "id-1", "at": at.isoformat(), "servers": [{**server, **since, **more}]}


@pytest.mark.parametrize(
    ("reports", "is_told"),
    [
        ([report(5)], True),
        ([report(4.9)], False),
        ([report(60, age=11)], False),
        ([report(60, age=-11)], False),
        ([report(60, down_since=None)], False),
        ([report(60, down_since="never")], False),
        ([{**report(60), "id": "id-2"}], False),
        ([{"id": "id-1", "at": NOW.isoformat()}], False),
    ],
)
def test_a_server_is_down_after_five_minutes(reports: list[Any], is_told: bool) -> None:
    found = told(living=[LIVING], reports=reports)
    assert bool(found) is is_told


def test_words_of_a_server_that_is_down() -> None:
    ((name, text),) = told(living=[LIVING], reports=[report(5)])
    assert name == "server_down:id-1:8000:2026-11-22T11:55:00Z"
    assert text == (
        "The model server on llm, port 8000, has failed its health check since "
        "2026-11-22T11:55:00Z (deployment llm, owner ada): its health check fails: Connection "
        "refused. It goes on costing 3.555 usd per hour."
    )


# -- text from outside -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["<!channel>", "<!here|x>", "<@U1>", "<https://evil.example|login>", "&lt;!channel&gt;"],
)
def test_slack_reads_no_markup(name: str) -> None:
    (event,) = events_of(Seen(NOW, "usd", living=[until(5, name=name, owner=f"@{name}")]))
    hook = Webhook("https://hooks.slack.com/services/x", "slack")
    body = body_for(hook, event)
    text = body["text"]
    assert not {"<", ">"} & set(text)
    assert "&" not in text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert "@U" not in text
    assert "://" not in text
    assert body["mrkdwn"] is False


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "a\r\nb", "a\u202eb", "a\u2028b", "a\x00b"])
def test_nothing_steers_a_terminal(text: str) -> None:
    (event,) = events_of(Seen(NOW, "usd", living=[until(5, name=text)]))
    assert event.text.isprintable()
    assert event.facts["name"].isprintable()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3.555, "3.555 usd"),
        (0.19, "0.19 usd"),
        (12, "12 usd"),
        (1234567.891, "1234567.891 usd"),
        (0, "0 usd"),
        (None, ""),
        ("nan", ""),
        (float("inf"), ""),
    ],
)
def test_amounts_have_a_currency(value: Any, words: str) -> None:
    assert amount(value, "usd") == words


def test_an_event_is_kept_as_it_is() -> None:
    event = Event(
        "terminated:x", "terminated", NOW, "Terminated x.", {"name": "x", "price_per_hour": 1.5}
    )
    assert read_event(write_event(event)) == event


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"id": "a", "at": "never"}'])
def test_what_is_no_event_is_none(text: str) -> None:
    assert read_event(text) is None
