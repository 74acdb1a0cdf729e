# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module settled: in the process of the run, since it only asks."""

from __future__ import annotations

from typing import Any, cast

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._access.ssh_keys import KeyOptions
from ..module_utils._billing.reports import BalanceWant
from ..module_utils._core.argspecs import AUTH_SPEC
from ..module_utils._core.errors import GpuopsError, InvalidError
from ..module_utils._core.numbers import wrong_options
from ..module_utils._instances.options import InstanceOptions
from ..module_utils._instances.settled import Wanted, look
from ..module_utils._providers.registry import open_client
from ..modules.datacrunch_balance import SPEC as BALANCE_SPEC
from ..modules.datacrunch_instance import SPEC as INSTANCE_SPEC
from ..modules.datacrunch_ssh_key import SPEC as KEY_SPEC

display = Display()
_SPEC = {
    "auth": {"type": "dict", "default": {}},
    "balance": {"type": "dict", "default": {}},
    "public_key": {"type": "str", "no_log": True},
    "defaults": {"type": "dict", "default": {}},
    "instance": {"type": "dict", "required": True},
}


class ActionModule(ActionBase):
    """Looks once at the account."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the balance, and the instances where nothing is to be done."""
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=_SPEC)
        try:
            client = open_client(_checked(AUTH_SPEC, args["auth"]))
            money = cast(BalanceWant, _checked(BALANCE_SPEC, args["balance"]))
            instance = {**args["defaults"], **args["instance"]}
            seen = look(client, Wanted(money, *_wanted(args["public_key"], instance)))
        except GpuopsError as error:
            return {**result, "failed": True, "msg": str(error), "error": error.as_result()}
        for warning in seen.warnings:
            display.warning(warning)
        found = {"balance": seen.balance, "instance": seen.instance}
        return {**result, "changed": False, "settled": seen.instance is not None, **found}


def _wanted(
    public_key: str | None, instance: dict[str, Any]
) -> tuple[KeyOptions | None, InstanceOptions | None]:
    """Return the options of both modules; None for those that a module would refuse itself."""
    try:
        want = _checked(INSTANCE_SPEC, instance)
        key = _wanted_key(want["deployment"], public_key) if public_key else None
        return key, cast(InstanceOptions, want)
    except GpuopsError:
        return None, None


def _wanted_key(deployment: str, public_key: str) -> KeyOptions:
    """Return the options of the module for a key. Raises InvalidError."""
    found = _checked(KEY_SPEC, {"deployment": deployment, "public_key": public_key})
    return {
        "state": found["state"],
        "id": found["id"],
        "name": found["name"],
        "deployment": found["deployment"],
        "public_key": found["public_key"],
    }


def _checked(spec: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a module as it would see them. Raises InvalidError."""
    given = {name: value for name, value in given.items() if value not in (None, "")}
    for error in wrong_options(spec, given).values():
        raise error
    found = ArgumentSpecValidator(spec).validate(given)
    if found.error_messages:
        raise InvalidError("; ".join(found.error_messages))
    return dict(found.validated_parameters)
