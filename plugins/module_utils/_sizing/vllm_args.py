# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a server from the GPUs that are there, each with its reason (private, pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypedDict

from . import gpu_memory as support
from .fit import (
    COUNTS,
    MANY_SEQUENCES,
    SEQUENCES,
    Demand,
    Split,
    fit,
    longest,
    need,
    refusal_of,
    split_for,
)
from .gpu_memory import Gpu
from .llm import Model
from .vllm_profiles import (
    GPU_SETTINGS,
    QUEUED,
    SINCE,
    Settings,
    demand_of,
    own_settings,
    profile_of,
)

_PARALLEL = ("tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size")
Row = tuple[str, "float | str", str]


class Chosen(TypedDict):
    """A setting that was chosen, and why."""

    name: str
    value: float | str
    reason: str


class Planned(TypedDict):
    """The settings of a server, and why it would not serve."""

    settings: list[Chosen]
    refusals: list[str]


@dataclass(frozen=True)
class Server:
    """What a server is planned from: GPUs that were seen, and a model if its facts are known."""

    gpus: list[Gpu]
    model: Model | None
    profile: str
    own: Settings
    demand: Demand
    nodes: int = 1

    @property
    def gpu(self) -> Gpu:
        """The GPU with the least memory, which every one is filled as."""
        return min(self.gpus, key=lambda gpu: gpu.memory_gib)

    @property
    def usable(self) -> int:
        """GPUs that can be used together: a power of two."""
        return max(count for count in COUNTS if count <= len(self.gpus))


def plan(
    gpus: list[Gpu],
    model: Model | None,
    profile: str,
    settings: Settings | None,
    version: str = support.VLLM_VERSION,
    nodes: int = 1,
) -> Planned:
    """Return ``settings``, a row of name, value and reason each, and ``refusals``, sentences.

    What the user sets by himself is left out. Without GPUs only those that mean something on a CPU.
    The GPUs are those of one of the ``nodes``. Raises InvalidError for settings that vLLM would refuse.
    """
    if any(gpu.memory_gib <= 0 for gpu in gpus):
        model = None  # nothing is known of the memory, so nothing can be said of the model
    server = Server(
        gpus, model, profile, own_settings(settings), demand_of(profile, settings), nodes
    )
    rows = [*_from_profile(server), *_from_nodes(server)]
    refusals = [why for gpu in dict.fromkeys(gpus) if (why := support.unsupported(gpu, version))]
    if gpus and not refusals:
        rows += [*_from_gpus(server)]
        refusals = [*_too_large(server)]
    last = {name: Chosen(name=name, value=value, reason=why) for name, value, why in rows}
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    unknown = {name for name, since in SINCE.items() if numbers < since}
    shown = [row for name, row in last.items() if name not in server.own.keys() | unknown]
    return {"settings": shown, "refusals": refusals}


def _from_profile(server: Server) -> Iterator[Row]:
    for name, (value, why) in profile_of(server.profile).items():
        if server.gpus or name not in GPU_SETTINGS:
            yield name, value, f"profile {server.profile}: {why}"


def _from_nodes(server: Server) -> Iterator[Row]:
    """Yield how hosts without GPUs share a model; those with GPUs say it with their split.

    vLLM's start on CPUs divides layers, too, but fails at the first token (0.32).
    """
    if server.nodes > 1 and not server.gpus and not any(name in server.own for name in _PARALLEL):
        yield "tensor-parallel-size", server.nodes, "a part of each layer for each host's CPU"


def _layers(nodes: int) -> str:
    return f"a group of layers for each of {nodes} hosts"


def _too_large(server: Server) -> Iterator[str]:
    """Yield why the GPUs together do not serve the model."""
    if any(name in server.own for name in _PARALLEL):
        return
    if server.model and server.nodes > 1:
        tokens, (split, _one, _why) = server.demand.tokens(server.model), _division(server)
        held = need(server.model, server.gpu, server.demand, split, tokens)
        if not held.fits:
            all_of_them = f"{server.nodes} hosts with {server.usable} x {server.gpu} each"
            yield f"model does not fit: {all_of_them} (each GPU would hold {held})"
    elif server.model:
        refused = refusal_of(server.model, server.gpu, server.demand, server.usable)
        if refused:
            yield refused[1]


def _from_gpus(server: Server) -> Iterator[Row]:
    split, copies, why = _division(server)
    if not any(name in server.own for name in _PARALLEL):
        yield "tensor-parallel-size", split.tensor, why
        if split.pipeline > 1:
            why = "the layers are divided, not the heads"
            why = _layers(server.nodes) if split.pipeline == server.nodes else why
            yield "pipeline-parallel-size", split.pipeline, why
        if copies > 1:
            yield "data-parallel-size", copies, "profile throughput: copies share no step"
            queue, why = profile_of(server.profile)[QUEUED]
            yield QUEUED, int(queue) * copies, f"{why}; counted over {copies} copies"
    yield "dtype", *_dtype(server)
    yield "max-model-len", *_context(server, split)
    yield from _cache(server)
    yield from _sequences(server, split)


def _division(server: Server) -> tuple[Split, int, str]:
    """Return how one copy of the model is divided, the copies, and why."""
    count = server.usable
    seen = f"{len(server.gpus)} x {server.gpu} seen"
    if count < len(server.gpus):
        seen += f", of which {count} are used, a power of two"
    if not server.model:
        return Split(count, server.nodes), 1, seen
    if server.nodes > 1:
        split = split_for(server.model, count)
        return Split(split.tensor, split.pipeline * server.nodes), 1, f"{seen} on each host"
    fewest = fit(server.model, server.gpu, server.demand).gpu_count
    if server.profile == "throughput" and fewest and fewest < count:
        split = split_for(server.model, fewest)
        return split, count // fewest, f"{seen}, and a copy of the model fits on {fewest}"
    split = split_for(server.model, count)
    heads = f"{server.model.heads} attention heads, {server.model.kv_heads} of keys and values"
    return split, 1, f"{seen}; the model has {heads}"


def _dtype(server: Server) -> tuple[str, str]:
    capability = min(
        (gpu.capability for gpu in server.gpus if gpu.capability),
        key=lambda text: [int(part) for part in text.split(".")],
        default=None,
    )
    if not support.at_least(capability, support.BFLOAT16):
        return "half", f"compute capability {capability} has no bfloat16"
    own = f": {support.dtype(server.gpu, server.model)}" if server.model else ""
    return "auto", f"compute capability {capability} has bfloat16, so the model's own type{own}"


def _context(server: Server, split: Split) -> tuple[str, str]:
    if not server.model:
        return "auto", "vLLM takes the longest that fits"
    most, own = longest(server.model, server.gpu, server.demand, split), server.model.max_context
    return "auto", f"vLLM takes the longest that fits, here at least {most} of the model's {own}"


def _cache(server: Server) -> Iterator[Row]:
    """Yield a cache in 8 bits where it is asked for by the profile, and surely supported."""
    if server.profile != "throughput":
        return
    why = ""
    if not all(support.at_least(gpu.capability, support.FP8_CACHE) for gpu in server.gpus):
        why = f"8 bits need compute capability {support.FP8_CACHE}"
    elif not server.model:
        why = "8 bits are not for every model, and this one is not known"
    elif {cache.kind for cache in server.model.caches} != {"full"}:
        why = "8 bits are not for every kind of attention, and this model has others than full"
    if why:
        yield "kv-cache-dtype", "auto", why
    else:
        yield (
            "kv-cache-dtype",
            "fp8",
            "profile throughput: half the cache for a token, twice as many",
        )


def _sequences(server: Server, split: Split) -> Iterator[Row]:
    """Yield the number of sequences: smaller than vLLM's own when memory is short."""
    usual = support.default_sequences(server.gpu)
    name = "max-num-seqs"
    if server.profile == "throughput":
        yield (
            name,
            usual,
            "profile throughput: "
            + (
                "as many as vLLM takes on a large GPU"
                if usual == MANY_SEQUENCES
                else "less than 70 GiB"
            ),
        )
    if not server.model or usual <= SEQUENCES or server.profile == "latency":
        return
    tokens = server.demand.tokens(server.model)
    many = replace(server.demand, max_num_seqs=usual)
    if not need(server.model, server.gpu, many, split, tokens).fits:
        yield name, SEQUENCES, f"memory is short: the trial run of {usual} would leave no cache"
