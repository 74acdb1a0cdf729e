# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets and tokens are cut out of whatever an answer brings, wherever they come from."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.answers import (
    HIDDEN,
    hide,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.hostile import (
    TOKEN,
    Hostile,
    hostile_server,
    instance,
    our_tags,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module

SECRET = 'a"very\\special/secret+of=the tests'
ECHO = {"grant_type": "client_credentials", "client_id": "me", "client_secret": SECRET}
SOURCES = ("option", "environment", "verda environment", "file", "profile")


@pytest.fixture
def hostile(home: Path) -> Iterator[Hostile]:
    """Start a server that repeats what it was told."""
    with hostile_server() as server:
        yield server


def given(
    source: str, hostile: Hostile, home: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Let the credentials come from this source; returns the options."""
    options = {"base_url": hostile.url}
    if source == "option":
        return {**options, "client_id": "me", "client_secret": SECRET}
    if "environment" in source:
        family = "VERDA" if "verda" in source else "DATACRUNCH"
        monkeypatch.setenv(f"{family}_CLIENT_ID", "me")
        monkeypatch.setenv(f"{family}_CLIENT_SECRET", SECRET)
        return options
    section = "team" if source == "profile" else "default"
    file = home / ".datacrunch/credentials"
    file.parent.mkdir()
    file.write_text(f"[{section}]\nclient_id = me\nclient_secret = {SECRET}\n")
    return {**options, "profile": "team"} if source == "profile" else options


def shows(text: str, secret: str) -> bool:
    """Tell whether a text shows a secret, in any spelling."""
    quoted = json.dumps(secret)[1:-1]
    coded = base64.b64encode(secret.encode()).decode().rstrip("=")
    spelled = (secret, quoted, json.dumps(quoted)[1:-1], quote(secret, safe=""), coded)
    return any(word in text for word in spelled)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("how", ["json", "text", "message", "html"])
def test_a_login_that_is_echoed(
    hostile: Hostile, home: Path, monkeypatch: pytest.MonkeyPatch, source: str, how: str
) -> None:
    options = given(source, hostile, home, monkeypatch)
    sent = json.dumps(ECHO)
    bodies: dict[str, Any] = {
        "json": ECHO,
        "text": sent,
        "message": {"code": "invalid", "message": f"body was {sent}"},
        "html": f"<html><body>{sent}</body></html>",
    }
    for status in (400, 401, 500, 200):
        hostile.say("POST /oauth2/token", bodies[how], status=status)
        result, output = run_module("datacrunch_balance", {**options, "timeout": 20})
        assert result["failed"]
        assert not shows(output, SECRET), output


@pytest.mark.parametrize("source", SOURCES)
def test_a_request_that_is_echoed_with_its_token(
    hostile: Hostile, home: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    options = given(source, hostile, home, monkeypatch)
    words = f"GET /v1/balance HTTP/1.1\nAuthorization: Bearer {TOKEN}\nsecret {SECRET}"
    for status in (400, 403, 404, 500, 200, 301):
        for body in (words, {"message": words}, {"code": TOKEN, "message": [words]}):
            hostile.say("GET /balance", body, status=status)
            result, output = run_module("datacrunch_balance", {**options, "timeout": 20})
            assert not shows(output, SECRET), output
            assert TOKEN not in output
            assert result.get("failed") or status == 200


def test_results_of_actions_are_cut_as_well(
    hostile: Hostile, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = given("file", hostile, home, monkeypatch)
    hostile.say("GET /instances", [instance(hostname="llm", tags=our_tags())])
    hostile.say("GET /instances/5f3b0c9e-5a7e-4d8e-9c64-000000000001", instance(tags=our_tags()))
    for path in ("/volumes", "/volumes/trash", "/ssh-keys", "/scripts"):
        hostile.say(f"GET {path}", [])
    row = {"status": "error", "error": f"no: {TOKEN} {SECRET}", "statusCode": 403}
    hostile.say("PUT /instances", [row], status=207)
    wish = {"deployment": "llm", "state": "stopped", "owner": "ada", "timeout": 20}
    result, output = run_module("datacrunch_instance", {**options, **wish})
    assert "PUT /instances" in hostile.asked
    assert result["failed"]
    assert not shows(output, SECRET)
    assert TOKEN not in output


def test_data_that_holds_a_secret_of_a_file_is_masked(
    hostile: Hostile, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = given("file", hostile, home, monkeypatch)
    tags = our_tags(note=f"{SECRET} {TOKEN}")
    hostile.say("GET /instances", [instance(hostname="llm", description=SECRET, tags=tags)])
    result, output = run_module("datacrunch_instance_info", {**options, "timeout": 20})
    assert len(result["instances"]) == 1
    assert not shows(output, SECRET)
    assert TOKEN not in output


def test_a_secret_is_cut_before_the_text_is() -> None:
    text = hide("x" * 290 + SECRET, [SECRET])
    assert text == "x" * 290 + HIDDEN


@pytest.mark.parametrize(
    "text",
    [
        "Bearer abcdefghijkl.mno",
        "authorization: bearer abcdefghijkl.mno rest",
        '{"access_token": "abcdefghijkl.mno"}',
        '{\\"client_secret\\": \\"abcdefghijkl.mno\\"}',
        "client_secret=abcdefghijkl.mno&x=1",
        "'refresh_token': 'abcdefghijkl.mno'",
    ],
)
def test_what_looks_like_a_secret_is_cut_even_when_it_is_not_known(text: str) -> None:
    assert "abcdefghijkl" not in hide(text, [])


@pytest.mark.parametrize("text", ["", "no secret here", '{"message": "The bearer is wrong"}'])
def test_other_words_stay(text: str) -> None:
    assert hide(text, [SECRET, "", "a"]) == text


@pytest.mark.parametrize(
    "address",
    [
        "http://api.example.com/v1",
        "http://203.0.113.9/v1",
        "http://localhost.example.com/v1",
        "http://127.0.0.1.example.com/v1",
        "ftp://127.0.0.1/v1",
        "https://",
        "https://api.example.com/v1?x=1",
        "https://api.example.com/v1\n",
        "https://user:pass-word@api.example.com/v1",
        "https://[bad/v1",
    ],
)
def test_a_secret_goes_nowhere_in_the_clear(hostile: Hostile, address: str) -> None:
    options = {"client_id": "me", "client_secret": SECRET, "base_url": address}
    result, _output = run_module("datacrunch_balance", options)
    assert result["error"]["code"] == "invalid"
    assert "base_url" in result["msg"]
    assert "pass-word" not in result["msg"]
    assert hostile.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.3.2.1", "[::1]", "a.localhost"])
def test_http_is_for_this_machine(host: str) -> None:
    from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.credentials import (
        check_base_url,
    )

    assert check_base_url(f"http://{host}:8080/v1") == f"http://{host}:8080/v1"
