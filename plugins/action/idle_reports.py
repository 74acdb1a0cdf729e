# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module idle_reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._ssh.idle_reader import Keys, read_reports, tell

_SPEC = {
    "machines": {"type": "list", "elements": "dict", "required": True},
    "config_dir": {"type": "path", "default": "~/.config/gpuops"},
    "private_key_file": {"type": "path"},
    "user": {"type": "str", "default": "gpuops-guard"},
    "timeout": {"type": "float", "default": 30},
}


class ActionModule(ActionBase):
    """Reads the reports of all instances at once."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the reports, and the instances without one."""
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=_SPEC)
        keys = Keys(
            home=Path(args["config_dir"]).expanduser(),
            key_file=args["private_key_file"] or "",
            user=args["user"],
            # Pinning writes a file, which a check must not.
            pin=not self._task.check_mode,
        )
        if keys.pin:
            keys.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        reports, unread = read_reports(args["machines"], keys, args["timeout"])
        lines = tell(reports, unread)
        found = {"reports": reports, "unread": unread, "lines": lines}
        return {**result, "changed": False, **found}
