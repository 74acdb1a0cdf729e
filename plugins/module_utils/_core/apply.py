# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doing what a plan says (private)."""

from __future__ import annotations

from typing import Any

from .errors import GpuopsError
from .plan import Plan, Step


def _do(client: Any, step: Step) -> str | GpuopsError:
    try:
        return step.call(client) or step.summary
    except GpuopsError as error:
        return error


def apply(client: Any, plan: Plan) -> tuple[list[str], list[GpuopsError]]:
    """Run the steps; return what was done, as sentences, and the errors.

    Independent steps run at the same time, and all of them to their end; of others, none runs
    after an error.
    """
    outcomes: list[str | GpuopsError] = []
    if plan.parallel and len(plan.steps) > 1:
        outcomes = client.for_each(lambda step: _do(client, step), plan.steps)
    else:
        for step in plan.steps:
            outcomes.append(_do(client, step))
            if isinstance(outcomes[-1], GpuopsError):
                break
    done = [outcome for outcome in outcomes if isinstance(outcome, str)]
    return done, [outcome for outcome in outcomes if isinstance(outcome, GpuopsError)]


def collected(done: list[str], errors: list[GpuopsError]) -> GpuopsError:
    """Return the first error, with everything that was done and all errors in its details."""
    changed = bool(done) or any(error.details.get("changed") for error in errors)
    errors[0].details.update(actions=done, changed=changed)
    if len(errors) > 1:
        errors[0].details["errors"] = [str(error) for error in errors]
    return errors[0]
