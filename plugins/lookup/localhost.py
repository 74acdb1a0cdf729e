# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: localhost
short_description: Return the controller as a host that a limit does not skip
version_added: 0.1.0
description:
  - Returns C(localhost) for the C(hosts) of a play, and fails where C(--limit) leaves it out. Ansible itself skips such a play without an error,
    so that a run that was to buy, end or check something does nothing and ends well.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  _terms:
    description: Takes none.
"""

EXAMPLES = r"""
- name: Ask for the balance
  hosts: "{{ lookup('gpuops.cloud.localhost') }}"
  tasks:
    - name: Ask
      gpuops.cloud.datacrunch_balance:
"""

RETURN = r"""
_raw:
  description: C(localhost).
  type: list
  elements: str
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils._limit import reaches


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup."""

    def run(
        self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[str]:
        """Return one name. Raises AnsibleLookupError where the limit leaves it out."""
        given = variables or {}
        limit = given.get("ansible_limit")
        if limit and not reaches(limit, given["groups"], "localhost", self._loader):
            raise AnsibleLookupError(
                f"--limit {limit} leaves out localhost, where this playbook works, so nothing was "
                f"done. Leave the limit out, or add localhost: --limit '{limit},localhost'."
            )
        return ["localhost"]
