# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module ssh_settings: its files and OpenSSH are those of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.apply import Threads, apply
from ..module_utils._core.errors import GpuopsError, InvalidError
from ..module_utils._core.run import Run
from ..module_utils._host.files import HostFiles, Options, Wish
from ..module_utils._ssh.names import Names, include_line, look

display = Display()
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
        wanted = _files(Path(args["folder"]), args["files"])
        try:
            dry, place = bool(self._task.check_mode), Threads()
            found = Run.of(HostFiles(), place, wanted)
            done, errors = apply(place, found.due(dry=dry))
            _actions, changed = found.settle(done, errors, display.warning, dry=dry)
        except (GpuopsError, OSError) as error:
            return {**result, "failed": True, "msg": f"The SSH settings were not written: {error}"}
        if self._task.diff:
            result["diff"] = found.plan.diff
        return {**result, "changed": changed, **_seen(args)}


def _files(folder: Path, contents: dict[str, str]) -> Options:
    """Return the folder and its files as they are to be: for nobody but the user."""
    place: Wish = {"path": str(folder), "content": None, "link": None, "mode": "0700"}
    inside: list[Wish] = [
        {"path": str(folder / name), "content": text, "link": None, "mode": "0600"}
        for name, text in contents.items()
    ]
    return {"files": [place, *inside], "secret_files": None}


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
