# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: unwatched
short_description: List instances that no reaper watches
version_added: 0.1.0
description:
  - Returns those of some instances that bear tags of this collection and that none of these reapers looks at.
author:
  - gpuops.cloud contributors (@gpuops)
positional: reapers
options:
  _input:
    description: Instances as M(gpuops.cloud.datacrunch_instance_info) or M(gpuops.cloud.gpu_instance) returns them.
    type: list
    elements: dict
    required: true
  reapers:
    description: >-
      Reapers as RV(gpuops.cloud.datacrunch_balance#module:reapers) tells them, or for instances of several providers
      RV(gpuops.cloud.gpu_balance#module:reapers).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop where nothing ends what is over
  ansible.builtin.assert:
    that: found.instances | gpuops.cloud.unwatched(balance.reapers) | length == 0
"""

RETURN = r"""
_value:
  description: The instances that no reaper looks at.
  type: list
  elements: dict
"""

from typing import Any

from ..module_utils._ledger.rounds import Told, covers


def unwatched(instances: list[dict[str, Any]], reapers: list[Told]) -> list[dict[str, Any]]:
    """Return the instances that no reaper looks at."""
    return [
        row
        for row in instances
        if row["managed"]
        and not any(
            covers(one, row["deployment"], row["owner"])
            and one.get("provider") == row.get("provider")
            for one in reapers
        )
    ]


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"unwatched": unwatched}
