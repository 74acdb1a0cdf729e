# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module job_follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import GpuopsError
from ..module_utils._jobs.remote import Remote
from ..module_utils._jobs.results import Follower, PeerFailedError
from ..module_utils._jobs.screen import Lines, values_of

SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "folder": {"type": "path", "required": True},
    "attempt": {"type": "int"},
    "task": {"type": "int"},
    "file": {"type": "path", "required": True},
    "patience": {"type": "float", "default": 1200.0},
    "wait": {"type": "bool", "default": True},
    "show": {"type": "bool", "default": True},
    "marker": {"type": "path"},
    "secrets": {"type": "list", "elements": "str", "default": []},
    "program": {"type": "list", "elements": "str", "required": True},
}
display = Display()


class ActionModule(ActionBase):
    """Shows what a job prints while it prints it."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return when the last byte of an attempt is home, or when nobody can be reached."""
        result = super().run(tmp, task_vars)
        one = [("attempt", "task")]
        _validation, args = self.validate_argument_spec(
            argument_spec=SPEC, required_one_of=one, mutually_exclusive=one
        )
        if self._task.check_mode:
            return {**result, "changed": False, "ended": False, "size": 0}
        host = str((task_vars or {}).get("inventory_hostname", "the host"))
        program, become = tuple(args["program"]), bool(self._task.become)
        follower = _follower(Remote.over(self._connection, host, program, become=become), args)
        before, peer = _size(follower.file), ""
        try:
            ended = follower.follow()
        except PeerFailedError as error:
            ended, peer = False, error.message
        except (GpuopsError, OSError) as error:
            known = {"error": error.as_result()} if isinstance(error, GpuopsError) else {}
            return {**result, "failed": True, "msg": str(error), **known}
        size = _size(follower.file)
        found = {"ended": ended, "size": size, "lost": len(follower.lost), "peer": peer}
        unheard = not (ended or peer)
        why = {"msg": f"{host} cannot be reached: {follower.lost[-1]}"} if unheard else {}
        return {**result, **found, **why, "changed": size > before}


def _follower(remote: Remote, args: dict[str, Any]) -> Follower:
    show = display.display if args["show"] else _nothing
    return Follower(
        remote,
        f"{args['folder']}/{args['name']}",
        args["attempt"] if args["task"] is None else args["task"],
        Path(args["file"]),
        Lines(show, values_of(args["secrets"])),
        args["patience"],
        args["wait"],
        of_task=args["task"] is not None,
        marker=Path(args["marker"]) if args["marker"] else None,
    )


def _nothing(_line: str) -> None:
    """Show nothing of a line."""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
