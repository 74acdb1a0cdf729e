# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances have left behind, and whether anybody still wants it (private, pure)."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import datetime

from .._core.times import NO_LEASE, read_time, write_time
from .._models.ownership import LEASE_TAG
from .._models.resources import SshKey, StartupScript, Volume
from .decision import KEPT, Rules, Verdict


def stays(row: Volume) -> bool:
    """Tell whether a volume outlives its instance on purpose, or without an end."""
    without_end = row.tag_values.get(LEASE_TAG, "").lower() == NO_LEASE
    return row.is_alive and (row.is_kept or without_end)


def is_loose(row: Volume, there: Container[str]) -> bool:
    """Tell whether a volume of ours costs money and no instance has it; ``there`` are all by their ids."""
    if row.deployment is None or not row.is_alive:
        return False
    free = row.status == "detached" and not row.holders
    return free or row.is_stranded(there)


def judge_volume(row: Volume, rules: Rules) -> Verdict | None:
    """Return why a loose volume is over, ``kept``, or None while it is still wanted.

    It is wanted until the end of the lease that it was ordered with: an instance that was taken away
    may be bought again.
    """
    whose = (row, row.deployment, row.tagged_owner)
    if stays(row):
        return Verdict(*whose, "retained on purpose", KEPT)
    lease, born = row.tag_values.get(LEASE_TAG), row.born
    if lease:
        end = read_time(lease)
        if end is None:
            return Verdict(*whose, f"its lease {lease!r} cannot be read")
        if born and end < born:
            return Verdict(*whose, f"its lease ended at {write_time(end)}, before it was ordered")
        text = f"{_alone(row)}, and its lease ended at {write_time(end)}"
        return Verdict(*whose, text, "orphan", write_time(end)) if rules.over(end) else None
    if born is None:
        return Verdict(*whose, "when it was ordered cannot be read")
    if not rules.over(born):
        return None  # its instance may be on its way
    return Verdict(*whose, _alone(row), "orphan")


def _alone(row: Volume) -> str:
    stranded = "it is attached to an instance that no longer exists, and " if row.holders else ""
    return f"{stranded}no instance of its deployment is left"


def judge_keys(rows: list[SshKey], rules: Rules) -> Iterator[Verdict]:
    """Yield the keys of deployments in scope that are old enough, or of unknown age."""
    for row in rows:
        deployment, born = row.deployment, row.registered_at
        if deployment is None or not rules.covers(deployment, None):
            continue
        if born is None:
            text = "no instance of its deployment is left, but its name does not say how old it is"
            yield Verdict(row, deployment, None, text)
        elif rules.now - born >= rules.orphan_age:
            yield Verdict(row, deployment, None, _since(born), "orphan")


def judge_scripts(rows: list[StartupScript], rules: Rules) -> Iterator[Verdict]:
    """Yield the startup scripts of deployments in scope that are old enough, or of unknown age."""
    for row in rows:
        deployment, born = row.deployment, row.born
        if deployment is None or not rules.covers(deployment, None):
            continue
        if born is None:
            text = "when it was registered cannot be read"
            yield Verdict(row, deployment, None, text)
        elif rules.now - born >= rules.orphan_age:
            yield Verdict(row, deployment, None, _since(born), "orphan")


def _since(born: datetime) -> str:
    return f"no instance of its deployment is left, and it is there since {write_time(born)}"
