# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a language model's published config.json, whatever its keys are called (private, pure).

The names are those of the configuration classes of the library transformers,
https://github.com/huggingface/transformers/tree/main/src/transformers/models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._errors import InvalidError

# Configurations leave out what equals the default of their class; these are such defaults.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "gemma2": {"sliding_window_pattern": 2},
    "gemma3_text": {
        "sliding_window_pattern": 6,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "vocab_size": 262208,
        "max_position_embeddings": 131072,
    },
    "llama4_text": {"attention_chunk_size": 8192, "no_rope_layer_interval": 4},
}
# The output layer is the embedding again, although the file does not say so.
_TIED = frozenset(
    [
        "gemma",
        "gemma2",
        "gemma3",
        "gemma3_text",
        "gpt2",
        "gpt_bigcode",
        "falcon",
        "bloom",
        "opt",
        "cohere",
        "cohere2",
    ]
)
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
        "codegen",
    ]
)
# With these kinds of rope scaling the longest context is stated as stretched already.
_STRETCHED = ("default", "su", "longrope", "llama3", "yarn", "deepseek_yarn")
_TEXT_PARTS = ("text_config", "llm_config", "language_config")
_CACHE_KINDS = {
    "full_attention": "full",
    "attention": "full",
    "sliding_attention": "window",
    "chunked_attention": "chunk",
}


class Reader:
    """The part of a configuration that describes the text model, with lookups by any known name."""

    def __init__(self, config: dict[str, Any]) -> None:
        outer = config.get("thinker_config") or config
        found = [outer[name] for name in _TEXT_PARTS if outer.get(name)]
        inner: Any = found[0] if found else {}
        if not isinstance(outer, dict) or not isinstance(inner, dict):
            raise InvalidError("config.json does not describe a language model")
        merged = {**config, **outer, **inner}
        self.model_type = str(merged.get("model_type") or "")
        self.values = {**_DEFAULTS.get(self.model_type, {}), **_present(merged)}
        self.vision = _present(outer.get("vision_config") or {})

    def any(self, *names: str) -> Any:
        """Return the value of the first name that has one, or None."""
        return next((self.values[name] for name in names if name in self.values), None)

    def number(self, *names: str, default: int | None = None) -> int:
        """Return a whole number; raises InvalidError without it, or for anything else."""
        value = self.any(*names)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
            raise InvalidError(f"config.json says {names[0]}: {value!r}, which is no number of it")
        return value

    @property
    def tied(self) -> bool:
        """Whether the embedding is the output layer, too."""
        return bool(self.values.get("tie_word_embeddings", self.model_type in _TIED))

    @property
    def matrices(self) -> int:
        """Matrices of a feed-forward network."""
        return 2 if self.model_type in _NOT_GATED else 3


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


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
    hidden = read.number("hidden_size", "n_embd", "d_model")
    heads = read.number("num_attention_heads", "n_head", "n_heads")
    if not hidden or not heads:
        raise InvalidError("config.json describes a model without hidden size or attention heads")
    return Shape(
        hidden=hidden,
        layers=read.number("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
        heads=heads,
        kv_heads=_kv_heads(read, heads),
        head_dim=read.number("head_dim", "kv_channels", default=hidden // heads) or hidden // heads,
        intermediate=read.number(
            "intermediate_size_mlp",
            "intermediate_size",
            "n_inner",
            "ffn_dim",
            "ffn_hidden_size",
            default=4 * hidden,
        ),
        vocab=read.number("padded_vocab_size", "vocab_size"),
        max_context=max_context(read),
    )


def _kv_heads(read: Reader, heads: int) -> int:
    """Return the heads of keys and values: as many as queries, a group of them, or a single one."""
    if read.any("new_decoder_architecture") is not True and read.any("multi_query") is True:
        return 1
    names = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num")
    return read.number(*names, default=heads)


def max_context(read: Reader) -> int:
    """Return the longest context in tokens as vLLM derives it, stretched by rope scaling.

    ``_get_and_verify_max_len`` in https://github.com/vllm-project/vllm/blob/main/vllm/config/model.py
    """
    names = (
        "max_position_embeddings",
        "n_positions",
        "max_seq_len",
        "seq_length",
        "model_max_length",
    )
    longest = read.number(*names, default=2048)
    rope = read.any("rope_scaling", "rope_parameters")
    if not isinstance(rope, dict) or read.model_type.startswith("gemma3"):
        return longest
    kind = str(rope.get("rope_type") or rope.get("type") or "default")
    factor = rope.get("factor")
    if kind in _STRETCHED or not isinstance(factor, int | float) or not 1 <= factor <= 1000:
        return longest
    return int(longest * factor)


def layer_kinds(read: Reader, layers: int) -> list[str]:
    """Return for each layer what it keeps of a sequence: full, window, chunk or state."""
    named = read.any("layer_types", "layers_block_type")
    if isinstance(named, list) and named:
        return [_CACHE_KINDS.get(str(kind), "state") for kind in named]
    pattern = read.any("hybrid_override_pattern")  # of Nemotron-H: * attention, M Mamba, - neither
    if isinstance(pattern, str) and pattern:
        return [{"*": "full", "M": "state"}.get(sign, "none") for sign in pattern]
    if read.any("full_attention_interval"):
        return _every(read.number("full_attention_interval"), layers, "state")
    if read.any("attn_layer_period"):
        period, offset = (
            read.number("attn_layer_period"),
            read.number("attn_layer_offset", default=0),
        )
        return ["full" if i % period == offset else "state" for i in range(layers)]
    if read.any("no_rope_layer_interval") and read.any("attention_chunk_size"):
        return _every(read.number("no_rope_layer_interval"), layers, "chunk")
    if not read.any("sliding_window") or read.any("use_sliding_window") is False:
        return ["full"] * layers
    if read.any("sliding_window_pattern"):
        return _every(read.number("sliding_window_pattern"), layers, "window")
    return ["window"] * layers


def _every(interval: int, layers: int, otherwise: str) -> list[str]:
    """Return layers of which each ``interval``-th attends to everything."""
    return ["full" if (i + 1) % max(interval, 1) == 0 else otherwise for i in range(layers)]
