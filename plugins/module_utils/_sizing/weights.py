# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many parameters a configuration makes (private, pure).

The matrices are those of the models' own code in transformers and vLLM. Vectors (norms, biases) are
below 0.1 % and left out; so are layers that only guess further tokens, which vLLM does not load.
"""

from __future__ import annotations

from collections import Counter

from .._core.errors import InvalidError
from .encoders import tower_parameters
from .experts import CHOSEN, EXPERTS, SHARED, experts_of
from .hf_config import Reader
from .layers import Layer
from .shape import Shape
from .state_layers import not_counted, state_parameters

# Two matrices instead of the three of a gated feed-forward network.
_NOT_GATED = frozenset(
    [
        "gpt2",
        "gpt_neox",
        "gpt_neo",
        "gptj",
        "gpt_bigcode",
        "opt",
        "bloom",
        "falcon",
        "mpt",
        "phi",
        "starcoder2",
        "nemotron",
        "nemotron_h",
        "codegen",
        "arcee",
        "apertus",
        "persimmon",
    ]
)
# The experts of these are in attention, too, in a way that is not known here.
_UNCOUNTED = ("jetmoe", "zamba", "zamba2", "recurrent_gemma", "rwkv", "xlstm")
# The output of attention passes a gate as wide as itself.
_GATED_ATTENTION = ("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text", "afmoe")


def parameters(read: Reader, shape: Shape, layers: list[Layer]) -> dict[str, int]:
    """Return the parameters by part: embedding, output, attention, mlp, shared, experts, vision."""
    if read.model_type in _UNCOUNTED:
        raise not_counted(read)
    found: Counter[str] = Counter()
    table = shape.vocab * shape.hidden
    found["embedding"] = table + _embedding_by_layer(read, shape)
    found["output"] = 0 if read.tied else table
    matrix = _matrices(read) * shape.hidden
    for layer in layers:
        found["attention"] += layer.extra + (_attention(read, shape, layer) if layer.attends else 0)
        if layer.has_state:
            found["state"] += state_parameters(read, shape.hidden)
        if layer.sparse:
            found["shared"] += _around_experts(read, shape)
            found["experts"] += _routed(read, shape)
        found["mlp"] += matrix * layer.width
    found["vision"] = tower_parameters(read, shape.hidden)
    return dict(found)


def _matrices(read: Reader) -> int:
    return 2 if read.model_type in _NOT_GATED else 3


def _embedding_by_layer(read: Reader, shape: Shape) -> int:
    """Return the embeddings that each layer has of its own, as those of Gemma 3n."""
    width = read.number("hidden_size_per_layer_input", default=0)
    vocab = read.number("vocab_size_per_layer_input", default=shape.vocab)
    return width * shape.layers * (vocab + 3 * shape.hidden)


def _attention(read: Reader, shape: Shape, layer: Layer) -> int:
    """Return the parameters of the attention of one layer."""
    if read.number("kv_lora_rank", default=0):
        return _latent_attention(read, shape) + (_indexer(read, shape) if layer.indexed else 0)
    queries, values = layer.heads * layer.head_dim, layer.heads * layer.value_dim
    gate = values if _has_gate(read) else 0
    keys = layer.kv_heads * (layer.head_dim + layer.value_dim) if layer.keeps else 0
    return shape.hidden * (queries + values + gate + keys)


def _has_gate(read: Reader) -> bool:
    own = [value for key, value in read.values.items() if key.endswith("output_gate")]
    return bool(own[0]) if own else read.model_type in _GATED_ATTENTION


def _latent_attention(read: Reader, shape: Shape) -> int:
    """Multi-head latent attention, https://arxiv.org/abs/2405.04434, section 2.1."""
    rope, plain = read.number("qk_rope_head_dim"), read.number("qk_nope_head_dim")
    value, latent = read.number("v_head_dim"), read.number("kv_lora_rank")
    heads, rank = shape.heads, _rank(read)
    queries = heads * (plain + rope)
    down_up = rank * (shape.hidden + queries) if rank else shape.hidden * queries
    keys = shape.hidden * (latent + rope) + latent * heads * (plain + value)
    gate = shape.hidden * heads * value if _has_gate(read) else 0
    return int(down_up + keys + gate + heads * value * shape.hidden)


def _rank(read: Reader) -> int:
    """Return the rank of queries; null says that there is none, whatever the class would set."""
    if read.any("q_lora_rank") is None and "q_lora_rank" in read.config:
        return 0
    return read.number("q_lora_rank", default=0)


def _indexer(read: Reader, shape: Shape) -> int:
    """Return what chooses the tokens of sparse attention: queries, keys and weights of heads."""
    heads = read.number("index_n_heads", default=0)
    width = read.number("index_head_dim", default=0)
    rank = _rank(read) or shape.hidden
    return rank * heads * width + shape.hidden * (width + heads)


def _routed(read: Reader, shape: Shape) -> int:
    """Return the parameters of the experts of a layer that a router chooses."""
    counts = read.find(*EXPERTS)
    latent = read.number("moe_latent_size", "routed_expert_hidden_size", default=0)
    matrix = _matrices(read) * (latent or shape.hidden)
    many, widths = counts.numbers(), _expert_widths(read, shape)
    if 1 < len(widths) <= 4:  # groups, of text and of images
        many = many if len(many) == len(widths) else [max(many)] * len(widths)
        return matrix * sum(n * width for n, width in zip(many, widths, strict=True))
    if len(set(widths)) > 1:
        read.note(
            f"config.json gives experts several widths, and {counts.name} is one: the largest is taken"
        )
    return matrix * experts_of(read) * max(widths)


def _expert_widths(read: Reader, shape: Shape) -> list[int]:
    names = ("moe_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size")
    value = read.find(*names)
    if value.is_missing:
        # Without a width of their own, experts are as wide as a dense layer.
        value = read.find("intermediate_size", "ffn_hidden_size")
    if value.is_missing:
        return [shape.intermediate]
    found = value.numbers()
    if not found:
        raise InvalidError(
            f"config.json: {value.name} must be a positive number (got {value.given!r})"
        )
    return found


def _around_experts(read: Reader, shape: Shape) -> int:
    """Return what is beside the routed experts: the router, shared ones, the way to a latent size."""
    latent = read.number("moe_latent_size", "routed_expert_hidden_size", default=0)
    router = experts_of(read) * shape.hidden
    shared = _matrices(read) * shape.hidden * shared_width(read, shape)
    return router + shared + 2 * latent * shape.hidden


def shared_width(read: Reader, shape: Shape) -> int:
    """Return the width of the experts that see every token."""
    if not experts_of(read):
        return 0
    width = max(_expert_widths(read, shape))
    if read.model_type == "llama4_text":
        return width
    together = read.number(
        "shared_expert_intermediate_size",
        "shared_intermediate_size",
        "moe_shared_expert_intermediate_size",
        "share_expert_dim",
        default=0,
    )
    if together:
        return together
    value = read.find(*SHARED)
    found = [0] if value.is_missing else value.numbers()
    if not found:
        raise InvalidError(
            f"config.json: {value.name} must be a positive number (got {value.given!r})"
        )
    if max(found) and read.model_type == "nemotron_h":  # whose shared experts are wider
        read.note(
            "config.json names no moe_shared_expert_intermediate_size: "
            f"{width * max(found)} was taken"
        )
    return width * max(found)


def active_width(read: Reader, shape: Shape) -> int:
    """Return the widest feed-forward a token meets: its experts together, or the dense layer's."""
    if not experts_of(read):
        return shape.intermediate
    value = read.find(*CHOSEN)
    chosen = max(value.numbers(), default=0)
    if not chosen:
        chosen = experts_of(read)
        read.note(
            f"config.json does not say how many experts a token meets ({value.name}): all were taken"
        )
    width = max(_expert_widths(read, shape))
    return max(shape.intermediate, chosen * width + shared_width(read, shape))
