# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules on a host work on: its commands (private)."""

from __future__ import annotations

from .._core.apply import Threads
from .._host.commands import Commands
from .engine import GpuopsModule, Place


class ThisHost(Place[Commands]):
    """The host that the module runs on."""

    def open(self, module: GpuopsModule) -> Commands:
        # What programs say is read, so it comes in one language.
        module.run_command_environ_update = {"LC_ALL": "C.UTF-8"}

        def run(command: list[str]) -> tuple[int, str, str]:
            rc, out, err = module.run_command(command, handle_exceptions=False)
            return rc, out, err

        return Commands(run)


class WithoutCommands(Place[Threads]):
    """Where no command of the module's own is run."""

    def open(self, module: GpuopsModule) -> Threads:
        return Threads()


HOST, THREADS = ThisHost(), WithoutCommands()
