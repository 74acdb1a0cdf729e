# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From answers of RunPod to types, at one place (private).

Prices are told for one GPU, and a pod is its GPUs, a place and an image. What else stands in the
environment of a pod may be secret: only what is ours is read of it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ..._models.catalogue import InstanceType, Stock
from ..._models.label import read_label
from ..._models.ownership import PROTECT_TAG
from ..._models.price import NOT_TOLD, Price
from ..._models.resources import Instance, SshKey, Tag, Volume
from ..._models.status import BUILDING, FAILED, GONE, OFF, RUNNING, UNKNOWN
from ..._models.volumes import HOURS_PER_MONTH
from ..base.row import Row, Source
from ..base.shapes import is_address, is_host_name
from .hardware import USUAL_IMAGE, model_of, type_named
from .keys import key_from, key_ids
from .prices import (
    CURRENCY,
    DISK,
    storage_per_hour,
    volume_price,
    volume_price_per_month,
    with_storage,
)

PUBLIC_KEY = "PUBLIC_KEY"
_PREFIX = "GPUOPS_"
# One in an error comes to nothing and may be billed all the same; a new word counts as alive.
_STATES = {
    "PROVISIONING": BUILDING,
    "STARTING": BUILDING,
    "RUNNING": RUNNING,
    "EXITED": OFF,
    "ERROR": FAILED,
    "TERMINATED": GONE,
}
# A stopped pod that finds its GPUs taken runs without any, for what is on its disks.
NO_GPU = "RUNNING without its GPUs"
# What is in stock; NONE is not, and neither is a word that nobody knows.
_IN_STOCK = frozenset({"LOW", "MEDIUM", "HIGH"})
_ARM = re.compile(r"\bG[BH]\d{3}\b")
# What would tell of pages, beside the field that tells what there is of them.
_PAGES = ("nextCursor", "nextPage", "nextToken", "next", "cursor", "hasNextPage", "hasMore")


# -- lists -----------------------------------------------------------------------------------------


def next_page(source: Source) -> str | None:
    """Return what asks for the next page of a list, None behind the last.

    Raises UnavailableError where it tells of pages in a way that cannot be read: half a list is none.
    """
    data = source.answer.json() if source.answer else None
    if not isinstance(data, dict):
        return None
    told = data.get("pagination")
    if told is None and not any(data.get(name) for name in _PAGES):
        return None
    if isinstance(told, dict) and told.get("hasNextPage") is False:
        return None
    cursor = told.get("nextCursor") if isinstance(told, dict) else None
    more = isinstance(told, dict) and told.get("hasNextPage") is True
    if not more or not isinstance(cursor, str) or not cursor:
        raise source.wrong(f"it has pages, and the next one cannot be read: {source.shown(told)}")
    return cursor


# -- what can be rented ----------------------------------------------------------------------------


def types_from(row: Row, cloud: str, count: int) -> list[InstanceType]:
    """Return the type of so many GPUs, none where no pod can have them in this cloud."""
    gpu = row.word("id")
    name = type_named(gpu, count)
    if not row.flag(cloud) or (row.part("maxCount").number(cloud) or 0) < count:
        return []
    memory, price = row.number("memory") or 0.0, row.part("price").price(cloud)
    price = _of_all(price, count)
    return [
        InstanceType(
            name=name or f"{count}x_{gpu}",
            model=model_of(gpu),
            gpu_count=count,
            vram_gb=memory * count,
            on_demand=price,
            spot=NOT_TOLD,
            currency=CURRENCY,
            disk_price=DISK / HOURS_PER_MONTH,
            images=(USUAL_IMAGE,),
            usual_image=USUAL_IMAGE,
            serving_image=USUAL_IMAGE,
            problems=tuple(_problems(row, gpu, name, memory)),
        )
    ]


def _of_all(each: Price, count: int) -> Price:
    """Return the price of a pod by that of one of its GPUs; a free GPU cannot be believed."""
    if not each.amount:
        problem = each.problem or f"{each.what} is zero"
        return replace(each, amount=None, currency=CURRENCY, problem=problem)
    return replace(each, amount=each.amount * count, currency=CURRENCY)


def _problems(row: Row, gpu: str, name: str | None, memory: float) -> list[str]:
    found = []
    if name is None:
        found.append(f"its id {row.shown(gpu)} cannot be ordered by name")
    if not memory:
        found.append("its GPU memory cannot be read")
    if (row.text("manufacturer") or "NVIDIA").upper() != "NVIDIA":
        found.append("its GPUs are not of NVIDIA, and the roles are for CUDA")
    if _ARM.search(gpu):
        found.append("its processors are arm64, and the roles are for x86_64")
    return found


def stock_from(row: Row, count: int) -> list[Stock]:
    """Return where so many GPUs of a kind are in stock."""
    name = type_named(row.word("id"), count)
    if name is None or row.text("availability") not in _IN_STOCK:
        return []
    return [
        Stock(place.word("id").upper(), (name,))
        for place in row.records("dataCenters")
        if place.text("availability") in _IN_STOCK
    ]


# -- what there is ---------------------------------------------------------------------------------


def instance_from(row: Row) -> Instance:
    """Return a pod; its name in the account is the label that says whose it is."""
    label, environment = row.word("name"), _environment(row)
    ours = read_label(label)
    gpu, count = _gpus(row)
    status, state = _state(row, count)
    host, port = _direct(row)
    name = ours.name if ours else label
    return Instance(
        id=row.id(),
        name=name if is_host_name(name) else None,
        description=label,
        tags=_tags(row, environment, ours is not None),
        created_at=row.text("createdAt"),
        status=status,
        state=state,
        still_costs=state == FAILED,
        ip=host,
        ssh_host=host,
        ssh_port=port,
        instance_type=type_named(gpu, count) if gpu else None,
        location=(row.text("dataCenterId") or "").upper() or None,
        image=row.text("image"),
        price=_price(row, state),
        gpu_model=model_of(gpu) if gpu else None,
        gpu_count=count,
        volume_ids=tuple(one.id("volumeId") for one in row.part("mounts").records("network")),
        ssh_key_ids=key_ids(environment.get(PUBLIC_KEY)),
    )


def _environment(row: Row) -> dict[str, str]:
    """Return the environment of a pod; what it holds is told in no error."""
    found = row.data.get("env") or {}
    if not isinstance(found, dict):
        raise row.source.wrong("the field env is not usable")
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _tags(row: Row, environment: dict[str, str], labelled: bool) -> tuple[Tag, ...]:
    """Return the tags of the order; a pod of ours that is locked is protected."""
    found = {tag_key(key): value for key, value in environment.items() if key.startswith(_PREFIX)}
    if row.flag("locked") and (found or labelled):
        found[PROTECT_TAG] = "yes"
    return tuple(Tag(key, value) for key, value in found.items())


def tag_key(variable: str) -> str:
    """Return the key of a tag by the variable that holds it."""
    return variable.lower().replace("_", "-")


def variable(key: str) -> str:
    """Return the variable of the environment that holds a tag."""
    return key.upper().replace("-", "_")


def _gpus(row: Row) -> tuple[str | None, int]:
    """Return the id of the GPUs of a pod and how many it has now; those of a CPU pod are none."""
    gpu = row.part("gpu")
    count = gpu.number("count")
    missing = 0 if row.data.get("gpu") is None else 1
    return gpu.text("id"), int(missing if count is None else count)


def _state(row: Row, count: int) -> tuple[str, str]:
    """Return the status of a pod, and what it means."""
    status = row.word("status")
    seen = row.part("runtime").data.get("gpus")
    if status == "RUNNING" and not row.data.get("cpu") and (count == 0 or seen == []):
        # An empty list may be one that is not complete yet.
        return NO_GPU, UNKNOWN if count else FAILED
    return status, _STATES.get(status, UNKNOWN)


def _direct(row: Row) -> tuple[str | None, int | None]:
    """Return address and port of a pod's own sshd; the vendor's proxy carries no files, and is none.

    Both are new after each start, and missing until it is over.
    """
    direct = row.part("ssh").part("direct")
    host, port = direct.text("host"), direct.number("port")
    if not host or port is None:
        return None, None
    if not (is_address(host) or is_host_name(host)) or port != int(port) or not 0 < port < 65536:
        raise row.source.wrong(f"the field ssh.direct of {row.id()} is not usable")
    return host, int(port)


def _price(row: Row, state: str) -> Price:
    own = row.part("mounts").part("persistent").number("size") or 0
    storage = storage_per_hour(row.number("disk") or 0, own, stopped=state == OFF)
    return with_storage(row.price("cost"), storage, runs=state == RUNNING)


def volume_from(row: Row, holders: tuple[str, ...] = ()) -> Volume:
    """Return a network volume, which costs the same whether a pod has it or not."""
    size, kind = row.number("size") or 0, row.text("type")
    return Volume(
        id=row.id(),
        name=row.word("name"),
        status="attached" if holders else "detached",
        type=kind,
        location=row.word("dataCenter").upper(),
        size_gb=size,
        holders=holders,
        price=volume_price(kind, size),
        price_per_month=volume_price_per_month(kind, size),
    )


def keys_from(row: Row) -> list[SshKey]:
    """Return the keys of the account that can be read."""
    if row.data.get("keys") is None:
        raise row.source.wrong("the field keys is missing")
    return [key for text in row.texts("keys") if (key := key_from(text))]


def made_id(row: Row) -> str:
    """Return the id of what was made."""
    return row.id()


def listed_gpu(row: Row) -> tuple[str, Any]:
    """Return a kind of GPU with what is told of it."""
    return row.word("id"), row
