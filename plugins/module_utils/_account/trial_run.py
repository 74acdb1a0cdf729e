# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module does, done within another one: find, plan, apply, write down (private)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, ParamSpec, Protocol, TypeVar

from .._core.apply import apply, collected
from .._core.errors import GpuopsError
from .._core.plan import Plan
from .._providers.base.client import Client

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W")
F = TypeVar("F")
W_contra = TypeVar("W_contra", contravariant=True)


class Resource(Protocol[W_contra, F]):
    """What a module keeps: how to find it, and what to do."""

    def find(self, client: Client, want: W_contra) -> F:
        """Look up what is there."""

    def plan(self, found: F, want: W_contra) -> Plan:
        """Return what has to be done."""


@dataclass
class Run(Generic[W, F]):
    """One resource on its way to the state that is wanted."""

    noun: Resource[W, F]
    want: W
    found: F
    plan: Plan

    @classmethod
    def of(cls, client: Client, noun: Resource[W, F], want: W) -> Run[W, F]:
        """Look what is there, and plan. Raises what the module would fail with."""
        found = noun.find(client, want)
        return cls(noun, want, found, noun.plan(found, want))

    def apply(self, client: Client) -> list[str]:
        """Do what is planned and write it down; returns warnings, raises the first error."""
        applied = self.plan.changed
        done, errors = apply(client, self.plan) if applied else ([], [])
        book = getattr(self.noun, "book", None)
        told: list[str] = book(client, self.found, self.want, applied=applied) if book else []
        if errors:
            raise collected(done, errors)
        return told


def keep(client: Client, noun: Resource[W, F], want: W) -> list[str]:
    """Find, plan and apply; returns warnings."""
    return Run.of(client, noun, want).apply(client)


def quietly(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> GpuopsError | None:
    """Call something and return its error, None when there was none."""
    try:
        call(*args, **kwargs)
    except GpuopsError as error:
        return error
    return None
