# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What money is counted by: the days and months of UTC, and whose it is (private, pure)."""

from __future__ import annotations

from datetime import datetime, timedelta

# Whose budgets there are beside that of the account, and the option that holds them by name.
SCOPES = {"owner": "owners", "project": "projects"}


def words_of(owner: str | None, project: str | None) -> str:
    """Return whose budget it is as part of a sentence, empty for the account's."""
    of_owner = f" of owner {owner}" if owner else ""
    return of_owner + (f" of project {project}" if project else "")


def begin_of(period: str, now: datetime) -> datetime | None:
    """Return when the day or month of a time began, None for the total."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return {"day": midnight, "month": midnight.replace(day=1)}.get(period)


def end_of(period: str, now: datetime) -> datetime | None:
    """Return when the day or month of a time ends, None for the total."""
    begin = begin_of(period, now)
    if begin is None:
        return None
    if period == "day":
        return begin + timedelta(days=1)
    return (begin + timedelta(days=32)).replace(day=1)
