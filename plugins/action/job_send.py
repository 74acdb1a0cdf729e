# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module job_send."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from ansible.plugins.action import ActionBase

from ..module_utils._core.errors import GpuopsError, InvalidError
from ..module_utils._jobs.answers import read_changed, read_missing
from ..module_utils._jobs.environments import environment_of
from ..module_utils._jobs.folder import Folder, read_folder
from ..module_utils._jobs.remote import Remote, write_tar

SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "folder": {"type": "path", "required": True},
    "source": {"type": "path"},
    "leave_out": {"type": "list", "elements": "path", "default": []},
    "max_mb": {"type": "int", "default": 200},
    "command": {"type": "list", "elements": "str", "default": []},
    "environment": {"type": "str", "default": "auto"},
    "secrets": {"type": "list", "elements": "str", "default": []},
    "program": {"type": "list", "elements": "str", "required": True},
    "only_look": {"type": "bool", "default": False},
}
# What is shorter could not be masked in what is shown.
SHORTEST_SECRET = 8


class ActionModule(ActionBase):
    """Sends a folder, by content, and secrets, by memory."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what was sent; fails before anything is, where it cannot be."""
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=SPEC)
        try:
            secrets = _secrets(args["secrets"])
            source = Path(args["source"]) if args["source"] else None
            leave_out = [Path(path) for path in args["leave_out"]]
            folder = (
                read_folder(source, args["max_mb"], leave_out) if source else Folder(Path(), ())
            )
            found = _about(folder, args)
            if not (args["only_look"] or self._task.check_mode):
                host = str((task_vars or {}).get("inventory_hostname", "the host"))
                become = bool(self._task.become)
                program = tuple(args["program"])
                remote = Remote.over(self._connection, host, program, become=become)
                found.update(send(remote, f"{args['folder']}/{args['name']}", folder))
                found["changed"] |= _send_secrets(remote, args, secrets)
        except GpuopsError as error:
            return {**result, "failed": True, "msg": str(error), "error": error.as_result()}
        return {**result, **found}


def _about(folder: Folder, args: dict[str, Any]) -> dict[str, Any]:
    wish = environment_of(
        args["environment"], args["name"], args["command"], folder.root, folder.entries
    )
    return {
        "changed": False,
        "content": folder.identity,
        "files": len(folder.entries),
        "bytes": folder.size,
        "environment": asdict(wish),
        "sent_files": 0,
        "sent_bytes": 0,
    }


def send(remote: Remote, place: str, folder: Folder) -> dict[str, Any]:
    """Send what the host lacks; returns how much that was."""
    done, names = read_missing(remote.call("missing", place, text=folder.manifest))
    if done:
        return {"changed": False}
    lacking = set(names)
    rows = {one.content: (one.path, one.size) for one in folder.entries if one.content in lacking}

    def write(stream: IO[bytes]) -> None:
        files = ((name, folder.root / path, size) for name, (path, size) in rows.items())
        write_tar(stream, files)

    try:
        remote.send("receive", place, write=write)
    except OSError as error:
        raise InvalidError(f"The folder changed while it was sent: {error}") from error
    size = sum(size for _path, size in rows.values())
    return {"changed": True, "sent_files": len(rows), "sent_bytes": size}


def _secrets(names: list[str]) -> dict[str, str]:
    """Return secrets by the environment of the controller. Raises InvalidError without one."""
    found = {name: os.environ.get(name, "") for name in names}
    short = [name for name, value in found.items() if len(value) < SHORTEST_SECRET]
    if short:
        raise InvalidError(
            f"the environment of the controller has no variable {', '.join(short)}, or one of less "
            f"than {SHORTEST_SECRET} characters, which could not be masked",
            hint="Export it, or write it into env, if it is none.",
        )
    return found


def _send_secrets(remote: Remote, args: dict[str, Any], secrets: dict[str, str]) -> bool:
    if not secrets:
        return False
    place = f"/run/gpuops-jobs/{args['name']}/secrets"
    text = json.dumps(secrets, sort_keys=True).encode()
    folder = f"{args['folder']}/{args['name']}"
    return read_changed(remote.call("secrets", folder, place, text=text))
