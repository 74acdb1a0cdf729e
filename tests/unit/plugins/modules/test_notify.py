# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each event is told once, whoever was killed in between, and nothing waits for who is told."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from requests import Session

from ansible_collections.gpuops.cloud.plugins.module_utils._core.apply import Threads, apply
from ansible_collections.gpuops.cloud.plugins.module_utils._notify.notices import Notices
from ansible_collections.gpuops.cloud.plugins.module_utils._notify.resource import NotifyResource
from ansible_collections.gpuops.cloud.tests.unit.plugins.receivers import (
    Hook,
    ended,
    reap,
    tell,
    web_server,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud


@pytest.fixture
def hook(home: Path) -> Iterator[Hook]:
    """Run a web server that is told."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(web_server())


class Killed(BaseException):
    """The controller is gone."""


@contextlib.contextmanager
def dies_after(owner: Any, name: str) -> Iterator[None]:
    """Let whatever does a call do nothing after it any more."""
    call = getattr(owner, name)

    def last(*args: Any, **more: Any) -> None:
        call(*args, **more)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _what: None)
        patch.setattr(owner, name, last)
        yield


# -- from the cloud to the receiver ----------------------------------------------------------------


def rounds(cloud: Cloud, hook: Hook, count: int = 1, **args: Any) -> dict[str, Any]:
    """Let a reaper go round so often, and tell of it."""
    for _round in range(count):
        result = cloud.ok("datacrunch_reap", everything=True, mode="delete", **args)
        told = tell(hook.receiver, reap=result)
        cloud.sim.advance(300)
    return told


@pytest.mark.every_core("notify")
def test_a_purchase_its_last_half_hour_and_its_end_are_told_once(cloud: Cloud, hook: Hook) -> None:
    for _again in range(2):
        bought = cloud.buy(tier="h200_or_less", lease="1h", owner="ada")
        tell(hook.receiver, purchase=bought)
    assert hook.kinds == ["bought"]
    rounds(cloud, hook, 2)
    assert hook.kinds == ["bought"]
    cloud.sim.advance(1500)
    rounds(cloud, hook, 2)
    cloud.sim.advance(3000)
    rounds(cloud, hook, 3)
    assert hook.kinds == ["bought", "lease_ending", "terminated"]
    bought_row, ending, end = hook.posted
    instance = bought["instances"][0]
    assert bought_row["id"] == f"bought:{instance['id']}"
    assert f"until {instance['lease_end']}" in bought_row["text"]
    for row in hook.posted:
        assert f"{instance['price_per_hour']:g} usd per hour" in row["text"]
        assert row["facts"]["currency"] == "usd"
        assert "(deployment llm, owner ada)" in row["text"]
    assert "ends in 2" in ending["text"]
    assert "gpuops.cloud.lease -e deployment=llm" in ending["text"]
    assert "its lease ended at" in end["text"]


def test_a_longer_lease_ends_anew(cloud: Cloud, hook: Hook) -> None:
    tell(hook.receiver, purchase=cloud.buy(tier="h200_or_less", lease="20m"))
    rounds(cloud, hook)
    cloud.ok("datacrunch_lease", deployment="llm", extend="30m")
    rounds(cloud, hook, 6)
    assert hook.kinds == ["bought", "lease_ending", "lease_ending"]


# What a reaper or a bring-up does, that is killed before it tells anybody.
@pytest.mark.parametrize("written", [True, False])
def test_what_a_killed_run_did_is_told_by_the_next_round(
    cloud: Cloud, hook: Hook, written: bool
) -> None:
    rounds(cloud, hook)
    ledger = {} if written else {"ledger": "none"}
    cloud.sim.advance(600)
    cloud.buy(tier="h200_or_less", lease="1h", **ledger)
    rounds(cloud, hook)
    assert hook.kinds == ["bought"]
    cloud.sim.advance(6000)
    cloud.ok("datacrunch_reap", everything=True, mode="delete", **ledger)
    rounds(cloud, hook, 2)
    assert hook.kinds[-1] == "terminated"
    assert hook.kinds.count("terminated") == 1
    assert ("nobody wrote down who terminated it" in hook.posted[-1]["text"]) is not written


def test_nobody_is_told_the_history(cloud: Cloud, hook: Hook) -> None:
    cloud.buy(tier="h200_or_less", lease="8h")
    cloud.sim.advance(3600)
    rounds(cloud, hook, 2)
    assert hook.posted == []


# -- once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "name", "sent"),
    [(Notices, "add", 0), (Notices, "claim", 0), (Session, "post", 1), (Notices, "settle", 1)],
)
def test_a_kill_at_any_point_leaves_one_event_for_the_receiver(
    hook: Hook, owner: Any, name: str, sent: int
) -> None:
    with dies_after(owner, name):
        assert tell(hook.receiver, reap=reap(0, ended()))["told"] == []
    assert len(hook.posted) == sent
    for minutes in (0.1, 5, 10):  # at once, the claim may hold still
        tell(hook.receiver, reap=reap(minutes))
    # Only a kill between sending and noting sends twice, and the receiver can know it.
    assert len(hook.posted) == (2 if name == "post" else 1)
    assert set(hook.ids) == {"terminated:id-1"}
    assert len({json.dumps(row) for row in hook.posted}) == 1
    assert {row["Idempotency-Key"] for row in hook.headers} == {"terminated:id-1"}


def test_two_controllers_with_one_ledger_tell_once(
    hook: Hook, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = f"sqlite:///{home}/shared.sqlite3"
    for name, kept in (("one", ledger), ("two", ledger), ("three", "none"), ("four", "none")):
        monkeypatch.setenv("XDG_DATA_HOME", str(home / name))
        for _again in range(2):
            tell(hook.receiver, reap=reap(0, ended()), ledger=kept)
    # The last two know nothing of anybody.
    assert hook.ids == ["terminated:id-1"] * 3


PROGRAM = """
import json, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.argv[1].encode(), "legacy"
from ansible_collections.gpuops.cloud.plugins.modules import notify
notify.main()
"""


def started(**args: Any) -> subprocess.Popen[str]:
    """Start the module as a process of its own."""
    program = f"import sys\nsys.path[:0] = {sys.path!r}\n{PROGRAM}"
    command = [sys.executable, "-c", program, json.dumps({"ANSIBLE_MODULE_ARGS": args})]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_reapers_one_of_which_is_killed_tell_once(hook: Hook) -> None:
    given = {"receivers": [hook.receiver], "reap": reap(0, *map(ended, range(4)))}
    asked, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        go_on.wait(30)

    hook.before = wait
    first = started(**given)
    assert asked.wait(60)
    # It has a claim, and its message is on its way. The second is a process too, for the thread of
    # one that gave up would go on in this one.
    assert started(**given, timeout=0.2).wait(60) == 0
    first.kill()
    first.communicate()
    hook.before = lambda: None
    go_on.set()
    tell(hook.receiver, reap=reap(5))
    assert sorted(set(hook.ids)) == [f"terminated:id-{number}" for number in range(4)]
    assert len(hook.ids) <= 6  # those two that were on their way came after all, and again


def test_two_reapers_at_the_same_moment_tell_once(hook: Hook) -> None:
    hook.before = lambda: threading.Event().wait(0.02)
    want = {"receivers": [hook.receiver], "reap": reap(0, *map(ended, range(6)))}
    want |= {"purchase": None, "reports": [], "test": False, "timeout": 15, "ledger": None}

    def work() -> None:
        resource = NotifyResource()
        apply(Threads(), resource.plan(resource.find(None, want), want))

    reapers = [threading.Thread(target=work) for _reaper in range(2)]
    for reaper in reapers:
        reaper.start()
    for reaper in reapers:
        reaper.join()
    assert sorted(hook.ids) == [f"terminated:id-{number}" for number in range(6)]


def test_who_stands_there_twice_is_told_once(hook: Hook) -> None:
    tell(hook.receiver, {**hook.receiver, "format": "json"}, reap=reap(0, ended()))
    assert hook.ids == ["terminated:id-1"]
