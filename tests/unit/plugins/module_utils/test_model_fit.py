# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of models on GPUs, against what is published of well-known ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing import gpu_memory as support
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.fit import (
    GIB,
    Demand,
    Fit,
    fit,
    need,
    refusal_of,
    split_for,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.llm import model_from, model_of
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import (
    LARGE,
    MODELS,
    SMALL,
    config_of,
)

ROOT = Path(__file__).resolve().parents[4]
BY_GROUP = {"quant_method": "compressed-tensors"}
H100, A100_40 = support.gpus_from(["H100", "A100 40"])
FP8 = {"quantization_config": {"quant_method": "fp8"}}


def answer(name: str, gpu: str, demand: Demand | None = None, **changes: Any) -> Fit:
    """Return the fit of a published model, with some of its configuration changed."""
    model = model_of({**config_of(name), **changes}, name)
    return fit(model, support.gpus_from([gpu])[0], demand or Demand())


# -- parameters and weights ------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_those_that_are_published(name: str) -> None:
    counted = model_of(config_of(name)).parameters
    assert counted == pytest.approx(MODELS[name]["parameters"], rel=0.02)


@pytest.mark.parametrize(
    ("name", "gib"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", 14.99),  # vLLM's log, pull request 17122
        ("Qwen/Qwen2.5-72B-Instruct-AWQ", 38.7),  # 41.6 GB of files
        ("openai/gpt-oss-120b", 64.38),  # vLLM's log, issue 33155
        ("deepseek-ai/DeepSeek-R1", 625),  # 671 billion at one byte
    ],
)
def test_weights_take_what_they_are_seen_to_take(name: str, gib: float) -> None:
    assert model_of(config_of(name)).weight_bytes / GIB == pytest.approx(gib, rel=0.02)


def test_files_are_believed_more_than_the_arithmetic() -> None:
    model = model_of(config_of(SMALL), SMALL, file_bytes=16_381_517_208)
    assert (model.weight_bytes, model.weights_from) == (16_381_517_208, "files")
    online = model_of(config_of(SMALL), SMALL, file_bytes=16_381_517_208, quantization="fp8")
    assert (online.quantization, online.weights_from) == ("fp8", "arithmetic")
    assert 0.5 < online.weight_bytes / model.weight_bytes < 0.6


def test_elements_of_32_bits_are_loaded_as_16() -> None:
    wide = model_of({**config_of(SMALL), "torch_dtype": "float32"}, file_bytes=32_763_034_416)
    assert wide.weight_bytes == 32_763_034_416 // 2


@pytest.mark.parametrize(
    ("stored", "method", "share"),
    [
        ({"quant_method": "gptq", "bits": 4}, "gptq", 0.26),
        ({"quant_method": "awq", "bits": 4}, "awq", 0.26),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes", 0.5),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes", 0.258),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}},
            },
            "compressed-tensors",
            0.5,
        ),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4", 0.281),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, "fp8", 0.5),
    ],
)
def test_quantised_weights_take_their_bits(
    stored: dict[str, Any], method: str, share: float
) -> None:
    plain = model_of(config_of(LARGE))
    model = model_of({**config_of(LARGE), "quantization_config": stored})
    kept = 2 * 128256 * 8192 * 2  # embedding and output layer stay as they are
    assert model.quantization == method
    inside = (model.weight_bytes - kept) / (plain.weight_bytes - kept)
    assert inside == pytest.approx(share, rel=0.01)


def test_unknown_quantisation_is_an_error() -> None:
    with pytest.raises(InvalidError, match="'magic' is not known"):
        model_of({**config_of(SMALL), "quantization_config": {"quant_method": "magic"}})


# -- cache -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kib", "beyond"),
    [
        ("meta-llama/Llama-2-7b-chat-hf", 512, 512),  # every head has keys of its own
        ("meta-llama/Llama-3.1-8B-Instruct", 128, 128),  # eight groups
        (LARGE, 320, 320),
        ("tiiuae/falcon-7b-instruct", 8, 8),  # a single head, 71 times shared
        ("google/gemma-3-27b-it", 496, 80),  # five of six layers see 1024 tokens
        ("mistralai/Mistral-7B-v0.1", 128, 0),  # all layers see 4096
        ("openai/gpt-oss-20b", 48, 24),  # every other layer sees 128
        ("deepseek-ai/DeepSeek-R1", 68.625, 68.625),  # 61 layers of 576 elements
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", 24, 24),  # twelve of 48 layers keep tokens
    ],
)
def test_cache_of_a_token(name: str, kib: float, beyond: float) -> None:
    shown = model_of(config_of(name)).as_dict()
    assert shown["cache_bytes_per_token"] == kib * 1024
    assert shown["cache_bytes_per_token_beyond_window"] == beyond * 1024


def test_windows_bound_the_cache_of_a_long_context() -> None:
    model = model_of(config_of("google/gemma-3-27b-it"))
    tokens, split = 131072, split_for(model, 1)
    whole = need(model, H100, Demand(), split, tokens).cache
    assert whole == pytest.approx((80 * 131072 + 416 * (1024 + 2 * 8192 + 16)) / 2**20, rel=0.01)


def test_cache_in_8_bits_takes_half() -> None:
    model, split = model_of(config_of(LARGE)), split_for(model_of(config_of(LARGE)), 2)
    eight = need(model, H100, Demand(kv_cache_dtype="fp8"), split, 8192)
    assert eight.cache * 2 == need(model, H100, Demand(), split, 8192).cache


def test_latent_cache_is_kept_by_every_gpu() -> None:
    model = model_of(config_of("deepseek-ai/DeepSeek-R1"))
    caches = [need(model, H100, Demand(), split_for(model, n), 8192).cache for n in (1, 8)]
    assert caches[0] == caches[1] > 0


# -- GPUs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_fewest_gpus(name: str) -> None:
    found = [answer(name, gpu).gpu_count for gpu in ("H100", "A100 40", "L40S")]
    assert found == MODELS[name]["gpus"]


@pytest.mark.parametrize("name", MODELS)
def test_a_v100_is_refused_with_the_version_that_served_on_it(name: str) -> None:
    found = answer(name, "V100")
    assert (found.fits, found.reason) == (False, "gpu_unsupported")
    assert "0.33.0 holds no code for V100" in found.text
    assert "0.19.1" in found.text


def test_70b_in_16_bits_is_refused_on_one_gpu_of_80_gb_with_the_arithmetic() -> None:
    model = model_of(config_of(LARGE), LARGE)
    reason, detail = refusal_of(model, H100, Demand(), 1) or ("", "")
    assert reason == "model_too_large"
    assert detail.startswith("model does not fit: needs 2 x H100 80 GB (it would hold 131.4 GiB")
    assert "of weights + 2.5 of cache" in detail
    assert detail.endswith("and 72.1 may be used)")
    assert refusal_of(model, H100, Demand(), 2) is None
    assert refusal_of(model, H100, Demand(), 8) is None


def test_70b_in_8_bits_fits_on_one_gpu_of_141_gb() -> None:
    assert answer(LARGE, "H200", **FP8).gpu_count == 1
    assert answer(LARGE, "H100", **FP8).gpu_count == 2


def test_more_context_needs_more_gpus() -> None:
    counts = [answer(LARGE, "H100", Demand(context=n)).gpu_count for n in (8192, 32768, 131072)]
    assert counts == [2, 4, 4]
    most = answer(LARGE, "H100").max_context
    assert answer(LARGE, "H100", Demand(context=most)).gpu_count == 2
    assert answer(LARGE, "H100", Demand(context=(most or 0) + 16)).gpu_count == 4


def test_context_beyond_the_model_is_refused() -> None:
    found = answer(SMALL, "H100", Demand(context=40961))
    assert (found.reason, found.gpu_count) == ("context_too_long", None)
    assert "40960 tokens, not 40961" in found.text


def test_less_of_the_memory_needs_more_gpus() -> None:
    assert answer(LARGE, "H100", Demand(gpu_memory_utilization=0.85)).gpu_count == 4


def test_larger_than_eight_is_said_with_the_arithmetic() -> None:
    model = model_of(config_of("deepseek-ai/DeepSeek-R1"), "R1")
    reason, detail = refusal_of(model, H100, Demand(), 8) or ("", "")
    assert reason == "model_too_large"
    assert "more than 8 x H100 80 GB" in detail
    assert "78.3 GiB of weights" in detail


@pytest.mark.parametrize(
    ("name", "gpus", "tensor"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", 4, 4),  # 28 heads
        ("Qwen/Qwen2.5-7B-Instruct", 8, 4),
        ("Qwen/Qwen2.5-0.5B-Instruct", 8, 2),  # 14 heads
        ("tiiuae/falcon-7b-instruct", 2, 1),  # 71 heads
        ("microsoft/phi-4", 4, 2),  # 10 heads of keys and values
        (LARGE, 8, 8),
    ],
)
def test_gpus_that_do_not_divide_the_heads_take_layers_instead(
    name: str, gpus: int, tensor: int
) -> None:
    split = split_for(model_of(config_of(name)), gpus)
    assert (split.tensor, split.pipeline) == (tensor, gpus // tensor)


# -- what is read ----------------------------------------------------------------------------------


def test_a_model_survives_being_written_down() -> None:
    model = model_of(config_of("google/gemma-3-27b-it"), "gemma")
    assert model_from({**model.as_dict(), "demand": {}}) == model
    assert replace(model_from(config_of(SMALL)), name="x") == model_of(config_of(SMALL), "x")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        [],
        {"model_type": "llama"},
        {**config_of(SMALL), "num_hidden_layers": "36"},
        {**config_of(SMALL), "num_attention_heads": 0},
        {**config_of(SMALL), "hidden_size": True},
        {**config_of(SMALL), "num_hidden_layers": -1},
        {**config_of(SMALL), "text_config": "x"},
        {**config_of(SMALL), "quantization_config": {**BY_GROUP, "config_groups": {"a": "x"}}},
        {
            **config_of(SMALL),
            "quantization_config": {**BY_GROUP, "config_groups": {"a": {"weights": "x"}}},
        },
        {"caches": [{"kind": "full"}]},
        {"caches": 1},
    ],
)
def test_what_describes_no_model_is_an_error_in_words(wrong: Any) -> None:
    with pytest.raises(InvalidError):
        model_from(wrong)


def test_layers_of_an_unknown_kind_need_the_size_of_the_files() -> None:
    mixed = {**config_of(SMALL), "model_type": "tomorrow", "hybrid_override_pattern": "M-*M-"}
    mixed["num_hidden_layers"] = 5
    with pytest.raises(InvalidError, match="size of its files"):
        model_of(mixed)
    model = model_of(mixed, file_bytes=10**10)
    assert [(c.kind, c.layers) for c in model.caches] == [("full", 3)]  # they keep no more
    assert "a state of a kind that is not known" in " ".join(model.notes)
