# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: quiet
type: stdout
short_description: Only what the playbooks of this collection tell, and why a run failed
version_added: 0.1.0
description:
  - Shows no plays, no tasks and no recap. What our playbooks show, such as an offer or a bill, is shown as ever.
  - Of a run that fails it shows at its end the last sentence of each host that failed. What was rescued is no failure.
  - The command C(gpuops) uses it.
author:
  - gpuops.cloud contributors (@gpuops)
requirements:
  - setting it as stdout callback, by C(stdout_callback = gpuops.cloud.quiet) or E(ANSIBLE_STDOUT_CALLBACK)
"""

from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Keeps quiet until the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "gpuops.cloud.quiet"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._failed: dict[str, str] = {}

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Remember why, for it may be rescued."""
        said = result._result.get("msg") or result._result.get("module_stderr") or "it failed"
        self._failed[result._host.get_name()] = f"{result._task.get_name().strip()}: {said}"

    v2_runner_on_unreachable = v2_runner_on_failed

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Say why the run failed, if it did."""
        for host, said in self._failed.items():
            if stats.failures.get(host) or stats.dark.get(host):
                self._display.display(f"{'' if host == 'localhost' else f'{host}: '}{said}")
