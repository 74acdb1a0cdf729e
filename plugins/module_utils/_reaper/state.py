# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reaper knows: the account, what was decided, how it ends, what became of it (private)."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .._billing.pots import Pot
from .._ledger.event import Event
from .._lifecycle.termination_policy import Ending, Outcome
from .._models.ownership import job_of_deployment
from .._models.resources import Instance, Volume, living_deployments
from .._providers.base.client import Client
from .decision import Account, Judgement, Rules, Verdict
from .options import ReapOptions


@dataclass
class FoundReap:
    """The account as it was listed, what was decided, and by id what became of it.

    An outcome of None means that a thing was left after all.
    """

    account: Account
    rules: Rules
    judgement: Judgement
    want: ReapOptions
    pots: tuple[Pot, ...] = ()
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    outcomes: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    ends: list[Outcome] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    _living: set[str] | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def inhabited(self, client: Client) -> set[str]:
        """Return the deployments that have an instance now; looked up once, after the decision."""
        with self._lock:
            if self._living is None:
                self._living = living_deployments(client.instances())
            return self._living

    def policy(self, volume: Volume) -> str:
        """Return what is to happen to a volume that nobody retained on purpose."""
        return str(self.want["os_volume" if volume.is_boot else "data_volumes"])

    def how_to_end(self, verdict: Verdict) -> Ending:
        """Return how an instance ends: only volumes of its deployment go, and none retained on purpose."""
        closed = verdict.reason == "hours"  # it comes back, so its volumes wait for it
        # What a job has made lies there until somebody has fetched it.
        of_job = job_of_deployment(verdict.deployment) is not None
        spare = (row.id for row in self.account.volumes if _is_spared(row, verdict))
        return Ending(
            "keep" if closed else self.want["os_volume"],
            "keep" if closed or of_job else self.want["data_volumes"],
            self.want["wait_timeout"],
            self.want["wait_interval"],
            frozenset(spare),
        )

    def going_with(self, verdict: Verdict) -> list[Volume]:
        """Return the volumes that end with an instance."""
        if not isinstance(verdict.row, Instance):
            return []
        end = Outcome(replace(verdict.row, volume_ids=()), self.how_to_end(verdict))
        end.complete(self.account.volumes)
        policies = end.policies
        return [r for r in self.account.volumes if policies.get(r.id) in ("trash", "delete")]

    def saved(self, gone: Iterable[Verdict]) -> float:
        """Return what the end of some things, and of volumes that go with them, saves per hour."""
        verdicts = list(gone)
        rows = [verdict.row for verdict in verdicts]
        going = {
            row.id for row in rows if not (isinstance(row, Volume) and self.policy(row) == "keep")
        }
        for verdict in verdicts:
            going |= {row.id for row in self.going_with(verdict)}
        machines = sum(row.rate for row in rows if isinstance(row, Instance))
        return machines + sum(row.rate for row in self.account.volumes if row.id in going)


def _is_spared(volume: Volume, verdict: Verdict) -> bool:
    """Tell whether a volume outlives an instance that has it, whatever the policies say."""
    foreign = volume.deployment != verdict.deployment and not volume.is_boot
    # An order that came to nothing leaves what was there before.
    older = verdict.reason == "dead" and (volume.created_at or "") < (verdict.row.created_at or "")
    return volume.is_kept or len(volume.holders) > 1 or foreign or older
