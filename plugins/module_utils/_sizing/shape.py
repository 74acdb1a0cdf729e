# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sizes of a language model, as its config.json says them (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.errors import InvalidError
from .hf_config import CONTEXT, HEADS, HIDDEN, KV_HEADS, LAYERS, PATTERNS, WIDTH, Reader

# With these kinds of rope scaling the longest context is stated as stretched already.
_STRETCHED = ("default", "su", "longrope", "llama3", "yarn", "deepseek_yarn")
_FOURFOLD = (
    "gpt2", "gpt_bigcode", "gpt_neo", "gptj", "codegen", "bloom", "falcon", "mpt", "mamba", "mamba2",
    "falcon_mamba", "qwen2_moe", "qwen3_moe", "nemotron-nas",
)  # fmt: skip
# The classes of these compute head_dim where it is missing, but published models never leave it out.
_STATED = ("qwen3", "minimax", "glm4", "mimo", "ernie4_5_moe", "step", "nemotron_h")


@dataclass(frozen=True)
class Shape:
    """The sizes of a transformer: counts, and widths in elements."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    max_context: int


def shape_of(read: Reader) -> Shape:
    """Return the sizes; a missing head_dim is hidden size by heads, as in the library."""
    hidden = read.number(*HIDDEN)
    attends = read.model_type not in ("mamba", "mamba2", "falcon_mamba")
    heads = read.number(*HEADS, default=None if attends else 1)
    if not hidden or not heads:
        raise InvalidError("config.json describes a model without hidden size or attention heads")
    dim = read.number("head_dim", "attention_head_dim", "kv_channels", default=0)
    if not dim and read.model_type.startswith(_STATED) and not read.any("kv_lora_rank"):
        dim = max(hidden // heads, 128)
        if dim > hidden // heads:
            read.note(f"config.json names no head_dim, as models of its type do: {dim} was taken")
    dim = dim or hidden // heads
    layers = _layers(read)
    kv_heads = _kv_heads(read, heads, layers)
    return Shape(
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=dim,
        intermediate=_intermediate(read, hidden, layers),
        vocab=read.number("padded_vocab_size", "vocab_size"),
        max_context=max_context(read),
    )


def _layers(read: Reader) -> int:
    """Return the number of layers; the length of a list of them says it, too."""
    longest = max(map(read.length, PATTERNS))
    if read.any(*LAYERS) is None and longest:
        return longest
    return read.number(*LAYERS)


def _intermediate(read: Reader, hidden: int, layers: int) -> int:
    """Return the width of a dense feed-forward, the widest of different ones."""
    ratio = read.any("expansion_ratio", "mlp_ratio")
    if read.any("block_configs", *WIDTH) is None and isinstance(ratio, int | float) and ratio > 0:
        return int(hidden * ratio)
    widths = read.each(layers, *read.widths, default=read.number("block_ff_dim", default=0))
    if not any(widths) and read.any("block_configs") is None:
        return _unsaid(read, hidden)
    return max((read.adjusted(width) for width in widths), default=0)


def _unsaid(read: Reader, hidden: int) -> int:
    """Return the width of a feed-forward that is not stated: four times hidden in older classes."""
    if read.model_type in _FOURFOLD or read.any("moe_intermediate_size", "expert_ffn_hidden_size"):
        return 4 * hidden
    read.note("config.json names no width of the feed-forward: eight times hidden size was taken")
    return 8 * hidden


def _kv_heads(read: Reader, heads: int, layers: int) -> int:
    """Return the heads of keys and values: as many as queries, a group of them, or a single one."""
    if read.any("new_decoder_architecture") is not True and read.any("multi_query") is True:
        own = read.any("multi_query_group_num")
        return own if isinstance(own, int) and own > 0 else 1
    return max(read.each(layers, *KV_HEADS, default=heads), default=heads)


def max_context(read: Reader) -> int:
    """Return the longest context in tokens as vLLM derives it, stretched by rope scaling.

    ``_get_and_verify_max_len`` in https://github.com/vllm-project/vllm/blob/main/vllm/config/model.py
    """
    longest = read.number(*CONTEXT, default=0)
    if not longest:
        longest = 2**17
        if "mamba" not in read.model_type:
            read.note("config.json names no longest context: 131072 tokens were taken")
    rope = read.any("rope_scaling", "rope_parameters")
    if not isinstance(rope, dict) or read.model_type.startswith("gemma3"):
        return longest
    kind = str(rope.get("rope_type") or rope.get("type") or "default")
    factor = rope.get("factor")
    if kind in _STRETCHED or not isinstance(factor, int | float) or not 1 <= factor <= 1000:
        return longest
    return int(longest * factor)
