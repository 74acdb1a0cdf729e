# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told: receivers that refuse or hang, what they ask for, and what cannot be one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.receivers import (
    Hook,
    at,
    ended,
    reap,
    tell,
    web_server,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module


@pytest.fixture
def hook(home: Path) -> Iterator[Hook]:
    """Run a web server that is told."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(web_server())


@pytest.mark.parametrize(
    ("status", "says", "words"),
    [
        (404, "no_service", "answered 404: no_service."),
        (500, "", "answered 500."),
        (403, "x" * 5000, "answered 403: xxx"),
        (403, "the-secret-of-the-webhook", "answered 403: "),
    ],
)
def test_a_refusal_is_a_warning_and_the_next_round_tells(
    hook: Hook, status: int, says: str, words: str
) -> None:
    hook.status, hook.says = status, says if "secret" not in says else hook.url
    (warning,) = tell(hook.receiver, reap=reap(0, ended(1), ended(2)))["warnings"]
    assert warning.startswith(f"The webhook at 127.0.0.1 {words}")
    assert "next round" in warning
    assert len(warning) < 400
    assert len(hook.paths) == 1  # who refuses is not asked again for each event
    hook.status = 200
    result = tell(hook.receiver, reap=reap(5))
    assert result["warnings"] == []
    assert (
        [row["id"] for row in result["told"]] == hook.ids == ["terminated:id-1", "terminated:id-2"]
    )


def test_a_server_that_is_not_there_is_a_warning(hook: Hook, home: Path) -> None:
    with web_server() as other:
        gone = other.receiver
    result = tell(gone, hook.receiver, reap=reap(0, ended()))
    (warning,) = result["warnings"]
    assert warning.startswith("The webhook at 127.0.0.1 was not reached: [Errno 111]")
    assert hook.ids == ["terminated:id-1"]


def test_who_hangs_is_left_in_time_and_holds_up_nobody(hook: Hook) -> None:
    free = threading.Event()
    with web_server() as slow:
        slow.before = free.wait
        begun = datetime.now(timezone.utc)
        result = tell(slow.receiver, hook.receiver, reap=reap(0, ended()), timeout=0.5)
        assert datetime.now(timezone.utc) - begun < timedelta(seconds=5)
        assert result["warnings"] == [
            "The webhook at 127.0.0.1 took longer than 0.5 s. It is tried again in the next round."
        ]
        free.set()
    assert hook.ids == ["terminated:id-1"]


def test_a_redirect_gets_no_secret(hook: Hook) -> None:
    with web_server() as other:
        hook.status, hook.sends = 307, {"Location": other.url}
        (warning,) = tell(hook.receiver, reap=reap(0, ended()))["warnings"]
        assert "answered 307, a redirect" in warning
        assert "is not followed" in warning
        assert other.paths == []


def test_what_nobody_takes_is_given_up_after_a_day(hook: Hook) -> None:
    hook.status = 500
    tell(hook.receiver, reap=reap(0, ended()))
    assert "500" in tell(hook.receiver, reap=reap(23.9 * 60))["warnings"][0]
    (warning,) = tell(hook.receiver, reap=reap(24.1 * 60))["warnings"]
    assert warning.startswith("The webhook at 127.0.0.1 was never told of this: Terminated llm-1")
    hook.status = 200
    assert tell(hook.receiver, reap=reap(24.2 * 60))["warnings"] == []
    assert hook.posted == []


def test_a_lease_that_is_over_ends_no_more(hook: Hook) -> None:
    living = {"id": "id-1", "name": "llm", "deployment": "llm", "lease_end": at(20)}
    hook.status = 500
    tell(hook.receiver, reap=reap(0, living=[living]))
    hook.status = 200
    (warning,) = tell(hook.receiver, reap=reap(25))["warnings"]
    assert "was never told of this: The lease of llm ends in 20 min" in warning
    assert hook.posted == []


def test_a_flood_comes_in_parts(hook: Hook) -> None:
    tell(hook.receiver, reap=reap(0, *map(ended, range(50))))
    assert len(hook.posted) == 20
    for minutes in (5, 10, 15):
        tell(hook.receiver, reap=reap(minutes))
    assert len(hook.posted) == len(set(hook.ids)) == 50


# -- what is asked for -----------------------------------------------------------------------------


def test_only_events_that_were_asked_for_are_told(hook: Hook) -> None:
    only = {**hook.receiver, "events": ["budget", "not_terminated"]}
    tell(only, reap=reap(0, ended(1), ended(2, outcome="failed", detail="PUT /instances: 503")))
    assert hook.kinds == ["not_terminated"]
    assert (
        "Could not terminate llm-2, it goes on costing 3.555 usd per hour" in hook.posted[0]["text"]
    )
    # Who asks for more later is not told of what was before.
    tell(hook.receiver, reap=reap(5))
    assert hook.kinds == ["not_terminated"]


def test_a_test_is_told_each_time_and_fails_where_it_cannot_be(hook: Hook) -> None:
    only = {**hook.receiver, "events": ["budget"]}
    for _again in range(2):
        tell(only, test=True, reap=reap(0, ended()))
    assert hook.kinds == ["test", "test"]
    hook.status = 410
    result, _said = run_module("notify", {"receivers": [only], "test": True})
    assert result["failed"]
    assert result["msg"] == "The webhook at 127.0.0.1 answered 410: ok."


def test_check_mode_tells_and_notes_nothing(hook: Hook, home: Path) -> None:
    given = {"receivers": [hook.receiver], "reap": reap(0, ended())}
    result, _said = run_module("notify", given, check=True)
    assert result["told"] == [
        {
            "receiver": "webhook at 127.0.0.1",
            "id": "terminated:id-1",
            "text": "Terminated llm-1, which cost 3.555 usd per hour: its lease ended (deployment "
            "llm, owner ada).",
        }
    ]
    assert hook.paths == []
    assert not (home / "data").exists()


def test_without_notes_nobody_is_told_and_nothing_fails(hook: Hook, home: Path) -> None:
    (home / "data/gpuops").mkdir(parents=True)
    (home / "data/gpuops/ledger.sqlite3").write_text("no database", encoding="ascii")
    (warning,) = tell(hook.receiver, reap=reap(0, ended()))["warnings"]
    assert warning.startswith("Nobody was told of anything in this round: The ledger ")
    assert hook.paths == []


@pytest.mark.parametrize(
    ("receiver", "words"),
    [
        ({"webhook": "http://hooks.example.org/the-secret"}, "no address that begins with https"),
        ({"webhook": "https:///the-secret"}, "no address that begins with https"),
        ({"webhook": "file:///etc/the-secret"}, "no address that begins with https"),
        ({"webhook": "https://ada:the-secret@example.org/"}, "holds a user"),
        ({"webhook": "https://example.org/a\nthe-secret"}, "no address that begins with https"),
        ({"webhook": "https://[the-secret/"}, "no address that begins with https"),
        ({"email": ["ada"]}, "no mail address"),
        ({"email": ["ada@example.org\nBcc: eve@example.org"]}, "no mail address"),
        ({"email": ["ada@example.org, eve@example.org"]}, "no mail address"),
        ({"email": ["Ada <ada@example.org>"]}, "no mail address"),
        ({"email": [""]}, "no mail address"),
        ({"email": []}, "neither webhook nor email"),
        ({"smtp": {"sender": "me"}}, "smtp.sender 'me' is no mail address"),
        ({"smtp": {"host": "a b"}}, "no address"),
        ({"smtp": {"port": 99999}}, "no address"),
        ({"smtp": {"username": "ada"}}, "go together"),
        ({"smtp": {"username": "a", "password": "the-secret", "tls": "none"}}, "unencrypted"),
        ({"smtp": {"password": "it's \\ the-secret\n"}}, "go together"),
    ],
)
def test_receivers_that_cannot_be_are_refused_without_their_secrets(
    home: Path, receiver: dict[str, Any], words: str
) -> None:
    smtp = {"host": "smtp.example.org", "sender": "me@example.org", **receiver.get("smtp", {})}
    mail = {"email": receiver.get("email", ["ada@example.org"]), "smtp": smtp}
    given = receiver if "webhook" in receiver else mail
    result, said = run_module("notify", {"receivers": [given], "reap": reap(0, ended())})
    assert result["failed"]
    assert "receiver 1: " in result["msg"]
    assert words in result["msg"]
    assert "the-secret" not in said
