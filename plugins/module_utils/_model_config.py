# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a language model's published config.json, whatever its keys are called (private, pure).

The names are those of the configuration classes of the library transformers,
https://github.com/huggingface/transformers/tree/main/src/transformers/models. What had to be supposed
is noted: it becomes a warning, for nothing that is not understood may pass for something small.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ._errors import InvalidError
from ._model_defaults import defaults_of, is_known

# With these kinds of rope scaling the longest context is stated as stretched already.
_STRETCHED = ("default", "su", "longrope", "llama3", "yarn", "deepseek_yarn")
_TEXT_PARTS = ("text_config", "llm_config", "language_config")
# Sections that describe a part of the text model itself.
_SECTIONS = ("attn_config", "ffn_config", "ssm_cfg", "moe_config", "attention_config", "mlp_config")
# Sections of another thing than the layers of the text model, by a part of their names.
_OTHERS = (
    "vision", "visual", "vit", "audio", "image", "video", "speech", "quant", "compression", "rope",
    "label", "auto_map", "talker", "token2wav", "code2wav", "projector", "adapter", "perceiver",
    "generation", "task_specific", "pruned", "linear_attn_config", "sparse_attention_config",
    "decoder", "encoder", "draft", "eagle", "mtp", "vq", "tokenizer", "per_layer_config",
)  # fmt: skip
_FOURFOLD = (
    "gpt2", "gpt_bigcode", "gpt_neo", "gptj", "codegen", "bloom", "falcon", "mpt", "mamba", "mamba2",
    "falcon_mamba", "qwen2_moe", "qwen3_moe", "nemotron-nas",
)  # fmt: skip
# The classes of these compute head_dim where it is missing, but published models never leave it out.
_STATED = ("qwen3", "minimax", "glm4", "mimo", "ernie4_5_moe", "step", "nemotron_h")
HIDDEN = ("hidden_size", "n_embd", "d_model", "model_dim")
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
KV_HEADS = (
    "num_key_value_heads", "num_kv_heads", "n_head_kv", "kv_n_heads", "multi_query_group_num",
    "num_attention_groups",
)  # fmt: skip
WIDTH = ("intermediate_size_mlp", "intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
CONTEXT = (
    "max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length",
    "model_max_length",
)  # fmt: skip
# Lists with an entry for each layer: they say how many there are.
PATTERNS = (
    "layer_types", "layers_block_type", "hybrid_override_pattern", "block_configs",
    "hybrid_layer_pattern", "attn_type_list", "mlp_layer_types",
)  # fmt: skip


@dataclass
class Reader:
    """The part of a configuration that describes the text model, with lookups by any known name."""

    config: dict[str, Any]
    model_type: str = ""
    outer_type: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    supposed: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        config = self.config
        outer = config.get("thinker_config") or config
        if not isinstance(outer, dict):
            raise InvalidError("config.json does not describe a language model")
        inner: Any = next((outer[name] for name in _TEXT_PARTS if outer.get(name)), {})
        if not isinstance(inner, dict):
            raise InvalidError("config.json does not describe a language model")
        merged = {**_present(config), **_present(outer), **_present(inner)}
        self.outer_type = str(outer.get("model_type") or "")
        own = inner.get("model_type") or outer.get("model_type") or config.get("model_type")
        self.model_type, self._defaults = defaults_of(str(own or ""))
        if not is_known(self.model_type):
            self.note(
                f"model_type {own!r} is not known here: config.json was read by the names of its keys"
            )
        self.values = self._flattened(merged)
        if not inner and not self.values.keys() & {*HIDDEN, *LAYERS, *PATTERNS}:
            raise InvalidError("config.json describes no language model: it names no sizes")
        self.parts = {
            name: _present(part)
            for name, part in {**config, **outer}.items()
            if isinstance(part, dict)
        }

    def _flattened(self, merged: dict[str, Any]) -> dict[str, Any]:
        """Return the values with those of nested sections, where the outer ones have none."""
        found = dict(merged)
        for name, section in merged.items():
            if not isinstance(section, dict) or name in _TEXT_PARTS:
                continue
            if name in _SECTIONS:
                found = {**_present(section), **found}
            elif not any(word in name.lower() for word in (*_OTHERS, "thinker_config")):
                new = sorted(_SIZES & _present(section).keys() - merged.keys())
                if new:
                    self.note(f"{', '.join(new)} of config.json was read from its section {name}")
                    found = {**{key: section[key] for key in new}, **found}
        return found

    def note(self, text: str) -> None:
        """Remember something that had to be supposed, once."""
        if text not in self.notes:
            self.notes.append(text)

    def find(self, *names: str) -> tuple[str, Any]:
        """Return the first name that has a value, and the value; else a default of the class."""
        for name in names:
            if name in self.values:
                return name, self.values[name]
        for name in names:
            if name in self._defaults:
                self.supposed[name] = self._defaults[name]
                return name, self._defaults[name]
        return names[0], None

    def known(self, *names: str) -> Any:
        """Return the value of the first name that the file or the class has, without a note."""
        found = self.any(*names)
        return found or next((self._defaults[name] for name in names if name in self._defaults), 0)

    def any(self, *names: str) -> Any:
        """Return the value of the first name that the file has, or None."""
        return next((self.values[name] for name in names if name in self.values), None)

    def number(self, *names: str, default: int | None = None) -> int:
        """Return a whole number, also from a list of equal ones.

        Raises InvalidError without it, or for anything else, and names the key that the file has.
        """
        name, value = self.find(*names)
        if value is None and default is not None:
            return default
        if value is None:
            raise InvalidError(f"config.json names no {' or '.join(names)}")
        found = numbers(value)
        if not found or len(set(found)) != 1:
            raise InvalidError(
                f"config.json says {name}: {_short(value)}, which is no number of it"
            )
        return found[0]

    def each(self, layers: int, *names: str, default: int) -> list[int]:
        """Return a number for every layer, of a list or of one that holds for all of them."""
        name, value = self.find(*names)
        if value is None:
            return [default] * layers
        found = numbers(value)
        if not found:
            raise InvalidError(
                f"config.json says {name}: {_short(value)}, which is no number of it"
            )
        if not isinstance(value, list) or len(set(found)) == 1:
            return [found[0]] * layers
        if len(found) < layers:
            self.note(
                f"config.json says {name} for {len(found)} of {layers} layers: the largest is taken"
            )
        return (found + [max(found)] * layers)[:layers]

    def adjusted(self, width: int) -> int:
        """Return the width of a dense feed-forward as the code of LFM2 makes it of the stated one."""
        if self.any("block_auto_adjust_ff_dim") is not True:
            return width
        factor = self.any("block_ffn_dim_multiplier")
        width = int(int(2 * width / 3) * (factor if isinstance(factor, int | float) else 1))
        step = self.number("block_multiple_of", default=256) or 1
        return -(-width // step) * step

    @property
    def widths(self) -> tuple[str, ...]:
        """Return the names of a dense feed-forward's width; one of Llama 4 is that of experts."""
        return WIDTH[:1] if self.model_type == "llama4_text" else WIDTH

    @property
    def tied(self) -> bool:
        """Whether the embedding is the output layer, too."""
        own = self.values.get("tie_word_embeddings")
        return bool(self._defaults.get("tied")) if own is None else own is True

    def section(self, name: str) -> dict[str, Any]:
        """Return a nested section, or an empty one."""
        found = self.values.get(name)
        return _present(found) if isinstance(found, dict) else {}

    def all_notes(self) -> tuple[str, ...]:
        """Return what was supposed, in sentences."""
        left = ", ".join(f"{name} {_short(value)}" for name, value in sorted(self.supposed.items()))
        text = f"config.json leaves out what the class of {self.model_type} sets: {left} was taken"
        return (*self.notes, *([text] if left else []))


def numbers(value: Any) -> list[int]:
    """Return the whole numbers of a value or of a list; nothing when one is none."""
    found = value if isinstance(value, list) else [value]
    whole = [int(n) if isinstance(n, float) and n.is_integer() else n for n in found]
    good = all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 10**9 for n in whole)
    return whole if good else []


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:56] + " ..."


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
    hidden = read.number(*HIDDEN)
    attends = read.model_type not in ("mamba", "mamba2", "falcon_mamba")
    heads = read.number(*HEADS, default=None if attends else 1)
    if not hidden or not heads:
        raise InvalidError("config.json describes a model without hidden size or attention heads")
    dim = read.number("head_dim", "attention_head_dim", "kv_channels", default=0)
    if not dim and read.model_type.startswith(_STATED) and not read.any("kv_lora_rank"):
        dim = max(hidden // heads, 128)
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
    lengths = {name: len(read.values[name]) for name in PATTERNS if _sized(read.values.get(name))}
    if read.any(*LAYERS) is None and lengths:
        return max(lengths.values())
    return read.number(*LAYERS)


def _sized(value: Any) -> bool:
    return isinstance(value, list | str) and len(value) > 0


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
        read.note("config.json names no longest context: 131072 tokens were taken")
    rope = read.any("rope_scaling", "rope_parameters")
    if not isinstance(rope, dict) or read.model_type.startswith("gemma3"):
        return longest
    kind = str(rope.get("rope_type") or rope.get("type") or "default")
    factor = rope.get("factor")
    if kind in _STRETCHED or not isinstance(factor, int | float) or not 1 <= factor <= 1000:
        return longest
    return int(longest * factor)


_SIZES = frozenset([*HIDDEN, *HEADS, *LAYERS, *KV_HEADS, *WIDTH, *CONTEXT, *PATTERNS, "head_dim",
    "vocab_size", "kv_lora_rank", "n_routed_experts", "num_experts", "num_local_experts",
    "moe_intermediate_size", "qk_rope_head_dim", "sliding_window"])  # fmt: skip
