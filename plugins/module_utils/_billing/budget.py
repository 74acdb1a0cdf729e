# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets: what may be spent in an hour, a day, a month and in total (private, pure).

Days and months are those of UTC. ``growth`` and ``season`` are factors on every limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

from .._core.errors import InvalidError
from .._core.numbers import plain, shown
from .._core.periods import SCOPES

OK, EXCEEDED = "ok", "exceeded"
STATES = (OK, "warning", "critical", EXCEEDED)
THRESHOLDS = (80.0, 90.0, 100.0)
# Period -> option that limits it.
LIMITS = {"hour": "per_hour", "day": "per_day", "month": "per_month", "total": "total"}
_FACTORS = ("growth", "season")


class GivenShare(TypedDict, total=False):
    """A budget as somebody writes it for an owner or a project."""

    per_hour: float | None
    per_day: float | None
    per_month: float | None
    total: float | None
    growth: float | None
    season: float | None
    thresholds: list[float] | None


class GivenBudget(GivenShare, total=False):
    """A budget as somebody writes it for an account."""

    owners: dict[str, GivenShare] | None
    projects: dict[str, GivenShare] | None


class BudgetRow(TypedDict):
    """The state of a limit; ``used`` and its share are null where nobody can tell them."""

    period: str
    owner: str | None
    project: str | None
    limit: float
    used: float | None
    share_percent: float | None
    state: str


@dataclass(frozen=True)
class Budget:
    """Limits whose figures make sense, and those of owners and projects by name; false without any."""

    per_hour: float | None = None
    per_day: float | None = None
    per_month: float | None = None
    total: float | None = None
    growth: float | None = None
    season: float | None = None
    thresholds: tuple[float, ...] | None = None
    owners: dict[str, Budget] = field(default_factory=dict)
    projects: dict[str, Budget] = field(default_factory=dict)

    @property
    def limits(self) -> dict[str, float | None]:
        """The limits by period, without factors."""
        return {
            "hour": self.per_hour,
            "day": self.per_day,
            "month": self.per_month,
            "total": self.total,
        }

    def __bool__(self) -> bool:
        return bool(scopes(self))


@dataclass(frozen=True)
class _Given:
    """What somebody wrote, which nothing has checked yet; ``what`` names it in messages."""

    value: Any
    what: str

    def fields(self) -> dict[str, _Given]:
        return {str(key): _Given(one, f"{self.what}.{key}") for key, one in self.value.items()}

    def number(self) -> float:
        found = plain(self.value)
        if found is None:
            raise InvalidError(
                f"{self.what} must be a finite number such as 2.5 (got {shown(self.value)})"
            )
        return found

    def numbers(self) -> list[float]:
        if not isinstance(self.value, (list, tuple)):
            raise InvalidError(
                f"{self.what} must be a list of percentages (got {shown(self.value)})"
            )
        return [_Given(one, self.what).number() for one in self.value]


def check_budget(budget: GivenBudget | None) -> Budget:
    """Return a budget whose figures make sense, a false one for none; else raise InvalidError.

    Budgets of ``owners`` and ``projects``, by name, have the same fields; thresholds, growth and season
    of the account hold for them unless they have their own.
    """
    given = _Given(budget or {}, "budget").fields()
    account = _checked(given)
    owners = _shares(given.get("owners"), account)
    found = replace(account, owners=owners, projects=_shares(given.get("projects"), account))
    return found if found else Budget()


def _shares(given: _Given | None, account: Budget) -> dict[str, Budget]:
    """Return the budgets of owners or projects, by name."""
    if given is None or given.value is None:
        return {}
    parts = given.value
    if not isinstance(parts, dict) or not all(isinstance(p, dict) for p in parts.values()):
        key = given.what.partition(".")[2]
        raise InvalidError(
            f"{given.what} must map names to budgets",
            hint=f"For example budget: {{{key}: {{ada: {{per_hour: 5}}}}}}.",
        )
    return {
        str(name): _share(_Given(p, f"{given.what}.{name}"), account) for name, p in parts.items()
    }


def _share(given: _Given, account: Budget) -> Budget:
    """Return the budget of one owner or project; nothing has checked its words and numbers yet."""
    known, fields = {*LIMITS.values(), *_FACTORS, "thresholds"}, given.fields()
    strange = sorted(fields.keys() - known)
    if strange:
        raise InvalidError(
            f"{given.what}.{strange[0]} is not known", hint=f"Known: {', '.join(sorted(known))}."
        )
    found = _checked(fields)
    if not any(found.limits.values()):
        raise InvalidError(
            f"{given.what} has no limit", hint=f"One of {', '.join(LIMITS.values())}."
        )
    return replace(
        found,
        thresholds=found.thresholds or account.thresholds,
        growth=found.growth or account.growth,
        season=found.season or account.season,
    )


def _checked(fields: dict[str, _Given]) -> Budget:
    """Return a budget without those of owners and projects."""
    return Budget(
        per_hour=_above_zero(fields.get("per_hour")),
        per_day=_above_zero(fields.get("per_day")),
        per_month=_above_zero(fields.get("per_month")),
        total=_above_zero(fields.get("total")),
        growth=_above_zero(fields.get("growth")),
        season=_above_zero(fields.get("season")),
        thresholds=_thresholds(fields.get("thresholds")),
    )


def _above_zero(given: _Given | None) -> float | None:
    if given is None or given.value is None:
        return None
    found = given.number()
    if not found > 0:
        raise InvalidError(f"{given.what} must be above zero (got {found:g})")
    return found


def _thresholds(given: _Given | None) -> tuple[float, ...] | None:
    if given is None or given.value is None:
        return None
    steps = given.numbers() if given.value else list(THRESHOLDS)
    if len(steps) != len(THRESHOLDS) or sorted(set(steps)) != steps or steps[0] <= 0:
        told = ", ".join(f"{step:g}" for step in steps)
        raise InvalidError(
            f"{given.what} must be three rising percentages (got [{told}])",
            hint="They are where warning, critical and exceeded begin, usually [80, 90, 100].",
        )
    return tuple(steps)


def scopes(budget: Budget) -> list[tuple[dict[str, str], Budget]]:
    """Return whose limits there are, and the limits: the account first, then owners and projects."""
    found: list[tuple[dict[str, str], Budget]] = [({}, budget)]
    for scope, parts in (("owner", budget.owners), ("project", budget.projects)):
        found += [({scope: name}, parts[name]) for name in sorted(parts)]
    return [(of, part) for of, part in found if any(part.limits.values())]


def belongs(groups: dict[str, str | None], of: dict[str, str]) -> bool:
    """Tell whether something of an owner and a project counts for the limits of ``scopes``."""
    return all(groups.get(key) == name for key, name in of.items())


def needs_past(budget: Budget) -> list[str]:
    """Return the limits that hold for longer than an hour, by name, which need a history."""
    return [
        ".".join(["budget", *(f"{SCOPES[key]}.{name}" for key, name in of.items()), LIMITS[period]])
        for of, part in scopes(budget)
        for period in ("day", "month", "total")
        if part.limits[period]
    ]


def limit_of(budget: Budget, period: str) -> float | None:
    """Return what may be spent in a period, growth and season included, or None without a limit."""
    limit = budget.limits[period]
    return None if limit is None else limit * (budget.growth or 1) * (budget.season or 1)


def budget_rows(
    budget: Budget,
    burn_per_hour: float,
    spent: dict[str, float],
    of: dict[str, str] | None = None,
) -> list[BudgetRow]:
    """Return for each limited period what is used, its share in percent, and the state.

    ``spent`` holds the cost of this ``day``, this ``month`` and in ``total``, ``of`` the owner or the
    project whose budget it is.
    """
    whose, used = of or {}, {"hour": burn_per_hour, **spent}
    rows: list[BudgetRow] = []
    for period in LIMITS:
        limit = limit_of(budget, period)
        if limit is None:
            continue
        # Rounded, so that 2.4 of 3 are 80 % although the instance's numbers say a trifle less.
        share = round(used.get(period, 0.0) / limit * 100, 6)
        rows.append(
            {
                "period": period,
                "owner": whose.get("owner"),
                "project": whose.get("project"),
                "limit": round(limit, 4),
                "used": round(used.get(period, 0.0), 4),
                "share_percent": round(share, 2),
                "state": state_at(share, budget.thresholds),
            }
        )
    return rows


def state_at(share_percent: float, thresholds: tuple[float, ...] | None = None) -> str:
    """Return the state at a share of a budget: it changes exactly at the thresholds."""
    return STATES[sum(share_percent >= step for step in thresholds or THRESHOLDS)]


def worst(rows: list[BudgetRow]) -> str:
    """Return the worst state of all rows, ``ok`` without any."""
    return max((row["state"] for row in rows), key=STATES.index, default=OK)
