# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not terminated without asking: instances that are protected or somebody else's (private)."""

from __future__ import annotations

import getpass
import os
import re
from typing import TypedDict

from .._core.errors import NeedsConfirmationError
from .._models.resources import Instance


def this_user() -> str:
    """Return the user who runs the play in the form of an owner; containers may not know a name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid-{os.getuid()}"
    return re.sub(r"[^A-Za-z0-9._@+-]", "-", name)[:63]


def refuse_unconfirmed(rows: list[Instance], owner: str, confirmed: bool) -> None:
    """Raise NeedsConfirmationError for instances that are protected, bound, or of another owner."""
    asked = [] if confirmed else [(row, why) for row in rows if (why := _why_asked(row, owner))]
    if asked:
        named = ", ".join(
            f"{row.name} ({row.id}, {row.rate:g} per hour; {'; '.join(why)})" for row, why in asked
        )
        raise NeedsConfirmationError(
            f"Not terminated without confirmation: {named}",
            hint="Set confirm=true (playbooks: -e confirm=yes) to terminate them anyway.",
            details={"unconfirmed": [_shown(row) for row, _why in asked]},
        )


def refuse_others(rows: list[Instance], owner: str, confirmed: bool) -> None:
    """Raise NeedsConfirmationError for instances of another owner, who may mean them for something else."""
    asked = [] if confirmed else [row for row in rows if _other_owner(row, owner)]
    if asked:
        named = ", ".join(
            f"{row.name} ({row.id}, {row.rate:g} per hour; {_other_owner(row, owner)})"
            for row in asked
        )
        raise NeedsConfirmationError(
            f"Not used or changed without confirmation: {named}",
            hint="Take another deployment; or set confirm to true (playbooks: -e confirm=yes) to work "
            "with them anyway, or owner to theirs.",
            details={"unconfirmed": [_shown(row) for row in asked]},
        )


class UnconfirmedRow(TypedDict):
    """An instance that somebody has to confirm, as results show it."""

    id: str
    name: str | None
    owner: str | None
    protected: bool
    price_per_hour: float


def _shown(row: Instance) -> UnconfirmedRow:
    marks = row.ownership
    return {
        "id": row.id,
        "name": row.name,
        "owner": (marks.owner or None) if marks else None,
        "protected": bool(marks and marks.protected),
        "price_per_hour": row.rate,
    }


def _why_asked(row: Instance, owner: str) -> list[str]:
    """Return in words why somebody must confirm the termination of an instance."""
    marks = row.ownership
    why = ["protected"] if marks and marks.protected else []
    if row.is_bound:
        why.append("it is bound by a long-term contract, which costs until its end")
    other = _other_owner(row, owner)
    return [*why, other] if other else why


def _other_owner(row: Instance, owner: str) -> str:
    """Return in words that an instance belongs to somebody else, nothing where it does not."""
    marks = row.ownership
    if marks and marks.owner and marks.owner != owner:  # nobody knows it where tags are refused
        return f"it belongs to {marks.owner}, not to {owner}"
    return ""
