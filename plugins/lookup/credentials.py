# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: credentials
short_description: Credentials of the cloud from variables
version_added: 0.1.0
description:
  - Returns the options of authentication that variables give, for C(module_defaults) of the group C(gpuops.cloud.datacrunch). What no
    variable gives, the modules take from the environment and from files.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  _terms:
    description: Takes none.
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

from typing import Any

from ansible.plugins.lookup import LookupBase

_BEGIN = "datacrunch_"
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
        return [found]
