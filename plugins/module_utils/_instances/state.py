# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run knows of instances before it plans, and what its steps add (private)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypedDict

from .._billing.purchase_guard import Guard
from .._catalog import stock
from .._catalog.selection import Selection
from .._core.errors import InvalidError
from .._hardware import gpus
from .._lifecycle.retained_volumes import Kept
from .._lifecycle.termination_policy import Outcome
from .._models.offer import SPOT, Choice
from .._models.resources import Instance
from .._providers.base.shapes import is_uuid
from .._providers.base.views import InstanceRow, describe_instance
from .offer_queue import Walk


class Fate(TypedDict):
    """What became of an instance that was to be bought: ``outcome`` for programs, ``detail`` for people."""

    outcome: str
    id: str | None
    detail: str


@dataclass
class Found:
    """Instances by what they are to the wish; ``changed`` by id, ``outcomes`` and others by name.

    ``bought`` are the ids of instances that came of orders of this run, ready or not. ``lease`` is what
    a purchase of now would write on an instance. ``unclear`` are names whose order may have been executed.
    """

    names: list[str]
    tiers: tuple[gpus.Tier, ...] = gpus.TIERS
    have: list[Instance] = field(default_factory=list)
    surplus: list[Instance] = field(default_factory=list)
    dead: list[Instance] = field(default_factory=list)
    lost: list[Instance] = field(default_factory=list)
    old: dict[str, Instance] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)
    choice: Choice | None = None
    walk: Walk | None = None
    ssh_key_ids: tuple[str, ...] = ()
    lease: str | None = None
    changed: dict[str, Instance] = field(default_factory=dict)
    outcomes: dict[str, Fate] = field(default_factory=dict)
    bought: set[str] = field(default_factory=set)
    rows: list[Instance] | None = None
    guard: Guard | None = None
    ends: list[Outcome] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unclear: set[str] = field(default_factory=set)


def refuse_difference(row: Instance, selection: Selection) -> None:
    """Raise InvalidError when the instance of this name is not what was asked for."""
    have = describe_instance(row, selection.tiers)
    problem = next(differences(have, selection), None)
    if problem:
        raise InvalidError(
            f"{have['name']} ({have['id']}) exists and cannot be changed in place: {problem}",
            hint="Set replace to true to buy the new one first and terminate this one then, terminate it with "
            "state=absent, or choose another name or deployment.",
            details={"instance": have},
        )


def differences(have: InstanceRow, want: Selection) -> Iterator[str]:
    """Yield what an instance is and should not be; a price that has changed is no matter."""
    if want.market == SPOT and have["market"] != SPOT:
        yield f"market: it is {have['market']}, wanted {want.market}"
    if want.locations and have["location"] not in want.locations:
        yield f"locations: it is in {have['location']}, wanted {', '.join(want.locations)}"
    # The cloud shows an image by name or by id; only like can be compared with like.
    alike = is_uuid(want.image or "") == is_uuid(have["image"] or "")
    if want.image and alike and want.image != have["image"]:
        yield f"image: it was made from {have['image']}, wanted {want.image}"
    if want.served:
        each = (have["vram_gb"] or 0) / (have["gpu_count"] or 1)
        refused = want.served.refusal(have["gpu_model"] or "", each, have["gpu_count"])
        if refused:
            yield f"model: {refused[1]}"
    if not want.instance_type:
        yield from _other_gpus(have, want)
    elif want.instance_type.upper() != (have["instance_type"] or "").upper():
        yield f"instance_type: it is {have['instance_type']}, wanted {want.instance_type}"


def _other_gpus(have: InstanceRow, want: Selection) -> Iterator[str]:
    wish = stock.wish_of(want)
    if wish.tiers and have["tier"] not in wish.tiers:
        yield f"tier: it is a {have['tier'] or have['gpu_model']}, wanted {want.tier}"
    if want.gpus and have["gpu_model"] not in [gpus.model_named(one) for one in want.gpus]:
        yield f"gpus: it is a {have['gpu_model']}, wanted {', '.join(want.gpus)}"
    count = wish.gpu_count or want.gpu_count
    if count and have["gpu_count"] != count:
        yield f"gpu_count: it has {have['gpu_count']}, wanted {count}"
