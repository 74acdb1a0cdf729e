# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets: what happens when not all instances could be provisioned (private)."""

from __future__ import annotations

from collections.abc import Iterable

from .._core.apply import collected
from .._core.errors import GpuopsError
from .._lifecycle.retained_volumes import Kept
from .._lifecycle.termination import terminate
from .._lifecycle.termination_policy import Ending
from .._models.resources import Instance
from .._providers.base.client import Client
from .options import InstanceOptions
from .state import Fate, Found


def fleet_names(name: str, count: int) -> list[str]:
    """Return the host names of a fleet: ``name``, ``name-2``, ``name-3``, so that it can grow."""
    return [name, *(f"{name}-{number}" for number in range(2, count + 1))]


class FleetRow(Fate):
    """One instance of a fleet, and what became of it in this run."""

    name: str


def fleet_report(found: Found) -> list[FleetRow]:
    """Return for each instance what became of it in this run."""
    rows: list[FleetRow] = []
    by_name = {row.name: row.id for row in found.have}
    for name in found.names:
        outcome = "exists" if name in by_name else "planned"
        fate: Fate = {"outcome": outcome, "id": by_name.get(name), "detail": ""}
        rows.append({"name": name, **found.outcomes.get(name, fate)})
    return rows


def accept_or_end(
    client: Client,
    found: Found,
    want: InstanceOptions,
    done: list[str],
    errors: list[GpuopsError],
    bought_at: Iterable[tuple[Client, Found]] = (),
) -> list[str]:
    """Accept a fleet of at least ``min_count`` instances, or end what was bought and raise.

    ``bought_at`` names the accounts at which that was, unless it was one.
    """
    failed = [row for row in found.outcomes.values() if row["outcome"] == "failed"]
    there = len(found.have) + len(found.outcomes) - len(failed)
    if len(found.names) == 1 or not failed or len(failed) < len(errors):
        raise collected(done, errors)
    if there >= (want["min_count"] or len(found.names)):
        return done
    if not want["keep_short_fleet"]:
        for one, its in [*bought_at] or [(client, found)]:
            ended, problems = _terminate_bought(one, its, want)
            done, errors = [*done, *ended], [*errors, *problems]
    wanted = want["min_count"] or len(found.names)
    errors[0].message = (
        f"Provisioned {there} of {len(found.names)} instances, and {wanted} are needed: "
        f"{errors[0].message}"
    )
    errors[0].details["fleet"] = fleet_report(found)
    errors[0].hint = f"{errors[0].hint} {_may_exist(found)}".strip()
    raise collected(done, errors)


def _may_exist(found: Found) -> str:
    """Return in words which instances of this run may exist although it failed, ids where known."""
    rows = [
        f"{name} ({row['id'] or 'id unknown'})"
        for name, row in found.outcomes.items()
        if row["outcome"] != "ended" and (row["id"] or name in found.unclear)
    ]
    return f"May exist and cost: {', '.join(rows)}; run the same again to adopt." if rows else ""


def _terminate_bought(
    client: Client, found: Found, want: InstanceOptions
) -> tuple[list[str], list[GpuopsError]]:
    """Terminate the instances that this run has bought, ready or not: new disks go, others stay."""
    rows = {name: row for name, row in found.outcomes.items() if row["id"] in found.bought}
    names = {row["id"]: name for name, row in rows.items() if row["id"]}

    def undo(row: Instance) -> Ending:
        kept = found.kept.get(names[row.id], Kept())
        return kept.undo(want["wait_timeout"], want["wait_interval"])

    known = [found.changed.get(one) or Instance(one, names[one]) for one in names]
    done, problems = [], []
    for outcome in terminate(client, known, undo):
        name = names[outcome.row.id]
        found.ends.append(outcome)
        if outcome.error:
            problems.append(outcome.error)
            continue
        rows[name]["outcome"] = "ended"
        done.append(f"terminate {name} ({outcome.row.id}), since the fleet fell short")
    return done, problems
