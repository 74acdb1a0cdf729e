# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: aggregate
short_description: Show progress of long tasks
version_added: 0.1.0
description:
  - Prints a line every few seconds while a task runs without saying anything, with its name, how long it has been running,
    and what a module of this collection that waits has seen last.
author:
  - gpuops.cloud contributors (@gpuops)
requirements:
  - enabling, by C(callbacks_enabled = gpuops.cloud.progress) or E(ANSIBLE_CALLBACKS_ENABLED)
options:
  interval:
    description: Seconds between two lines.
    type: float
    default: 10
    ini:
      - section: callback_gpuops_progress
        key: interval
    env:
      - name: GPUOPS_PROGRESS_INTERVAL
"""

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

from ..module_utils._core.progress import VARIABLE


class CallbackModule(CallbackBase):
    """A thread that speaks up when nothing else does."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "gpuops.cloud.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._task: str | None = None
        self._since = self._spoke = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: Path | None = None

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool = False) -> None:
        """Note the task; the thread starts with the first one."""
        self._last_seen()  # what an earlier task saw is old by now
        self._task = task.get_name().strip()
        self._since = self._spoke = time.monotonic()
        if self._thread is None:
            self._seen = self._make_file()
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    v2_playbook_on_handler_task_start = v2_playbook_on_task_start

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """End the thread."""
        self._task = None
        self._ended.set()
        if self._seen:
            self._seen.unlink(missing_ok=True)

    @staticmethod
    def _make_file() -> Path | None:
        """Make the file in which modules of this run leave what they see."""
        root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gpuops.cloud"
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for file in root.glob("progress-*"):
                # Of a run that was killed.
                if not Path("/proc", file.name.split("-")[1]).is_dir():
                    file.unlink(missing_ok=True)
            handle, name = tempfile.mkstemp(dir=root, prefix=f"progress-{os.getpid()}-")
        except OSError:
            return None
        os.close(handle)
        os.environ[VARIABLE] = name
        return Path(name)

    def _last_seen(self) -> str:
        """Return the latest lines that modules have left, and forget them."""
        try:
            if not self._seen or not (lines := self._seen.read_text(encoding="utf-8").splitlines()):
                return ""
            os.truncate(self._seen, 0)
        except OSError:
            return ""
        return "".join(f"\n      {line}" for line in dict.fromkeys(lines[-8:]))

    def _heard(self, *_args: Any, **_kwargs: Any) -> None:
        self._spoke = time.monotonic()

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = _heard
    v2_runner_on_unreachable = v2_runner_retry = v2_runner_item_on_ok = _heard

    def _watch(self) -> None:
        interval = float(self.get_option("interval"))
        while not self._ended.wait(1):
            now, task = time.monotonic(), self._task
            if task and now - self._spoke >= interval:
                self._spoke = now
                # Written past Display, whose locks must not be held while Ansible forks.
                text = f"  ... {task}: {now - self._since:.0f} s{self._last_seen()}\n"
                os.write(sys.stdout.fileno(), text.encode())
