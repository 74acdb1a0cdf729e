# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sessions cost: measured once, and what follows for their order and their limits."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))

import sessions
from sessions import CI, Session

HOSTS = Session("hosts", CI, seconds=500, cores=0.5)
MORE_HOSTS = Session("more hosts", CI, seconds=400, cores=0.5)


def test_costs_are_written_once_and_read_again(tmp_path: Path) -> None:
    costs = tmp_path / "costs.json"
    sessions.remember({"lint": {"seconds": 150, "cores": 0.9}}, "2 cores", costs)
    sessions.remember({"e2e": {"seconds": 435, "cores": 0.7}}, "2 cores", costs)
    known = {one.name: (one.seconds, one.cores) for one in sessions.read(costs=costs)}
    assert known["lint"] == (150, 0.9)
    assert known["e2e"] == (435, 0.7)
    assert known["build"] == (sessions.UNKNOWN_SECONDS, sessions.UNKNOWN_CORES)


def test_a_session_counts_with_the_cores_that_its_row_wants(tmp_path: Path) -> None:
    costs = tmp_path / "costs.json"
    sessions.remember({"unit-2.19": {"seconds": 448, "cores": 1.39}}, "2 cores", costs)
    known = {one.name: one for one in sessions.read(costs=costs)}
    assert known["unit-2.19"].cores == 1.6
    assert sessions.next_one([HOSTS], [known["unit-2.19"]], 2) is HOSTS
    assert sessions.next_one([MORE_HOSTS], [known["unit-2.19"], HOSTS], 2) is None


def test_one_that_nobody_has_measured_is_not_taken_to_hang_before_three_hours(
    tmp_path: Path,
) -> None:
    costs = tmp_path / "costs.json"
    sessions.remember({"lint": {"seconds": 400, "cores": 0.9}}, "2 cores", costs)
    limits = {one.name: one.limit for one in sessions.read(costs=costs)}
    assert limits["lint"] == 2000
    assert limits["chaos"] == 3 * 3600
