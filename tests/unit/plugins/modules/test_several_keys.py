# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A public key is registered where something is bought, once, and removed with its deployment."""

from __future__ import annotations

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, OTHER_KEY
from gpuops_simulator.doors.door import Reply


def registered(clouds: Clouds) -> dict[str, list[str]]:
    """Return the names of the keys of both accounts but the one that is there from the start."""
    names = {
        "lambda": [row["name"] for row in clouds.door.keys.values()],
        "verda": [str(row.name) for row in clouds.verda.client().ssh_keys()],
    }
    return {provider: [one for one in row if one != "mine"] for provider, row in names.items()}


def test_a_public_key_is_registered_where_the_instance_is_bought_and_goes_with_it(
    clouds: Clouds,
) -> None:
    found = clouds.keep(ssh_keys=[OTHER_KEY])
    assert found["instance"]["provider"] == "lambda"
    there = registered(clouds)
    (name,) = there["lambda"]
    assert there["verda"] == []
    assert "llm" in name
    assert found["instance"]["ssh_key_ids"] == [name]
    again = clouds.keep(ssh_keys=[OTHER_KEY])
    assert (again["changed"], registered(clouds)) == (False, there)
    ended = clouds.end()
    assert registered(clouds) == {"lambda": [], "verda": []}
    assert (ended["leftovers"], clouds.door.keys != {}) == ([], True)


def test_several_instances_register_one_key(clouds: Clouds) -> None:
    clouds.keep(ssh_keys=[OTHER_KEY], count=2)
    assert [len(names) for names in registered(clouds).values()] == [1, 0]


def test_check_mode_registers_nothing(clouds: Clouds) -> None:
    assert clouds.keep(ssh_keys=[OTHER_KEY], check=True)["changed"] is True
    assert registered(clouds) == {"lambda": [], "verda": []}


def test_the_next_provider_gets_the_key_where_the_first_refuses_it(
    clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = {"error": {"code": "global/quota-exceeded", "message": "Too many keys"}}
    monkeypatch.setattr(clouds.door, "_key", lambda *_request: Reply(400, code))
    found = clouds.keep(ssh_keys=[OTHER_KEY])
    assert found["instance"]["provider"] == "verda"
    reason, detail = clouds.left_out(found)["lambda"]
    assert (reason, "Too many keys" in detail) == ("quota", True)
    assert [len(names) for names in registered(clouds).values()] == [0, 1]


def test_an_instance_that_another_key_opens_is_told(clouds: Clouds) -> None:
    clouds.keep(ssh_keys=[KEY])
    assert clouds.keep(ssh_keys=[KEY])["changed"] is False
    told = clouds.fails("gpu_instance", **clouds.wish(ssh_keys=[OTHER_KEY]))["msg"]
    assert "nobody could log in from here" in told


def test_one_of_several_names_ends_without_the_keys_of_the_others(clouds: Clouds) -> None:
    clouds.keep(ssh_keys=[OTHER_KEY], count=2)
    clouds.end(name="llm-2")
    assert [len(names) for names in registered(clouds).values()] == [1, 0]
