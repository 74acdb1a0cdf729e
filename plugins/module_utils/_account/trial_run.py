# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module does, done within another one: find, plan, apply, write down (private)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._core.apply import apply, collected
from .._core.errors import GpuopsError
from .._core.plan import Plan
from .._providers.base.client import Client

Row = dict[str, Any]


@dataclass
class Run:
    """One resource on its way to the state that is wanted."""

    noun: Any
    want: Row
    found: Any
    plan: Plan

    @classmethod
    def of(cls, client: Client, noun: Any, want: Row) -> Run:
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


def keep(client: Client, noun: Any, want: Row) -> list[str]:
    """Find, plan and apply; returns warnings."""
    return Run.of(client, noun, want).apply(client)


def quietly(call: Any, *args: Any) -> GpuopsError | None:
    """Call something and return its error, None when there was none."""
    try:
        call(*args)
    except GpuopsError as error:
        return error
    return None
