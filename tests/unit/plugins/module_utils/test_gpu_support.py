# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vLLM can do on which GPU, and how GPUs are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing import gpu_memory as support
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.fit import Demand, Fit, fit
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.llm import model_of
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import LARGE, SMALL, config_of

ROOT = Path(__file__).resolve().parents[4]


def answer(gpu: str, demand: Demand) -> Fit:
    """Return the fit of the small model."""
    return fit(model_of(config_of(SMALL), SMALL), support.gpus_from([gpu])[0], demand)


def test_bfloat16_becomes_float16_on_an_older_gpu() -> None:
    t4 = support.measured("Tesla T4", 15360, "7.5")
    small = model_of(config_of("Qwen/Qwen2.5-0.5B-Instruct"))
    assert fit(small, t4, Demand()).dtype == "float16"
    refused = fit(small, t4, Demand(dtype="bfloat16"))
    assert "dtype bfloat16 needs compute capability 8.0" in refused.text
    assert answer("A100", Demand()).dtype == "bfloat16"


@pytest.mark.parametrize(
    ("method", "gpu", "emulated"),
    [
        ("fp8", "A100", True),
        ("fp8", "L40S", False),
        ("mxfp4", "A100", True),
        ("nvfp4", "H100", True),
        ("nvfp4", "B200", False),
    ],
)
def test_quantised_weights_are_loaded_and_perhaps_unpacked(
    method: str, gpu: str, emulated: bool
) -> None:
    config = {**config_of(SMALL), "quantization_config": {"quant_method": method}}
    model = model_of(config)
    (kind, *_more) = support.gpus_from([gpu])
    assert fit(model, kind, Demand()).fits
    assert support.emulated(kind, model) is emulated


def test_quantised_weights_that_a_gpu_cannot_load_are_refused() -> None:
    t4, model = (
        support.measured("Tesla T4", 15360, "7.5"),
        model_of(config_of("openai/gpt-oss-20b")),
    )
    assert fit(model, t4, Demand()).text == (
        "weights in mxfp4 needs compute capability 8.0, and Tesla T4 15 GB has 7.5"
    )


def test_cache_in_8_bits_is_refused_where_gpus_cannot() -> None:
    assert "8.9, and A100 40 GB has 8.0" in answer("A100 40", Demand(kv_cache_dtype="fp8")).text
    assert answer("L40S", Demand(kv_cache_dtype="fp8")).fits


def test_a_gpu_that_nobody_knows_is_taken_for_a_new_one() -> None:
    row = {"gpu_model": "R100", "vram_gb_each": 288, "gpu_count": 1}
    (gpu,) = support.gpus_from([row])
    assert fit(model_of(config_of(LARGE)), gpu, Demand()).gpu_count == 1


def test_gpus_by_name_offer_and_what_nvidia_smi_says() -> None:
    seen = {"name": "NVIDIA H100 80GB HBM3", "memory_mb": 81559, "compute_cap": "9.0", "index": 0}
    by_seen, by_name = support.gpus_from([seen, {**seen, "index": 1}, "h100"])
    assert (by_seen.model, by_name.model) == ("H100", "H100")
    assert by_seen.memory_gib == pytest.approx(by_name.memory_gib, rel=0.01)
    assert by_seen.memory_gib < 79.22  # what CUDA really offers
    assert len(support.gpus_from(None)) == 12
    assert [str(gpu) for gpu in support.gpus_from(["a100", "RTX PRO 6000"])] == [
        "A100 80 GB",
        "A100 40 GB",
        "RTXPRO6000 96 GB",
    ]
    assert support.measured("NVIDIA X", 1024, "[N/A]").capability is None
    for wrong in ("H99", {"gpu": 1}, 7):
        with pytest.raises(InvalidError):
            support.gpus_from([wrong])


def test_versions_and_capabilities_are_those_of_the_role() -> None:
    text = (ROOT / "roles/vllm/vars/main.yml").read_text(encoding="utf-8")
    variables = yaml.safe_load(text)
    assert f"'cuda': '{support.VLLM_VERSION}'" in variables["_vllm_version"]
