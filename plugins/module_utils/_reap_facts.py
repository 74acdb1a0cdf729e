# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reaper knows: the account, what was decided, how it ends, what became of it (private)."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ._client import Client
from ._ending import Ending
from ._lease import is_kept, owning_deployment
from ._pots import Pot
from ._spend import instance_rate, volume_rate
from ._statuses import held_by, holders, living_deployments
from ._terminate import Outcome
from ._verdicts import Account, Judgement, Rules, Verdict

Row = dict[str, Any]


@dataclass
class FoundReap:
    """The account as it was listed, what was decided, and by id what became of it.

    An outcome of None means that a thing was left after all.
    """

    account: Account
    rules: Rules
    judgement: Judgement
    want: Row
    pots: tuple[Pot, ...] = ()
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    outcomes: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    ends: list[Outcome] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    _living: set[str | None] | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def inhabited(self, client: Client) -> set[str | None]:
        """Return the deployments that have a machine now; looked up once, after the decision."""
        with self._lock:
            if self._living is None:
                self._living = living_deployments(client.instances())
            return self._living

    def policy(self, volume: Row) -> str:
        """Return what is to happen to a volume that nobody kept on purpose."""
        return str(self.want["os_volume" if volume.get("is_os_volume") else "data_volumes"])

    def how_to_end(self, verdict: Verdict) -> Ending:
        """Return how a machine ends: only volumes of its deployment go, and none kept on purpose."""
        closed = verdict.reason == "hours"  # it comes back, so its volumes wait for it
        spare = (row["id"] for row in self.account.volumes if _is_spared(row, verdict))
        return Ending(
            "keep" if closed else self.want["os_volume"],
            "keep" if closed else self.want["data_volumes"],
            self.want["wait_timeout"],
            self.want["wait_interval"],
            frozenset(spare),
        )

    def going_with(self, verdict: Verdict) -> list[Row]:
        """Return the volumes that end with a machine."""
        ids = [row["id"] for row in held_by(self.account.volumes, verdict.row["id"])]
        os_volume = verdict.row.get("os_volume_id") or self._root(verdict)
        machine = {"os_volume_id": os_volume, "volume_ids": ids}
        policies = self.how_to_end(verdict).policies(machine)
        return [r for r in self.account.volumes if policies.get(r["id"]) in ("trash", "delete")]

    def saved(self, gone: Iterable[Verdict]) -> float:
        """Return what the end of some things, and of volumes that go with them, saves per hour."""
        verdicts = list(gone)
        stay = {
            v.row["id"] for v in verdicts if v.kind == "volume" and self.policy(v.row) == "keep"
        }
        ended = {verdict.row["id"] for verdict in verdicts} - stay
        for verdict in verdicts:
            if verdict.kind == "instance":
                ended |= {row["id"] for row in self.going_with(verdict)}
        volumes = [row for row in self.account.volumes if row["id"] in ended]
        machines = sum(instance_rate(v.row) for v in verdicts if v.kind == "instance")
        return machines + sum(map(volume_rate, volumes))

    def _root(self, verdict: Verdict) -> str | None:
        mine = held_by(self.account.volumes, verdict.row["id"])
        return next((row["id"] for row in mine if row.get("is_os_volume")), None)


def _is_spared(volume: Row, verdict: Verdict) -> bool:
    """Tell whether a volume outlives a machine that has it, whatever the policies say."""
    foreign = owning_deployment(volume) != verdict.deployment and not volume.get("is_os_volume")
    # An order that came to nothing leaves what was there before.
    born = str(verdict.row.get("created_at") or "")
    older = verdict.reason == "dead" and str(volume.get("created_at") or "") < born
    return is_kept(volume) or len(holders(volume)) > 1 or foreign or older
