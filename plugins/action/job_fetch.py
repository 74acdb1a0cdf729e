# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module job_fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import GpuopsError
from ..module_utils._jobs.remote import Remote
from ..module_utils._jobs.results import Fetched, fetch, patiently

SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "folder": {"type": "path", "required": True},
    "patterns": {"type": "list", "elements": "str", "default": ["out/**"]},
    "to": {"type": "path", "required": True},
    "max_gb": {"type": "float", "default": 10.0},
    "within": {"type": "str", "choices": ["work", "tasks"], "default": "work"},
    "patience": {"type": "float", "default": 0.0},
    "program": {"type": "list", "elements": "str", "required": True},
}
display = Display()


class ActionModule(ActionBase):
    """Brings results home."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return which results are home now."""
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=SPEC)
        if self._task.check_mode:
            return {**result, "changed": False, "files": [], "bytes": 0, "fetched": 0}
        host = str((task_vars or {}).get("inventory_hostname", "the host"))
        program, become = tuple(args["program"]), bool(self._task.become)
        remote = Remote.over(self._connection, host, program, become=become)
        wish = (Path(args["to"]), args["patterns"], args["max_gb"], args["within"])

        def bring() -> Fetched:
            return fetch(remote, f"{args['folder']}/{args['name']}", *wish)

        try:
            found = patiently(bring, args["patience"], display.display)
        except (GpuopsError, OSError) as error:
            return {**result, "failed": True, "msg": f"The results are not home: {error}"}
        return {**result, **found}
