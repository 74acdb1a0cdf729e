# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What questions alone tell of an account: by name each dialect, and nothing of the user's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._instances import account_findings
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.questions import (
    fields_of,
    questions,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, Cloud
from gpuops_simulator.dialect import Dialect

PLANTED = "planted-by-the-test"


def report(cloud: Cloud, **args: Any) -> dict[str, dict[str, str]]:
    """Return the rows of a report by their names."""
    rows = cloud.ok("datacrunch_account_info", **args)["account"]
    found = {row["name"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def values(cloud: Cloud, **args: Any) -> dict[str, str]:
    """Return the values of a report by their names."""
    return {name: row["value"] for name, row in report(cloud, **args).items()}


def test_a_report_costs_one_round_of_questions_and_no_write(cloud: Cloud) -> None:
    found = report(cloud)
    assert cloud.sim.writes() == []
    asked = [call for call in cloud.calls() if "oauth2" not in call]
    assert len(asked) == 14
    keys = {"name", "value", "how_known", "source_request", "words"}
    assert all(row.keys() == keys for row in found.values())
    assert found["currency"]["value"] == "usd"
    assert found["shape_instances"]["value"] == "list, empty"
    assert found["numbers_instance_types"]["value"].startswith("text: price_per_hour")
    assert found["clock_skew"]["value"] == "none"
    assert found["order_tags"]["value"] == "unknown until spend=yes"


@pytest.mark.parametrize(
    ("scenario", "name", "value"),
    [
        ({}, "price_currency_instance_types", "usd; asked for eur: eur"),
        ({"currency": "eur"}, "currency", "eur"),
        ({"currency": "eur"}, "price_currency_instance_types", "usd; asked for eur: eur"),
        ({"balance": 5}, "money_left", "less than 10"),
        ({"balance": 7000}, "money_left", "100 or more"),
        ({}, "unknown_id", "404"),
        ({"unknown_id_status": 400}, "unknown_id", "400"),
        ({}, "ids_instances", "uuid"),
        ({}, "tags_of_instances", "shown"),
        ({}, "other_fields_instances", "field_of_tomorrow"),
        ({"extra_fields": False}, "other_fields_instances", "none"),
        ({"tags_supported": False}, "tags_of_instances", "missing"),
        ({"dialect": {"answer_tags": False}}, "missing_fields_instances", "tags"),
        ({"dialect": {"answer_tags": False}}, "tags_of_volumes", "missing"),
        ({"dialect": {"volume_ids": "missing"}}, "volume_ids_of_instances", "missing"),
        ({}, "volume_ids_of_instances", "shown"),
        (
            {"dialect": {"answer_description": 20}},
            "descriptions_of_instances",
            "up to 20 characters",
        ),
        ({}, "pages_of_scripts", "counted by X-Total-Count"),
    ],
)
def test_reading_names_the_dialect(
    start: Start, scenario: dict[str, Any], name: str, value: str
) -> None:
    cloud = start(provision_seconds=0, **scenario)
    if "balance" not in scenario:
        cloud.buy(tier="h100_or_less", lease="1h")
    assert values(cloud)[name] == value


# Switch -> what it is called in the report, by its value. Others show in a purchase alone.
NAMED: dict[str, tuple[str, dict[Any, str]]] = {
    "list_shape": (
        "shape_volumes",
        {"array": "list, empty", "data": "object with data", "object": "object", "null": "null"},
    ),
    "numbers": (
        "numbers_balance",
        {
            "plain": "number",
            "nan": "not finite: amount",
            "null": "null: amount",
            "comma": "unreadable text: amount",
        },
    ),
    "date_offset_seconds": (
        "clock_skew",
        {0: "none", 7200: "120 minutes behind the API", -7200: "120 minutes ahead of the API"},
    ),
}
SWITCHES = {field.name for field in fields(Dialect)}
EVERY = [(one, value) for one, (_name, told) in NAMED.items() for value in told if one in SWITCHES]


@pytest.mark.parametrize(("switch", "value"), EVERY, ids=[f"{one}={two}" for one, two in EVERY])
def test_reading_names_each_switch(start: Start, switch: str, value: Any) -> None:
    name, told = NAMED[switch]
    assert values(start(dialect={switch: value}))[name] == told[value]


@pytest.mark.skipif("slow_body_seconds" not in SWITCHES, reason="the simulator answers at once")
def test_reading_tells_how_slow_answers_are(start: Start) -> None:
    found = values(start(dialect={"slow_body_seconds": 0.5}))
    for name in ("slowest_answer", "login_time"):
        assert float(found[name].split()[0]) >= 0.5


@pytest.mark.parametrize(
    ("fault", "name", "value"),
    [
        ({"status": 403, "body": {"code": "x", "message": "no"}}, "shape_volumes", "refused (403)"),
        ({"status": 200, "body": {"volumes": []}}, "shape_volumes", "object with volumes"),
        ({"status": 200, "body": "null"}, "shape_volumes", "null"),
        ({"status": 200, "body": "<html>"}, "shape_volumes", "not JSON"),
        (
            {"status": 200, "body": [{"size": "ten"}]},
            "numbers_volumes",
            "missing: base_hourly_cost, monthly_price; unreadable text: size",
        ),
        ({"status": 200, "body": [{"id": 7}]}, "ids_volumes", "numbers"),
    ],
)
def test_a_read_that_fails_is_a_row_and_no_failure(
    cloud: Cloud, fault: dict[str, Any], name: str, value: str
) -> None:
    cloud.fault("status", {"method": "GET", "path": "/v1/volumes"}, times=None, **fault)
    found = values(cloud)
    assert found[name] == value
    assert found["shape_instances"] == "list, empty"


def test_a_volume_in_the_trash_without_a_name_is_told(cloud: Cloud) -> None:
    """Only its name tells whose it was, so that no teardown believes such an answer."""
    match = {"method": "GET", "path": "/v1/volumes/trash"}
    body = [{"id": "0b1c2d3e-0000-4000-8000-000000000001", "base_hourly_cost": 0}]
    cloud.fault("status", match, times=None, status=200, body=body)
    words = report(cloud)["shape_trash"]["words"]
    assert "the field name" in words
    assert "is not usable: missing" in words


def test_an_answer_that_never_comes_is_a_row(cloud: Cloud) -> None:
    cloud.timeout = 2.0  # what others need on a crowded machine is less
    cloud.fault("hang", {"method": "GET", "path": "/v1/ssh-keys"}, times=None, seconds=6)
    found = report(cloud)
    assert found["shape_ssh_keys"]["value"] == "no answer"
    assert found["no_answer_ssh_keys"]["value"].startswith("none within")
    assert found["slowest_answer"]["source_request"] == "GET /ssh-keys"


def test_a_login_that_is_refused_is_the_report(start: Start) -> None:
    cloud = start(clients={"somebody": "else"})
    found = report(cloud)
    assert found["login"]["value"] == "refused (401)"
    assert set(found) == {"login"}


def test_what_is_remembered_is_told(cloud: Cloud) -> None:
    assert values(cloud)["remembered_no_tags"] == "nothing"
    account_findings.note_no_tags(cloud.client())
    account_findings.note_lost_ownership(cloud.client(), f"{PLANTED} (1, 2 per hour)")
    found = report(cloud)
    assert found["remembered_no_tags"]["value"] == "no tags"
    assert found["remembered_ownership"]["value"] == "lost"
    assert PLANTED not in json.dumps(found)


def planted(path: str) -> list[dict[str, Any]]:
    """Return an answer whose every field holds what must not be told, and fields of such a name."""
    known = fields_of(path)
    names = (*known.documented, *known.optional, "note")
    row: dict[str, Any] = {field: f"{PLANTED}-{field}" for field in names}
    for part in ("cpu", "gpu", "memory", "gpu_memory", "storage", "price"):
        row[part] = {"description": f"{PLANTED}-{part}", f"{PLANTED} of {part}": PLANTED}
    tags = [{"key": f"{PLANTED}-key", "value": f"{PLANTED}-value", "id": f"{PLANTED}-tag"}]
    return [{**row, "tags": tags}, {**row, f"{PLANTED} as a name": 1, "tags": {PLANTED: PLANTED}}]


@pytest.mark.parametrize("wrap", [list, lambda rows: {PLANTED: rows}], ids=["list", "wrapped"])
def test_no_field_of_any_answer_is_told(cloud: Cloud, wrap: Callable[[Any], Any]) -> None:
    for path in sorted({one.path for one in questions() if one.reader}):
        body = wrap(planted(path)) if path != "/balance" else planted(path)[0]
        match = {"method": "GET", "path": f"/v1{path}"}
        cloud.fault("status", match, status=200, body=body, times=None)
    found = report(cloud)
    assert "[name]" in found["other_fields_ssh_keys"]["value"]
    assert PLANTED not in json.dumps(found) + "".join(cloud.said)


def test_nothing_of_the_users_own_is_told(start: Start, home: Path) -> None:
    cloud = start(provision_seconds=0, balance=123.45)
    cloud.ok("datacrunch_ssh_key", name=f"{PLANTED}-key", public_key=KEY, deployment="atlas")
    cloud.buy(tier="h100_or_less", deployment="atlas", description=PLANTED, owner="globex")
    state = cloud.sim.state()
    row = state["instances"][0]
    for path in ("/v1/volumes", "/v1/balance"):
        message = f"{row['id']} of atlas at {row['ip']} for globex: {PLANTED}"
        message += ", bob@corp.example, 123.45 left"
        body = {"code": "forbidden", "message": message}
        match = {"method": "GET", "path": path}
        cloud.fault("status", match, status=403, body=body, times=None)
    found = report(cloud)
    assert "[hidden]" in found["shape_volumes"]["words"]
    told = json.dumps(found)
    own = [row["id"], row["ip"], "atlas", "globex", PLANTED, "bob@", "123.45", KEY.split()[1]]
    own += [tag["value"] for tag in row["tags"]]
    own += [volume["id"] for volume in state["volumes"]]
    assert [word for word in own if word and word in told] == []
