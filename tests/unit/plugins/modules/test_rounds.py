# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of reapers: seen by others, and for no longer than they can be relied on."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import rounds
from ansible_collections.gpuops.cloud.plugins.module_utils._ledger.rounds import Round
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


def reap(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """Let a reaper go round."""
    return cloud.ok("datacrunch_reap", **{"mode": "delete", "everything": True, **args})


def reapers(cloud: Cloud, **args: Any) -> list[dict[str, Any]]:
    """Return the reapers that can be relied on."""
    return list(cloud.ok("datacrunch_balance", **args)["reapers"])


def minutes(number: float) -> datetime:
    """Return a time so many minutes before noon."""
    return NOW - timedelta(minutes=number)


def test_nobody_watches_until_a_reaper_has_gone_round(cloud: Cloud) -> None:
    assert reapers(cloud) == []
    reap(cloud, everything=False, deployments=["web", "llm"], owner="ada")
    (row,) = reapers(cloud)
    assert (row["deployments"], row["owner"]) == (["llm", "web"], "ada")
    assert row["host"] == rounds.this_host()


@pytest.mark.parametrize(
    "how", [{"mode": "report"}, {"mode": "stop"}, {"check": True}, {"note_round": False}]
)
def test_run_that_ends_nothing_or_does_not_come_back_is_no_reaper(
    cloud: Cloud, own_home: Path, how: dict[str, Any]
) -> None:
    reap(cloud, **how)
    assert reapers(cloud) == []
    assert list(own_home.rglob(rounds.FILE)) == []


def test_round_that_could_not_end_everything_was_one(cloud: Cloud) -> None:
    cloud.buy(tier="h200_or_less", lease="1h")
    cloud.sim.advance(7200)
    cloud.fault("status", {"method": "PUT", "path": "/v1/instances"}, status=403, times=99)
    cloud.fails("datacrunch_reap", mode="delete", everything=True, wait_timeout=1)
    assert len(reapers(cloud)) == 1


def test_reaper_of_another_account_ends_nothing_here(cloud: Cloud) -> None:
    made = Round("somebody-else", None, None, "there", cloud.sim.now())
    assert rounds.note(None, None, made) == []
    assert reapers(cloud) == []


def test_reaper_that_has_not_come_back_is_none(cloud: Cloud) -> None:
    for _round in range(2):
        reap(cloud)
        cloud.sim.advance(3600)
    assert len(reapers(cloud)) == 1
    cloud.sim.advance(3600 + 60)
    assert reapers(cloud) == []


@pytest.mark.parametrize(
    ("at", "before", "relied_on"),
    [
        # every five minutes
        (29, 34, True),
        (31, 36, False),
        # every hour
        (119, 179, True),
        (121, 181, False),
        # each day, a little late, and each week
        (24 * 60 + 5, 48 * 60, True),
        (3 * 24 * 60, 10 * 24 * 60, False),
        # seen once
        (23 * 60, None, True),
        (25 * 60, None, False),
    ],
)
def test_how_long_a_reaper_may_stay_away(at: float, before: float | None, relied_on: bool) -> None:
    made = Round("a", None, None, "x", minutes(at), None if before is None else minutes(before))
    assert made.is_recent(NOW) is relied_on


@pytest.mark.parametrize(
    ("scope", "watched"),
    [
        ((None, None), True),
        ((["llm"], None), True),
        ((["web"], None), False),
        ((None, "ada"), True),
        ((None, "eve"), False),
        ((["llm"], "eve"), False),
    ],
)
def test_whose_things_a_round_looks_at(scope: tuple[Any, Any], watched: bool) -> None:
    row = Round("a", *scope, "x", NOW).as_result()
    assert rounds.covers(row, "llm", "ada") is watched


def test_role_of_the_same_controller_is_seen(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "OF_THE_ROLE", tmp_path)
    reap(cloud, config_dir=str(tmp_path))
    assert (tmp_path / rounds.FILE).stat().st_mode & 0o777 == 0o644
    assert len(reapers(cloud)) == 1


def test_controllers_with_one_ledger_see_each_other(cloud: Cloud, tmp_path: Path) -> None:
    shared = f"sqlite:///{tmp_path}/team.sqlite3"
    assert reapers(cloud, ledger=shared) == []
    for _round in range(2):
        reap(cloud, ledger=shared, config_dir=str(tmp_path / "elsewhere"))
        cloud.sim.advance(600)
    assert reapers(cloud, ledger="none") == []
    assert len(reapers(cloud, ledger=shared)) == 1
    cloud.sim.advance(1800)
    assert reapers(cloud, ledger=shared) == []


def test_ledger_of_an_earlier_release_has_no_rounds(cloud: Cloud, tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    file.touch()
    assert reapers(cloud, ledger=f"sqlite:///{file}") == []


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", '[{"at": "x"}]', "null", "[[]]"])
def test_notes_that_cannot_be_read_are_none_and_are_replaced(
    cloud: Cloud, own_home: Path, text: str
) -> None:
    file = rounds.home() / rounds.FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    assert reapers(cloud) == []
    reap(cloud)
    assert len(reapers(cloud)) == 1
    assert [path.name for path in file.parent.iterdir()] == [rounds.FILE]


def test_folder_that_cannot_be_written_is_a_warning(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = reap(cloud, config_dir=str(tmp_path / "file"))
    assert any("The round is not noted" in one for one in result["warnings"])
    made = Round("a", None, None, "x", NOW)
    assert rounds.note(str(tmp_path), f"sqlite:///{tmp_path}/at/all.db\0", made) != []
