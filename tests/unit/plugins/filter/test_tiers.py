# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tiers as somebody looks them up: every model we know, best first."""

from __future__ import annotations

from ansible_collections.gpuops.cloud.plugins.filter.tiers import FilterModule
from ansible_collections.gpuops.cloud.plugins.module_utils._hardware.gpus import MODELS, TIERS

tiers = FilterModule().filters()["tiers"]


def test_every_model_is_in_a_tier_with_its_memory() -> None:
    found = tiers(None)
    assert [row["tier"] for row in found] == [tier.name for tier in TIERS]
    assert {name for row in found for name in row["models"]} == {model.key for model in MODELS}
    assert all(row["vram_gb"] and row["compute_capability"] for row in found)


def test_memory_tells_two_tiers_of_one_model_apart() -> None:
    of_a100 = {row["tier"]: row["vram_gb"] for row in tiers([]) if row["models"] == ["A100"]}
    assert of_a100 == {"a100_80": [80], "a100_40": [40]}


def test_tiers_of_ones_own_come_as_they_are_ranked() -> None:
    own = [{"name": "fast", "models": ["H100", "h200"]}, {"name": "new", "models": ["X900"]}]
    assert tiers(own) == [
        {
            "tier": "fast",
            "models": ["H100", "H200"],
            "vram_gb": [141, 80],
            "compute_capability": ["9.0"],
        },
        {"tier": "new", "models": ["X900"], "vram_gb": [], "compute_capability": []},
    ]
