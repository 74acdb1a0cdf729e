# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: given
short_description: Return a given value or a default, keeping zero and false
version_added: 0.1.0
description:
  - Returns a value unless it is nothing, which is an empty text or null, and something else instead of nothing.
  - O(ansible.builtin.default#filter:boolean) takes zero and false for nothing, too, so that a price ceiling of zero was no ceiling.
author:
  - gpuops.cloud contributors (@gpuops)
positional: otherwise
options:
  _input:
    description: A value that may be nothing.
    type: raw
    required: true
  otherwise:
    description: What to return for nothing, such as C(omit).
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Choose with a ceiling, where there is one
  gpuops.cloud.datacrunch_capacity:
    tier: h100_or_less
    max_price_per_hour: "{{ ceiling | default('') | gpuops.cloud.given(omit) }}"
"""

RETURN = r"""
_value:
  description: The value, or what stands for nothing.
  type: raw
"""

from typing import Any


def given(value: Any, otherwise: Any) -> Any:
    """Return a value, or ``otherwise`` for nothing."""
    nothing = value is None or (isinstance(value, str) and not value)
    return otherwise if nothing else value


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"given": given}
