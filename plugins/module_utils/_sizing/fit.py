# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On how many GPUs of which kind vLLM serves a model, with the arithmetic (private, pure).

The rule is vLLM's own (``determine_available_memory`` in
https://github.com/vllm-project/vllm/blob/main/vllm/v1/worker/gpu_worker.py): of a GPU's memory it uses
the share ``gpu-memory-utilization``, takes off weights, the peak of a trial run and CUDA graphs, and
refuses to start when the rest does not hold the cache of one sequence of the wanted length. What the
trial run takes is estimated here, a little above the published logs of these starts on H100 80 GB:

- Qwen3-235B-A22B-FP8 on four: 7.1 GiB besides weights and cache,
  https://github.com/vllm-project/vllm/issues/21348
- gpt-oss-120b on one: 7.4 GiB, https://github.com/vllm-project/vllm/issues/23278
- Llama-3-8B on one: 1.3 GiB of activations, https://github.com/vllm-project/vllm/pull/10511
"""

from __future__ import annotations

from dataclasses import dataclass

from . import gpu_memory as support
from .gpu_memory import Gpu
from .llm import Model

GIB = 2**30
# The default of gpu-memory-utilization since vLLM 0.21, with CUDA graphs inside.
UTILIZATION = 0.92
# Tokens of context that somebody who names none gets at least.
CONTEXT = 8192
# Sequences at a time that a trial run is made with: vLLM's default below 70 GiB. The larger default of
# larger GPUs is taken back when memory is short.
SEQUENCES, MANY_SEQUENCES = 256, 1024
# GiB that CUDA, its libraries and captured graphs take on a GPU, and what more than one adds: NCCL's
# buffers. Logs: 0.2 and 0.1 to 0.6; https://github.com/vllm-project/vllm/pull/12126, .../issues/57936
FIXED_GIB, TOGETHER_GIB = 1.25, 0.75
# Bytes for each sequence and word of the vocabulary while the sampler is tried: eight copies of the
# scores at 32 bits. From the first two logs, where this is the largest part.
SAMPLER_BYTES = 32
# Copies of a token's state that are alive at the peak of a layer: its input, and the feed-forward's.
STATE_COPIES, WIDTH_COPIES = 4, 3
COUNTS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Demand:
    """What is asked of the server; ``context`` in tokens for each of ``sequences``."""

    context: int | None = None
    sequences: int = 1
    dtype: str = "auto"
    kv_cache_dtype: str = "auto"
    gpu_memory_utilization: float = UTILIZATION
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None

    def tokens(self, model: Model) -> int:
        """Return the context that must fit: what was asked for, else a usual one."""
        return self.context or min(CONTEXT, model.max_context)


@dataclass(frozen=True)
class Split:
    """A number of GPUs: parts of each layer (tensor parallel) times groups of layers (pipeline)."""

    tensor: int
    pipeline: int

    @property
    def gpus(self) -> int:
        return self.tensor * self.pipeline


@dataclass(frozen=True)
class Need:
    """GiB that one of the GPUs holds, and how much it may."""

    weights: float
    cache: float
    overhead: float
    budget: float

    @property
    def total(self) -> float:
        return self.weights + self.cache + self.overhead

    @property
    def fits(self) -> bool:
        return self.total <= self.budget

    def __str__(self) -> str:
        return (
            f"{self.weights:.1f} GiB of weights + {self.cache:.1f} of cache + {self.overhead:.1f} "
            f"besides = {self.total:.1f}, and {self.budget:.1f} may be used"
        )


def split_for(model: Model, gpus: int) -> Split:
    """Return how a power of two of GPUs is used.

    Tensor parallelism must divide the attention heads, and divide the heads of keys and values or be
    divided by them; the rest is pipeline parallelism, as vLLM's guide on parallelism advises:
    https://docs.vllm.ai/en/latest/serving/parallelism_scaling.html
    """
    tensor = gpus
    while tensor > 1 and (
        model.heads % tensor or (model.kv_heads % tensor and tensor % model.kv_heads)
    ):
        tensor //= 2
    return Split(tensor, gpus // tensor)


def need(model: Model, gpu: Gpu, demand: Demand, split: Split, tokens: int) -> Need:
    """Return what one of the GPUs holds when each sequence has this many tokens."""
    batch = demand.max_num_batched_tokens or support.default_batch(gpu)
    width = 1 if demand.kv_cache_dtype.startswith("fp8") else 2
    elements = sum(cache.elements(tokens, batch, split.tensor) for cache in model.caches)
    active = STATE_COPIES * model.hidden + WIDTH_COPIES * model.active_width / split.tensor
    sampler = (demand.max_num_seqs or SEQUENCES) * model.vocab * SAMPLER_BYTES
    fixed = FIXED_GIB + (TOGETHER_GIB if split.gpus > 1 else 0)
    return Need(
        weights=model.weight_bytes / split.gpus / GIB,
        cache=elements * width * demand.sequences / split.pipeline / GIB,
        overhead=fixed + (2 * batch * active + sampler) / GIB,
        budget=gpu.memory_gib * demand.gpu_memory_utilization,
    )


def longest(model: Model, gpu: Gpu, demand: Demand, split: Split) -> int:
    """Return the longest context that fits, in tokens; 0 when none does."""
    low, high = 0, max(model.max_context, demand.tokens(model))
    while low < high:
        middle = (low + high + 1) // 2
        if need(model, gpu, demand, split, middle).fits:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass(frozen=True)
class Fit:
    """The answer for one kind of GPU: the smallest number, or why there is none."""

    gpu_model: str
    vram_gb: float
    fits: bool
    reason: str
    text: str
    gpu_count: int | None = None
    tensor_parallel_size: int | None = None
    pipeline_parallel_size: int | None = None
    dtype: str | None = None
    context: int | None = None
    max_context: int | None = None
    weights_gib: float | None = None
    cache_gib: float | None = None
    overhead_gib: float | None = None
    budget_gib: float | None = None


def fit(model: Model, gpu: Gpu, demand: Demand, most: int = COUNTS[-1]) -> Fit:
    """Return the smallest number of GPUs of one kind, at most ``most``, that serve the model."""
    refusal = support.refusal(gpu, model, demand.dtype, demand.kv_cache_dtype)
    if refusal:
        return Fit(gpu.model, gpu.vram_gb, False, "gpu_unsupported", refusal)
    tokens = demand.tokens(model)
    if tokens > model.max_context:
        text = f"{model.name} has a context of {model.max_context} tokens, not {tokens}"
        return Fit(gpu.model, gpu.vram_gb, False, "context_too_long", text)
    counts = [count for count in COUNTS if count <= most] or [1]
    tried = [(count, split_for(model, count)) for count in counts]
    needs = {count: need(model, gpu, demand, split, tokens) for count, split in tried}
    count = next((count for count in counts if needs[count].fits), None)
    shown = needs[count or counts[-1]]
    split = split_for(model, count or counts[-1])
    return Fit(
        gpu_model=gpu.model,
        vram_gb=gpu.vram_gb,
        fits=count is not None,
        reason="fits" if count else "model_too_large",
        text=_in_words(model, gpu, tokens, needs, count),
        gpu_count=count,
        tensor_parallel_size=split.tensor if count else None,
        pipeline_parallel_size=split.pipeline if count else None,
        dtype=support.dtype(gpu, model, demand.dtype),
        context=tokens,
        max_context=longest(model, gpu, demand, split) if count else 0,
        weights_gib=round(shown.weights, 1),
        cache_gib=round(shown.cache, 1),
        overhead_gib=round(shown.overhead, 1),
        budget_gib=round(shown.budget, 1),
    )


def _in_words(
    model: Model, gpu: Gpu, tokens: int, needs: dict[int, Need], count: int | None
) -> str:
    """Return the arithmetic: of the GPUs that suffice, and of half of them, which do not."""
    if count:
        text = (
            f"{model.name} with {tokens} tokens of context fits on {count} x {gpu}: {needs[count]}"
        )
        less = count // 2
        return text + (f"; on {less} it would be {needs[less]}" if less else "")
    most = max(needs)
    return f"{model.name} with {tokens} tokens of context does not fit on {most} x {gpu}: {needs[most]}"


def refusal_of(model: Model, gpu: Gpu, demand: Demand, gpus: int) -> tuple[str, str] | None:
    """Return reason and detail when a host with this many GPUs cannot serve the model."""
    answer = fit(model, gpu, demand)
    if not answer.fits:
        if answer.reason != "model_too_large":
            return answer.reason, answer.text
        return answer.reason, f"model does not fit: more than {COUNTS[-1]} x {gpu} ({answer.text})"
    count = answer.gpu_count or 1
    if count <= gpus:
        return None
    here = need(model, gpu, demand, split_for(model, _power(gpus)), answer.context or 0)
    each = "it would hold" if gpus == 1 else "each would hold"
    return "model_too_large", f"model does not fit: needs {count} x {gpu} ({each} {here})"


@dataclass(frozen=True)
class Served:
    """A model, and what is asked of its server."""

    model: Model
    demand: Demand

    def refusal(self, gpu_model: str, vram_gb_each: float, gpus: int) -> tuple[str, str] | None:
        """Return reason and detail when a host with such GPUs cannot serve it, or None."""
        return refusal_of(self.model, support.nominal(gpu_model, vram_gb_each), self.demand, gpus)


def _power(gpus: int) -> int:
    """Return the largest number of GPUs that is used: a power of two."""
    return max(count for count in COUNTS if count <= max(gpus, 1))
