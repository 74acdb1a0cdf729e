# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The money at several clouds: a row each, and nothing added that cannot be."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.filter.unwatched import unwatched
from ansible_collections.gpuops.cloud.plugins.module_utils._providers import registry
from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_documentation import (
    compare,
    everything,
    module_texts,
    stripped,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import stock
from gpuops_simulator.doors.lambda_cloud import LambdaDoor


def rows(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the accounts by provider."""
    return {row["provider"]: row for row in found["accounts"]}


@pytest.mark.every_core("gpu_balance")
def test_what_is_left_and_what_burns_at_each(clouds: Clouds) -> None:
    clouds.verda.buy(tier="a100_80", os_volume_gb=50)
    clouds.door.make()
    clouds.door.make()
    found = clouds.ok("gpu_balance")
    verda, other = rows(found)["verda"], rows(found)["lambda"]
    assert verda["amount"] == clouds.verda.ok("datacrunch_balance")["amount"]
    assert (verda["instances"], verda["volumes"], verda["reason"]) == (1, 1, None)
    assert verda["runway_hours"] == round(verda["amount"] / verda["burn_per_hour"], 1)
    assert (other["instances"], other["burn_per_hour"]) == (2, 2.58)
    (burn,) = found["burns"]
    assert burn == {"currency": "usd", "per_hour": round(verda["burn_per_hour"] + 2.58, 4)}
    assert found["changed"] is False


def test_balance_that_nobody_tells_is_null_with_a_word(clouds: Clouds) -> None:
    row = rows(clouds.ok("gpu_balance"))["lambda"]
    assert (row["amount"], row["runway_hours"], row["reason"]) == (None, None, "not_told")
    assert "does not say" in row["detail"]


def test_provider_without_credentials_is_a_row_without_a_warning(clouds: Clouds) -> None:
    found = clouds.ok("gpu_balance", accounts=clouds.without("lambda"))
    row = rows(found)["lambda"]
    assert (row["reason"], row["currency"], row["burn_per_hour"]) == ("no_credentials", None, None)
    assert (found["asked"], found["warnings"]) == (["verda"], [])


def test_provider_that_fails_is_a_row_and_a_warning(clouds: Clouds) -> None:
    found = clouds.ok("gpu_balance", accounts=clouds.lambda_down())
    assert rows(found)["lambda"]["reason"] == "no_answer"
    assert rows(found)["verda"]["amount"]
    (warning,) = found["warnings"]
    assert warning.startswith("lambda: ")


def test_part_of_an_account_is_no_figure(clouds: Clouds) -> None:
    clouds.door.spoilt = True  # its list of instances, and nothing else
    row = rows(clouds.ok("gpu_balance"))["lambda"]
    assert (row["reason"], row["burn_per_hour"]) == ("no_answer", None)


def test_two_currencies_are_never_added(start: Start, door: LambdaDoor) -> None:
    clouds = Clouds(start(stock=stock("1A100.22V"), currency="eur"), door)
    clouds.door.make()
    burns = {row["currency"]: row["per_hour"] for row in clouds.ok("gpu_balance")["burns"]}
    assert burns == {"eur": 0.0, "usd": 1.29}


def test_when_nobody_answers_it_fails_and_says_why_of_each(clouds: Clouds) -> None:
    accounts = {"lambda": clouds.lambda_down()["lambda"]}
    found = clouds.fails("gpu_balance", accounts=accounts)
    assert found["error"]["code"] == "unavailable"
    assert {row["reason"] for row in found["accounts"]} == {"no_answer", "no_credentials"}
    assert clouds.fails("gpu_balance", accounts={})["error"]["code"] == "auth"


def test_all_are_asked_at_the_same_time(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2)
    for kind in registry.PROVIDERS.values():
        ask = kind.balance

        def wait(self: Any, *args: Any, _ask: Any = ask) -> Any:
            meeting.wait(30)  # broken, where one is asked after the other
            return _ask(self, *args)

        monkeypatch.setattr(kind, "balance", wait)
    assert set(clouds.ok("gpu_balance")["asked"]) == {"verda", "lambda"}


def test_reapers_of_each_account_are_told(clouds: Clouds, tmp_path: Path) -> None:
    folder = str(tmp_path)
    clouds.ok("gpu_reap", mode="delete", owner="ada", providers=["lambda"], config_dir=folder)
    (reaper,) = clouds.ok("gpu_balance", config_dir=folder)["reapers"]
    assert (reaper["provider"], reaper["owner"], reaper["deployments"]) == ("lambda", "ada", None)
    assert clouds.ok("gpu_balance", config_dir=folder, providers=["verda"])["reapers"] == []
    instances = [
        {"provider": name, "managed": True, "deployment": "llm", "owner": "ada"}
        for name in ("lambda", "verda")
    ]
    assert [row["provider"] for row in unwatched(instances, [reaper])] == ["verda"]


def test_result_is_documented_at_every_level(clouds: Clouds, tmp_path: Path) -> None:
    reap = {"mode": "delete", "everything": True, "config_dir": str(tmp_path)}
    clouds.ok("gpu_reap", **reap)
    documented = module_texts("gpu_balance")["RETURN"]
    found = clouds.ok("gpu_balance", config_dir=str(tmp_path))
    seen = compare(stripped(found), documented, "gpu_balance")
    assert everything(documented, "gpu_balance") - seen == set()
