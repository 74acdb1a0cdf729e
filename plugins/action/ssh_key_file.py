# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module ssh_key_file, which looks at a file of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._core.errors import GpuopsError
from ..module_utils._ssh.key_file import public_half

SPEC = {
    "path": {"type": "path", "required": True},
    "required": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Derives a public key."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the public half of a key, empty where there is no key yet."""
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=SPEC)
        try:
            found = public_half(Path(args["path"]), required=args["required"])
        except GpuopsError as error:
            return {**result, "failed": True, "msg": str(error), "error": error.as_result()}
        return {**result, "changed": False, "public_key": found}
