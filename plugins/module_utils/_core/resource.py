# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module keeps in the wanted state, in a cloud or on a host (private)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, TypeVar

from .apply import Workers, collected
from .errors import GpuopsError
from .plan import Plan

# What it is reached by, what it takes as its options, what it finds and tells; each names its own.
P_contra = TypeVar("P_contra", bound=Workers, contravariant=True)
W = TypeVar("W")
F = TypeVar("F")
R = TypeVar("R", bound=Mapping[str, Any])


class Resource(Generic[P_contra, W, F, R]):
    """One kind of thing: how to find it, what to do, what to tell.

    The last three methods are hooks; whoever needs none leaves them as they are.
    """

    def find(self, place: P_contra, want: W, /) -> F:
        """Look up what is there."""
        raise NotImplementedError

    def plan(self, found: F, want: W, /) -> Plan:
        """Return what has to be done, without a request or a command that changes anything."""
        raise NotImplementedError

    def result(self, place: P_contra, found: F, plan: Plan, /, *, applied: bool) -> R:
        """Return what the module tells, before or after the plan was applied."""
        raise NotImplementedError

    def on_partial_failure(
        self, place: P_contra, found: F, want: W, done: list[str], errors: list[GpuopsError], /
    ) -> list[str]:
        """Return what was done where some errors are tolerated. Raises what the module fails with."""
        raise collected(done, errors)

    def record(self, place: P_contra, found: F, want: W, /, *, applied: bool) -> list[str]:
        """Write down what was done, however it ended; returns warnings."""
        return []

    def alone(self, want: W, /) -> AbstractContextManager[None]:
        """Keep others from doing the same at the same time, from the look to the end."""
        return nullcontext()
