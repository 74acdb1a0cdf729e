# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module does, done within another one (private)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from .._core.apply import apply
from .._core.errors import GpuopsError
from .._core.resource import Resource
from .._core.run import Run
from .._providers.base.client import Client

P = ParamSpec("P")
A = TypeVar("A")
W = TypeVar("W")
F = TypeVar("F")
R = TypeVar("R", bound=Mapping[str, object])


def keep(client: Client, resource: Resource[Client, W, F, R], want: W) -> list[str]:
    """Find, plan and apply; returns warnings. Raises the first error."""
    return finish(client, Run.of(resource, client, want))


def finish(client: Client, run: Run[Client, W, F, R]) -> list[str]:
    """Do what is planned; returns warnings. Raises the first error."""
    warnings: list[str] = []
    run.settle(*apply(client, run.plan), warnings.append)
    return warnings


def quietly(call: Callable[P, A], *args: P.args, **kwargs: P.kwargs) -> GpuopsError | None:
    """Call something and return its error, None when there was none."""
    try:
        call(*args, **kwargs)
    except GpuopsError as error:
        return error
    return None
