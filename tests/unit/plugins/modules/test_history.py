# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of a day, a month and the total hold only against a history that was really read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

A100 = "1A100.22V"
LEDGER = Path("data/gpuops/ledger.sqlite3")
LIMITS = ({"per_day": 400.0}, {"per_month": 400.0}, {"total": 400.0})
Spoil = Callable[[Path, pytest.MonkeyPatch], dict[str, Any]]


@pytest.fixture
def used(start: Start) -> Cloud:
    """Return a cloud in which an instance lives, and another one has lived."""
    cloud = start(stock=stock(A100), provision_seconds=30)
    cloud.buy(deployment="gone", tier="a100")
    cloud.sim.advance(7200)
    cloud.end(deployment="gone", os_volume="delete")
    cloud.buy(deployment="old", tier="a100", lease="1d")
    cloud.sim.advance(7200)
    return cloud


def off(_home: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"ledger": "none"}


def deleted(home: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    for file in (home / LEDGER).parent.iterdir():
        file.unlink()
    return {}


def other_home(home: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    patch.setenv("HOME", str(home / "other"))
    patch.setenv("XDG_DATA_HOME", str(home / "other/data"))
    return {}


def corrupt(home: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    deleted(home, _patch)
    (home / LEDGER).write_bytes(b"no database, but a long text " * 500)
    return {}


def truncated(home: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    whole = (home / LEDGER).read_bytes()
    deleted(home, _patch)
    (home / LEDGER).write_bytes(whole[: len(whole) // 2 // 4096 * 4096 + 100])
    return {}


def emptied(home: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    deleted(home, _patch)
    (home / LEDGER).write_bytes(b"")
    return {}


def folder(home: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    deleted(home, _patch)
    (home / LEDGER).mkdir()
    return {}


def unreachable(_home: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"ledger": "postgresql://me:sword%21fish@127.0.0.1:9/ledger"}


def url_that_is_none(_home: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"ledger": "no url at all"}


SPOILT = [
    off,
    deleted,
    other_home,
    corrupt,
    truncated,
    emptied,
    folder,
    unreachable,
    url_that_is_none,
]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: str(spoil.__name__))
def test_limit_without_its_history_is_refused(
    used: Cloud, home: Path, monkeypatch: pytest.MonkeyPatch, spoil: Spoil
) -> None:
    assert used.buy(tier="a100", budget=LIMITS[1], check=True)["changed"]
    args = spoil(home, monkeypatch)
    orders = used.orders()
    for budget in LIMITS:
        result = used.fails(
            "datacrunch_instance", deployment="llm", tier="a100", budget=budget, **args
        )
        assert result["error"]["code"] == "no_history", result["msg"]
        assert f"budget.{next(iter(budget))} limits what may be spent" in result["msg"]
        assert "datacrunch_ledger" in result["msg"]
    assert used.orders() == orders
    hourly = used.buy(tier="a100", budget={"per_hour": 50}, check=True, **args)
    assert hourly["changed"]
    warned = used.buy(tier="a100", budget=LIMITS[1], budget_policy="warn", check=True, **args)
    assert any("limits what may be spent" in text for text in warned["warnings"])
    assert "sword" not in "".join(used.said)


@pytest.mark.parametrize("spoil", [off, deleted, corrupt], ids=lambda spoil: str(spoil.__name__))
def test_lease_gets_no_longer_without_the_history(
    used: Cloud, home: Path, monkeypatch: pytest.MonkeyPatch, spoil: Spoil
) -> None:
    args = {**spoil(home, monkeypatch), "budget": LIMITS[2]}
    result = used.fails("datacrunch_lease", deployment="old", extend="1h", **args)
    assert result["error"]["code"] == "no_history"


def test_ledger_that_was_lost_is_good_again_once_it_was_kept(used: Cloud, home: Path) -> None:
    deleted(home, pytest.MonkeyPatch())
    budget = LIMITS[1]
    assert used.run("datacrunch_instance", deployment="llm", tier="a100", budget=budget)["failed"]
    used.ok("datacrunch_ledger")
    assert used.buy(tier="a100", budget=budget)["changed"]


def test_ledger_that_knows_none_of_our_machines_is_another_one(
    used: Cloud, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_home(home, monkeypatch)
    used.buy(deployment="mine", tier="a100", ledger=None)
    used.end(deployment="mine")
    result = used.fails("datacrunch_instance", deployment="llm", tier="a100", budget=LIMITS[2])
    assert "the ledger knows nothing of old" in result["msg"]


def test_first_purchase_of_all_has_no_history_and_is_told(start: Start) -> None:
    cloud = start(stock=stock(A100))
    result = cloud.buy(tier="a100", lease="2h", budget=LIMITS[1])
    assert result["warnings"] == [
        "There is no ledger yet, so budget.per_month counts only what exists now."
    ]
    assert cloud.buy(deployment="two", tier="a100", lease="2h", budget=LIMITS[1])["warnings"] == []


def test_ledger_is_there_before_the_first_order_is_over(start: Start, home: Path) -> None:
    cloud = start(stock=stock(A100), provision_seconds=30)
    seen: list[Any] = []

    def meanwhile(_seconds: float) -> None:
        cloud.clock.on_sleep = lambda _seconds: None
        seen.append(
            cloud.buy(deployment="two", tier="a100", lease="2h", budget=LIMITS[1], wait=False)
        )

    cloud.clock.on_sleep = meanwhile
    cloud.buy(tier="a100", lease="2h", budget=LIMITS[1])
    assert [result["changed"] for result in seen] == [True]
