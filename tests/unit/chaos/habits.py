# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account is like and what may be spent in it: drawn from a seed, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from gpuops_simulator.dialect import CHOICES

# Nothing has to work where lists or numbers cannot be read, and each wrong answer has tests of its
# own; and on the wire of the sequences no body drips, and the Date is the time of the sequence.
UNDRAWN = frozenset(
    {"list_shape", "numbers", "slow_bodies", "slow_body_seconds", "date_offset_seconds"}
)
# Every other switch with the values that are drawn; the first is what it is without a draw.
SWITCHES: dict[str, tuple[Any, ...]] = {
    **{name: values for name, values in CHOICES.items() if name not in UNDRAWN},
    "answer_tags": (True, False),
    "answer_description": (None, 0, 20),
    "unknown_looks": (0, 1, 3),
    "list_lag_seconds": (0.0, 5.0, 40.0),
}
PAIRS = [(name, value) for name, values in SWITCHES.items() for value in values[1:]]
REFUSED = ("refused_400", "refused_403")  # tags of the instance itself
PERIODS = ("per_hour", "per_hour", "per_day", "total")
# Dollars per hour: the best is 4.64, and half of it as spot; one, two or four of them fit.
ROOMS = (2.5, 5.0, 9.5)
LEASE_HOURS = 12.0  # what is bought without another lease


@dataclass(frozen=True)
class Budget:
    """What all instances of ours together may cost per hour, as a limit of one period says it."""

    period: str
    room: float

    def limits(self, others: float) -> dict[str, float]:
        """Return the option of a module; what is not ours costs ``others`` per hour, and counts.

        All leases are equally long and end within the day, so that every limit comes to the same.
        """
        hours = 1.0 if self.period == "per_hour" else LEASE_HOURS
        return {self.period: (others + self.room) * hours}


@dataclass(frozen=True)
class Habits:
    """The account of one sequence. ``dialect`` holds what differs from the strictest."""

    tags_supported: bool = True
    dialect: Mapping[str, Any] = field(default_factory=dict)
    budget: Budget | None = None

    def __str__(self) -> str:
        """Return them as few words."""
        tags = "" if self.tags_supported else " without tags"
        spent = f"{self.budget.room:g}/h by {self.budget.period}" if self.budget else "none"
        return f"dialect {dict(self.dialect)}{tags}, budget {spent}"

    def value(self, name: str) -> Any:
        """Return the value of a switch."""
        return self.dialect.get(name, SWITCHES[name][0])

    @property
    def needs_tags(self) -> bool:
        """Tell whether tags alone say whose an instance is."""
        return self.value("answer_description") is not None

    @property
    def lag(self) -> float:
        """Return for how many seconds a list may not show what was just ordered."""
        return float(self.value("list_lag_seconds"))


def draw(seed: int) -> Habits:
    """Return the habits of a sequence: a few switches, and in a third of all a budget.

    The first switch goes round all values in turn, so that many sequences leave none out.
    """
    dice = Random(f"habits {seed}")
    supported = dice.random() < 0.8
    dialect: dict[str, Any] = {}
    if dice.random() < 0.7:
        dialect = dict([PAIRS[seed % len(PAIRS)]])
        for name in dice.sample(sorted(SWITCHES), dice.choice([0, 0, 1, 2])):
            dialect.setdefault(name, dice.choice(SWITCHES[name]))
    budget = Budget(dice.choice(PERIODS), dice.choice(ROOMS)) if dice.random() < 0.33 else None
    found = Habits(supported, dialect, budget)
    return found if shows_ownership(found) else _readable(found)


def shows_ownership(habits: Habits) -> bool:
    """Tell whether answers say whose an instance is, by its tags or by its description.

    Accounts that say neither are ones in which nothing is bought.
    """
    tags = habits.tags_supported and habits.value("order_tags") not in REFUSED
    return (tags and habits.value("answer_tags")) or not habits.needs_tags


def _readable(habits: Habits) -> Habits:
    """Return the same account with whole descriptions."""
    kept = {key: value for key, value in habits.dialect.items() if key != "answer_description"}
    return Habits(habits.tags_supported, kept, habits.budget)
