# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many parameters a configuration makes, and how many bytes they take (private, pure).

The matrices are those of the models' own code in transformers and vLLM. Vectors (norms, biases) are
below 0.1 % and left out; so are layers that only guess further tokens, which vLLM does not load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._errors import InvalidError
from ._model_config import Reader, Shape, layer_kinds


@dataclass(frozen=True)
class Quantisation:
    """How weights are stored: method, bits of each weight with its scales, and which parts."""

    method: str
    bits: float
    parts: tuple[str, ...] = ("attention", "mlp", "experts")


# Bits with the scales: groups of 128 weights with 16 bits of scale and 4 of zero point (AWQ, GPTQ), of
# 32 with 8 (MXFP4, https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf),
# of 16 with 8 (NVFP4), of 64 with 8 (NF4 with double quantisation, https://arxiv.org/abs/2305.14314).
_SCALES = {
    "awq": 20 / 128,
    "gptq": 20 / 128,
    "compressed-tensors": 16 / 128,
    "bitsandbytes": 8 / 64,
}
MXFP4, NVFP4, FP8 = 4.25, 4.5, 8.0
# Elements of 32 bits are loaded as 16: "auto" of vLLM's dtype.
_BYTES = {"float32": 2, "float16": 2, "bfloat16": 2, "float8_e4m3fn": 1}


def parameters(read: Reader, shape: Shape) -> dict[str, int]:
    """Return the parameters by part: embedding, attention, mlp, experts, vision."""
    kinds = layer_kinds(read, shape.layers)
    attention = sum(_attention(read, shape, kind) for kind in kinds)
    dense = sum(not _sparse(read, layer) for layer in range(shape.layers))
    width = _expert_width(read)
    experts = shape.layers - dense
    matrix = read.matrices * shape.hidden
    always = _shared_width(read, width) * matrix + _experts(read) * shape.hidden  # and the router
    return {
        "embedding": shape.vocab * shape.hidden * (1 if read.tied else 2),
        "attention": attention,
        "mlp": dense * matrix * shape.intermediate + experts * always,
        "experts": experts * _experts(read) * matrix * width,
        "vision": _vision(read.vision),
    }


def _attention(read: Reader, shape: Shape, kind: str) -> int:
    """Return the parameters of the attention of one layer, or of what stands in its place."""
    if kind == "state":
        return _linear_attention(read, shape)
    if kind == "none":
        return 0
    if read.any("kv_lora_rank"):
        return _latent_attention(read, shape)
    queries = shape.heads * shape.head_dim
    gate = queries if read.any("attn_output_gate") or read.model_type == "qwen3_next" else 0
    return shape.hidden * (2 * queries + gate + 2 * shape.kv_heads * shape.head_dim)


def _latent_attention(read: Reader, shape: Shape) -> int:
    """Multi-head latent attention, https://arxiv.org/abs/2405.04434, section 2.1."""
    rope, plain = read.number("qk_rope_head_dim"), read.number("qk_nope_head_dim")
    value, latent = read.number("v_head_dim"), read.number("kv_lora_rank")
    heads, rank = shape.heads, read.any("q_lora_rank")
    queries = heads * (plain + rope)
    down_up = rank * (shape.hidden + queries) if rank else shape.hidden * queries
    keys = shape.hidden * (latent + rope) + latent * heads * (plain + value)
    return int(down_up + keys + heads * value * shape.hidden)


def _linear_attention(read: Reader, shape: Shape) -> int:
    """Gated delta net as in Qwen3-Next; raises InvalidError for other kinds of state."""
    if not read.any("linear_num_value_heads"):
        raise InvalidError(
            f"The parameters of {read.model_type or 'this model'} cannot be computed from config.json",
            hint="Its layers are of a kind that is not known here: the size of its files must be.",
        )
    keys = read.number("linear_num_key_heads") * read.number("linear_key_head_dim")
    heads = read.number("linear_num_value_heads")
    values = heads * read.number("linear_value_head_dim")
    mixed = (2 * keys + values) * read.number("linear_conv_kernel_dim", default=4)
    return shape.hidden * (2 * keys + 3 * values + 2 * heads) + mixed


def _experts(read: Reader) -> int:
    names = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
    return read.number(*names, default=0)


def _expert_width(read: Reader) -> int:
    if not _experts(read):
        return 0
    return read.number("moe_intermediate_size", "expert_ffn_hidden_size", "intermediate_size")


def _shared_width(read: Reader, width: int) -> int:
    """Return the width of the experts that see every token."""
    if not _experts(read):
        return 0
    if read.model_type == "llama4_text":
        return width
    together = read.number("shared_expert_intermediate_size", "shared_intermediate_size", default=0)
    return together or width * read.number("n_shared_experts", "moe_num_shared_experts", default=0)


def _sparse(read: Reader, layer: int) -> bool:
    """Tell whether a layer has experts; each family says it in its own way."""
    if not _experts(read):
        return False
    named = read.any("moe_layers")
    if isinstance(named, list) and named:
        return layer in named
    if layer < read.number("first_k_dense_replace", "moe_layer_start_index", default=0):
        return False
    if layer in (read.any("mlp_only_layers") or ()):
        return False
    frequency = read.any("moe_layer_freq")
    if isinstance(frequency, list):
        return bool(frequency[layer : layer + 1] == [1])
    step = read.number("decoder_sparse_step", "interleave_moe_layer_step", default=1)
    return (layer + 1) % max(step, 1) == 0


def active_width(read: Reader, shape: Shape) -> int:
    """Return the widest feed-forward a token meets: its experts together, or the dense layer's."""
    chosen = read.number("num_experts_per_tok", "moe_top_k", "moe_k", default=1)
    width = _expert_width(read)
    return max(shape.intermediate, chosen * width + _shared_width(read, width))


def _vision(vision: dict[str, Any]) -> int:
    """Return roughly the parameters of an image encoder: attention and a network of two matrices."""
    hidden = vision.get("hidden_size") or vision.get("embed_dim") or 0
    layers = vision.get("num_hidden_layers") or vision.get("depth") or 0
    width = vision.get("intermediate_size") or 4 * hidden
    if not all(isinstance(value, int) for value in (hidden, layers, width)):
        return 0
    return int(layers * hidden * (4 * hidden + 2 * width))


def quantisation_of(config: dict[str, Any], wished: str | None = None) -> Quantisation | None:
    """Return how the weights are stored, or would be with vLLM's setting ``quantization``."""
    stored = config.get("quantization_config") or config.get("compression_config") or {}
    if not stored and isinstance(config.get("text_config"), dict):
        stored = config["text_config"].get("quantization_config") or {}
    method = str(stored.get("quant_method") or wished or "").lower().removesuffix("_marlin")
    if not method or method in ("none", "auto"):
        return None
    if method == "mxfp4":
        return Quantisation(method, MXFP4, ("experts",))
    if method.startswith("modelopt") or "fp4" in method:
        algorithm = str(
            stored.get("quant_algo") or (stored.get("quantization") or {}).get("quant_algo")
        )
        four = "FP4" in algorithm.upper() or "fp4" in method
        return Quantisation("nvfp4" if four else "fp8", NVFP4 if four else FP8)
    bits = _stored_bits(stored, method)
    return Quantisation(method, bits + (_SCALES.get(method, 0) if bits < 8 else 0))


def _stored_bits(stored: dict[str, Any], method: str) -> float:
    """Return the bits of a weight without scales; raises InvalidError for an unknown method."""
    if "fp8" in method or "int8" in method or stored.get("load_in_8bit"):
        return 8
    groups = stored.get("config_groups") or {}
    weights = [(group or {}).get("weights") or {} for group in groups.values()]
    bits = (
        stored.get("bits")
        or stored.get("w_bit")
        or next((w.get("num_bits") for w in weights), None)
    )
    if bits is None and method in _SCALES:
        bits = 4
    if not isinstance(bits, int | float) or not 1 <= bits <= 16:
        raise InvalidError(f"The quantisation {method!r} is not known here")
    return bits


def bytes_of(parts: dict[str, int], dtype: str, quantised: Quantisation | None) -> int:
    """Return the bytes of the weights: what is not quantised keeps the model's own type."""
    plain = _BYTES.get(dtype, 2)
    total = 0.0
    for part, count in parts.items():
        inside = quantised is not None and part in quantised.parts
        total += count * (quantised.bits / 8 if quantised and inside else plain)
    return round(total)
