# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model needs, for module options: read it, and say on which GPUs it fits (private)."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any, TypedDict

from .._core.apply import Workers
from .._core.errors import GpuopsError
from . import hf_hub
from .fit import fit
from .gpu_memory import GpuRow, gpus_from
from .llm import ModelRow, model_of
from .vllm_profiles import Settings, demand_of, settings_of


class Want(TypedDict):
    """The options of the module."""

    model: str
    config: str | None
    weight_bytes: int | None
    profile: str
    settings: Settings | None
    sequences: int
    gpus: list[str | GpuRow] | None
    endpoint: str | None
    revision: str
    token: str | None
    timeout: float
    strict: bool


class Unread(TypedDict):
    """A model that could not be read, and why."""

    name: str
    problem: str


class Asked(ModelRow):
    """A model, and what was asked of its server."""

    demand: dict[str, Any]


class _Answer(TypedDict):
    model: Asked | Unread
    fits: list[dict[str, Any]]
    warnings: list[str]


class Looked(_Answer, total=False):
    """What the module tells; where the model was read also where it was."""

    source: str
    revision: str | None


def model_info(_workers: Workers, want: Want) -> Looked:
    """Return a model and the smallest number of GPUs of each kind that serve it.

    With ``strict`` false a model that cannot be read is returned as its name and the problem, unless
    the hub answers that there is none, or that we may not read it: no host could load it either.
    """
    demand = demand_of(want["profile"], want["settings"], want["sequences"])
    gpus = gpus_from(want["gpus"])
    told = settings_of(want["profile"], want["settings"]).get("quantization")
    wished = str(told) if told else None
    try:
        found = _read(want)
        size = want["weight_bytes"] or found.weight_bytes
        model = model_of(found.config, want["model"], file_bytes=size, quantization=wished)
    except GpuopsError as error:
        if want["strict"] or (_is_on_hub(want) and isinstance(error, hf_hub.REFUSALS)):
            raise
        unread: Unread = {"name": want["model"], "problem": str(error)}
        warning = f"Whether {want['model']} fits on a GPU is not known: {error}"
        return {"model": unread, "fits": [], "warnings": [warning]}
    return {
        "model": {**model.as_dict(), "demand": asdict(demand)},
        "source": found.source,
        "revision": found.revision,
        "fits": [asdict(fit(model, gpu, demand)) for gpu in gpus],
        "warnings": [f"{model.name}: {note}" for note in model.notes],
    }


def _is_on_hub(want: Want) -> bool:
    return not (want["config"] or hf_hub.is_path(want["model"]))


def _read(want: Want) -> hf_hub.Published:
    if not _is_on_hub(want):
        return hf_hub.read_folder(want["config"] or want["model"])
    return hf_hub.read_hub(
        want["model"],
        endpoint=want["endpoint"] or os.environ.get("HF_ENDPOINT") or hf_hub.HUB,
        revision=want["revision"],
        token=want["token"],
        timeout=want["timeout"],
    )
