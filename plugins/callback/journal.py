# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: journal
type: stdout
short_description: Print failures and warnings only, as lines for a journal
version_added: 0.1.0
description:
  - Prints what failed and what was warned of, and leaves the rest to M(gpuops.cloud.show), so that the log of a playbook that runs every few
    minutes can be read.
  - Below systemd, failures get the priority C(err), and warnings C(warning).
author:
  - gpuops.cloud contributors (@gpuops)
requirements:
  - setting as stdout, by C(stdout_callback = gpuops.cloud.journal) or E(ANSIBLE_STDOUT_CALLBACK)
"""

import os
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Tells of failures and warnings."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "gpuops.cloud.journal"

    def _tell(self, result: Any) -> None:
        """Print the name of the task and its message."""
        found = result._result
        words = found.get("msg") or found.get("reason") or "failed without a message"
        self._print(result, words, "<3>")

    def _warn(self, result: Any) -> None:
        """Print the warnings of a task; ansible-core 2.19 and later put each into an object."""
        for warning in result._result.get("warnings") or ():
            event = getattr(warning, "event", None)
            self._print(result, event.msg if event else str(warning), "<4>")

    def _print(self, result: Any, words: str, priority: str) -> None:
        mark = priority if os.environ.get("JOURNAL_STREAM") else ""
        host = result._host.get_name()
        place = "" if host == "localhost" else f"{host}: "
        for line in f"{place}{result._task.get_name()}: {words}".splitlines():
            self._display.display(f"{mark}{line}")

    def v2_runner_on_ok(self, result: Any) -> None:
        """Tell of what went wrong and ended nothing."""
        self._warn(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Tell of a failure that ends something."""
        if not ignore_errors:
            self._tell(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Tell of a host that cannot be reached."""
        self._tell(result)
