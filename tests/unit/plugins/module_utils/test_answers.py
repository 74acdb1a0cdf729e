# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of any shape: one sentence with the request and what came back, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import (
    GpuopsError,
    UnavailableError,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.client import Client
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.hostile import (
    Hostile,
    hostile_server,
    instance,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    CLIENT_ID,
    KEY,
    LISTING,
    ORDERS,
    SECRET,
)

DEEP = b"[" * 100_000
HTML = "<!DOCTYPE html><html><body><h1>Sign in to the network</h1></body></html>"
NO_LIST: list[Any] = [
    "",
    "null",
    "{}",
    '{"data": []}',
    '{"instances": [{"id": "a"}]}',
    "[null]",
    '["x"]',
    "[{}]",
    '[{"id": null, "status": "running"}]',
    '[{"id": "a\\nb", "status": "running"}]',
    '[{"id": "-oProxyCommand=x", "status": "running"}]',
    '[{"id": "a", "id": "b", "status": "running"}]',
    "7",
    '"text"',
    "true",
    "[",
    HTML,
    b"\xff\xfe\x00",
    b"\x1f\x8b nothing",
    "9" * 5000,
    DEEP,
]
LISTS = {
    "/instances": Client.instances,
    "/volumes": Client.volumes,
    "/volumes/trash": Client.trashed_volumes,
    "/instance-types": Client.instance_types,
    "/volume-types": Client.volume_types,
    "/ssh-keys": Client.ssh_keys,
    "/scripts": Client.startup_scripts,
}


@pytest.fixture
def hostile(home: Path) -> Iterator[Hostile]:
    """Start a server that answers anything."""
    with hostile_server() as server:
        yield server


@pytest.fixture
def client(hostile: Hostile) -> Client:
    """Return a client of that server."""
    return client_of(hostile)


def client_of(hostile: Hostile, **more: Any) -> Client:
    """Return a client of a server."""
    auth = {"client_id": CLIENT_ID, "client_secret": SECRET, "base_url": hostile.url}
    return Client.from_params({**auth, "timeout": 20, **more})


def check(error: GpuopsError, request: str) -> None:
    """Check that an error is one short sentence that names the request."""
    assert str(error).startswith(request)
    assert len(str(error)) < 500
    assert "Traceback" not in str(error)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_of_unknown_shape_is_never_empty(
    hostile: Hostile, client: Client, path: str
) -> None:
    for body in NO_LIST:
        if path in ("/instance-types", "/volume-types") and '"id"' in str(body):
            continue  # of these rows the name counts
        hostile.say(f"GET {path}", body)
        with pytest.raises(UnavailableError) as caught:
            LISTS[path](client)
        check(caught.value, f"GET {path}: ")


def test_stock_of_unknown_shape_is_never_empty(hostile: Hostile, client: Client) -> None:
    path = "/instance-availability"
    rows = [*NO_LIST, '[{"availabilities": ["x"]}]']
    for body in [*rows, '[{"location_code": "FIN-01", "availabilities": {"x": 1}}]']:
        hostile.say(f"GET {path}", body)
        with pytest.raises(UnavailableError) as caught:
            client.availability("spot")
        check(caught.value, f"GET {path}: ")


@pytest.mark.parametrize("body", ["", "null", "[]", '"x"', "7", HTML, DEEP, "[{}]"])
@pytest.mark.parametrize("kind", ["instance", "volume", "startup_script", "balance"])
def test_a_record_of_unknown_shape_is_an_error(
    hostile: Hostile, client: Client, kind: str, body: Any
) -> None:
    paths = {"balance": "/balance", "startup_script": "/scripts/a1"}
    path = paths.get(kind, f"/{kind}s/a1")
    hostile.say(f"GET {path}", body)
    read = getattr(client, kind)
    with pytest.raises(UnavailableError) as caught:
        read() if kind == "balance" else read("a1")
    check(caught.value, f"GET {path}: ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", None),
        ("status", 7),
        ("tags", "x"),
        ("tags", [None]),
        ("tags", [{"key": "a", "value": {"b": 1}}]),
        ("volume_ids", "x"),
        ("volume_ids", [None]),
        ("volume_ids", ["../x"]),
        ("gpu", [1]),
        ("gpu", {"number_of_gpus": "many"}),
        ("memory", {"size_in_gigabytes": [1]}),
        ("hostname", 7),
        ("description", {"a": 1}),
        ("ip", "203.0.113.9\n  ProxyCommand touch x"),
        ("ip", "-oProxyCommand=x"),
        ("ip", "web 1"),
        ("ip", 7),
        ("os_volume_id", "a b"),
    ],
)
def test_a_field_of_another_kind_is_named(
    hostile: Hostile, client: Client, field: str, value: Any
) -> None:
    row = instance(**{field: value})
    hostile.say("GET /instances", [instance(), row])
    with pytest.raises(
        UnavailableError, match=rf"the field {field}[\w.]* of {row['id']} is not usable"
    ):
        client.instances()
    hostile.say("GET /instances/a1", row)
    with pytest.raises(UnavailableError, match=f"GET /instances/a1: the field {field}"):
        client.instance("a1")


def test_what_a_newer_api_adds_is_let_through(hostile: Hostile, client: Client) -> None:
    row = instance(new={"a": [1]}, ip=None, hostname=None, tags=None, volume_ids=None, gpu=None)
    hostile.say("GET /instances", [row])
    (found,) = client.instances()
    assert (found.id, found.ip, found.tags, found.volume_ids) == (row["id"], None, (), ())
    hostile.say("GET /instances", json.dumps([row]).encode("utf-8-sig"))
    assert client.instances() == [found]


def test_an_answer_without_a_body_where_one_is_due(hostile: Hostile, client: Client) -> None:
    hostile.say("GET /instances", status=204)
    with pytest.raises(UnavailableError, match=r"the answer is not JSON .*nothing"):
        client.instances()


@pytest.mark.parametrize("body", [HTML, DEEP, b"\xff\xfe", '{"message": {"a": [1]}}', "[[]]", ""])
@pytest.mark.parametrize("status", [302, 400, 403, 404, 409, 451, 500, 502, 520, 524])
def test_refusals_of_any_shape(hostile: Hostile, client: Client, status: int, body: Any) -> None:
    hostile.say("PUT /instances", body, status=status)
    with pytest.raises(GpuopsError) as caught:
        client.instance_action("start", "a1")
    check(caught.value, f"PUT /instances: the API answered {status}")


@pytest.mark.parametrize("body", ["null", "[null]", '{"status": "error"}', HTML, DEEP, "", "7"])
def test_results_of_actions_of_any_shape(hostile: Hostile, client: Client, body: Any) -> None:
    hostile.say("PUT /instances", body, status=207)
    client.instance_action("start", "a1")


@pytest.mark.parametrize(
    "body", ["null", "[]", "7", HTML, DEEP, '{"id": {"a": 1}}', '{"id": "a b"}']
)
def test_an_order_that_is_answered_strangely_is_unclear(
    hostile: Hostile, client: Client, body: Any
) -> None:
    hostile.say("POST /instances", body, status=202)
    if body == "7":
        assert client.create("/instances", {}) == "7"
        return
    with pytest.raises(UnavailableError, match="holds no id") as caught:
        client.create("/instances", {})
    assert caught.value.unclear


@pytest.mark.parametrize("body", ["null", "[]", "[1]", HTML, DEEP, ""])
def test_a_tag_that_is_answered_strangely_is_unclear(
    hostile: Hostile, client: Client, body: Any
) -> None:
    hostile.say("POST /instances/a1/tags", body, status=201)
    with pytest.raises(UnavailableError, match=r"tags: (an object|the answer)") as caught:
        client.tag("instances", "a1", "k", "v")
    assert caught.value.unclear


@pytest.mark.parametrize("body", ["null", "{}", '{"data": []}', "[null]", '["x"]', "[{}]", HTML])
def test_nothing_is_bought_on_a_list_that_nobody_can_read(start: Start, body: str) -> None:
    cloud = start(provision_seconds=30)
    cloud.fault("status", LISTING, status=200, body=body, times=None)
    result = cloud.fails("datacrunch_instance", deployment="llm", tier="h200_or_less")
    assert "GET /instances: " in result["msg"]
    assert cloud.orders() == 0


@pytest.mark.parametrize("body", ["null", "[]", '"x"', "[null]", HTML])
def test_a_machine_that_cannot_be_read_after_its_order_is_named(start: Start, body: str) -> None:
    cloud = start(provision_seconds=30)
    one = {"method": "GET", "path": "/v1/instances/*"}
    cloud.fault("status", one, status=200, body=body, times=None)
    result = cloud.fails(
        "datacrunch_instance", deployment="llm", tier="h200_or_less", wait_timeout=20
    )
    (machine,) = cloud.sim.state()["instances"]
    assert machine["id"] in result["msg"] + json.dumps(result)


def test_a_page_of_a_proxy_after_the_order_is_executed(start: Start) -> None:
    cloud = start(provision_seconds=30)
    cloud.fault("status", ORDERS, status=200, body=HTML)
    assert cloud.buy(tier="h200_or_less")["instance"]["status"] == "running"


@pytest.mark.parametrize("value", ["a/b", "..", ".", "", "a\n", "%2e%2e", "a?b", "a b"])
def test_no_value_makes_another_path(hostile: Hostile, client: Client, value: str) -> None:
    for call in (
        lambda: client.instance(value),
        lambda: client.untag("instances", "a1", value),
        lambda: client.delete_ssh_key(value),
    ):
        with pytest.raises(GpuopsError, match="cannot be part of an address"):
            call()
    assert hostile.asked == []


@pytest.mark.parametrize(("alone", "missing"), [("verda", "datacrunch"), ("datacrunch", "verda")])
def test_either_package_of_the_vendor_is_enough(start: Start, alone: str, missing: str) -> None:
    code = (
        "import sys; sys.modules[{missing!r}] = None\n"
        "import importlib.util as u\n"
        "from ansible_collections.gpuops.cloud.plugins.module_utils._providers"
        ".base import transport\n"
        "from ansible_collections.gpuops.cloud.plugins.module_utils._providers"
        ".verda import client\n"
        "assert transport.MISSING is None\n"
        "assert not [m for m in sys.modules if m.partition('.')[0] in ('verda', 'datacrunch') "
        "and sys.modules[m]]\n"
        "auth = dict(client_id='a', client_secret='a-long-secret', base_url={url!r})\n"
        "print(client.Client.from_params(auth).balance().amount)\n"
    )
    cloud = start()
    text = code.format(missing=missing, url=f"{cloud.sim.url}/v1")
    done = subprocess.run(
        [sys.executable, "-c", text],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path), "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == 500
    assert alone != missing


def test_a_key_is_registered_whatever_the_answer_adds(hostile: Hostile, client: Client) -> None:
    hostile.say("POST /ssh-keys", '"0f3b0c9e-5a7e-4d8e"', status=201)
    assert client.create("/ssh-keys", {"name": "x", "key": KEY}) == "0f3b0c9e-5a7e-4d8e"
