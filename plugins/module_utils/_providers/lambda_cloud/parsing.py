# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From answers of Lambda Cloud to types, at one place (private).

A record of an instance has no age: the order writes it into a tag. GPU memory stands in a text alone.
"""

from __future__ import annotations

import re

from ..._core.errors import UnavailableError
from ..._models.catalogue import InstanceType, Stock
from ..._models.label import read_label
from ..._models.ownership import part_name
from ..._models.price import NOT_TOLD
from ..._models.resources import Instance, SshKey, Tag, Volume
from ..._models.status import BUILDING, ENDING, GONE, RUNNING, UNKNOWN
from ..base.row import Row
from ..base.shapes import is_host_name

CURRENCY = "usd"
ORDERED_TAG = "gpuops-ordered"
# Lambda Stack: driver, CUDA and PyTorch. A launch that names no image may boot an older one.
USUAL_IMAGE = "lambda-stack-24-04"
# The roles know packages for these processors alone.
_PROCESSORS = "x86_64"
# What is unhealthy or preempted may be billed, so it counts as alive.
_STATES = {
    "booting": BUILDING,
    "active": RUNNING,
    "terminating": ENDING,
    "terminated": GONE,
}
# Of "1x H100 (80 GB SXM5)" or "H100 (80 GB SXM5)".
_GPU = re.compile(r"(?:\d+x )?(?P<model>[^(]+?)\s*\((?P<gb>\d+) GB")
# How a filesystem, whose name holds no dot, is named as a part of a deployment.
_PART = re.compile(r"gpuops--(?P<deployment>[a-z0-9-]+?)--(?P<name>[a-z0-9-]+)\Z")


def _gpu_of(kind: Row) -> tuple[str | None, float | None]:
    """Return the GPU of a type and the memory of all of its GPUs, by the text that says it."""
    found = _GPU.match(kind.text("gpu_description") or kind.text("description") or "")
    count = kind.part("specs").number("gpus") or 0
    return (found["model"], float(found["gb"]) * count) if found else (None, None)


def type_from(name: str, row: Row) -> InstanceType:
    """Return a type of the catalogue; one that cannot be read says so, and spoils no other."""
    try:
        return _type_from(name, row)
    except UnavailableError as error:
        return InstanceType(name, currency=CURRENCY, problems=(error.message,))


def _type_from(name: str, row: Row) -> InstanceType:
    kind = row.part("instance_type")
    specs, (model, vram) = kind.part("specs"), _gpu_of(kind)
    gpus = int(specs.number("gpus") or 0)
    processors = kind.text("architecture") or _PROCESSORS
    problems = []
    if gpus and not vram:
        problems.append("its GPU memory cannot be read")
    if processors != _PROCESSORS:
        problems.append(f"its processors are {processors}, and the roles are for {_PROCESSORS}")
    return InstanceType(
        name=name,
        model=model or (None if gpus else "CPU"),
        gpu_count=gpus,
        vram_gb=vram or 0.0,
        vcpu=int(specs.number("vcpus") or 0),
        ram_gb=specs.number("memory_gib") or 0.0,
        on_demand=kind.cents("price_cents_per_hour", CURRENCY),
        spot=NOT_TOLD,
        currency=CURRENCY,
        images=(USUAL_IMAGE,),
        usual_image=USUAL_IMAGE,
        serving_image=USUAL_IMAGE,
        problems=tuple(problems),
    )


def stock_from(name: str, row: Row) -> list[Stock]:
    """Return where a type is in stock; names of regions are shown in capitals, as all locations."""
    regions = row.records("regions_with_capacity_available")
    return [Stock(region.word("name").upper(), (name,)) for region in regions]


def instance_from(row: Row) -> Instance:
    """Return an instance; its name in the account is the label that says whose it is."""
    status, label, host = row.word("status"), row.text("name") or "", row.text("hostname")
    tags = {tag.text("key") or "": tag.text("value") or "" for tag in row.records("tags")}
    kind = row.part("instance_type")
    specs, (model, vram) = kind.part("specs"), _gpu_of(kind)
    ours = read_label(label)
    return Instance(
        id=row.id(),
        name=host if is_host_name(host) else (ours.name if ours else None),
        description=label,
        tags=tuple(Tag(key, value) for key, value in tags.items() if key != ORDERED_TAG),
        created_at=tags.get(ORDERED_TAG),
        status=status,
        state=_STATES.get(status, UNKNOWN),
        ip=row.address("ip"),
        instance_type=kind.text("name"),
        location=(row.part("region").text("name") or "").upper() or None,
        price=kind.cents("price_cents_per_hour", CURRENCY),
        gpu_model=model,
        gpu_count=int(specs.number("gpus") or 0),
        vram_gb=vram,
        vcpu=int(specs.number("vcpus") or 0),
        ram_gb=specs.number("memory_gib"),
        ssh_key_ids=row.texts("ssh_key_names"),
    )


def key_from(row: Row) -> SshKey:
    """Return a registered public key. Instances name keys by their names, so those are their ids."""
    name = row.word("name")
    return SshKey(id=name, name=name, public_key=row.text("public_key"))


def filesystem_from(row: Row) -> Volume:
    """Return a filesystem, which bills for what is in it, at a price that no answer names.

    One that is named ``gpuops--DEPLOYMENT--NAME`` is a part of that deployment.
    """
    name, used = row.word("name"), row.number("bytes_used")
    part = _PART.match(name)
    return Volume(
        id=row.id(),
        name=part_name(part["deployment"], part["name"]) if part else name,
        created_at=row.text("created"),
        status="attached" if row.flag("is_in_use") else "detached",
        type="shared filesystem",
        location=(row.part("region").text("name") or "").upper() or None,
        size_gb=None if used is None else round(used / 2**30, 1),
        price=NOT_TOLD,
    )
