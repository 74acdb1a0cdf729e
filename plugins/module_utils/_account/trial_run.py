# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module does, done within another one: find, plan, apply, write down (private)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, ParamSpec, TypeVar

from .._core.apply import apply, collected
from .._core.errors import GpuopsError
from .._core.plan import Plan
from .._core.resource import Resource
from .._providers.base.client import Client

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W")
F = TypeVar("F")
T = TypeVar("T", bound=Mapping[str, object])


@dataclass
class Run(Generic[W, F, T]):
    """One resource on its way to the state that is wanted."""

    resource: Resource[Client, W, F, T]
    want: W
    found: F
    plan: Plan

    @classmethod
    def of(cls, client: Client, resource: Resource[Client, W, F, T], want: W) -> Run[W, F, T]:
        """Look what is there, and plan. Raises what the module would fail with."""
        found = resource.find(client, want)
        return cls(resource, want, found, resource.plan(found, want))

    def apply(self, client: Client) -> list[str]:
        """Do what is planned and write it down; returns warnings, raises the first error."""
        applied = self.plan.changed
        done, errors = apply(client, self.plan) if applied else ([], [])
        told = self.resource.record(client, self.found, self.want, applied=applied)
        if errors:
            raise collected(done, errors)
        return told


def keep(client: Client, resource: Resource[Client, W, F, T], want: W) -> list[str]:
    """Find, plan and apply; returns warnings."""
    return Run.of(client, resource, want).apply(client)


def quietly(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> GpuopsError | None:
    """Call something and return its error, None when there was none."""
    try:
        call(*args, **kwargs)
    except GpuopsError as error:
        return error
    return None
