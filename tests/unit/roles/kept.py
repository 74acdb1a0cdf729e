# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource of a host that is kept as its module keeps it, without Ansible around it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._core.apply import apply, collected
from ansible_collections.gpuops.cloud.plugins.module_utils._core.resource import Resource
from ansible_collections.gpuops.cloud.plugins.module_utils._host.commands import Commands


def kept(
    resource: Resource[Commands, Any, Any, Any],
    run: Callable[[list[str]], tuple[int, str, str]],
    want: Any,
    *,
    dry: bool = False,
) -> dict[str, Any]:
    """Find, plan, apply unless it is dry; returns the result, raises what the module fails with."""
    commands = Commands(run)
    with nullcontext() if dry else resource.alone(want):
        found = resource.find(commands, want)
        plan = resource.plan(found, want)
        applied = plan.changed and not dry
        done, errors = apply(commands, plan) if applied else (plan.actions, [])
        if errors:
            raise collected(done, errors)
        return {**resource.result(commands, found, plan, applied=applied), "actions": done}
