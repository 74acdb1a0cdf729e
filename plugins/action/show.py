# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module show."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._jobs.screen import masked, values_of

SPEC = {
    "text": {"type": "str", "required": True},
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
}
display = Display()


class ActionModule(ActionBase):
    """Prints text."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Print the text, and return its lines."""
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=SPEC)
        text = masked(args["text"].rstrip("\n"), values_of(args["secrets"]))
        display.display(f"\n{text}\n")
        return {**result, "changed": False, "lines": text.splitlines()}
