# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vLLM can do on a GPU: versions, number formats, memory (private, pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from .._core.errors import InvalidError
from .._hardware import gpus
from .llm import Model

# The version that the role vllm installs, and what its wheel holds code for.
VLLM_VERSION, MIN_CAPABILITY = "0.33.0", "7.5"
# The last version whose wheel held code for a capability that newer ones dropped: CUDA 13 cannot
# compile for it, https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/, vLLM pull request 39878.
LAST_VERSION = {"7.0": "0.19.1", "7.2": "0.19.1"}
BFLOAT16, FP8_CACHE = "8.0", "8.9"
# Least capability that loads weights of a kind; below the second one they are unpacked to 16 bits
# in every step, which saves memory but computes no faster. ``get_min_capability`` of the classes in
# https://github.com/vllm-project/vllm/tree/main/vllm/model_executor/layers/quantization
QUANTISED = {
    "fp8": ("7.5", "8.9"),
    "fbgemm_fp8": ("8.0", "8.9"),
    "mxfp4": ("8.0", "10.0"),
    "nvfp4": ("8.0", "10.0"),
}
# Part of the nominal memory that CUDA offers. vLLM's logs say 79.22 of 80 GiB for H100; L40S keeps a
# sixteenth for error correction, 44.4 of 48. Of what nvidia-smi reports CUDA keeps a little, too.
OFFERED, OFFERED_BY, OFFERED_OF_MEASURED = 0.98, {"L40S": 0.92}, 0.985


class GpuRow(TypedDict, total=False):
    """A GPU as somebody has it: an offer's, or one of the fact gpuops_gpus."""

    name: str
    memory_mb: float | str
    compute_cap: str
    mig: str | None
    gpu_model: str
    gpu_count: int
    vram_gb_each: float


@dataclass(frozen=True)
class Gpu:
    """One kind of GPU: nominal memory in GB, the memory that CUDA offers in GiB, capability if known."""

    model: str
    vram_gb: float
    memory_gib: float
    capability: str | None

    def __str__(self) -> str:
        return f"{self.model} {self.vram_gb:g} GB"


def nominal(model: str, vram_gb: float) -> Gpu:
    """Return a GPU by the memory it is sold with."""
    share = OFFERED_BY.get(model, OFFERED)
    return Gpu(model, vram_gb, vram_gb * share, gpus.compute_capability(model))


def measured(name: str, memory_mb: float, capability: str) -> Gpu:
    """Return a GPU by what nvidia-smi says: its name, its memory in MiB, its compute capability."""
    plain = name.upper().replace("-", " ").split()
    tails = (" ".join(plain[i : i + n]) for n in (4, 3, 2, 1) for i in range(len(plain)))
    model = next((key for tail in tails if (key := gpus.model_key(tail))), name)
    gib = memory_mb / 1024
    known = capability if re.fullmatch(r"\d+\.\d+", capability) else None
    return Gpu(model, round(gib), gib * OFFERED_OF_MEASURED, known)


def gpus_from(asked: Iterable[str | GpuRow] | None) -> list[Gpu]:
    """Return kinds of GPUs from names such as ``A100 40``, offers, or rows of the fact gpuops_gpus.

    Without any, all that are known, best first. Raises InvalidError for what names no GPU.
    """
    if asked is None:
        return [nominal(model.key, size) for model in gpus.MODELS for size in model.vram_gb]
    found = [gpu for row in asked for gpu in _gpus_of(row)]
    return list(dict.fromkeys(found))


def gpu_from(row: GpuRow) -> Gpu:
    """Return the GPU of a row of gpuops_gpus; raises InvalidError for anything else.

    Of one that MIG divides the memory is not known: a server gets a part of it.
    """
    try:
        divided = str(row.get("mig") or "").lower() == "enabled"
        memory = 0.0 if divided else float(row["memory_mb"])
        return measured(str(row["name"]), memory, str(row["compute_cap"]))
    except (AttributeError, TypeError, KeyError, ValueError):
        raise InvalidError(f"Expected an item of gpuops_gpus, not {row!r}") from None


def _gpus_of(row: str | GpuRow) -> list[Gpu]:
    if isinstance(row, str):
        return _named(row)
    try:
        if "memory_mb" in row:
            return [gpu_from(row)]
        return [nominal(row["gpu_model"], float(row["vram_gb_each"]))] if row["gpu_count"] else []
    except (TypeError, KeyError, ValueError):
        raise InvalidError(
            f"Expected a GPU name, an offer or an item of gpuops_gpus, not {row!r}"
        ) from None


def _named(text: str) -> list[Gpu]:
    """Return the GPUs of a name, or the one with the memory that the name ends with."""
    words = text.upper().replace("_", " ").replace("GB", " ").split()
    last = words[-1] if words[1:] and words[-1].isdigit() else ""
    for name, size in ((" ".join(words), ""), (" ".join(words[:-1]), last)):
        model = next((m for m in gpus.MODELS if m.key == gpus.model_key(name)), None)
        if model:
            return [nominal(model.key, gb) for gb in ((float(size),) if size else model.vram_gb)]
    known = ", ".join(model.key for model in gpus.MODELS)
    raise InvalidError(f"Unknown GPU {text!r}", hint=f"Known: {known}.")


def at_least(capability: str | None, least: str) -> bool:
    """Compare compute capabilities; one that nobody knows belongs to a new GPU."""
    return capability is None or _parts(capability) >= _parts(least)


def _parts(capability: str) -> tuple[int, ...]:
    return tuple(int(part) for part in capability.split("."))


def unsupported(gpu: Gpu, version: str = VLLM_VERSION) -> str | None:
    """Return why a version of vLLM does not run on a GPU, with the one that did."""
    if at_least(gpu.capability, MIN_CAPABILITY):
        return None
    last = LAST_VERSION.get(gpu.capability or "")
    return (
        f"vLLM {version} holds no code for {gpu} (compute capability {gpu.capability}, it needs "
        f"{MIN_CAPABILITY}): "
        + (
            f"the last version that did is {last}, which has an API-key bypass (CVE-2026-48746)"
            if last
            else "no version that this collection knows did"
        )
    )


def refusal(gpu: Gpu, model: Model, dtype: str, kv_cache_dtype: str) -> str | None:
    """Return why a GPU cannot serve a model at all, or None."""
    why = unsupported(gpu)
    if why:
        return why
    least = QUANTISED.get(model.quantization or "", (MIN_CAPABILITY,))[0]
    wants = (
        (f"weights in {model.quantization}", least),
        (f"dtype {dtype}", BFLOAT16 if dtype == "bfloat16" else MIN_CAPABILITY),
        (
            f"a cache in {kv_cache_dtype}",
            FP8_CACHE if kv_cache_dtype.startswith("fp8") else MIN_CAPABILITY,
        ),
    )
    for what, capability in wants:
        if not at_least(gpu.capability, capability):
            return f"{what} needs compute capability {capability}, and {gpu} has {gpu.capability}"
    return None


def dtype(gpu: Gpu, model: Model, wished: str = "auto") -> str:
    """Return the type that vLLM computes in: the model's own, unless the GPU has no bfloat16."""
    if wished not in ("auto", ""):
        return {"half": "float16", "float": "float32"}.get(wished, wished)
    own = model.dtype if model.dtype in ("float16", "bfloat16") else "bfloat16"
    return own if at_least(gpu.capability, BFLOAT16) else "float16"


def emulated(gpu: Gpu, model: Model) -> bool:
    """Tell whether quantised weights are unpacked in every step, for want of hardware."""
    _least, native = QUANTISED.get(model.quantization or "", (MIN_CAPABILITY, MIN_CAPABILITY))
    return not at_least(gpu.capability, native)


def default_batch(gpu: Gpu) -> int:
    """Return vLLM's max-num-batched-tokens for a server on this GPU.

    ``get_batch_defaults`` in https://github.com/vllm-project/vllm/blob/main/vllm/engine/arg_utils.py
    """
    if gpu.memory_gib >= 160:
        return 16384
    return 8192 if gpu.memory_gib >= 70 and gpu.model != "A100" else 2048


def default_sequences(gpu: Gpu) -> int:
    """Return vLLM's max-num-seqs for a server on this GPU; the source is the same."""
    return 1024 if gpu.memory_gib >= 70 and gpu.model != "A100" else 256
