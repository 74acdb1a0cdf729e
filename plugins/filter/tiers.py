# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tiers
short_description: List the GPU tiers and their members, best first
version_added: 0.1.0
description:
  - Returns the ranking by which M(gpuops.cloud.datacrunch_capacity) reads a tier, without asking the cloud. Memory and prices of what is
    offered always come from the cloud; the memories here are the usual ones.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  _input:
    description: Tiers of your own, as O(gpuops.cloud.datacrunch_capacity#module:tiers); nothing for those of this collection.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Name the tiers
  ansible.builtin.debug:
    msg: "{{ [] | gpuops.cloud.tiers | map(attribute='tier') | join(', ') }}"
"""

RETURN = r"""
_value:
  description: Of each tier its name, the GPU models in it, their usual memories in GB for each GPU, and their compute capabilities.
  type: list
  elements: dict
  sample:
    - {tier: a100_80, models: [A100], vram_gb: [80], compute_capability: ["8.0"]}
"""

from collections.abc import Sequence
from typing import Any

from ..module_utils._hardware.gpus import MODELS, OwnTier, Tier, tiers_from


def _row(tier: Tier) -> dict[str, Any]:
    members = [model for model in MODELS if model.key in tier.models]
    memories = {gb for model in members for gb in model.vram_gb if tier.holds(model.key, gb)}
    return {
        "tier": tier.name,
        "models": list(tier.models),
        "vram_gb": sorted(memories, reverse=True),
        "compute_capability": list(dict.fromkeys(one.compute_capability for one in members)),
    }


def tiers(own: Sequence[OwnTier] | None) -> list[dict[str, Any]]:
    """Return the tiers as data, best first."""
    return [_row(tier) for tier in tiers_from(list(own or []))]


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"tiers": tiers}
