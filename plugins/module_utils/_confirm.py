# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not ended without asking: machines that are protected or somebody else's (private)."""

from __future__ import annotations

import getpass
import os
import re
from typing import Any

from ._errors import NeedsConfirmationError
from ._resources import Instance


def this_user() -> str:
    """Return the user who runs the play in the form of an owner; containers may not know a name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid-{os.getuid()}"
    return re.sub(r"[^A-Za-z0-9._@+-]", "-", name)[:63]


def refuse_unconfirmed(rows: list[Instance], owner: str, confirmed: bool) -> None:
    """Raise NeedsConfirmationError for machines that are protected or of another owner."""
    asked = [] if confirmed else [row for row in map(_shown, rows) if _is_asked(row, owner)]
    if asked:
        named = ", ".join(_sentence(row, owner) for row in asked)
        raise NeedsConfirmationError(
            f"Not ended without confirmation: {named}",
            hint="Set confirm to true (playbooks: -e confirm=yes) to end them nevertheless.",
            details={"unconfirmed": asked},
        )


def _shown(row: Instance) -> dict[str, Any]:
    marks = row.ownership
    return {
        "id": row.id,
        "name": row.name,
        "owner": (marks.owner or None) if marks else None,
        "protected": bool(marks and marks.protected),
        "price_per_hour": row.rate,
    }


def _is_asked(row: dict[str, Any], owner: str) -> bool:
    return bool(row["protected"] or row["owner"] not in (None, owner))


def _sentence(row: dict[str, Any], owner: str) -> str:
    why = ["protected"] if row["protected"] else []
    other = row["owner"] not in (None, owner)  # nobody knows it where tags are refused
    why += [f"it belongs to {row['owner']}, not to {owner}"] if other else []
    price = f"{row['price_per_hour']:g} per hour"
    return f"{row['name']} ({row['id']}, {price}; {'; '.join(why)})"
