# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: credentials
short_description: Read cloud credentials from variables
version_added: 0.1.0
description:
  - Returns the options of authentication that variables give, for C(module_defaults) of the group C(gpuops.cloud.datacrunch). What no
    variable gives, the modules take from the environment and from files.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  _terms:
    description: Takes none.
  complete:
    description:
      - Whether to look where the modules look, too, and return C(client_id), C(client_secret) and C(base_url) as they would use them, for a host
        that has neither this environment nor these files.
    type: bool
    default: false
    version_added: 0.1.0
  several:
    description:
      - Whether to return the option C(accounts) of modules that ask several providers, for C(module_defaults) of the group C(gpuops.cloud.gpu).
        The credentials of other providers are those of the variable C(gpuops_accounts), a dictionary of that shape.
        With O(complete), those of each of O(providers) are looked for where the modules look.
    type: bool
    default: false
    version_added: 0.1.0
  providers:
    description: Providers whose accounts are returned, with O(several) and O(complete). One without credentials is an error.
    type: list
    elements: str
    version_added: 0.1.0
notes:
  - The variables are C(datacrunch_client_id), C(datacrunch_client_secret), C(datacrunch_base_url), C(datacrunch_profile) and
    C(datacrunch_timeout), from anywhere.
"""

EXAMPLES = r"""
- name: Ask for the balance
  hosts: localhost
  module_defaults:
    group/gpuops.cloud.datacrunch: "{{ lookup('gpuops.cloud.credentials') }}"
  tasks:
    - name: Ask
      gpuops.cloud.datacrunch_balance:
"""

RETURN = r"""
_raw:
  description: The options that are given, by name.
  type: list
  elements: dict
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils._core.errors import GpuopsError
from ..module_utils._providers.names import FIRST
from ..module_utils._providers.verda.credentials import find_credentials

_BEGIN = "datacrunch_"
_ACCOUNTS = "gpuops_accounts"
Accounts = dict[str, dict[str, str]]
_NAMES = ("client_id", "client_secret", "base_url", "profile", "timeout")


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup."""

    def run(
        self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[dict[str, Any]]:
        """Return one dictionary."""
        given = variables or {}
        found = {}
        for name in _NAMES:
            value = self._templar.template(given.get(_BEGIN + name))
            if value is not None and value != "":
                found[name] = value
        if kwargs.get("several"):
            found.pop("timeout", None)
            accounts = self._templar.template(given.get(_ACCOUNTS)) or {}
            own = {FIRST: found} if found else {}
            if kwargs.get("complete"):
                return [{"accounts": _complete(kwargs.get("providers") or (), {**own, **accounts})}]
            return [{"accounts": {**own, **accounts}} if own or accounts else {}]
        if not kwargs.get("complete"):
            return [found]
        try:
            whole = find_credentials(found)
        except GpuopsError as error:
            raise AnsibleLookupError(str(error)) from None
        return [dataclasses.asdict(whole)]


def _complete(names: Iterable[str], accounts: Mapping[str, Mapping[str, str]]) -> Accounts:
    """Return the accounts of some providers as their clients would use them."""
    # Only here: the clients are much to load, and every playbook asks this lookup.
    from ..module_utils._providers.registry import provider_named

    try:
        return {name: provider_named(name).complete({**accounts.get(name, {})}) for name in names}
    except GpuopsError as error:
        raise AnsibleLookupError(str(error)) from None
