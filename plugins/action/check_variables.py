# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module check_variables, which alone knows the command line."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ansible import context
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ..module_utils._variables import PLAYBOOKS, unknown

COLLECTION = Path(__file__).parents[2]
_OURS = "gpuops.cloud."
SPEC: dict[str, Any] = {}


@cache
def role_options() -> frozenset[str]:
    """Return the names of the variables of the roles, by their argument specs."""
    found: set[str] = set()
    for path in COLLECTION.glob("roles/*/meta/argument_specs.yml"):
        specs = yaml_load(path.read_text(encoding="utf-8"))["argument_specs"]
        found.update(*(spec.get("options", {}) for spec in specs.values()))
    return frozenset(found)


def ours(called: str) -> bool:
    """Tell whether a playbook that was called is one of this collection."""
    folder = (COLLECTION / "playbooks").resolve()
    return called.startswith(_OURS) or folder in Path(called).resolve().parents


class ActionModule(ActionBase):
    """Looks at the names of the variables of the command line."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fail for names that are not known, with the nearest."""
        result = super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec=SPEC)
        extra = (task_vars or {}).get("gpuops_extra_names") or []
        known = {*PLAYBOOKS, *role_options(), *([extra] if isinstance(extra, str) else extra)}
        roles = [path.name for path in (COLLECTION / "roles").iterdir()]
        found = unknown(load_extra_vars(self._loader), known, roles)
        if not any(map(ours, context.CLIARGS.get("args") or ())):
            found = [one for one in found if one.nearest]
        if not found:
            return {**result, "changed": False}
        return {
            **result,
            "failed": True,
            "msg": f"Not known on the command line: {', '.join(map(str, found))}. Nothing was done. "
            "README.md lists the variables of the playbooks; names of your own go into "
            "gpuops_extra_names.",
            "unknown": [{"name": one.name, "nearest": list(one.nearest)} for one in found],
        }
