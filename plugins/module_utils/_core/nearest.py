# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody meant who has misspelt a name (private, pure)."""

from __future__ import annotations

from collections.abc import Iterable

NEAR = 2
_SHOWN = 3


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the names at most two letters off, the nearest first."""
    ranked = sorted((distance(name, other), other) for other in known)
    return tuple(other for far, other in ranked if far <= NEAR)[:_SHOWN]


def longer(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the names that begin with a whole word of some length, as ``max_price`` is one."""
    begin = f"{name}_" if len(name) > NEAR + 1 else ""
    return tuple(sorted(one for one in known if begin and one.startswith(begin)))[:_SHOWN]


def distance(one: str, other: str) -> int:
    """Return how many letters are to be added, dropped, changed, or swapped with their neighbour."""
    if abs(len(one) - len(other)) > NEAR:
        return NEAR + 1
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            costs = [rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != wanted)]
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted):
                costs.append(rows[-2][j - 2] + 1)
            row.append(min(costs))
        rows.append(row)
    return rows[-1][-1]
