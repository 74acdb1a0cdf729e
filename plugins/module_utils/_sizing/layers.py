# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each layer of a model is: how it looks at other tokens, and its feed-forward (private, pure).

Configurations say it in patterns of many forms. A kind of attention that nobody knows here counts as
full attention, which keeps the most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .._core.errors import InvalidError
from .experts import feeds_of
from .fields import Fields, Value
from .hf_config import HIDDEN, KV_HEADS, Reader
from .shape import Shape
from .state_layers import state_of

# Parts of the names of layers, in the order in which they decide.
_WORDS = (
    ("both", ("hybrid", "parallel")),
    ("window", ("sliding", "window", "local", "swa")),
    ("chunk", ("chunk",)),
    (
        "state",
        ("mamba", "linear_att", "conv", "recurrent", "rwkv", "ssm", "delta", "kda", "lightning"),
    ),
    ("full", ("attention", "attn")),
    ("none", ("moe", "mlp", "ffn")),
)
_SIGNS = {"*": "full", "M": "state", "E": "none", "-": "none"}  # of Nemotron-H
# All layers of these classes are of one kind.
_WHOLE = {"mamba": "state", "mamba2": "state", "falcon_mamba": "state", "falcon_h1": "both"}
# Patterns that classes have without saying so: each so-many-th layer attends to everything.
_WINDOWED = {
    "gemma2": 2, "gemma3_text": 6, "cohere2": 4, "gpt_oss": 2, "olmo3": 4, "exaone4": 4,
    "vaultgemma": 2, "gemma3n_text": 5, "gemma4_text": 6, "afmoe": 4,
}  # fmt: skip
_LINEAR = {"qwen3_next": 4, "qwen3_5_text": 4, "qwen3_5_moe_text": 4}
# Without a pattern every layer of these has the window that the configuration names.
_ALL_WINDOWED = (
    "mistral",
    "mixtral",
    "phi3",
    "starcoder2",
    "qwen2",
    "qwen2_moe",
    "qwen3",
    "phimoe",
)


@dataclass(frozen=True)
class Layer:
    """One layer: ``kind`` is full, window, chunk, state, both (full and state) or none.

    ``extra`` counts parameters of what stands in the place of attention or feed-forward; ``keeps`` tells
    whether it has a cache of its own, and ``indexed`` whether it has an index for sparse attention.
    """

    kind: str
    heads: int
    kv_heads: int
    head_dim: int
    value_dim: int
    window: int
    sparse: bool
    width: int
    keeps: bool = True
    indexed: bool = True
    extra: int = 0

    @property
    def attends(self) -> bool:
        return self.kind not in ("state", "none")

    @property
    def has_state(self) -> bool:
        return self.kind in ("state", "both")


def layers_of(read: Reader, shape: Shape) -> list[Layer]:
    """Return the layers of the text model."""
    count = shape.layers
    kinds = _kinds(read, count)
    feeds = feeds_of(read, kinds)
    heads = read.each(count, *KV_HEADS, default=shape.heads)
    if shape.kv_heads == 1:
        heads = [1] * count
    widths = [read.adjusted(w) for w in read.each(count, *read.widths, default=shape.intermediate)]
    blocks, indexes = read.any("block_configs"), read.any("indexer_types")
    indexes = indexes if isinstance(indexes, list) else []
    shared = count - read.number("num_kv_shared_layers", default=0)
    found = []
    for i, kind in enumerate(kinds):
        block = blocks[i] if isinstance(blocks, list) and i < len(blocks) else {}
        layer = _layer(read, shape, kind, heads[i], widths[i] if "dense" in feeds[i] else 0)
        layer = replace(layer, sparse="experts" in feeds[i], keeps=i < shared)
        layer = replace(layer, indexed=indexes[i : i + 1] != ["shared"])
        found.append(
            _of_block(read, shape, layer, Fields(block)) if "attention" in block else layer
        )
        if read.model_type == "longcat_flash":  # two of attention and of dense to each of experts
            found.append(replace(layer, sparse=False))
    return found


def _layer(read: Reader, shape: Shape, kind: str, kv_heads: int, width: int) -> Layer:
    """Return a layer; those with a window, and those without, may have sizes of their own."""
    size = read.number("sliding_window", default=0) if kind == "window" else 0
    size = read.number("attention_chunk_size", default=0) if kind == "chunk" else size
    if kind in ("window", "chunk") and not size:
        kind = "full"
    prefix = "swa_" if kind == "window" else "global_"
    dim = read.number(f"{prefix}head_dim", default=shape.head_dim)
    names = (f"{prefix}num_key_value_heads", "num_global_key_value_heads")
    if kind == "window" and read.any("swa_head_dim", "swa_v_head_dim") and not read.any(names[0]):
        kv_heads = shape.heads
        read.note(f"config.json names no {names[0]}: as many as queries were taken")
    if kind == "full" and read.any(names[1]) and not read.any("global_head_dim"):
        dim = 2 * shape.head_dim
        read.note(f"config.json names no global_head_dim: {dim} was taken")
    return Layer(
        kind=kind,
        heads=read.number(f"{prefix}num_attention_heads", default=shape.heads),
        kv_heads=read.number(*names[: 1 if kind == "window" else 2], default=kv_heads),
        head_dim=dim,
        value_dim=read.number(
            f"{prefix}v_head_dim", default=read.number("v_head_dim", default=dim)
        ),
        window=size,
        sparse=False,
        width=width,
    )


def _of_block(read: Reader, shape: Shape, layer: Layer, block: Fields) -> Layer:
    """Return a layer as ``block_configs`` describes it, as those of Nemotron-NAS."""
    changed: dict[str, Any] = {}
    attention, ffn = block.within("attention").values, block.within("ffn").values
    if attention.get("no_op") or attention.get("replace_with_linear"):
        changed = {"kind": "none", "extra": 0 if attention.get("no_op") else shape.hidden**2}
    elif attention.get("num_key_value_heads"):
        changed["kv_heads"] = attention["num_key_value_heads"]
    elif attention.get("n_heads_in_group"):
        changed["kv_heads"] = shape.heads // attention["n_heads_in_group"]
    changed["width"] = ffn.get("intermediate_size") or 0
    if ffn.get("ffn_mult"):  # rounded up to 256, as the code of the model does
        changed["width"] = -(-int(2 * ffn["ffn_mult"] * shape.hidden / 3) // 256) * 256
    if ffn.get("replace_with_linear"):
        changed["extra"] = changed.get("extra", 0) + shape.hidden**2
    elif not changed["width"] and not ffn.get("no_op"):
        raise InvalidError("block_configs of config.json has a feed-forward without a known width")
    return replace(layer, **changed)


def _kinds(read: Reader, layers: int) -> list[str]:
    """Return for each layer what it keeps of a sequence."""
    for form in _FORMS:
        found = form(read, layers)
        if found:
            break
    else:
        found = ["full"] * layers
        if read.any("swa_num_key_value_heads", "swa_head_dim"):
            read.note(
                "config.json names the sizes of layers with a window, but not which layers these are:"
                " all count as full attention"
            )
        if state_of(read, read.number(*HIDDEN)):
            found = ["both"] * layers
            read.note(
                "config.json names the sizes of a state, but not which layers have one: all count"
            )
    if len(found) < layers:
        read.note(f"config.json says the kind of {len(found)} of {layers} layers: the rest is full")
    return (found + ["full"] * layers)[:layers]


def _whole(read: Reader, layers: int) -> list[str]:
    return [_WHOLE[read.model_type]] * layers if read.model_type in _WHOLE else []


def _named(read: Reader, _layers: int) -> list[str]:
    """Return the kinds of a list of names, under any key that speaks of layers and types."""
    for name, value in read.values.items():
        words = name.lower()
        if not any(
            word in words for word in ("layer_type", "block_type", "layers_type", "attn_type")
        ):
            continue
        if words.startswith(("mlp", "mtp", "ffn", "indexer", "vision", "audio", "moe")):
            continue
        if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
            return [_kind_of(read, one) for one in value]
    return []


def _kind_of(read: Reader, name: str) -> str:
    for kind, words in _WORDS:
        if any(word in name.lower() for word in words):
            return kind
    read.note(
        f"layers of config.json are called {name!r}, which is not known: they count as full attention"
    )
    return "full"


def _signs(read: Reader, _layers: int) -> list[str]:
    pattern = read.any("hybrid_override_pattern")
    return [_SIGNS.get(sign, "full") for sign in pattern] if isinstance(pattern, str) else []


def _blocks(read: Reader, _layers: int) -> list[str]:
    blocks = read.any("block_configs")
    if blocks is None:
        return []
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise InvalidError("block_configs of config.json is no list with a section for each layer")
    return [_kind_of(read, str(block.get("block_type") or "attention")) for block in blocks]


def _flagged(read: Reader, _layers: int) -> list[str]:
    """Return the kinds of a list of zeros and ones."""
    forms = {
        "hybrid_layer_pattern": ("full", "window"),
        "attn_type_list": ("state", "full"),
    }
    if read.any("attention_chunk_size") and read.model_type.startswith("llama4"):
        forms["no_rope_layers"] = ("full", "chunk")
    for name, kinds in forms.items():
        found = Value(name, read.any(name))
        flags = found.numbers() if found.is_list else []
        if flags and set(flags) <= {0, 1}:
            return [kinds[flag] for flag in flags]
    return []


def _listed(read: Reader, layers: int) -> list[str]:
    """Return the kinds where the numbers of the layers with attention are listed."""
    first = 0
    chosen = read.any("attn_layer_indices", "full_attn_idxs")
    if read.section("linear_attn_config"):  # it counts from one
        chosen, first = read.section("linear_attn_config").values.get("full_attn_layers"), 1
    if not isinstance(chosen, list):
        return []
    return ["full" if i + first in chosen else "state" for i in range(layers)]


def _periodic(read: Reader, layers: int) -> list[str]:
    interval = read.number("full_attention_interval", default=_LINEAR.get(read.model_type, 0))
    if interval and read.any("linear_num_value_heads"):
        return _every(interval, layers, "state")
    if read.find("attn_layer_period").says():
        period = read.number("attn_layer_period")
        offset = read.number("attn_layer_offset", default=0)
        return ["full" if i % period == offset else "state" for i in range(layers)]
    if read.model_type == "llama4_text" and read.find("attention_chunk_size").says():
        return _every(read.number("no_rope_layer_interval", default=4) or 4, layers, "chunk")
    return []


def _sliding(read: Reader, layers: int) -> list[str]:
    said = read.any("use_sliding_window")
    if not read.any("sliding_window") or said is False:
        return []
    if said is not True and read.model_type.startswith("qwen"):  # whose classes have to be told
        return []
    pattern = read.any("sliding_window_pattern", "global_attn_every_n_layers")
    if isinstance(pattern, str) and pattern:  # L for local, G for global
        return [("full" if pattern[i % len(pattern)] == "G" else "window") for i in range(layers)]
    interval = pattern if isinstance(pattern, int) else _WINDOWED.get(read.model_type)
    if interval:
        return _every(interval, layers, "window")
    if read.model_type in _ALL_WINDOWED:
        # Layers before max_window_layers have none in the classes that know that key.
        knows = read.model_type.startswith("qwen")
        first = read.number("max_window_layers", default=layers) if knows else 0
        return ["window" if i >= first else "full" for i in range(layers)]
    return []


_FORMS: tuple[Callable[[Reader, int], list[str]], ...] = (
    _whole, _signs, _blocks, _named, _flagged, _listed, _periodic, _sliding,
)  # fmt: skip


def _every(interval: int, layers: int, otherwise: str) -> list[str]:
    """Return layers of which each ``interval``-th attends to everything."""
    return ["full" if (i + 1) % max(interval, 1) == 0 else otherwise for i in range(layers)]
