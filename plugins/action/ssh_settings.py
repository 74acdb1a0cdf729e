# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module ssh_settings: its files and OpenSSH are those of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._core.apply import Threads, apply, collected
from ..module_utils._core.errors import GpuopsError, InvalidError
from ..module_utils._host.files import Item, not_as_wanted, plan_of
from ..module_utils._ssh.names import Names, include_line, look

SPEC = {
    "folder": {"type": "path", "required": True},
    "files": {"type": "dict", "default": {}},
    "config": {"type": "path", "default": "~/.ssh/config"},
    "include": {"type": "path", "required": True},
    "names": {"type": "list", "elements": "str", "required": True},
}


class ActionModule(ActionBase):
    """Keeps the files of a deployment, and asks OpenSSH about its names."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write what differs, and return whether the user's settings take the names from there."""
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=SPEC)
        folder = Path(args["folder"])
        items = [Item(folder, 0o700)]
        items += [Item(folder / name, 0o600, text) for name, text in args["files"].items()]
        try:
            plan = plan_of(not_as_wanted(items))
            done, errors = ([], []) if self._task.check_mode else apply(Threads(), plan)
            if errors:
                raise collected(done, errors)
        except (GpuopsError, OSError) as error:
            return {**result, "failed": True, "msg": f"The SSH settings were not written: {error}"}
        if self._task.diff:
            result["diff"] = plan.diff
        return {**result, "changed": plan.changed, **_seen(args)}


def _seen(args: dict[str, Any]) -> dict[str, Any]:
    """Return what the user's settings say; those that cannot be looked at are no failure."""
    found, problem = Names(), ""
    try:
        found = look(Path(args["config"]), args["include"], args["names"])
    except (InvalidError, OSError) as error:
        problem = f"{args['config']}: {error}"
    return {
        "line": include_line(args["include"]),
        "included": set(found.included) == set(args["names"]),
        "shadowed": list(found.shadowed),
        "problem": problem,
    }
