# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Models and GPUs in playbooks."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuops.cloud.plugins.filter.model_fit import model_fit
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import LARGE, SMALL, config_of

OFFER = {"gpu_model": "L40S", "gpu_count": 4, "vram_gb": 192, "vram_gb_each": 48.0}
SEEN = {"index": 0, "name": "NVIDIA A100-SXM4-40GB", "memory_mb": 40960, "compute_cap": "8.0"}


def test_every_known_gpu_is_answered_for_best_first() -> None:
    rows = model_fit(config_of(SMALL))
    assert [row["gpu_model"] for row in rows][:3] == ["GB300", "B300", "B200"]
    assert [row["gpu_count"] for row in rows] == [1] * 11 + [None]


def test_offers_and_gpus_that_were_seen() -> None:
    rows = model_fit(config_of(LARGE), gpus=[OFFER, OFFER, SEEN, SEEN])
    assert [(row["gpu_model"], row["gpu_count"]) for row in rows] == [("L40S", 4), ("A100", 8)]


@pytest.mark.parametrize(
    ("model", "more", "words"),
    [
        ("Qwen", {}, "A model is a dictionary, not str"),
        ({"name": "x", "problem": "answers 401"}, {}, "answers 401"),
        (config_of(SMALL), {"gpus": ["H99"]}, "Unknown GPU 'H99'"),
        (config_of(SMALL), {"profile": "fast"}, "Known: balanced, throughput, latency"),
        (config_of(SMALL), {"settings": {"max-model-len": 0}}, "not a number of tokens"),
        ({**config_of(SMALL), "caches": 3}, {}, "not a model as"),
    ],
)
def test_mistakes_are_named(model: Any, more: dict[str, Any], words: str) -> None:
    with pytest.raises(AnsibleFilterError, match="model_fit: ") as caught:
        model_fit(model, **more)
    assert words in str(caught.value)
