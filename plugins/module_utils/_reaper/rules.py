# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be ended, and why: decisions about an account as it was listed (private, pure)."""

from __future__ import annotations

import itertools
from datetime import datetime

from .._core.business_hours import read_hours
from .._core.errors import InvalidError
from .._core.times import NO_LEASE, write_time
from .._models.ownership import DEPLOYMENT_TAG, Identity
from .._models.resources import Instance, living_deployments
from .._ssh.idle_report import Use
from .decision import Account, Judgement, Rules, Verdict
from .orphans import is_loose, judge_keys, judge_scripts, judge_volume, stays


def judge(account: Account, rules: Rules) -> Judgement:
    """Return what is to be ended of an account, and why."""
    found = Judgement()
    for row in account.instances:
        if row.exists:
            _add_machine(found, row, rules, account.uses.get(row.id))
    inhabited = living_deployments(account.instances)
    there = {row.id for row in account.instances if row.exists}
    for volume in account.volumes:
        wanted = volume.deployment in inhabited or not is_loose(volume, there)
        if not wanted and rules.covers(volume.deployment, volume.tagged_owner):
            found.add(judge_volume(volume, rules))
    if rules.owner is None:  # keys and scripts do not say whose they are
        at_home = inhabited | {row.deployment for row in account.volumes if stays(row)}
        parts = judge_keys(account.ssh_keys, rules), judge_scripts(account.startup_scripts, rules)
        for verdict in itertools.chain(*parts):
            if verdict.deployment not in at_home:
                found.add(verdict)
    return found


# -- instances --------------------------------------------------------------------------------------


def _add_machine(found: Judgement, row: Instance, rules: Rules, use: Use | None) -> None:
    marks = row.ownership
    if marks is None:
        found.add(_half_marked(row, rules))
    elif rules.covers(marks.deployment, marks.owner):
        if row.is_alive:
            found.living.append(row)
        found.add(judge_machine(row, marks, rules, use))


def _half_marked(row: Instance, rules: Rules) -> Verdict | None:
    """Return a word about an instance whose tags are broken: it is foreign, and never touched."""
    deployment = row.tag_values.get(DEPLOYMENT_TAG)
    if not row.looks_ours or not rules.covers(deployment, None):
        return None
    return Verdict(row, deployment, None, "its tags are incomplete")


def judge_machine(row: Instance, marks: Identity, rules: Rules, use: Use | None) -> Verdict | None:
    """Return why an instance is over, or why that cannot be told, or None while it may live."""
    reason, detail = _why(row, marks, rules, use)
    if not detail:
        return None
    end = marks.lease_end
    return Verdict(
        row,
        marks.deployment,
        marks.owner or None,
        detail,
        reason,
        write_time(end) if end else None,
        marks.protected or row.is_bound,
    )


def _why(row: Instance, marks: Identity, rules: Rules, use: Use | None) -> tuple[str | None, str]:
    """Return reason and detail: no reason when it is unclear, neither when it is not over."""
    born = row.born
    if born is None:
        return None, "when it was ordered cannot be read"
    if row.is_dead:
        over = rules.over(born)  # until then who ordered it sees to it
        return ("dead", f"the order ended as {row.status}") if over else (None, "")
    if marks.lease.lower() != NO_LEASE:
        end = marks.lease_end
        if end is None:
            return None, f"its lease {marks.lease!r} cannot be read"
        if end < born:
            return None, f"its lease ended at {write_time(end)}, before it was ordered"
        if rules.over(end):
            return "expired", f"its lease ended at {write_time(end)}"
    return _why_unused(born, marks, rules, use)


def _why_unused(
    born: datetime, marks: Identity, rules: Rules, use: Use | None
) -> tuple[str | None, str]:
    if use and use.done:
        return "done", "its work is done"
    if use and use.idle_since:
        since = max(use.idle_since, born)
        limits = [limit for limit in (use.idle_after, rules.idle_after) if limit is not None]
        if limits and use.at - since >= min(limits):
            return "idle", f"idle since {write_time(since)}"
    if marks.hours:
        try:
            hours = read_hours(marks.hours)
        except InvalidError as error:
            return None, error.message
        if rules.over(born) and hours.closed_for(rules.now, rules.grace):
            return "hours", f"outside its hours, {marks.hours}"
    return None, ""
