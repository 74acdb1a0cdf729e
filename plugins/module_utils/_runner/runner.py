# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine of every module: find, plan, apply unless check mode, exit (private)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from ansible.module_utils.basic import AnsibleModule

from .._core.apply import apply, collected
from .._core.argspecs import AUTH_SPEC
from .._core.errors import GpuopsError, InvalidError, NeedsConfirmationError
from .._core.numbers import wrong_options
from .._core.plan import Plan
from .._ledger.url import passwords_in
from .._providers.accounts import Accounts, accounts_spec
from .._providers.base.client import Client
from .._providers.registry import open_client

# What a resource takes as its options, and what it finds; each names its own.
W = TypeVar("W")
W_contra = TypeVar("W_contra", contravariant=True)
F = TypeVar("F")


class Noun(Protocol[W_contra, F]):
    """One kind of thing: how to find it, what to do, what to tell."""

    def find(self, client: Any, want: W_contra, /) -> F:
        """Look up what is there."""

    def plan(self, found: F, want: W_contra, /) -> Plan:
        """Return what has to be done, without a call of the API."""

    def result(self, client: Any, found: F, plan: Plan, /, *, applied: bool) -> Mapping[str, Any]:
        """Return what the module tells, before or after the plan was applied."""


class Elsewhere:
    """What stands for a client where there is no cloud."""

    def __init__(self, _params: dict[str, Any]) -> None:
        """Take the options of a module, none of which is a login."""

    @staticmethod
    def secrets() -> tuple[str, ...]:
        """Return no secrets."""
        return ()

    @staticmethod
    def for_each(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """Do the same for many things at the same time, and return what came of each, in order."""
        rows = list(items)
        with ThreadPoolExecutor(max(1, len(rows))) as pool:
            return list(pool.map(work, rows))


# What a module connects to: the cloud, the accounts at several of them, or nothing.
Connect = Callable[[dict[str, Any]], Any]


def _hide(module: AnsibleModule, client: Client | Accounts | None) -> None:
    """Let Ansible mask secrets that it cannot know: of credential files, and tokens."""
    if client is not None:
        module.no_log_values.update(filter(None, client.secrets()))


def _fail(
    module: AnsibleModule, error: GpuopsError, client: Client | Accounts | None = None
) -> None:
    _hide(module, client)
    if (
        isinstance(error, NeedsConfirmationError)
        and module.params.get("on_unconfirmed") == "report"
    ):
        module.exit_json(changed=False, actions=[], msg=str(error), **error.details)
    module.fail_json(msg=str(error), error=error.as_result(), **error.details)


class _Module(AnsibleModule):  # type: ignore[misc]
    """A module that looks at its numbers as they were written, before Ansible converts them.

    What is wrong is left out then: of some of it, Ansible's own conversion makes a traceback.
    """

    params: dict[str, Any]
    argument_spec: dict[str, Any]
    wrong: dict[str, InvalidError]

    def _load_params(self) -> None:
        super()._load_params()
        ledger = self.params.get("ledger")
        if "ledger" in self.argument_spec and not (ledger and passwords_in(str(ledger))):
            # Ansible 2.22 masks whatever no_log holds in all that a run says: every "none", every path.
            plain = {**self.argument_spec["ledger"], "no_log": False}
            self.argument_spec = {**self.argument_spec, "ledger": plain}
        self.wrong = wrong_options(self.argument_spec, self.params)
        self.params = {**self.params, **dict.fromkeys(self.wrong)}

    def _log_invocation(self) -> None:
        """Log the options; a secret in a list stands there as Python writes it, so that is hidden, too."""
        self.no_log_values.update([repr(str(one))[1:-1] for one in self.no_log_values])
        super()._log_invocation()


def _open(spec: dict[str, Any], rules: dict[str, Any]) -> AnsibleModule:
    """Return the module; it fails for options that are to be numbers and are no plain ones."""
    module = _Module(argument_spec=spec, supports_check_mode=True, **rules)
    for error in module.wrong.values():
        _fail(module, error)
    return module


def _with_ledger(spec: dict[str, Any], rules: dict[str, Any]) -> AnsibleModule:
    module = _open(spec, rules)
    ledger = module.params.get("ledger")
    if ledger:  # else every "none" in a result would be masked, and every path
        module.no_log_values.discard(ledger)
        module.no_log_values.update(passwords_in(ledger))
    return module


def _accepted(
    client: Client,
    noun: Noun[Any, Any],
    found: Any,
    want: dict[str, Any],
    done: list[str],
    errors: list[GpuopsError],
) -> list[str]:
    """Return what was done; a resource that tolerates some errors says so by a method ``cope``."""
    if not errors:
        return done
    cope = getattr(noun, "cope", None)
    if cope is None:
        raise collected(done, errors)
    accepted: list[str] = cope(client, found, want, done, errors)
    return accepted


def _book(
    module: AnsibleModule, client: Client, noun: Noun[Any, Any], found: Any, *, applied: bool
) -> None:
    """Let a resource that keeps a ledger write down what was done, however it ended."""
    book = None if module.check_mode else getattr(noun, "book", None)
    for warning in book(client, found, module.params, applied=applied) if book else ():
        module.warn(warning)


def _connected(connect: Connect, spec: dict[str, Any], rules: dict[str, Any]) -> AnsibleModule:
    """Return the module, with the options by which it logs in where it connects to."""
    login = {open_client: AUTH_SPEC, Accounts: accounts_spec(), Elsewhere: {}}[connect]
    return _with_ledger({**login, **spec}, rules)


def run(
    spec: dict[str, Any], noun: Noun[W, F], connect: Connect = open_client, /, **rules: Any
) -> None:
    """Run a module that keeps one resource in the wanted state."""
    module = _connected(connect, spec, rules)
    client = None
    try:
        client = connect(module.params)
        found = noun.find(client, module.params)
        plan = noun.plan(found, module.params)
        applied = plan.changed and not module.check_mode
        try:
            done, errors = apply(client, plan) if applied else (plan.actions, [])
            actions = _accepted(client, noun, found, module.params, done, errors)
        except GpuopsError:
            _book(module, client, noun, found, applied=applied)
            raise
        _book(module, client, noun, found, applied=applied)
        result = dict(noun.result(client, found, plan, applied=applied))
    except GpuopsError as error:
        _fail(module, error, client)
        return
    _hide(module, client)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    # Options that are kept out of logs, as they could hold a secret, and proved to hold none.
    module.no_log_values.difference_update(result.pop("not_secret", []))
    if module._diff:
        result["diff"] = plan.diff
    module.exit_json(changed=plan.changed, actions=actions, **result)


def run_info(
    spec: dict[str, Any],
    ask: Callable[[Any, W], Mapping[str, Any]],
    connect: Connect = open_client,
    /,
    **rules: Any,
) -> None:
    """Run a module that only asks."""
    module = _connected(connect, spec, rules)
    client = None
    try:
        client = connect(module.params)
        result = dict(ask(client, module.params))
    except GpuopsError as error:
        _fail(module, error, client)
        return
    _hide(module, client)
    _tell(module, result)


def _tell(module: AnsibleModule, result: dict[str, Any]) -> None:
    """End a module that has only asked."""
    for warning in result.pop("warnings", []):
        module.warn(warning)
    module.exit_json(changed=False, **result)


def run_question(spec: dict[str, Any], ask: Callable[[W], Mapping[str, Any]], **rules: Any) -> None:
    """Run a module that asks something else than the cloud, and so takes no credentials of it."""
    module = _open(spec, rules)
    try:
        result = dict(ask(module.params))
    except GpuopsError as error:
        _fail(module, error)
        return
    _tell(module, result)
