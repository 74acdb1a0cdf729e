# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine of every module, in a cloud or on a host: find, plan, apply unless check mode (private).

It travels to hosts, so it knows of no cloud: what a module works on comes as a ``Place``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, Generic, TypeVar

from ansible.module_utils.basic import AnsibleModule

from .._core.apply import Workers, apply
from .._core.errors import GpuopsError, InvalidError, NeedsConfirmationError
from .._core.numbers import wrong_options
from .._core.resource import Resource
from .._core.run import Run

P = TypeVar("P", bound=Workers)
W = TypeVar("W")
F = TypeVar("F")


class GpuopsModule(AnsibleModule):  # type: ignore[misc]
    """A module that looks at its numbers as they were written, before Ansible converts them.

    What is wrong is left out then: of some of it, Ansible's own conversion makes a traceback.
    """

    params: dict[str, Any]
    argument_spec: dict[str, Any]
    wrong: dict[str, InvalidError]

    def _load_params(self) -> None:
        super()._load_params()
        self.wrong = wrong_options(self.argument_spec, self.params)
        self.params = {**self.params, **dict.fromkeys(self.wrong)}

    def _log_invocation(self) -> None:
        """Log the options; a secret in a list stands there as Python writes it, so that is hidden, too."""
        self.no_log_values.update([repr(str(one))[1:-1] for one in self.no_log_values])
        super()._log_invocation()


class Place(Generic[P]):
    """What a module works on: the options by which it is reached, and how it is reached by them."""

    module: type[GpuopsModule] = GpuopsModule
    spec: Mapping[str, Any] = {}

    def open(self, module: GpuopsModule) -> P:
        """Return what the resource is reached by. Raises GpuopsError where that cannot be."""
        raise NotImplementedError

    def secrets(self, _opened: P) -> list[str]:
        """Return what Ansible has to mask and cannot know."""
        return []


def _hide(module: GpuopsModule, place: Place[P], opened: P | None) -> None:
    """Let Ansible mask secrets that it cannot know: of credential files, and tokens."""
    if opened is not None:
        module.no_log_values.update(filter(None, place.secrets(opened)))


def _fail(
    module: GpuopsModule, error: GpuopsError, place: Place[P], opened: P | None = None
) -> None:
    _hide(module, place, opened)
    if (
        isinstance(error, NeedsConfirmationError)
        and module.params.get("on_unconfirmed") == "report"
    ):
        module.exit_json(changed=False, actions=[], msg=str(error), **error.details)
    module.fail_json(msg=str(error), error=error.as_result(), **error.details)


def _module(spec: Mapping[str, Any], place: Place[Any], rules: dict[str, Any]) -> GpuopsModule:
    """Return the module; it fails for options that are to be numbers and are no plain ones."""
    module = place.module({**place.spec, **spec}, supports_check_mode=True, **rules)
    for error in module.wrong.values():
        _fail(module, error, place)
    return module


def run(
    spec: Mapping[str, Any], resource: Resource[P, W, F, Any], place: Place[P], /, **rules: Any
) -> None:
    """Run a module that keeps one resource in the wanted state."""
    module = _module(spec, place, rules)
    want: Any = module.params
    dry, opened = bool(module.check_mode), None
    try:
        opened = place.open(module)
        with nullcontext() if dry else resource.alone(want):
            found = Run.of(resource, opened, want)
            done, errors = apply(opened, found.due(dry=dry))
            actions, changed = found.settle(done, errors, module.warn, dry=dry)
            result = dict(found.result(dry=dry))
    except (GpuopsError, OSError) as error:
        told = error if isinstance(error, GpuopsError) else GpuopsError(str(error))
        _fail(module, told, place, opened)
        return
    _hide(module, place, opened)
    if module._diff:
        result["diff"] = found.plan.diff
    _tell(module, {**result, "actions": actions}, changed=changed)


def run_info(
    spec: Mapping[str, Any],
    ask: Callable[[P, W], Mapping[str, Any]],
    place: Place[P],
    /,
    **rules: Any,
) -> None:
    """Run a module that only asks."""
    module = _module(spec, place, rules)
    want: Any = module.params
    opened = None
    try:
        opened = place.open(module)
        result = dict(ask(opened, want))
    except GpuopsError as error:
        _fail(module, error, place, opened)
        return
    _hide(module, place, opened)
    _tell(module, result, changed=False)


def _tell(module: GpuopsModule, result: dict[str, Any], *, changed: bool) -> None:
    """End a module with its result."""
    for warning in result.pop("warnings", []):
        module.warn(warning)
    # Options that are kept out of logs, as they could hold a secret, and proved to hold none.
    module.no_log_values.difference_update(result.pop("not_secret", []))
    module.exit_json(changed=changed, **result)
