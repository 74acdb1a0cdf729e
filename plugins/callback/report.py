# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: report
type: aggregate
short_description: What a playbook of jobs has found out, as JSON for a program
version_added: 0.1.0
description:
  - Writes a file with the request as it was checked, where the job stood, and how it ended, each as soon as it is known.
  - The command C(gpuops) follows a job and ends with its exit code by it. It has no secret.
author:
  - gpuops.cloud contributors (@gpuops)
requirements:
  - enabling, by C(callbacks_enabled = gpuops.cloud.report) or E(ANSIBLE_CALLBACKS_ENABLED)
options:
  file:
    description: File to write. Without one nothing is written.
    type: path
    ini:
      - section: callback_gpuops_report
        key: file
    env:
      - name: GPUOPS_REPORT_FILE
"""

from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

from ..module_utils._jobs.front import Report, StateRow

_OURS = "gpuops.cloud."


class CallbackModule(CallbackBase):
    """Listens to what the modules of jobs return."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "gpuops.cloud.report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._report = Report()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Take what tells of a job, and leave it for whoever waits."""
        found, action = result._result, result._task.action
        if action == f"{_OURS}request":
            self._report.request = {
                "deployment": found["deployment"],
                "folder": found["folder"],
                "job": found["job"],
            }
        elif action == f"{_OURS}job_state":
            self._report.states.append(_told(found))
        elif action == f"{_OURS}gpu_job":
            self._report.place, self._report.attempts = found["folder"], found["attempts"]
        elif "_job_result" in (found.get("ansible_facts") or ()):
            self._report.result = found["ansible_facts"]["_job_result"]
        else:
            return
        if file := self.get_option("file"):
            self._report.write(Path(file))


def _told(state: dict[str, Any]) -> StateRow:
    return {
        "state": state["state"],
        "next": state["next"],
        "reason": state["reason"],
        "attempt": state["attempt"],
        "record": state["record"],
        "result": state["result"],
        "host": state["host"],
        "output": state["output"],
    }
