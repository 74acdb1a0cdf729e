# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules on the controller work on: one provider, the accounts at several, or neither (private)."""

from __future__ import annotations

from typing import Any

from .._core.apply import Threads
from .._core.argspecs import AUTH_SPEC
from .._ledger.url import passwords_in
from .._providers.accounts import Accounts, accounts_spec
from .._providers.base.client import Client
from .._providers.registry import open_client
from .engine import GpuopsModule, Place


class LedgerModule(GpuopsModule):
    """A module that masks the password of its ledger, and not its whole address.

    Else every "none" in a result would be masked, and every path.
    """

    def _load_params(self) -> None:
        super()._load_params()
        ledger = self.params.get("ledger")
        if "ledger" in self.argument_spec and not (ledger and passwords_in(str(ledger))):
            # Ansible 2.22 masks whatever no_log holds in all that a run says.
            plain = {**self.argument_spec["ledger"], "no_log": False}
            self.argument_spec = {**self.argument_spec, "ledger": plain}

    def __init__(self, *arguments: Any, **rules: Any) -> None:
        super().__init__(*arguments, **rules)
        ledger = self.params.get("ledger")
        if ledger:
            self.no_log_values.discard(ledger)
            self.no_log_values.update(passwords_in(ledger))


class OneProvider(Place[Client]):
    """The provider that the options name."""

    module = LedgerModule
    spec = AUTH_SPEC

    def open(self, module: GpuopsModule) -> Client:
        return open_client(module.params)

    def secrets(self, opened: Client) -> list[str]:
        return opened.secrets()


class SeveralProviders(Place[Accounts]):
    """The accounts at several providers."""

    module = LedgerModule
    spec = accounts_spec()

    def open(self, module: GpuopsModule) -> Accounts:
        return Accounts(module.params)

    def secrets(self, opened: Accounts) -> list[str]:
        return opened.secrets()


class Elsewhere(Place[Threads]):
    """What is no cloud: receivers of notices, a hub of models."""

    module = LedgerModule

    def open(self, module: GpuopsModule) -> Threads:
        return Threads()


CLOUD, ACCOUNTS, ELSEWHERE = OneProvider(), SeveralProviders(), Elsewhere()
