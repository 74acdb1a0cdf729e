# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An end at two clouds is proven at both, and told of both."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds


def both(clouds: Clouds, **args: Any) -> tuple[str, str]:
    """Buy the same name at both clouds; returns the ids, that of Verda first."""
    one = clouds.keep(providers=["verda"], **args)["instance"]["id"]
    return one, clouds.keep(providers=["lambda"], ledger="none")["instance"]["id"]


def test_end_reaches_both_and_proves_both(clouds: Clouds) -> None:
    one, two = both(clouds)
    found = clouds.end()
    assert clouds.ids() == {"lambda": [], "verda": []}
    bill = {(row["provider"], row["id"]) for row in found["bill"] if row["kind"] == "instance"}
    assert bill == {("verda", one), ("lambda", two)}
    assert (found["instances"], found["leftovers"]) == ([], [])
    assert sorted(text.partition(":")[0] for text in found["actions"]) == ["lambda", "verda"]
    again = clouds.end()
    assert (again["changed"], again["actions"], again["bill"]) == (False, [], [])


def test_what_is_left_is_told_of_both(clouds: Clouds) -> None:
    clouds.keep(providers=["verda"], volumes={"data_gb": 50})
    clouds.door.filesystems.append(
        {
            "id": "fs",
            "name": "gpuops--llm--models",
            "is_in_use": False,
            "region": {"name": "us-west-1"},
        }
    )
    found = clouds.keep(state="absent")
    left = {(row["provider"], row["kind"]) for row in found["leftovers"]}
    assert left == {("verda", "data_volume"), ("lambda", "data_volume")}


def test_end_in_check_mode_ends_nothing(clouds: Clouds) -> None:
    both(clouds)
    before = (clouds.writes(), clouds.ids())
    found = clouds.end(check=True)
    assert (found["changed"], len(found["actions"])) == (True, 2)
    assert (clouds.writes(), clouds.ids()) == before


def test_provider_that_does_not_answer_fails_the_end_after_the_others(clouds: Clouds) -> None:
    one, two = both(clouds)
    volumes = {"os": "delete"}
    wish = clouds.wish(accounts=clouds.lambda_down(), state="absent", volumes=volumes)
    found = clouds.fails("gpu_instance", **wish)
    assert clouds.ids() == {"lambda": [two], "verda": []}
    assert "Not everything of deployment 'llm' is proven gone: lambda: " in found["msg"]
    assert found["changed"] is True
    assert [row["id"] for row in found["bill"] if row["kind"] == "instance"] == [one]
    assert found["actions"][0].startswith("verda: terminate llm")


def test_provider_without_credentials_is_proven_by_the_ledger_alone(clouds: Clouds) -> None:
    clouds.keep(providers=["verda"])
    found = clouds.end(accounts=clouds.without("lambda"))
    assert (found["leftovers"], clouds.ids()["verda"]) == ([], [])
    clouds.keep()  # at Lambda Cloud, and in the ledger
    wish = clouds.wish(accounts=clouds.without("lambda"), state="absent")
    assert "No credentials" in clouds.fails("gpu_instance", **wish)["msg"]


def test_end_that_one_refuses_for_good_is_told_and_the_other_is_ended(clouds: Clouds) -> None:
    _one, two = both(clouds)
    clouds.door.refuses_ends = True
    wish = clouds.wish(state="absent", waiting={"timeout": 30}, volumes={"os": "delete"})
    found = clouds.fails("gpu_instance", **wish)
    assert clouds.ids() == {"lambda": [two], "verda": []}
    assert two in found["msg"]
    assert found["changed"] is True


def test_protected_instance_at_one_ends_nothing_at_either(clouds: Clouds) -> None:
    both(clouds, protect=True)
    before = clouds.ids()
    found = clouds.fails("gpu_instance", **clouds.wish(state="absent"))
    assert found["error"]["code"] == "needs_confirmation"
    assert clouds.ids() == before
    clouds.end(confirm=True)
    assert clouds.ids() == {"lambda": [], "verda": []}


def test_instances_of_others_are_left_alone_at_both(clouds: Clouds) -> None:
    theirs = clouds.door.make(name="not yours").id
    clouds.keep(deployment="other", providers=["verda"])
    both(clouds)
    clouds.end()
    assert (clouds.ids()["lambda"], len(clouds.ids()["verda"])) == ([theirs], 1)
