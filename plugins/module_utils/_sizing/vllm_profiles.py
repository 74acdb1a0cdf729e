# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of ``vllm serve`` for three kinds of use, and what settings ask of a GPU (private, pure).

Sources: the guide https://docs.vllm.ai/en/latest/configuration/optimization.html (a small batch answers
each token sooner, more than 8192 tokens a step serve more of them), and the descriptions of the options,
https://docs.vllm.ai/en/latest/cli/serve.html. What a profile does not name is vLLM's default: 92 % of the
memory, chunked prefill and prefix caching on, batches by the size of the GPU. A test holds the role's
README to these tables.
"""

from __future__ import annotations

import re
from typing import Union

from .._core.data import Data
from .._core.errors import InvalidError
from .._core.numbers import plain
from .fit import UTILIZATION, Demand

_QUEUE = "requests that run or wait; above it clients get 503 and may go elsewhere"
# What an option of vllm serve takes; of lists and of JSON nothing is read here.
Setting = Union[str, float, bool, None, list[str], dict[str, str]]  # noqa: UP007 - as in receivers
Settings = dict[str, Setting]
# Value and reason of each setting. max-num-queued-reqs is the number of sequences and a queue.
PROFILES: dict[str, dict[str, tuple[float | str, str]]] = {
    "balanced": {"max-num-queued-reqs": (2048, _QUEUE)},
    "throughput": {
        "gpu-memory-utilization": (0.95, "nothing else uses the GPU, and more cache serves more"),
        "performance-mode": (
            "throughput",
            "vLLM's own choice of kernels and graphs for many requests",
        ),
        "max-num-batched-tokens": (16384, "large steps use the GPU best; each takes longer"),
        "max-num-queued-reqs": (4096, _QUEUE),
        "stream-interval": (4, "four tokens at a time cost the API server less than each alone"),
    },
    "latency": {
        "gpu-memory-utilization": (0.85, "room for peaks, which would otherwise evict requests"),
        "performance-mode": ("interactivity", "vLLM's own choice of graphs for small batches"),
        "max-num-batched-tokens": (2048, "a long prompt holds the others up for a short step only"),
        "max-num-seqs": (64, "few requests at a time, each of them faster"),
        "max-num-queued-reqs": (256, _QUEUE),
    },
}
# Settings that older versions, which the role still allows, may not know.
QUEUED = "max-num-queued-reqs"
SINCE = {QUEUED: (0, 32)}
# Of a profile, what means nothing without a GPU or its memory.
GPU_SETTINGS = frozenset(
    ("gpu-memory-utilization", "performance-mode", "max-num-batched-tokens", "kv-cache-dtype")
)
_SUFFIXES = {"": 1, "k": 1000, "K": 1024, "m": 1000**2, "M": 1024**2}


def profile_of(name: str) -> dict[str, tuple[float | str, str]]:
    """Return the settings of a profile, each with its reason; raises InvalidError without it."""
    if name not in PROFILES:
        raise InvalidError(f"Unknown profile {name!r}", hint=f"Known: {', '.join(PROFILES)}.")
    return PROFILES[name]


def own_settings(settings: Settings | None) -> Settings:
    """Return the user's settings by their names with hyphens."""
    return {str(key).replace("_", "-"): value for key, value in (settings or {}).items()}


def settings_of(profile: str, settings: Settings | None) -> Settings:
    """Return the settings of a profile under those of the user, by their names with hyphens."""
    by_profile = {name: value for name, (value, _why) in profile_of(profile).items()}
    return {**by_profile, **own_settings(settings)}


def demand_of(
    profile: str = "balanced", settings: Settings | None = None, sequences: int = 1
) -> Demand:
    """Return what settings ask of a host; raises InvalidError for values that vLLM refuses."""
    given = settings_of(profile, settings)
    told = given.get("gpu-memory-utilization")
    share = UTILIZATION if told is None else plain(told) or 0.0
    if not 0 < share <= 1:
        raise InvalidError("gpu-memory-utilization is a share of the memory, above 0 and up to 1")
    if sequences < 1:
        raise InvalidError(f"sequences must be at least 1 (got {sequences})")
    return Demand(
        context=tokens(given, "max-model-len"),
        sequences=sequences,
        dtype=str(given.get("dtype") or "auto"),
        kv_cache_dtype=str(given.get("kv-cache-dtype") or "auto"),
        gpu_memory_utilization=share,
        max_num_seqs=tokens(given, "max-num-seqs"),
        max_num_batched_tokens=tokens(given, "max-num-batched-tokens"),
    )


def tokens(settings: Settings, name: str) -> int | None:
    """Return a number as vLLM reads it (32k is 32,000, 32K is 32,768), None for auto."""
    value = settings.get(name)
    text = "auto" if value is None or isinstance(value, bool) else str(value).strip()
    if text in ("auto", "-1"):
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([kKmM]?)", text)
    number = int(float(match[1]) * _SUFFIXES[match[2]]) if match else 0
    if number < 1:
        raise InvalidError(f"{name}: {value!r} is not a number of tokens or requests")
    return number


def demand_from(model: Data, profile: str, settings: Settings | None) -> Demand:
    """Return what settings ask for; without any, what the model was looked up with."""
    looked_up = model.get("demand") if isinstance(model, dict) else None
    if not isinstance(looked_up, dict) or settings is not None or profile != "balanced":
        return demand_of(profile, settings)
    try:
        return Demand(**looked_up)
    except TypeError as error:
        raise InvalidError(f"model.demand: unknown keys or values: {error}") from None
