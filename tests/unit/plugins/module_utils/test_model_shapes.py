# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of configurations: what is not understood never passes for something small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing import gpu_memory as support
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.fit import Demand, fit
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.hf_hub import read_folder
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.llm import Model, model_of
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import (
    SMALL,
    config_of,
    shape_of,
)

H100, B200 = support.gpus_from(["H100", "B200"])
INT4 = {"default": {"_type": "Int4WeightOnlyConfig"}}
QUANTISED = {"quantization_config": {"quant_method": "torchao", "quant_type": INT4}}


def per_token(model: Model) -> int:
    """Return the bytes of cache that a token takes beyond every window."""
    return int(model.as_dict()["cache_bytes_per_token_beyond_window"])


def test_sizes_in_nested_sections_are_read() -> None:
    model = model_of(shape_of("databricks/dbrx-instruct"))
    assert model.parameters == pytest.approx(131.6e9, rel=0.01)
    assert per_token(model) == 163_840
    assert model.notes == ()
    assert fit(model, H100, Demand()).gpu_count == 4


def test_sizes_in_a_section_that_nobody_knows_are_read_with_a_warning() -> None:
    plain = config_of(SMALL)
    sizes = ("num_hidden_layers", "num_key_value_heads", "intermediate_size")
    moved = {key: value for key, value in plain.items() if key not in sizes}
    model = model_of({**moved, "geometry": {key: plain[key] for key in sizes}})
    assert (model.parameters, model.caches) == (model_of(plain).parameters, model_of(plain).caches)
    assert "was read from its section geometry" in " ".join(model.notes)


@pytest.mark.parametrize(
    "kind",
    ["deepseek_sparse_attention", "compressed_sparse_attention", "minimax_m3_sparse", "an_idea"],
)
def test_a_kind_of_attention_that_nobody_knows_keeps_every_token(kind: str) -> None:
    plain = model_of(config_of(SMALL))
    model = model_of({**config_of(SMALL), "layer_types": [kind] * 36})
    assert per_token(model) == per_token(plain) == 147_456
    assert bool(model.notes) == ("attention" not in kind)


def test_sparse_attention_with_a_latent_cache_keeps_every_token() -> None:
    config = shape_of("nvidia/GLM-5.2-NVFP4")
    assert set(config["layer_types"]) == {"deepseek_sparse_attention"}
    model = model_of(config, file_bytes=440_000_000_000)
    assert per_token(model) >= 78 * 576 * 2
    answer = fit(model, B200, Demand(context=1048576))
    assert (answer.gpu_count, answer.cache_gib > 88) == (8, True)


def test_one_size_for_a_list_of_layers() -> None:
    config = shape_of("tencent/Hunyuan-A13B-Instruct")
    assert config["moe_intermediate_size"] == [3072] * 32
    model = model_of(config)
    assert model.parameters == pytest.approx(80.4e9, rel=0.01)
    assert model_of(config, file_bytes=160_800_000_000).weights_from == "files"


def test_groups_of_experts_for_text_and_for_images_both_count() -> None:
    single = {**shape_of("tencent/Hunyuan-A13B-Instruct"), "moe_intermediate_size": 1536}
    wide = model_of({**single, "moe_intermediate_size": 2048})
    for counts in ([64, 64], 64):
        pair = {**single, "num_experts": counts, "moe_intermediate_size": [1536, 512]}
        assert model_of(pair).parameters == pytest.approx(wide.parameters, rel=0.01)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_experts", ["x", "y"]),
        ("moe_intermediate_size", {"a": 1}),
        ("num_attention_heads", [32, 16]),
        ("num_hidden_layers", "32"),
    ],
)
def test_an_error_names_the_key_that_is_in_the_file(key: str, value: Any) -> None:
    with pytest.raises(InvalidError, match=f"config.json: {key} "):
        model_of({**shape_of("tencent/Hunyuan-A13B-Instruct"), key: value})


def test_sizes_that_the_class_of_the_text_part_sets_are_taken_with_a_warning() -> None:
    model = model_of(shape_of("llava-hf/llava-1.5-7b-hf"))
    assert model.parameters == pytest.approx(7.06e9, rel=0.01)
    assert per_token(model) == 524_288
    assert "what the class of llama sets: hidden_size 4096" in " ".join(model.notes)


def test_unknown_quantisation_will_do_when_the_files_have_a_size() -> None:
    config = {**config_of(SMALL), "quantization_config": {"quant_method": "magic"}}
    model = model_of(config, file_bytes=6_200_000_000)
    assert (model.weight_bytes, model.quantization) == (6_200_000_000, "magic")
    assert "'magic' is not known here" in model.notes[0]
    model = model_of({**config_of(SMALL), **QUANTISED}, file_bytes=6_200_000_000)
    assert (model.weight_bytes, model.notes) == (6_200_000_000, ())


def test_layers_that_differ_are_each_counted() -> None:
    model = model_of(shape_of("nvidia/Llama-3_3-Nemotron-Super-49B-v1"))
    assert model.parameters == pytest.approx(49.87e9, rel=0.001)
    assert per_token(model) == 49 * 8 * 128 * 2 * 2
    assert fit(model, H100, Demand()).gpu_count == 2


def test_quantisation_in_a_file_of_its_own(tmp_path: Path) -> None:
    config = shape_of("nvidia/Qwen3-235B-A22B-NVFP4")
    assert "quantization_config" not in config
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    beside = shape_of("nvidia/Qwen3-235B-A22B-NVFP4.hf_quant_config")
    (tmp_path / "hf_quant_config.json").write_text(json.dumps(beside), encoding="utf-8")
    model = model_of(read_folder(str(tmp_path)).config)
    assert (model.quantization, round(model.weight_bytes / 1e9)) == ("nvfp4", 134)
    turing = support.Gpu("T4", 16, 15, "7.5")
    assert "nvfp4 needs compute capability 8.0" in fit(model, turing, Demand()).text


def test_the_length_of_a_list_of_layers_says_how_many_there_are() -> None:
    config = shape_of("nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16")
    assert "num_hidden_layers" not in config
    model = model_of(config)
    assert model.parameters == pytest.approx(549.3e9, rel=0.01)
    assert sum(cache.layers for cache in model.caches) == 60  # 48 of Mamba, 12 of attention


@pytest.mark.parametrize("pattern", ["layer_types", "layers_block_type", "my_layer_types"])
def test_a_pattern_may_have_any_name(pattern: str) -> None:
    kinds = ["sliding_attention", "full_attention"] * 18
    model = model_of({**config_of(SMALL), "sliding_window": 1024, pattern: kinds})
    assert [(cache.kind, cache.layers) for cache in model.caches] == [("full", 18), ("window", 18)]


def test_experts_without_a_number_are_an_error() -> None:
    config = {**config_of(SMALL), "model_type": "new", "num_experts_per_tok": 8}
    with pytest.raises(InvalidError, match="speaks of experts, but names no n_routed_experts or"):
        model_of(config)


def test_an_encoder_without_sizes_is_taken_for_the_largest() -> None:
    config = shape_of("llava-hf/llava-1.5-7b-hf")
    blind = {**config, "vision_config": {"model_type": "new_vision"}}
    for changed in (blind, {k: v for k, v in config.items() if k != "vision_config"}):
        model = model_of(changed)
        assert model.parameters > 12e9
        assert "6 billion parameters were taken" in " ".join(model.notes)


def test_a_type_that_nobody_knows_is_read_with_a_warning() -> None:
    model = model_of({**config_of(SMALL), "model_type": "tomorrow"})
    assert model.parameters == model_of(config_of(SMALL)).parameters
    assert "model_type 'tomorrow' is not known here" in model.notes[0]
