# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client: repeats where they are safe, one sentence when nothing helps."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import (
    GpuopsError,
    UnavailableError,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.login import HEADERS
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    ACTIONS,
    CLIENT_ID,
    KEY,
    LISTING,
    SECRET,
    Cloud,
)

TOKEN = {"method": "POST", "path": "/v1/oauth2/token"}
BALANCE = {"method": "GET", "path": "/v1/balance"}
HTML = "<!DOCTYPE html><html><script>var x=1;</script><body><h1>Bad  gateway</h1></body></html>"


# -- an API that is not there ----------------------------------------------------------------------


def silent_port() -> tuple[socket.socket, str]:
    """Return a listener that never answers, and its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def closed_port() -> str:
    """Return an address at which nobody listens."""
    listener, address = silent_port()
    listener.close()
    return address


def check_sentence(result: dict[str, Any], words: str) -> None:
    """Check that an error is one sentence that says what to do."""
    assert result["error"]["code"] == "unavailable"
    assert words in result["msg"]
    assert "Check base_url and the network" in result["msg"]
    assert "Traceback" not in json.dumps(result)
    assert len(result["msg"]) < 400
    assert "object at 0x" not in result["msg"]


def test_nobody_listens(cloud: Cloud) -> None:
    address = closed_port()
    result = cloud.fails("datacrunch_balance", base_url=address)
    check_sentence(result, f"POST /oauth2/token at {address}: connection refused")


def test_nobody_answers(cloud: Cloud) -> None:
    listener, address = silent_port()
    with listener:
        started = time.monotonic()
        result = cloud.fails("datacrunch_balance", base_url=address, timeout=0.6)
        assert time.monotonic() - started < 20, "it waits as long as it was told, not for ever"
    check_sentence(result, f"POST /oauth2/token at {address}: no answer in time")


def test_name_that_is_not_known(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: Any, **_kwargs: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    result = cloud.fails("datacrunch_balance", base_url="https://api.example.invalid/v1")
    check_sentence(result, "the host name could not be resolved")


def test_no_tls_where_tls_was_wanted(cloud: Cloud) -> None:
    address = cloud.sim.url.replace("http:", "https:") + "/v1"
    result = cloud.fails("datacrunch_balance", base_url=address, timeout=2)
    check_sentence(result, "POST /oauth2/token at https://")


@pytest.mark.parametrize("match", [TOKEN, BALANCE], ids=["token", "read"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"do": "status", "status": 502, "body": HTML}, "the API answered 502: Bad gateway"),
        ({"do": "status", "status": 500, "body": HTML}, "the API answered 500: Bad gateway"),
        ({"do": "status", "status": 503, "body": ""}, "the API answered 503"),
        ({"do": "reset"}, "the connection broke"),
        ({"do": "hang"}, "no answer in time"),
    ],
    ids=["502", "500", "503", "reset", "hang"],
)
def test_api_that_stays_ill(
    cloud: Cloud, match: dict[str, str], fault: dict[str, Any], words: str
) -> None:
    cloud.fault(match=match, **fault, times=None)
    # A busy instance takes a while for an answer; one that never comes is not worth waiting for.
    timeout = 2 if fault["do"] == "hang" else 10
    check_sentence(cloud.fails("datacrunch_balance", timeout=timeout), words)
    assert len(cloud.calls(match["path"].removeprefix("/v1"))) == 3


def test_page_in_place_of_an_answer(cloud: Cloud) -> None:
    cloud.fault("status", BALANCE, status=200, body=HTML, content_type="text/html", times=None)
    check_sentence(
        cloud.fails("datacrunch_balance"), "GET /balance: the answer is not JSON (text/html)"
    )


def test_wrong_path_of_the_address(cloud: Cloud) -> None:
    result = cloud.fails("datacrunch_balance", base_url=f"{cloud.sim.url}/v2")
    assert "404" in result["msg"]


# -- repeats ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "status", "status": 500, "body": HTML},
        {"do": "status", "status": 502, "body": HTML},
        {"do": "status", "status": 503, "body": HTML},
        {"do": "status", "status": 504, "body": HTML},
        {"do": "reset"},
        {"do": "hang"},
    ],
    ids=["500", "502", "503", "504", "reset", "hang"],
)
def test_reads_are_repeated(cloud: Cloud, fault: dict[str, Any]) -> None:
    cloud.fault(match=BALANCE, **fault, times=2)
    timeout = 3 if fault["do"] == "hang" else 20
    assert cloud.ok("datacrunch_balance", timeout=timeout)["amount"] == 500
    assert len(cloud.calls("/balance")) == 3


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "status", "status": 500, "body": HTML},
        {"do": "status", "status": 502, "body": HTML},
        {"do": "status", "status": 503, "body": HTML},
        {"do": "reset"},
        {"do": "commit_then_500"},
        {"do": "commit_then_reset"},
    ],
    ids=["500", "502", "503", "reset", "commit_then_500", "commit_then_reset"],
)
@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
def test_writes_are_not_repeated(cloud: Cloud, verb: str, fault: dict[str, Any]) -> None:
    client = cloud.client()
    key = client.create("/ssh-keys", {"name": "x", "key": KEY})
    cloud.sim.clear_log()
    cloud.fault(match={"method": verb, "path": "/v1/*"}, **fault)
    calls = {
        "POST": lambda: client.create("/ssh-keys", {"name": "y", "key": KEY}),
        "PUT": lambda: client.instance_action("start", key),
        "DELETE": lambda: client.delete_ssh_key(key),
    }
    with pytest.raises(UnavailableError) as caught:
        calls[verb]()  # type: ignore[no-untyped-call]
    assert caught.value.unclear
    assert len(cloud.calls()) == 1


def test_refused_connection_is_no_unclear_answer(cloud: Cloud) -> None:
    client = cloud.client()
    client.instances()
    cloud.sim.stop()
    with pytest.raises(UnavailableError) as caught:
        client.create("/instances", {})
    assert not caught.value.unclear


@pytest.mark.parametrize(("named", "slept"), [("1", 1), ("60", 60), ("86400", 60)])
def test_pause_that_a_rate_limit_names(cloud: Cloud, named: str, slept: float) -> None:
    headers = {"Retry-After": named}
    cloud.fault("status", BALANCE, status=429, body="Rate limit.", headers=headers)
    cloud.ok("datacrunch_balance")
    assert cloud.clock.slept == [slept]


@pytest.mark.parametrize("header", [{}, {"Retry-After": "soon"}, {"Retry-After": ""}])
def test_rate_limit_without_a_pause(cloud: Cloud, header: dict[str, str]) -> None:
    cloud.fault("status", BALANCE, status=429, body="", headers=header, times=None)
    assert cloud.fails("datacrunch_balance")["error"]["code"] in ("rate_limited", "unavailable")


def test_rate_limits_of_the_cloud_are_kept(start: Start) -> None:
    cloud = start(rate_limits={"project": 1000, "endpoint": 2, "window_s": 60})
    for _unused in range(2):
        cloud.ok("datacrunch_balance")
    result = cloud.fails("datacrunch_balance")
    assert result["error"]["code"] == "rate_limited"
    assert "Run fewer calls at a time" in result["msg"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_an_error_and_takes_no_secret_along(
    cloud: Cloud, start: Start, status: int
) -> None:
    elsewhere = start()
    headers = {"Location": f"{elsewhere.sim.url}/v1/oauth2/token"}
    cloud.fault("status", TOKEN, status=status, body="", headers=headers)
    assert str(status) in cloud.fails("datacrunch_balance")["msg"]
    for match in (LISTING, ACTIONS, {"method": "DELETE", "path": "/v1/*"}):
        cloud.fault("status", match, status=status, body="", headers=headers)
    client = cloud.client()
    for call in (
        client.instances,
        lambda: client.instance_action("delete", "x"),
        lambda: client.delete_ssh_key("x"),
    ):
        with pytest.raises(GpuopsError, match=f"answered {status}"):
            call()
    assert elsewhere.sim.log() == []


# -- the rest --------------------------------------------------------------------------------------


def test_user_agent_holds_nothing_of_the_credentials(cloud: Cloud) -> None:
    agent = HEADERS["User-Agent"]
    assert agent.startswith("gpuops.cloud/")
    assert not [word for word in (SECRET, CLIENT_ID[:5]) if word in agent]


def test_time_is_the_clouds(cloud: Cloud) -> None:
    client = cloud.client()
    cloud.sim.advance(3_000_000)
    client.instances()
    assert abs((client.now() - cloud.sim.now()).total_seconds()) < 2
    cloud.clock.sleep(100)
    assert abs((client.now() - cloud.sim.now()).total_seconds()) < 2


@pytest.mark.parametrize("body", ["", '""', "<html>", "x" * 65, "null", "{}", "[]"])
def test_answer_without_an_id_is_unclear(cloud: Cloud, body: str) -> None:
    cloud.fault("status", {"method": "POST", "path": "/v1/ssh-keys"}, status=201, body=body)
    with pytest.raises(UnavailableError, match="the answer holds no id") as caught:
        cloud.client().create("/ssh-keys", {})
    assert caught.value.unclear


def test_missing_package_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base import transport

    monkeypatch.setattr(transport, "MISSING", "No module named 'requests'")
    result = cloud.fails("datacrunch_balance")
    assert "The Python package verda (or datacrunch, its former name) is needed" in result["msg"]
    assert "pip install" in result["msg"]
