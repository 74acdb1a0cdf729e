# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A language model as what it asks of a host: weights, cache, what can be divided (private, pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import TypedDict, cast

from .._core.data import Data
from .._core.errors import InvalidError
from . import quantisation as quantising
from . import weights
from .fields import Fields
from .hf_config import Reader
from .layers import Layer, layers_of
from .shape import Shape, shape_of
from .state_layers import state_of

# vLLM's cache comes in blocks of this many tokens.
BLOCK = 16
# Latent attention that vLLM unpacks: it keeps keys and values of every head.
NOT_LATENT = ("minicpm3",)
# What loading adds to the bytes on disk: kernels pad gpt-oss-120b from 60.8 to 64.4 GiB,
# https://github.com/vllm-project/vllm/issues/33155
PADDED = {"mxfp4": 1.07}


@dataclass(frozen=True)
class Cache:
    """What layers of one kind keep: ``full`` and ``latent`` every token, ``window`` and ``chunk`` the
    last ``window`` ones, ``state`` one record of a sequence. ``width`` counts elements by head.
    """

    kind: str
    layers: int
    heads: int
    width: int
    window: int = 0

    def elements(self, tokens: int, batch: int, ranks: int) -> int:
        """Return the elements on one of ``ranks`` GPUs for a sequence, taken in in batches.

        Heads that are fewer than GPUs are kept by several, and the one latent head by all. Formulas:
        ``max_memory_usage_bytes`` of each class in
        https://github.com/vllm-project/vllm/blob/main/vllm/v1/kv_cache_interface.py
        """
        heads = self.heads if self.kind == "latent" else max(1, self.heads // ranks)
        if self.kind == "state":
            return self.layers * heads * self.width
        kept = {
            "window": self.window
            - 1
            + 2 * batch
            + BLOCK,  # a batch computes, the next is scheduled
            "chunk": self.window + 2 * batch,
        }.get(self.kind, tokens)
        blocks = -(-min(tokens, kept) // BLOCK)
        return self.layers * heads * self.width * blocks * BLOCK


class ModelRow(TypedDict):
    """A model as module results show it."""

    name: str
    architecture: str
    parameters: int
    weight_bytes: int
    weights_from: str
    dtype: str
    quantization: str | None
    hidden: int
    heads: int
    kv_heads: int
    active_width: int
    vocab: int
    max_context: int
    caches: list[dict[str, str | int]]
    notes: list[str]
    cache_bytes_per_token: int
    cache_bytes_per_token_beyond_window: int


@dataclass(frozen=True)
class Model:
    """A model: bytes of weights as they are loaded, widths in elements, contexts in tokens."""

    name: str
    architecture: str
    parameters: int
    weight_bytes: int
    weights_from: str
    dtype: str
    quantization: str | None
    hidden: int
    heads: int
    kv_heads: int
    active_width: int
    vocab: int
    max_context: int
    caches: tuple[Cache, ...]
    notes: tuple[str, ...] = ()

    def cache_bytes_per_token(self, *kinds: str) -> int:
        """Return the bytes of cache at 16 bits that a token takes in layers of these kinds."""
        return 2 * sum(c.layers * c.heads * c.width for c in self.caches if c.kind in kinds)

    def as_dict(self) -> ModelRow:
        """Return the model as module results show it, and as :func:`model_from` reads it."""
        short = self.cache_bytes_per_token("full", "latent", "window", "chunk")
        found = {
            **asdict(self),
            "cache_bytes_per_token": short,
            "cache_bytes_per_token_beyond_window": self.cache_bytes_per_token("full", "latent"),
        }
        return cast(ModelRow, found)


def model_from(data: Data) -> Model:
    """Return the model of a dictionary: what ``model_info`` returns, or a config.json itself.

    A config.json may also be given as ``config``, with ``name`` and ``weight_bytes``. Raises
    InvalidError for anything else.
    """
    if not isinstance(data, dict):
        raise InvalidError(f"A model is a dictionary, not {type(data).__name__}")
    if "problem" in data:
        raise InvalidError(f"{data.get('name')} could not be read: {data['problem']}")
    if isinstance(data.get("config"), dict):
        size = data.get("weight_bytes")
        return model_of(data["config"], str(data.get("name") or ""), file_bytes=size)
    if "caches" not in data:
        return model_of(data)
    try:
        caches = tuple(Cache(**row) for row in data["caches"])
        given = {
            field.name: data[field.name]
            for field in fields(Model)
            if field.name not in ("caches", "notes")
        }
    except (TypeError, KeyError) as error:
        raise InvalidError(
            f"This is not a model as gpuops.cloud.model_info returns it: {error}"
        ) from None
    return Model(**given, caches=caches, notes=tuple(data.get("notes") or ()))


def model_of(
    config: dict[str, Data],
    name: str = "",
    *,
    file_bytes: int | None = None,
    quantization: str | None = None,
) -> Model:
    """Return the model that a config.json describes.

    ``file_bytes`` is what its weights take on disk, and better than any arithmetic. ``quantization``
    is vLLM's setting of that name, for weights that are quantised while they are loaded.
    """
    read, named = Reader(config), config.get("architectures")
    shape = shape_of(read)
    layers = layers_of(read, shape)
    caches = _caches(read, shape, layers)
    active = weights.active_width(read, shape)
    dtype = str(read.any("torch_dtype", "dtype") or "bfloat16").removeprefix("torch.")
    stored = _stored(read, file_bytes, quantization)
    used = stored or quantising.quantisation_of(Fields(config), quantization)
    needs_files = bool(file_bytes) and used == stored
    parts = _parts(read, shape, layers, file_bytes, noted=not needs_files)
    if needs_files and file_bytes:
        needed, source = (file_bytes // 2 if dtype == "float32" else file_bytes), "files"
    else:
        needed = quantising.bytes_of(parts, dtype, used, _spread(layers))
        source = "arithmetic"
    needed = round(needed * PADDED.get(used.method if used else "", 1))
    return Model(
        name=name or str(config.get("_name_or_path") or read.model_type),
        architecture=str(named[0]) if isinstance(named, list) and named else read.model_type,
        parameters=sum(parts.values()),
        weight_bytes=needed,
        weights_from=source,
        dtype=dtype,
        quantization=used.method if used else None,
        hidden=shape.hidden,
        heads=shape.heads,
        kv_heads=max((layer.kv_heads for layer in layers if layer.attends), default=shape.kv_heads),
        active_width=active,
        vocab=shape.vocab,
        max_context=shape.max_context,
        caches=caches,
        notes=read.all_notes(),
    )


def _stored(
    read: Reader, file_bytes: int | None, wished: str | None
) -> quantising.Quantisation | None:
    """Return how the weights are stored; an unknown way will do when the files have a size."""
    try:
        return quantising.quantisation_of(Fields(read.config))
    except InvalidError:
        if not file_bytes or wished:
            raise
    found = quantising.unknown(Fields(read.config))
    read.note(
        f"The quantisation {found.method!r} is not known here: the size of the files was taken"
    )
    return found


def _parts(
    read: Reader, shape: Shape, layers: list[Layer], file_bytes: int | None, *, noted: bool
) -> dict[str, int]:
    """Return the parameters by part; where the files say the bytes, without notes about them."""
    before = list(read.notes), dict(read.supposed)
    try:
        return weights.parameters(read, shape, layers)
    except InvalidError:
        if not file_bytes:
            raise
        return {"other": file_bytes // 2}  # of an unknown kind: two bytes each
    finally:
        if not noted:
            read.notes, read.supposed = before


def _spread(layers: list[Layer]) -> dict[str, int]:
    """Return how many layers have each part."""
    return {
        "attention": sum(layer.attends for layer in layers),
        "state": sum(layer.has_state for layer in layers),
        "mlp": sum(layer.width > 0 for layer in layers),
        "shared": sum(layer.sparse for layer in layers),
        "experts": sum(layer.sparse for layer in layers),
    }


def _caches(read: Reader, shape: Shape, layers: list[Layer]) -> tuple[Cache, ...]:
    """Return what the layers keep, those that keep the same together."""
    found: Counter[Cache] = Counter()
    for layer in layers:
        if layer.attends and layer.keeps:
            found[_cache(read, layer)] += 1
        if layer.has_state:
            found[_state(read, shape)] += 1
    rows = [Cache(**{**asdict(one), "layers": count}) for one, count in found.items()]
    order = ("full", "latent", "window", "chunk", "state")
    return tuple(sorted(rows, key=lambda row: order.index(row.kind)))


def _cache(read: Reader, layer: Layer) -> Cache:
    """Return the cache of one layer with attention."""
    if read.number("kv_lora_rank", default=0) and read.model_type not in NOT_LATENT:
        width = read.number("kv_lora_rank") + read.number("qk_rope_head_dim")
        index = read.number("index_head_dim", default=0) if layer.indexed else 0
        if index:  # keys of sparse attention's index, in 8 bits with a scale of 32
            width += (index + 4 * -(-index // 128)) // 2
        return Cache("latent", 1, 1, width)
    kind = layer.kind if layer.kind in ("window", "chunk") else "full"
    width = layer.head_dim + layer.value_dim
    if read.number("kv_lora_rank", default=0):  # unpacked: keys like queries, and values as wide
        width = 2 * (read.number("qk_nope_head_dim") + read.number("qk_rope_head_dim"))
    return Cache(kind, 1, layer.kv_heads, width, layer.window)


def _state(read: Reader, shape: Shape) -> Cache:
    """Return what a layer with a state keeps, in elements of 16 bits though it is often 32: hence 2.

    A kind of state that nobody knows counts as full attention.
    """
    state = state_of(read, shape.hidden)
    if state is None:
        read.note(
            f"layers of {read.model_type} have a state of a kind that is not known here: "
            "they count as full attention"
        )
        return Cache("full", 1, shape.kv_heads, 2 * shape.head_dim)
    each = 2 * state.elements + -(-state.filtered // max(state.heads, 1))
    return Cache("state", 1, state.heads, each)
