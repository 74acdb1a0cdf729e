# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at the account of a second run: what it says and costs, what it leaves to modules."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from ansible_collections.gpuops.cloud.plugins.action import settled
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    CLIENT_ID,
    KEY,
    OTHER_KEY,
    SECRET,
    Cloud,
    run_action,
)

WANT: dict[str, Any] = {
    "deployment": "llm",
    "state": "running",
    "tier": "h200_or_less",
    "owner": "me",
}
READS = ["GET /balance", "GET /instances", "GET /ssh-keys", "GET /volumes"]


@pytest.fixture
def served(cloud: Cloud) -> Cloud:
    """Return a cloud in which the deployment is as wanted."""
    key = cloud.ok("datacrunch_ssh_key", deployment="llm", public_key=KEY)["ssh_key"]["id"]
    cloud.ok("datacrunch_instance", **WANT, ssh_keys=[key])
    cloud.sim.clear_log()
    return cloud


def look(cloud: Cloud, /, public_key: str | None = KEY, **instance: Any) -> dict[str, Any]:
    """Run the action as a part of a task."""
    auth = {"client_id": CLIENT_ID, "client_secret": SECRET, "base_url": f"{cloud.sim.url}/v1"}
    given = {"auth": auth, "public_key": public_key, "instance": {**WANT, **instance}}
    given |= {"balance": {"ledger": ""}, "defaults": {"lease": "2h", "tier": "any_b300"}}
    with mock.patch.object(settled.display, "warning", cloud.said.append):
        result = run_action(settled, **given)
    cloud.said.append(str(result))
    return result


@pytest.mark.every_core("settled")
def test_second_run_is_told_all_by_four_reads(served: Cloud) -> None:
    found = look(served)
    assert found["settled"]
    assert sorted(served.calls()) == READS
    same = served.ok("datacrunch_instance", **WANT)
    told = {key: same[key] for key in ("instance", "instances", "fleet", "offers", "actions")}
    assert {key: found["instance"][key] for key in told} == told
    money = served.ok("datacrunch_balance")
    assert found["balance"]["currency"] == money["currency"]
    assert found["balance"]["burn_per_hour"] == money["burn_per_hour"]


@pytest.mark.parametrize(
    ("public_key", "more"),
    [
        (KEY, {"count": 2}),
        (KEY, {"replace": True}),
        (KEY, {"state": "stopped"}),
        (KEY, {"state": "absent"}),
        (KEY, {"tier": "any_b300"}),
        (KEY, {"owner": "somebody-else"}),
        (KEY, {"deployment": "other"}),
        (KEY, {"count": "two"}),
        (KEY, {"count": 0}),
        (OTHER_KEY, {}),
        ("no key at all", {}),
        (None, {}),
    ],
)
def test_what_a_module_would_do_refuse_or_ask_is_left_to_it(
    served: Cloud, public_key: str | None, more: dict[str, Any]
) -> None:
    found = look(served, public_key, **more)
    assert (found["settled"], found["instance"]) == (False, None)
    assert found["balance"]["amount"] > 0
    # Keys are asked for only where they can matter, and nothing twice.
    assert {"GET /ssh-keys", *served.calls()} == {*READS}
    assert len(served.calls()) <= len(READS)


@pytest.mark.parametrize("status", ["offline", "error", "provisioning", "discontinued"])
def test_instance_that_does_not_run_is_left_to_the_module(served: Cloud, status: str) -> None:
    served.sim.set_status(served.machine()["id"], status)
    assert not look(served)["settled"]
    assert served.sim.writes() == []


def test_account_that_cannot_be_read_is_an_error(served: Cloud) -> None:
    body = {"code": "forbidden", "message": "no"}
    match = {"method": "GET", "path": "/v1/balance"}
    served.fault("status", match, status=403, body=body, times=None)
    found = look(served)
    assert found["failed"]
    assert found["error"]["code"] == "forbidden"


def test_lease_that_is_over_is_told_as_the_module_tells_it(served: Cloud) -> None:
    served.clock.sleep(13 * 3600)
    assert look(served)["settled"]
    assert any("The lease of llm ended at" in text for text in served.said)
