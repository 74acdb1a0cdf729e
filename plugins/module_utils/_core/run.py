# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way of keeping a resource: find, plan, apply, write down (private)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from .apply import Workers
from .errors import GpuopsError
from .plan import Plan
from .resource import Resource

P = TypeVar("P", bound=Workers)
W = TypeVar("W")
F = TypeVar("F")
R = TypeVar("R", bound=Mapping[str, object])


@dataclass
class Run(Generic[P, W, F, R]):
    """One resource on its way to the state that is wanted: what was found, and what has to be done."""

    resource: Resource[P, W, F, R]
    place: P
    want: W
    found: F
    plan: Plan

    @classmethod
    def of(cls, resource: Resource[P, W, F, R], place: P, want: W) -> Run[P, W, F, R]:
        """Look what is there, and plan. Raises what forbids it."""
        found = resource.find(place, want)
        return cls(resource, place, want, found, resource.plan(found, want))

    def due(self, *, dry: bool) -> Plan:
        """Return what is to be applied now: nothing where it is ``dry``."""
        return Plan() if dry else self.plan

    def settle(
        self,
        done: list[str],
        errors: list[GpuopsError],
        warn: Callable[[str], None],
        *,
        dry: bool = False,
    ) -> tuple[list[str], bool]:
        """Write down what applying has done, and return that, or what it would do, and whether that is a change.

        Raises what some of the errors come to. A step may have found that there was nothing to do.
        """
        try:
            if errors:
                done = self.resource.on_partial_failure(
                    self.place, self.found, self.want, done, errors
                )
        finally:
            for text in [] if dry else self._record():
                warn(text)
        actions = self.plan.actions if dry else done
        return actions, bool(actions or errors)

    def _record(self) -> list[str]:
        applied = self.plan.changed
        return self.resource.record(self.place, self.found, self.want, applied=applied)

    def result(self, *, dry: bool = False) -> R:
        """Return what is told of it, before or after it was applied."""
        applied = self.plan.changed and not dry
        return self.resource.result(self.place, self.found, self.plan, applied=applied)
