# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doing what a plan says (private)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from .errors import GpuopsError
from .plan import Plan

T = TypeVar("T")
R = TypeVar("R")


class Workers(Protocol):
    """What steps are done by, many of them at the same time."""

    def for_each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Return what came of each, in order."""


class Threads:
    """Workers that share nothing: a thread for each step."""

    @staticmethod
    def for_each(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Do the same for many things at the same time, and return what came of each, in order."""
        rows = list(items)
        with ThreadPoolExecutor(max(1, len(rows))) as pool:
            return list(pool.map(work, rows))


def apply(client: Workers, plan: Plan) -> tuple[list[str], list[GpuopsError]]:
    """Run the steps; return what was done, as sentences, and the errors.

    Independent steps run at the same time, and all of them to their end; of others, none runs
    after an error.
    """
    first = tuple(step for step in plan.steps if step.first)
    if plan.parallel and first and len(first) < len(plan.steps):
        begun, errors = apply(client, Plan(steps=first, parallel=True))
        if errors:
            return begun, errors
        rest = tuple(step for step in plan.steps if not step.first)
        later, errors = apply(client, Plan(steps=rest, parallel=True))
        return begun + later, errors
    if plan.parallel and len(plan.steps) > 1:
        each = client.for_each(lambda step: apply(client, Plan(steps=(step,))), plan.steps)
        said = [sentence for done, _errors in each for sentence in done]
        return said, [error for _done, errors in each for error in errors]
    done: list[str] = []
    for step in plan.steps:
        try:
            sentence = step.call(client)
        except GpuopsError as error:
            return done, [error]
        except OSError as error:
            return done, [GpuopsError(f"{step.summary}: {error}")]
        if sentence != "":
            done.append(sentence or step.summary)
    return done, []


def collected(done: list[str], errors: list[GpuopsError]) -> GpuopsError:
    """Return the first error, with everything that was done and all errors in its details."""
    changed = bool(done) or any(error.details.get("changed") for error in errors)
    errors[0].details.update(actions=done, changed=changed)
    if len(errors) > 1:
        errors[0].details["errors"] = [str(error) for error in errors]
    return errors[0]
