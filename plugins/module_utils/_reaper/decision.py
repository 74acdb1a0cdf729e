# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a decision about what is over: rules, the account, verdicts (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict

from .._models.resources import Instance, Resource, SshKey, StartupScript, Volume
from .._ssh.idle_report import Use

KEPT, BUDGET = "kept", "budget"


class ReapedRow(TypedDict):
    """One resource and what became of it, as results show it; the outcome is null where none was meant."""

    kind: str
    id: str
    name: str
    deployment: str | None
    owner: str | None
    reason: str | None
    lease_end: str | None
    price_per_hour: float
    outcome: str | None
    detail: str


def verb_of(kind: str) -> str:
    """Return how the end of a resource of this kind is called."""
    return "terminate" if kind == "instance" else "delete"


@dataclass(frozen=True)
class Rules:
    """When something is over. ``deployments`` and ``owner`` are the scope, None means all."""

    now: datetime
    grace: timedelta = timedelta(minutes=15)
    orphan_age: timedelta = timedelta(hours=24)
    idle_after: timedelta | None = None
    deployments: frozenset[str] | None = None
    owner: str | None = None

    def covers(self, deployment: str | None, owner: str | None) -> bool:
        """Tell whether something of this deployment and owner is in scope."""
        named = self.deployments is None or deployment in self.deployments
        return named and self.owner in (None, owner)

    def over(self, end: datetime) -> bool:
        """Tell whether a time and the grace after it have passed."""
        return self.now - self.grace >= end


@dataclass(frozen=True)
class Account:
    """What the cloud lists, and what instances say of their use, by id. ``providers`` were asked."""

    instances: list[Instance] = field(default_factory=list)
    volumes: list[Volume] = field(default_factory=list)
    ssh_keys: list[SshKey] = field(default_factory=list)
    startup_scripts: list[StartupScript] = field(default_factory=list)
    uses: dict[str, Use] = field(default_factory=dict)
    providers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """One resource and why it is over; without a reason nobody can tell, and it is left."""

    row: Resource
    deployment: str | None
    owner: str | None
    detail: str
    reason: str | None = None
    lease_end: str | None = None
    protected: bool = False

    @property
    def kind(self) -> str:
        return self.row.kind

    @property
    def name(self) -> str:
        return str(self.row.name)

    @property
    def price(self) -> float:
        """Return what it costs per hour now."""
        return self.row.rate if isinstance(self.row, (Instance, Volume)) else 0.0

    def as_result(self, outcome: str | None, detail: str | None = None) -> ReapedRow:
        """Return the line of the result that tells what became of it."""
        return {
            "kind": self.kind,
            "id": self.row.id,
            "name": self.name,
            "deployment": self.deployment,
            "owner": self.owner,
            "reason": self.reason,
            "lease_end": self.lease_end,
            "price_per_hour": round(self.price, 4),
            "outcome": outcome,
            "detail": detail or self.detail,
        }


@dataclass
class Judgement:
    """What is over, what cannot be told, what is retained on purpose, and what lives on, in scope."""

    over: list[Verdict] = field(default_factory=list)
    unclear: list[Verdict] = field(default_factory=list)
    kept: list[Verdict] = field(default_factory=list)
    living: list[Instance] = field(default_factory=list)

    def add(self, verdict: Verdict | None) -> None:
        """Sort a verdict in."""
        if verdict:
            reasons = {None: self.unclear, KEPT: self.kept}
            reasons.get(verdict.reason, self.over).append(verdict)
