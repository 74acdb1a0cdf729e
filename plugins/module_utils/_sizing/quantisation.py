# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many bytes parameters take: quantised ones, and what is left as it was (private, pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import InvalidError
from .fields import Fields

# Bits with the scales: groups of 128 weights with 16 bits of scale and 4 of zero point (AWQ, GPTQ), of
# 32 with 8 (MXFP4, https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf),
# of 16 with 8 (NVFP4), of 64 with 8 (NF4 with double quantisation, https://arxiv.org/abs/2305.14314).
_GROUP = {"bitsandbytes": 64, "torchao": 32}
_SCALE = {"compressed-tensors": 16, "bitsandbytes": 8, "torchao": 32}
MXFP4, NVFP4, FP8 = 4.25, 4.5, 8.0
_ALGORITHMS = {
    "NVFP4": NVFP4, "NVFP4_AWQ": NVFP4, "W4A16_NVFP4": NVFP4, "MXFP4": MXFP4, "W4A8_MXFP4_FP8": MXFP4,
    "FP8": FP8, "FP8_PB_WO": FP8, "FP8_PER_CHANNEL_PER_TOKEN": FP8, "MXFP8": 8.25, "W8A8_SQ_PER_CHANNEL": 8.0,
    "INT8": 8.0, "W4A16_AWQ": 4.16, "INT4_AWQ": 4.16, "W4A8_AWQ": 4.16,
}  # fmt: skip
# Elements of 32 bits are loaded as 16: "auto" of vLLM's dtype.
_BYTES = {"float32": 2, "float16": 2, "bfloat16": 2, "float8_e4m3fn": 1}
# What is quantised when nothing else is said; embeddings, output and encoders are not.
PARTS = ("attention", "state", "mlp", "shared", "experts")
_PART_WORDS = {
    "state": ("linear_attn", "mamba", "conv", "mixer"),
    "attention": ("attn", "attention", "mixer"),
    "shared": ("shared",),
    "experts": ("expert", "moe", "mixer"),
    "mlp": ("mlp", "ffn", "feed_forward", "mixer"),
    "output": ("lm_head", "output"),
}


@dataclass(frozen=True)
class Quantisation:
    """How weights are stored: method, bits of each weight with its scales, and of single parts.

    ``kept`` are the patterns of modules that stay as they were.
    """

    method: str
    bits: float
    own: dict[str, float] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    known: bool = True

    def of(self, part: str) -> float | None:
        """Return the bits of a weight of a part, or None when it is not quantised."""
        return self.own.get(part, self.bits if part in PARTS else None) or None


def stored_quantisation(config: Fields) -> Fields:
    """Return what a configuration says about quantisation, in its text part, too."""
    inner = (config.within(name) for name in ("text_config", "llm_config", "thinker_config"))
    for part in (config, *inner):
        for name in ("quantization_config", "compression_config"):
            if found := part.within(name):
                return found
    return Fields()


def quantisation_of(config: Fields, wished: str | None = None) -> Quantisation | None:
    """Return how the weights are stored, or would be with vLLM's setting ``quantization``."""
    stored = stored_quantisation(config)
    method = (stored.text("quant_method") or wished or "").lower().removesuffix("_marlin")
    if stored and not method:
        method = "modelopt" if _algorithm(stored) else "a method without a name"
    if not method or method in ("none", "auto"):
        return None
    kept = tuple(_kept(stored))
    if method == "mxfp4":
        return Quantisation(method, 0, {"experts": MXFP4})
    if method.startswith("modelopt") or "fp4" in method:
        return _modelopt(stored, method, kept)
    groups = _groups(stored)
    if groups:
        return _grouped(method, groups, kept)
    bits = _stored_bits(stored, method)
    own = {"experts": MXFP4} if config.text("expert_dtype") == "fp4" else {}
    return Quantisation(method, bits, own, kept)


def unknown(config: Fields) -> Quantisation:
    """Return a quantisation of which only the name is known: it saves nothing."""
    method = stored_quantisation(config).shown("quant_method").lower()
    return Quantisation(method, 16, known=False)


def _algorithm(stored: Fields) -> str:
    nested = stored.within("quantization")
    return (stored.text("quant_algo") or nested.text("quant_algo")).upper()


def _kept(stored: Fields) -> Iterable[str]:
    for place in (stored, stored.within("quantization")):
        for name in ("ignore", "exclude_modules", "modules_to_not_convert", "exclude"):
            yield from place.texts(name)


def _modelopt(stored: Fields, method: str, kept: tuple[str, ...]) -> Quantisation:
    """Return what NVIDIA's Model Optimizer wrote."""
    algorithm = _algorithm(stored)
    if algorithm == "MIXED_PRECISION" and stored.holds("quantized_layers"):
        own = _by_layer(stored.within("quantized_layers"))
        four = min((bits for bits in own.values() if bits), default=16) < 5
        return Quantisation("nvfp4" if four else "fp8", 0, own, kept)
    if not algorithm and "fp4" in method:
        algorithm = "NVFP4"
    groups = _groups(stored)
    if groups and algorithm not in _ALGORITHMS:
        found = _grouped("fp8", groups, kept)
        return Quantisation(
            "nvfp4" if min(found.bits or 16, *found.own.values(), 16) < 5 else "fp8",
            found.bits, found.own, kept,
        )  # fmt: skip
    bits = _ALGORITHMS.get(algorithm)
    if bits is None:
        raise InvalidError(f"The quantisation {method!r} with {algorithm!r} is not known here")
    names = {"NVFP4": "nvfp4", "FP8": "fp8", "MXFP8": "fp8"}
    return Quantisation(
        names.get(algorithm, "nvfp4" if "FP4" in algorithm else algorithm.lower()), bits, {}, kept
    )


def _by_layer(layers: Fields) -> dict[str, float]:
    """Return the most bits of each part, of a table that names every matrix."""
    own = dict.fromkeys(PARTS, 0.0)
    for name in layers.values:
        how = layers.within(name).shown("quant_algo") if layers.holds(name) else layers.shown(name)
        algorithm = how.upper()
        for part in _parts_of(name):
            own[part] = max(own.get(part, 0), _ALGORITHMS.get(algorithm, 16))
    return own


def _groups(stored: Fields) -> list[tuple[float, list[str]]]:
    """Return bits and targets of each group of compressed-tensors."""
    found = []
    for group in stored.within("config_groups").parts():
        weights = group.within("weights")
        bits = weights.number("num_bits")
        if bits is None or not 1 <= bits <= 16:
            got = repr(weights.values.get("num_bits"))
            raise InvalidError(
                f"config.json: num_bits of config_groups must be a positive number (got {got})"
            )
        size = weights.number("group_size") or 128
        scale = 8 if bits == 4 and weights.text("type") == "float" else 16
        plain = bits + (scale / size if bits < 8 and size > 0 else 0)
        found.append((plain, group.texts("targets") or ["Linear"]))
    return found


def _grouped(
    method: str, groups: list[tuple[float, list[str]]], kept: tuple[str, ...]
) -> Quantisation:
    """Return one of several groups: of each part the most bits of those that name it."""
    general = [bits for bits, targets in groups if "Linear" in targets]
    own: dict[str, float] = {}
    for bits, targets in groups:
        for part in {part for target in targets for part in _parts_of(target)}:
            own[part] = max(own.get(part, 0), bits)
    if not general:
        own = {**dict.fromkeys(PARTS, 0.0), **own}
    return Quantisation(method, max(general, default=0), own, kept)


def _stored_bits(stored: Fields, method: str) -> float:
    """Return the bits of a weight with scales; raises InvalidError for an unknown method."""
    if "fp8" in method or "int8" in method or stored.says("load_in_8bit"):
        return 8
    told = stored.values
    bits: Any = told.get("bits") or told.get("w_bit") or told.get("weight_bits")
    if bits is None and (stored.says("load_in_4bit") or not stored or method == "awq"):
        bits = 4 if method in ("awq", "gptq", "bitsandbytes", "compressed-tensors") else None
    if bits is None and method == "torchao":
        text = stored.shown("quant_type").lower()
        bits = 4 if "int4" in text else 8 if "int8" in text or "float8" in text else None
    if bits is None and method == "bitsandbytes":
        bits = 8
    if not isinstance(bits, int | float) or isinstance(bits, bool) or not 1 <= bits <= 16:
        raise InvalidError(f"The quantisation {method!r} is not known here")
    size = told.get("group_size") or told.get("q_group_size") or _GROUP.get(method, 128)
    scale = _SCALE.get(method, 20)
    return bits + (scale / size if bits < 8 and isinstance(size, int) and size > 0 else 0)


def _parts_of(name: str) -> list[str]:
    """Return the parts that the name or the pattern of a module touches."""
    low = name.lower().removeprefix("re:")
    if re.search(
        r"norm|bias|embed|vis(ion|ual)|router|multi_modal|projector|(^|[._])gate[.*$]*$|_gate[.*$]*$",
        low,
    ):
        return []
    if re.fullmatch(r".*layers?\\?\.(\d+|\*)(\\?\.)?[.*]*", low):
        return list(PARTS)
    found = [part for part, words in _PART_WORDS.items() if any(word in low for word in words)]
    if "state" in found and "mixer" not in low:
        found = ["state"]
    if "shared" in found:
        found = ["shared"]
    if found == ["experts", "mlp"]:
        return ["experts"]
    # All of a feed-forward: in a layer with experts they are meant, too.
    return [*found, "shared", "experts"] if found == ["mlp"] and "_proj" not in low else found


def _left_alone(quantised: Quantisation, spread: dict[str, int]) -> dict[str, float]:
    """Return which share of each part stays as it was, by the layers that the patterns name."""
    layers: dict[str, set[str]] = {}
    for pattern in quantised.kept:
        number = re.search(r"(?:layers?|h|blocks?)\\?\.(\d+)", pattern)
        for part in _parts_of(pattern):
            layers.setdefault(part, set()).add(number.group(1) if number else "*")
    return {
        part: 1.0 if "*" in named else min(1.0, len(named) / max(spread.get(part, 1), 1))
        for part, named in layers.items()
    }


def bytes_of(
    parts: dict[str, int], dtype: str, quantised: Quantisation | None, spread: dict[str, int]
) -> int:
    """Return the bytes of the weights: what is not quantised keeps the model's own type.

    ``spread`` counts the layers that have a part.
    """
    plain = _BYTES.get(dtype, 2)
    alone = _left_alone(quantised, spread) if quantised else {}
    total = 0.0
    for part, count in parts.items():
        bits = quantised.of(part) if quantised else None
        kept = alone.get(part, 0.0) if bits else 1.0
        total += count * (kept * plain + (1 - kept) * (bits or 0) / 8)
    return round(total)
