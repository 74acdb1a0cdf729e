# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPU models and their tiers: data, and how the names of the cloud map to them (private).

Memory, counts and prices always come from the API; only the order of the models is ours, and the
usual memories for questions that no offer is behind. Compute capabilities:
https://developer.nvidia.com/cuda-gpus. Memory bandwidths: NVIDIA's data sheets of the SXM boards, and
of the server edition for RTX PRO 6000; the A100 with 40 GB has a slower memory.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

from .._core.errors import InvalidError


@dataclass(frozen=True)
class Model:
    """One GPU model: key, compute capability, normalised names, memory bandwidth of a GPU in GB/s.

    ``vram_gb`` are its usual memories.
    """

    key: str
    compute_capability: str
    names: tuple[str, ...]
    bandwidth: float
    vram_gb: tuple[float, ...]


MODELS: tuple[Model, ...] = (
    Model("GB300", "10.3", ("GB300",), 8000, (288,)),
    Model("B300", "10.3", ("B300",), 8000, (268,)),
    Model("B200", "10.0", ("B200",), 8000, (180,)),
    Model("H200", "9.0", ("H200",), 4800, (141,)),
    Model("H100", "9.0", ("H100",), 3350, (80,)),
    Model("A100", "8.0", ("A100",), 2039, (80, 40)),
    Model("RTXPRO6000", "12.0", ("RTXPRO6000", "PRO6000"), 1597, (96,)),
    Model("RTX6000ADA", "8.9", ("RTX6000ADA", "6000ADA"), 960, (48,)),
    Model("L40S", "8.9", ("L40S",), 864, (48,)),
    Model("A6000", "8.6", ("A6000", "RTXA6000"), 768, (48,)),
    Model("V100", "7.0", ("V100", "TESLAV100"), 900, (16,)),
)


@dataclass(frozen=True)
class Tier:
    """One rank: GPU models, optionally only those with a memory (GB per GPU) in a range."""

    name: str
    models: tuple[str, ...]
    min_vram_gb: float = 0
    max_vram_gb: float = float("inf")

    def holds(self, model: str, vram_gb: float) -> bool:
        """Tell whether a GPU of this model and memory (GB per GPU) belongs here."""
        return model in self.models and self.min_vram_gb <= vram_gb <= self.max_vram_gb


class _Named(TypedDict):
    name: str
    models: list[str]


class OwnTier(_Named, total=False):
    """A tier as a user names it: models, and optionally a range of memory in GB per GPU."""

    min_vram_gb: float | None
    max_vram_gb: float | None


# Best first. The two A100 differ by memory alone, so the border lies between 40 and 80 GB.
TIERS: tuple[Tier, ...] = (
    Tier("gb300", ("GB300",)),
    Tier("b300", ("B300",)),
    Tier("b200", ("B200",)),
    Tier("h200", ("H200",)),
    Tier("h100", ("H100",)),
    Tier("a100_80", ("A100",), min_vram_gb=60),
    Tier("a100_40", ("A100",), max_vram_gb=59),
    Tier("rtx_pro_6000", ("RTXPRO6000",)),
    Tier("rtx_6000_ada", ("RTX6000ADA",)),
    Tier("l40s", ("L40S",)),
    Tier("a6000", ("A6000",)),
    Tier("v100", ("V100",)),
)

_TYPE_NAME = re.compile(
    r"^(?P<count>\d+)(?P<model>[A-Z][A-Z0-9]*?)(?:\.(?P<vram>\d+)S)?\.(?P<vcpu>\d+)V(?P<cc>\.CC)?$"
)


def _plain(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def model_key(name: str) -> str | None:
    """Return the key of the model that a name such as ``RTX A6000`` means, or None."""
    plain = _plain(name)
    return next((model.key for model in MODELS if plain in model.names), None)


def model_named(name: str) -> str:
    """Return the key of a model by any of its names, or a model of the cloud that we do not know."""
    return model_key(name) or _plain(name)


def compute_capability(model: str | None) -> str | None:
    """Return the compute capability of a model key, or None when it is not known."""
    return next((m.compute_capability for m in MODELS if m.key == model), None)


def bandwidth_of(model: str, vram_gb_each: float) -> float | None:
    """Return the memory bandwidth of one GPU in GB/s, or None for a model that is not known."""
    if model == "A100" and vram_gb_each < 60:
        return 1555
    return next((m.bandwidth for m in MODELS if m.key == model), None)


def model_of(instance_type: str, api_model: str | None = None) -> str:
    """Return the model key of an instance type, or the cloud's own name when no tier knows it.

    The type's name comes first, since the ``model`` field is free text. CPU types give ``CPU``.
    """
    if instance_type.upper().startswith("CPU"):
        return "CPU"
    match = _TYPE_NAME.match(instance_type.upper())
    for name in (match["model"] if match else None, api_model):
        if name and (key := model_key(name)):
            return key
    return _plain(api_model or (match["model"] if match else instance_type))


def is_confidential(instance_type: str) -> bool:
    """Tell whether a type is one of the confidential computing variants."""
    return instance_type.upper().endswith(".CC")


def tier_of(model: str, vram_gb_each: float, tiers: tuple[Tier, ...] = TIERS) -> str | None:
    """Return the name of the tier of a GPU, or None."""
    return next((tier.name for tier in tiers if tier.holds(model, vram_gb_each)), None)


def tiers_from(data: list[OwnTier] | None) -> tuple[Tier, ...]:
    """Return the user's tiers (best first), or ours when none are given."""
    if not data:
        return TIERS
    tiers = []
    for row in data:
        models = tuple(map(model_named, row["models"]))
        low, high = row.get("min_vram_gb"), row.get("max_vram_gb")
        tiers.append(Tier(row["name"], models, low or 0, float("inf") if high is None else high))
    return tuple(tiers)


@dataclass(frozen=True)
class Wish:
    """What a tier expression means: names of tiers, best first, and a GPU count if it named one."""

    tiers: tuple[str, ...]
    gpu_count: int | None = None
    any_count: bool = False


def _tier_index(name: str, tiers: tuple[Tier, ...]) -> list[int]:
    by_name = [i for i, tier in enumerate(tiers) if _plain(tier.name) == name]
    if by_name:
        return by_name
    model = model_key(name)
    return [i for i, tier in enumerate(tiers) if model and model in tier.models]


def known_spellings(tiers: tuple[Tier, ...]) -> list[str]:
    """Return the tier expressions that errors and help texts name."""
    names = [tier.name for tier in tiers]
    return [f"{name}_or_less" for name in names] + [f"any_{name}" for name in names] + names


def _readings(plain: str) -> Iterator[tuple[str, str, bool, bool]]:
    """Yield what a tier expression may mean: name, count, whether it says any and or_less.

    The name of a user's tier may hold any of these parts, so the longest names come first.
    """
    for less in (False, True) if plain.endswith("ORLESS") else (False,):
        head = plain.removesuffix("ORLESS") if less else plain
        for some in (False, True) if head.startswith("ANY") else (False,):
            rest = head.removeprefix("ANY") if some else head
            digits = len(rest) - len(rest.lstrip("0123456789"))
            for cut in range(digits + 1):
                for name in dict.fromkeys((rest[cut:], rest[cut:].removeprefix("X"))):
                    yield name, rest[:cut], some, less


def parse_tier(text: str, tiers: tuple[Tier, ...] = TIERS) -> Wish:
    """Read ``h100_or_less``, ``H100-OR-LESS``, ``any_h100``, ``any_1h100``, ``a100`` and the like.

    Raises InvalidError that names the known tiers, nearest first.
    """
    for name, count, some, less in _readings(_plain(text)):
        index = _tier_index(name, tiers)
        if index and count[:1] != "0":
            chosen = tiers[index[0] :] if less else [tiers[i] for i in index]
            number = int(count) if count else None
            return Wish(tuple(t.name for t in chosen), number, any_count=some and not count)
    near = difflib.get_close_matches(
        text.lower().replace("-", "_"), known_spellings(tiers), n=3, cutoff=0.5
    )
    raise InvalidError(
        f"Unknown tier {text!r}",
        hint=(f"Nearest: {', '.join(near)}. " if near else "")
        + f"Known tiers, best first: {', '.join(tier.name for tier in tiers)}; "
        "each also as <tier>_or_less and any_<tier>.",
    )
