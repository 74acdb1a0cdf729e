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

from .._core.data import Data
from .._core.errors import InvalidError
from .config_defaults import defaults_of, is_known
from .fields import Fields, Value

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
    parts: dict[str, Fields] = field(default_factory=dict)
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
        layers = (Fields(part).present().values for part in (config, outer, inner))
        merged = {name: value for part in layers for name, value in part.items()}
        self.outer_type = str(outer.get("model_type") or "")
        own = inner.get("model_type") or outer.get("model_type") or config.get("model_type")
        self.model_type, self._defaults = defaults_of(str(own or ""))
        if not is_known(self.model_type):
            self.note(
                f"model_type {own!r} is not known here: config.json was read by the names of its keys"
            )
        self.values = self._flattened(Fields(merged)).values
        if not inner and not self.values.keys() & {*HIDDEN, *LAYERS, *PATTERNS}:
            raise InvalidError("config.json describes no language model: it names no sizes")
        self.parts = {
            name: Fields(part).present()
            for name, part in {**config, **outer}.items()
            if isinstance(part, dict)
        }

    def _flattened(self, merged: Fields) -> Fields:
        """Return the values with those of nested sections, where the outer ones have none."""
        found = dict(merged.values)
        for name in merged.values:
            if not merged.holds(name) or name in _TEXT_PARTS:
                continue
            section = merged.within(name).present().values
            if name in _SECTIONS:
                found = {**section, **found}
            elif not any(word in name.lower() for word in (*_OTHERS, "thinker_config")):
                new = sorted(_SIZES & section.keys() - merged.values.keys())
                if new:
                    self.note(f"{', '.join(new)} of config.json was read from its section {name}")
                    found = {**{key: section[key] for key in new}, **found}
        return Fields(found)

    def note(self, text: str) -> None:
        """Remember something that had to be supposed, once."""
        if text not in self.notes:
            self.notes.append(text)

    def find(self, *names: str) -> Value:
        """Return the first name that has a value, and the value; else a default of the class."""
        for name in names:
            if name in self.values:
                return Value(name, self.values[name])
        for name in names:
            if name in self._defaults:
                self.supposed[name] = self._defaults[name]
                return Value(name, self._defaults[name])
        return Value(names[0], None)

    def knows(self, *names: str) -> bool:
        """Tell whether the file or the class has a value under one of these names, without a note."""
        usual = next((self._defaults[name] for name in names if name in self._defaults), 0)
        return bool(self.any(*names) or usual)

    def any(self, *names: str) -> Data:
        """Return the value of the first name that the file has, or None."""
        return next((self.values[name] for name in names if name in self.values), None)

    def number(self, *names: str, default: int | None = None) -> int:
        """Return a whole number, also from a list of equal ones.

        Raises InvalidError without it, or for anything else, and names the key that the file has.
        """
        value = self.find(*names)
        if value.is_missing and default is not None:
            return default
        if value.is_missing:
            raise InvalidError(f"config.json names no {' or '.join(names)}")
        found = value.numbers()
        if not found or len(set(found)) != 1:
            raise InvalidError(
                f"config.json: {value.name} must be a positive number (got {value.short()})"
            )
        return found[0]

    def each(self, layers: int, *names: str, default: int) -> list[int]:
        """Return a number for every layer, of a list or of one that holds for all of them."""
        value = self.find(*names)
        name = value.name
        if value.is_missing:
            return [default] * layers
        found = value.numbers()
        if not found:
            raise InvalidError(
                f"config.json: {name} must be a positive number (got {value.short()})"
            )
        if not value.is_list or len(set(found)) == 1:
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

    def section(self, name: str) -> Fields:
        """Return a nested section, or an empty one."""
        return Fields(self.values).within(name).present()

    def length(self, name: str) -> int:
        """Return how long a list or a text is, 0 for anything else."""
        found = self.values.get(name)
        return len(found) if isinstance(found, list | str) else 0

    def all_notes(self) -> tuple[str, ...]:
        """Return what was supposed, in sentences."""
        supposed = (Value(name, value) for name, value in sorted(self.supposed.items()))
        left = ", ".join(f"{value.name} {value.short()}" for value in supposed)
        text = f"config.json leaves out what the class of {self.model_type} sets: {left} was taken"
        return (*self.notes, *([text] if left else []))


_MORE_SIZES = (
    "head_dim vocab_size kv_lora_rank n_routed_experts num_experts num_local_experts "
    "moe_intermediate_size qk_rope_head_dim sliding_window"
)
_SIZES = frozenset(
    (*HIDDEN, *HEADS, *LAYERS, *KV_HEADS, *WIDTH, *CONTEXT, *PATTERNS, *_MORE_SIZES.split())
)
