# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource of a host that is kept as its module keeps it, without Ansible around it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._core.apply import apply
from ansible_collections.gpuops.cloud.plugins.module_utils._core.resource import Resource
from ansible_collections.gpuops.cloud.plugins.module_utils._core.run import Run
from ansible_collections.gpuops.cloud.plugins.module_utils._host.commands import Commands


def kept(
    resource: Resource[Commands, Any, Any, Any],
    run: Callable[[list[str]], tuple[int, str, str]],
    want: Any,
    *,
    dry: bool = False,
) -> dict[str, Any]:
    """Find, plan, apply unless it is dry; returns the result, raises what the module fails with."""
    warnings: list[str] = []
    with nullcontext() if dry else resource.alone(want):
        commands = Commands(run)
        found = Run.of(resource, commands, want)
        done, errors = apply(commands, found.due(dry=dry))
        actions, _changed = found.settle(done, errors, warnings.append, dry=dry)
        assert warnings == []
        return {**found.result(dry=dry), "actions": actions}
