# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits that hold: for a whole request and a whole wait, also when an answer drips."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import wait
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import (
    GpuopsError,
    UnavailableError,
    WaitTimeoutError,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._lifecycle.instance_states import (
    wait_running,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base import transport
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.client import Client
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing import hf_hub
from ansible_collections.gpuops.cloud.tests.unit.plugins.hostile import (
    TOKEN,
    Hostile,
    hostile_server,
    instance,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import CLIENT_ID, SECRET

# Without a limit these answers would take minutes; a busy instance needs a while for anything.
DRIP, LIMIT, BUSY = 0.02, 0.3, 10.0
LONG = json.dumps([instance(description="x" * 20000)])


@pytest.fixture
def hostile(home: Path) -> Iterator[Hostile]:
    """Start a server that takes its time."""
    with hostile_server() as server:
        yield server


def client_of(hostile: Hostile, timeout: float) -> Client:
    """Return a client that has no patience."""
    auth = {"client_id": CLIENT_ID, "client_secret": SECRET, "base_url": hostile.url}
    return Client.from_params({**auth, "timeout": timeout})


def in_time(call: Callable[[], Any]) -> GpuopsError:
    """Return the error of a call, which comes in time."""
    started = time.monotonic()
    with pytest.raises(GpuopsError) as caught:
        call()
    assert time.monotonic() - started < LIMIT + BUSY
    return caught.value


@pytest.mark.parametrize("slow_head", [False, True], ids=["body", "head"])
@pytest.mark.parametrize(
    ("request_", "call"),
    [
        ("GET /instances", lambda client: client.instances()),
        ("POST /instances", lambda client: client.create("/instances", {})),
        ("PUT /instances", lambda client: client.instance_action("start", "a1")),
        ("DELETE /ssh-keys/a1", lambda client: client.delete_ssh_key("a1")),
    ],
    ids=["read", "order", "action", "removal"],
)
def test_an_answer_that_drips_ends_with_the_timeout(
    hostile: Hostile, request_: str, call: Callable[[Client], Any], slow_head: bool
) -> None:
    client_of(hostile, 60)._http.log_in()  # on a busy host that takes longer than the limit
    client = client_of(hostile, LIMIT)
    headers = {"X-Padding": "x" * 20000} if slow_head else {}
    hostile.say(request_, LONG, drip=DRIP, slow_head=slow_head, headers=headers)
    error = in_time(lambda: call(client))
    assert isinstance(error, UnavailableError)
    assert str(error).startswith(request_)
    assert "no answer in time" in str(error)
    assert error.unclear is not request_.startswith("GET")
    # A busy instance may not get to all attempts of a read; a write has only one.
    most = 3 if request_.startswith("GET") else 1
    assert hostile.asked.count(request_) <= most


def test_a_login_that_drips_ends_with_the_timeout(hostile: Hostile) -> None:
    body = {"access_token": TOKEN, "expires_in": 3600, "more": "x" * 20000}
    hostile.say("POST /oauth2/token", body, drip=DRIP)
    error = in_time(client_of(hostile, LIMIT).instances)
    assert "POST /oauth2/token" in str(error)
    assert "no answer in time" in str(error)


def test_an_answer_that_is_endless_is_an_error(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LARGEST", 1000)
    hostile.say("POST /instances", "x" * 5000)
    error = in_time(lambda: client_of(hostile, 20).create("/instances", {}))
    assert error.unclear


def test_a_wait_holds_its_limit_whatever_the_timeout_says(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait, "LAST_LOOK_S", 0.05)
    client = client_of(hostile, 600)
    client._http.log_in()
    hostile.say("GET /instances/a1", instance(description="x" * 20000), drip=DRIP)
    error = in_time(lambda: wait_running(client, "a1", "llm", LIMIT, 0.05))
    assert isinstance(error, WaitTimeoutError)
    assert "llm (a1) to run: not reached within" in str(error)


def test_reads_at_the_same_time_share_the_limit_of_a_wait(hostile: Hostile) -> None:
    client = client_of(hostile, 600)
    client._http.log_in()
    seen: list[float | None] = []

    def look() -> bool:
        return bool(client.together(*[lambda: seen.append(wait.time_left())] * 2))

    wait.wait_until(look, bool, what="nothing", timeout=50, interval=1, clock=client.clock)
    assert len(seen) == 2
    assert all(left is not None and 40 < left <= 50 for left in seen)
    assert wait.time_left() is None


def test_a_wait_within_a_wait_has_no_more_time(hostile: Hostile) -> None:
    clock = client_of(hostile, 1).clock
    more = {"interval": 1.0, "clock": clock, "what": "nothing"}

    def inner() -> float | None:
        return wait.wait_until(wait.time_left, bool, timeout=1000, **more)  # type: ignore[arg-type]

    left = wait.wait_until(inner, bool, timeout=20, **more)  # type: ignore[arg-type]
    assert left is not None
    assert left <= 20


def test_a_hub_that_drips_ends_with_the_timeout(hostile: Hostile) -> None:
    hostile.say("GET /m/resolve/main/config.json", b'{"a": "' + b"x" * 20000, drip=DRIP)
    options = {"endpoint": hostile.url, "revision": "main", "token": None, "timeout": LIMIT}
    error = in_time(lambda: hf_hub.read_hub("m", **options))  # type: ignore[arg-type]
    assert "cannot be reached" in str(error)


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), 1e9])
def test_a_timeout_that_is_none_is_refused(hostile: Hostile, timeout: float) -> None:
    with pytest.raises(GpuopsError, match=r"timeout must be above zero"):
        client_of(hostile, timeout)
    assert hostile.asked == []
