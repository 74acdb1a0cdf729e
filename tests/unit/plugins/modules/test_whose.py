# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances of another owner, and those that a controller has no key for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, Cloud

TIER = {"tier": "h200_or_less"}
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOtherOtherOtherOtherOtherOtherOtherOther2 x"


@pytest.mark.parametrize("state", ["present", "running", "stopped"])
def test_instance_of_another_owner_is_not_used_unasked(cloud: Cloud, state: str) -> None:
    cloud.buy(**TIER, owner="bob")
    cloud.sim.clear_log()
    again: dict[str, Any] = {"deployment": "llm", **TIER, "state": state, "owner": "ada"}
    result = cloud.fails("datacrunch_instance", **again)
    assert "it belongs to bob, not to ada" in result["msg"]
    assert [row["owner"] for row in result["unconfirmed"]] == ["bob"]
    assert cloud.sim.writes() == []
    cloud.ok("datacrunch_instance", **again, confirm=True)
    assert cloud.ok("datacrunch_instance", **{**again, "owner": "bob"})["changed"] is False


@pytest.mark.parametrize("check", [True, False])
def test_what_needs_confirmation_can_be_reported_instead(cloud: Cloud, check: bool) -> None:
    cloud.buy(**TIER, owner="bob")
    cloud.sim.clear_log()
    mine: dict[str, Any] = {"deployment": "llm", "owner": "ada", "on_unconfirmed": "report"}
    for module, more in (
        ("datacrunch_instance", {**TIER, "state": "running"}),
        ("datacrunch_instance", {"state": "absent"}),
        ("datacrunch_lease", {"done": True}),
    ):
        result = cloud.ok(module, **mine, **more, check=check)
        assert [row["owner"] for row in result["unconfirmed"]] == ["bob"]
        assert "it belongs to bob, not to ada" in result["msg"]
        assert (result["changed"], result["actions"]) == (False, [])
    assert cloud.sim.writes() == []


def key(cloud: Cloud, name: str, public: str) -> str:
    """Register a key; returns its id."""
    return str(cloud.client().create("/ssh-keys", {"name": name, "key": public}))


def test_instance_that_the_keys_do_not_open_is_told_at_once(cloud: Cloud) -> None:
    theirs, ours = key(cloud, "gpuops.llm.first", KEY), key(cloud, "gpuops.llm.second", OTHER)
    cloud.buy(**TIER, ssh_keys=[theirs])
    given = {"deployment": "llm", **TIER, "state": "running"}
    result = cloud.fails("datacrunch_instance", **given, ssh_keys=[ours])
    assert "was ordered with the key gpuops.llm.first" in result["msg"]
    assert "ssh_private_key_file" in result["msg"]
    assert cloud.ok("datacrunch_instance", **given, ssh_keys=[theirs])["changed"] is False
    assert cloud.ok("datacrunch_instance", **given)["changed"] is False


def test_key_that_was_registered_anew_still_opens(cloud: Cloud) -> None:
    first = key(cloud, "gpuops.llm.first", KEY)
    cloud.buy(**TIER, ssh_keys=[first])
    again = key(cloud, "gpuops.llm.again", KEY)
    given = {"deployment": "llm", **TIER, "state": "running"}
    assert cloud.ok("datacrunch_instance", **given, ssh_keys=[again])["changed"] is False
    cloud.client().delete_ssh_key(first)  # nobody can tell any more what it was
    other = key(cloud, "gpuops.llm.other", OTHER)
    assert cloud.ok("datacrunch_instance", **given, ssh_keys=[other])["changed"] is False


def test_keys_that_fit_cost_no_request(cloud: Cloud) -> None:
    first = key(cloud, "gpuops.llm.first", KEY)
    cloud.buy(**TIER, ssh_keys=[first])
    cloud.sim.clear_log()
    cloud.ok("datacrunch_instance", deployment="llm", **TIER, state="running", ssh_keys=[first])
    assert cloud.calls("/v1/ssh-keys") == []
