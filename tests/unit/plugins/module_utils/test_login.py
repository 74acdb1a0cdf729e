# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login for a run, kept where only its owner can read it."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    CLIENT_ID,
    SECRET,
    Cloud,
    tokens_in,
)

TOKEN = {"method": "POST", "path": "/v1/oauth2/token"}
BALANCE = {"method": "GET", "path": "/v1/balance"}
HTML = "<!DOCTYPE html><html><script>var x=1;</script><body><h1>Bad  gateway</h1></body></html>"


def cache_files(home: Path) -> list[Path]:
    """Return the files that keep tokens."""
    return sorted((home / "cache/gpuops.cloud/tokens").iterdir())


def test_one_login_serves_a_whole_run(cloud: Cloud, home: Path) -> None:
    cloud.ok("datacrunch_capacity")
    cloud.ok("datacrunch_balance")
    cloud.buy(tier="h200_or_less")
    assert cloud.calls("/oauth2/token") == ["POST /oauth2/token"]
    (file,) = cache_files(home)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert SECRET not in file.read_text()
    assert SECRET not in str(file)
    assert CLIENT_ID not in file.read_text()


def test_other_credentials_have_another_token(cloud: Cloud, home: Path) -> None:
    cloud.ok("datacrunch_balance")
    cloud.ok("datacrunch_balance", client_secret="another-secret")
    cloud.ok("datacrunch_balance", client_id="another-id")
    assert len(cloud.calls("/oauth2/token")) == len(cache_files(home)) == 3


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_token_that_others_can_read_is_not_trusted(cloud: Cloud, home: Path, mode: int) -> None:
    cloud.ok("datacrunch_balance")
    (file,) = cache_files(home)
    file.chmod(mode)
    cloud.ok("datacrunch_balance")
    assert len(cloud.calls("/oauth2/token")) == 2
    assert stat.S_IMODE(cache_files(home)[0].stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"access_token": "x"}', '{"expires_at": "x"}']
)
def test_broken_cache_costs_one_login(cloud: Cloud, home: Path, text: str) -> None:
    cloud.ok("datacrunch_balance")
    (file,) = cache_files(home)
    file.write_text(text)
    cloud.ok("datacrunch_balance")
    assert len(cloud.calls("/oauth2/token")) == 2


def test_token_without_its_text_costs_one_login(cloud: Cloud, home: Path) -> None:
    cloud.ok("datacrunch_balance")
    (file,) = cache_files(home)
    file.write_text(json.dumps({"expires_at": time.time() + 3600}))
    cloud.ok("datacrunch_balance")
    assert len(cloud.calls("/oauth2/token")) == 2


def test_cache_that_cannot_be_written_costs_a_login_each(
    cloud: Cloud, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
    cloud.ok("datacrunch_balance")
    cloud.ok("datacrunch_balance")
    assert len(cloud.calls("/oauth2/token")) == 2


def test_token_about_to_expire_is_not_used(cloud: Cloud, home: Path) -> None:
    cloud.ok("datacrunch_balance")
    (file,) = cache_files(home)
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "expires_at": time.time() + 30}))
    cloud.ok("datacrunch_balance")
    assert len(cloud.calls("/oauth2/token")) == 2


def test_token_that_the_cloud_forgot_is_renewed(cloud: Cloud, home: Path) -> None:
    cloud.ok("datacrunch_balance")
    cloud.sim.revoke_tokens()
    cloud.ok("datacrunch_balance")
    assert len(cloud.calls("/oauth2/token")) == 2
    cloud.ok("datacrunch_balance")
    assert len(cloud.calls("/oauth2/token")) == 2


@pytest.mark.parametrize("seconds", [1, 59, 61, 3600])
def test_short_tokens_do(start: Start, seconds: int) -> None:
    cloud = start(token_seconds=seconds, provision_seconds=30)
    assert cloud.buy(tier="h200_or_less")["instance"]["status"] == "running"


def test_many_threads_log_in_once(cloud: Cloud) -> None:
    client = cloud.client()
    client.together(*[client.instances] * 8)
    assert len(cloud.calls("/oauth2/token")) == 1
    cloud.sim.revoke_tokens()
    client.together(*[client.instances] * 8)
    assert len(cloud.calls("/oauth2/token")) == 2


def test_wrong_credentials(start: Start, home: Path) -> None:
    cloud = start(clients={CLIENT_ID: "something else"})
    result = cloud.fails("datacrunch_balance")
    assert result["error"]["code"] == "auth"
    assert "Invalid client id or client secret" in result["msg"]
    assert "Check client id and secret" in result["msg"]
    assert cloud.calls() == ["POST /oauth2/token"]
    assert tokens_in(home / "cache") == []


@pytest.mark.parametrize(
    "body",
    ["", HTML, [], {}, {"access_token": "x"}, {"expires_in": 1}, "null", {"expires_in": "x"}],
)
def test_login_that_answers_something_else(cloud: Cloud, body: Any) -> None:
    cloud.fault("status", TOKEN, status=200, body=body)
    result = cloud.fails("datacrunch_balance")
    assert result["error"]["code"] == "unavailable"
    assert "an invalid token response" in result["msg"]


def test_scope_that_is_too_small(cloud: Cloud) -> None:
    body = {"code": "forbidden_action", "message": "Insufficient scope"}
    cloud.fault("status", BALANCE, status=403, body=body)
    assert cloud.fails("datacrunch_balance")["error"]["code"] == "auth"


def test_secret_is_in_no_repr_and_no_log_of_the_client(cloud: Cloud, home: Path) -> None:
    client = cloud.client()
    client.instances()
    shown = f"{client!r} {client._http!r} {client._http._login!r} {client._http.traffic.calls}"
    assert [word for word in (SECRET, *tokens_in(home / "cache")) if word in shown] == []
