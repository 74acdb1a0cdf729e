# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets: what may be spent in an hour, a day, a month and in total (private, pure).

Days and months are those of UTC. ``growth`` and ``season`` are factors on every limit.
"""

from __future__ import annotations

from typing import Any

from .._core.errors import InvalidError
from .._core.numbers import plain, shown
from .._core.periods import SCOPES

OK, EXCEEDED = "ok", "exceeded"
STATES = (OK, "warning", "critical", EXCEEDED)
THRESHOLDS = (80.0, 90.0, 100.0)
# Period -> option that limits it.
LIMITS = {"hour": "per_hour", "day": "per_day", "month": "per_month", "total": "total"}
_FACTORS = ("growth", "season")


def check_budget(budget: dict[str, Any] | None) -> dict[str, Any]:
    """Return a budget whose figures make sense, empty for none; else raise InvalidError.

    Budgets of ``owners`` and ``projects``, by name, have the same fields; thresholds, growth and season
    of the account hold for them unless they have their own.
    """
    given = _checked(budget or {}, "budget")
    for key in SCOPES.values():
        parts = given.get(key)
        if parts is None:
            continue
        if not isinstance(parts, dict) or not all(isinstance(p, dict) for p in parts.values()):
            raise InvalidError(
                f"budget.{key} must map names to budgets",
                hint=f"For example budget: {{{key}: {{ada: {{per_hour: 5}}}}}}.",
            )
        given[key] = {
            str(name): {**_common(given), **_inner(part, f"budget.{key}.{name}")}
            for name, part in parts.items()
        }
    return given if scopes(given) else {}


def _common(given: dict[str, Any]) -> dict[str, Any]:
    return {key: given[key] for key in ("thresholds", *_FACTORS) if key in given}


def _inner(part: dict[str, Any], what: str) -> dict[str, Any]:
    """Return the budget of one owner or project; nothing has checked its words and numbers yet."""
    known = {*LIMITS.values(), *_FACTORS, "thresholds"}
    strange = sorted(map(str, part.keys() - known))
    if strange:
        raise InvalidError(
            f"{what}.{strange[0]} is not known", hint=f"Known: {', '.join(sorted(known))}."
        )
    found = _checked(part, what)
    if not any(key in found for key in LIMITS.values()):
        raise InvalidError(f"{what} has no limit", hint=f"One of {', '.join(LIMITS.values())}.")
    return found


def _checked(part: dict[str, Any], what: str) -> dict[str, Any]:
    """Return the fields that are given, with their numbers read."""
    given = {key: value for key, value in part.items() if value is not None}
    for key in (*LIMITS.values(), *_FACTORS):
        if key in given:
            given[key] = _number(given[key], f"{what}.{key}")
            if not given[key] > 0:
                raise InvalidError(f"{what}.{key} must be above zero (got {given[key]:g})")
    steps = given.get("thresholds") or THRESHOLDS
    steps = [_number(step, f"{what}.thresholds") for step in _list(steps, f"{what}.thresholds")]
    if len(steps) != len(THRESHOLDS) or sorted(set(steps)) != steps or steps[0] <= 0:
        told = ", ".join(f"{step:g}" for step in steps)
        raise InvalidError(
            f"{what}.thresholds must be three rising percentages (got [{told}])",
            hint="They are where warning, critical and exceeded begin, usually [80, 90, 100].",
        )
    return {**given, "thresholds": steps} if "thresholds" in given else given


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise InvalidError(f"{what} must be a list of percentages (got {shown(value)})")
    return list(value)


def _number(value: Any, what: str) -> float:
    found = plain(value)
    if found is None:
        raise InvalidError(f"{what} must be a finite number such as 2.5 (got {shown(value)})")
    return found


def scopes(budget: dict[str, Any]) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Return whose limits there are, and the limits: the account first, then owners and projects."""
    found: list[tuple[dict[str, str], dict[str, Any]]] = [({}, budget)]
    for scope, key in SCOPES.items():
        parts = (budget.get(key) or {}).items()
        found += [({scope: name}, part) for name, part in sorted(parts)]
    return [(of, part) for of, part in found if any(part.get(key) for key in LIMITS.values())]


def belongs(groups: dict[str, str | None], of: dict[str, str]) -> bool:
    """Tell whether something of an owner and a project counts for the limits of ``scopes``."""
    return all(groups.get(key) == name for key, name in of.items())


def needs_past(budget: dict[str, Any]) -> list[str]:
    """Return the limits that hold for longer than an hour, by name, which need a history."""
    return [
        ".".join(["budget", *(f"{SCOPES[key]}.{name}" for key, name in of.items()), limit])
        for of, part in scopes(budget)
        for limit in ("per_day", "per_month", "total")
        if part.get(limit)
    ]


def limit_of(budget: dict[str, Any], period: str) -> float | None:
    """Return what may be spent in a period, growth and season included, or None without a limit."""
    limit = budget.get(LIMITS[period])
    if limit is None:
        return None
    return float(limit) * float(budget.get("growth") or 1) * float(budget.get("season") or 1)


def budget_rows(
    budget: dict[str, Any] | None,
    burn_per_hour: float,
    spent: dict[str, float],
    of: dict[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Return for each limited period what is used, its share in percent, and the state.

    ``spent`` holds the cost of this ``day``, this ``month`` and in ``total``, ``of`` the owner or the
    project whose budget it is.
    """
    given = budget or {}
    used = {"hour": burn_per_hour, **spent}
    rows = []
    for period in LIMITS:
        limit = limit_of(given, period)
        if limit is None:
            continue
        # Rounded, so that 2.4 of 3 are 80 % although the instance's numbers say a trifle less.
        share = round(used.get(period, 0.0) / limit * 100, 6)
        rows.append(
            {
                "period": period,
                **dict.fromkeys(SCOPES),
                **(of or {}),
                "limit": round(limit, 4),
                "used": round(used.get(period, 0.0), 4),
                "share_percent": round(share, 2),
                "state": state_at(share, given.get("thresholds")),
            }
        )
    return rows


def state_at(share_percent: float, thresholds: Any = None) -> str:
    """Return the state at a share of a budget: it changes exactly at the thresholds."""
    return STATES[sum(share_percent >= step for step in thresholds or THRESHOLDS)]


def worst(rows: list[dict[str, Any]]) -> str:
    """Return the worst state of all rows, ``ok`` without any."""
    return max((row["state"] for row in rows), key=STATES.index, default=OK)
