# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A language model as what it asks of a machine: weights, cache, what can be divided (private, pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import Any

from . import _model_weights as weights
from ._errors import InvalidError
from ._model_config import Reader, Shape, layer_kinds, shape_of

# vLLM's cache comes in blocks of this many tokens.
BLOCK = 16
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

    def cache_bytes_per_token(self, *kinds: str) -> int:
        """Return the bytes of cache at 16 bits that a token takes in layers of these kinds."""
        return 2 * sum(c.layers * c.heads * c.width for c in self.caches if c.kind in kinds)

    def as_dict(self) -> dict[str, Any]:
        """Return the model as module results show it, and as :func:`model_from` reads it."""
        short = self.cache_bytes_per_token("full", "latent", "window", "chunk")
        return {
            **asdict(self),
            "cache_bytes_per_token": short,
            "cache_bytes_per_token_beyond_window": self.cache_bytes_per_token("full", "latent"),
        }


def model_from(data: Any) -> Model:
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
        given = {field.name: data[field.name] for field in fields(Model) if field.name != "caches"}
    except (TypeError, KeyError) as error:
        raise InvalidError(
            f"This is not a model as gpuops.cloud.model_info returns it: {error}"
        ) from None
    return Model(**given, caches=caches)


def model_of(
    config: dict[str, Any],
    name: str = "",
    *,
    file_bytes: int | None = None,
    quantization: str | None = None,
) -> Model:
    """Return the model that a config.json describes.

    ``file_bytes`` is what its weights take on disk, and better than any arithmetic. ``quantization``
    is vLLM's setting of that name, for weights that are quantised while they are loaded.
    """
    read = Reader(config)
    shape = shape_of(read)
    dtype = str(read.any("torch_dtype", "dtype") or "bfloat16").removeprefix("torch.")
    stored = weights.quantisation_of(config)
    used = stored or weights.quantisation_of(config, quantization)
    try:
        parts = weights.parameters(read, shape)
    except InvalidError:
        if not file_bytes:
            raise
        parts = {"other": file_bytes // 2}  # of an unknown kind: two bytes each
    needed, source = weights.bytes_of(parts, dtype, used), "arithmetic"
    if file_bytes and used == stored:
        needed, source = (file_bytes // 2 if dtype == "float32" else file_bytes), "files"
    needed = round(needed * PADDED.get(used.method if used else "", 1))
    return Model(
        name=name or str(config.get("_name_or_path") or read.model_type),
        architecture=str((config.get("architectures") or [read.model_type])[0]),
        parameters=sum(parts.values()),
        weight_bytes=needed,
        weights_from=source,
        dtype=dtype,
        quantization=used.method if used else None,
        hidden=shape.hidden,
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        active_width=weights.active_width(read, shape),
        vocab=shape.vocab,
        max_context=shape.max_context,
        caches=_caches(read, shape),
    )


def _caches(read: Reader, shape: Shape) -> tuple[Cache, ...]:
    kinds = Counter(layer_kinds(read, shape.layers))
    found = []
    for kind in ("full", "window", "chunk", "state"):
        if not kinds[kind]:
            continue
        if kind == "state":
            found.append(_state(read, kinds[kind]))
        elif read.any("kv_lora_rank"):
            width = read.number("kv_lora_rank") + read.number("qk_rope_head_dim")
            width += read.number("index_head_dim", default=0)  # keys of sparse attention's index
            found.append(Cache("latent", kinds[kind], 1, width))
        else:
            value = read.number("v_head_dim", default=shape.head_dim)
            names = {"window": "sliding_window", "chunk": "attention_chunk_size"}
            window = read.number(names[kind], default=0) if kind in names else 0
            found.append(Cache(kind, kinds[kind], shape.kv_heads, shape.head_dim + value, window))
    return tuple(found)


def _state(read: Reader, layers: int) -> Cache:
    """Return what layers with a state keep, in elements of 16 bits though it is often 32: hence 2."""
    if read.any("linear_num_value_heads"):
        heads = read.number("linear_num_value_heads")
        each = read.number("linear_key_head_dim") * read.number("linear_value_head_dim")
        return Cache("state", layers, heads, 2 * each)
    heads = read.number("mamba_num_heads", "mamba_n_heads", default=1)
    size = read.number("mamba_d_state", "ssm_state_size", default=16)
    inner = read.number("mamba_expand", "expand", default=2) * read.number("hidden_size", "d_model")
    each = read.number("mamba_head_dim", "mamba_d_head", default=inner // max(heads, 1))
    return Cache("state", layers, heads, 2 * each * size)
