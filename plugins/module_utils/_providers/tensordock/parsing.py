# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From answers to types, at one place: what cannot be believed is settled here (private).

One thing comes in several shapes: with ``data`` around it or not, with ``attributes`` inside or not,
its fields in camelCase and in snake_case. What is none of these is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..._core.errors import UnavailableError
from ..._models.catalogue import InstanceType, Stock
from ..._models.label import read_label
from ..._models.price import NOT_TOLD, UNKNOWN, Price
from ..._models.resources import Instance, SshKey
from ..._models.status import BUILDING, ENDING, GONE, OFF, RUNNING
from ..._models.status import UNKNOWN as UNKNOWN_STATE
from ..base.row import Row, Source
from ..base.shapes import is_id
from .capabilities import CAPABILITIES
from .names import Sized, read_name

CURRENCY = "usd"
# One in ``error`` may run and cost all the same: it counts as alive, like every word that is new.
_STATES = {
    "creating": BUILDING,
    "starting": BUILDING,
    "running": RUNNING,
    "stopping": OFF,
    "stopped": OFF,
    "deleting": ENDING,
    "deleted": GONE,
    "terminated": GONE,
}
# None brings a driver that works; the role cuda installs one.
IMAGES = ("ubuntu2404", "ubuntu2204")
_COUNTS = (1, 2, 4, 8)
# What comes with each GPU, as sizes are free: enough to load weights that fill its memory.
_VCPU_EACH, _LEAST_RAM_EACH = 8, 32
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAKER = re.compile(r"\A(nvidia |geforce |tesla )+", re.I)
_BOARD = re.compile(r"[\s-]*\b(pcie|sxm\d?|nvl)?[\s-]*\d+\s*gb\Z", re.I)
_MEMORY = re.compile(r"(\d+)\s*gb\Z", re.I)
_SSH_PORT = 22


@dataclass(frozen=True)
class Shaped(Source):
    """An answer that holds one thing, or a list that is called ``holds``."""

    holds: str = ""

    def data(self) -> Any:
        """Return what an answer holds. Raises UnavailableError for a list that is not all of it."""
        found = super().data()
        if self.holds and isinstance(found, dict):
            self._refuse_pages(found)
        inner = found.get("data") if isinstance(found, dict) else None
        if self.holds:
            return inner.get(self.holds) if isinstance(inner, dict) else inner
        return inner if isinstance(inner, dict) else found

    def _refuse_pages(self, found: dict[str, Any]) -> None:
        """Raise UnavailableError for the first of several pages, which no source tells of."""
        links = found.get("links")
        if isinstance(links, dict) and links.get("next"):
            raise self.wrong(f"the list of {self.holds} has more pages, which nothing can read")


def in_one_spelling(row: Row) -> Row:
    """Return an object with its attributes beside its id, and all names in snake_case."""
    found: dict[str, Any] = {}
    attributes = row.part("attributes").data
    for data in (row.data, attributes):
        for key, value in data.items():
            name = _HUMP.sub("_", key).lower()
            if value is None or name == "attributes":
                continue
            if name in found and found[name] != value:
                raise row.source.wrong(f"the field {name} stands twice, and not as the same")
            found[name] = value
    return Row(row.source, found)


def instance_from(row: Row) -> Instance:
    """Return an instance; its name says whose it is, and when it was ordered."""
    row = in_one_spelling(row)
    status, name = row.word("status").lower(), row.text("name") or ""
    label, ordered_at = read_name(name)
    ours, gpus, place = read_label(label), _rented(row), row.maybe_id("location_id")
    memory = _vram(gpus.gpu) if gpus else None
    return Instance(
        id=row.id(),
        name=ours.name if ours else None,
        description=label,
        created_at=ordered_at or row.text("created_at"),
        status=status,
        state=_STATES.get(status, UNKNOWN_STATE),
        ip=_own_address(row),
        instance_type=gpus.at(place) if gpus and place else None,
        location=place.upper() if place else None,
        image=row.text("image"),
        price=_rate(row),
        gpu_model=_model(gpus.gpu) if gpus else None,
        gpu_count=gpus.count if gpus else None,
        vram_gb=memory * gpus.count if gpus and memory else None,
        vcpu=gpus.vcpu if gpus else None,
        ram_gb=gpus.ram_gb if gpus else None,
    )


def complete(found: Instance, listed: Instance | None) -> Instance:
    """Return an instance whose own answer leaves out what the list has told."""
    if listed is None:
        return found
    left_out = ("created_at", "instance_type", "location", "image", "gpu_model", "gpu_count")
    names = (*left_out, "vram_gb", "vcpu", "ram_gb")
    told = {name: getattr(listed, name) for name in names if getattr(found, name) is None}
    if not found.price.is_told:
        told["price"] = listed.price
    return replace(found, **told)


def _rate(row: Row) -> Price:
    """Return what an instance costs per hour, by either name; told as nothing it is not known."""
    for field in ("rate_hourly", "price_per_hour"):
        if field in row.data:
            found = row.price(field)
            if found.amount == 0:
                return Price(None, CURRENCY, found.what, f"{found.what} is zero")
            return replace(found, currency=CURRENCY)
    return UNKNOWN


def _own_address(row: Row) -> str | None:
    """Return the address of an instance where port 22 of it is its own.

    On an address that is shared, port 22 is somebody else's.
    """
    address, forwards = row.address("ip_address"), row.data.get("port_forwards")
    if not forwards:
        return address
    if isinstance(forwards, dict):
        pairs = {str(inner): str(outer) for inner, outer in forwards.items()}
        return address if pairs.get(str(_SSH_PORT), str(_SSH_PORT)) == str(_SSH_PORT) else None
    for one in map(in_one_spelling, row.records("port_forwards")):
        inner, outer = one.number("internal_port"), one.number("external_port")
        if inner == _SSH_PORT and outer != _SSH_PORT:
            return None
    return address


def _rented(row: Row) -> Sized | None:
    """Return what an instance has, as the list tells it, or its resources; None where neither does."""
    if "gpu_model" in row.data:
        gpu, count = row.text("gpu_model"), row.number("gpu_count")
        vcpu, ram = row.number("vcpus"), row.number("ram_gb")
    else:
        resources = in_one_spelling(row.part("resources"))
        gpu, count = _only_gpu(resources)
        vcpu, ram = resources.number("vcpu_count"), resources.number("ram_gb")
    if not (gpu and count and vcpu and ram):
        return None
    return Sized(gpu, int(count), int(vcpu), int(ram))


def _only_gpu(resources: Row) -> tuple[str | None, float | None]:
    """Return the GPU of an instance and its count: of a map of names, or a list of records."""
    if isinstance(resources.data.get("gpus"), list):
        rows = [in_one_spelling(one) for one in resources.records("gpus")]
        found = [(one.text("gpu_v0_name"), one.number("count")) for one in rows]
    else:
        gpus = resources.part("gpus")
        found = [(name, gpus.part(name).number("count")) for name in gpus.data]
    return found[0] if len(found) == 1 else (None, None)


def _model(name: str) -> str:
    """Return the model of a GPU: its name without maker, board and memory."""
    return _BOARD.sub("", _MAKER.sub("", name.strip())).strip(" -")


def _vram(name: str) -> float | None:
    """Return the memory of one GPU in GB, which stands in its name alone."""
    found = _MEMORY.search(name.strip())
    return float(found[1]) if found else None


# -- the catalogue ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Listed:
    """A GPU of a location: its record, its sizes by count, and whether one of its own address is there.

    ``problem`` says what of it cannot be read.
    """

    row: Row
    place: str
    shown: str = ""
    sizes: tuple[Sized, ...] = ()
    is_reachable: bool = False
    problem: str = ""

    def named(self) -> Iterator[tuple[str, Sized]]:
        """Yield each type with its name."""
        for size in self.sizes:
            name = size.at(self.place)
            if name:
                yield name, size


def _listed(row: Row) -> Iterator[_Listed]:
    """Yield the GPUs of a location; one that cannot be read says so, and spoils no other."""
    place = row.id()
    for gpu in row.records("gpus"):
        try:
            yield _gpu(place, in_one_spelling(gpu))
        except UnavailableError as error:
            yield _Listed(gpu, place, problem=error.message)


def _gpu(place: str, row: Row) -> _Listed:
    """Return a GPU of a location, in each count that it may be had in."""
    most = in_one_spelling(row.part("resources"))
    shown, name = row.text("display_name") or "", row.word("v0_name")
    ram = max(_LEAST_RAM_EACH, int(_vram(shown) or _vram(name) or 0))
    limits = int(most.number("max_vcpus") or 0), int(most.number("max_ram_gb") or 0)
    sizes = [
        Sized(name, count, min(count * _VCPU_EACH, limits[0]), min(count * ram, limits[1]))
        for count in _COUNTS
        if count <= (row.number("max_count") or 0)
    ]
    room = (most.number("max_storage_gb") or 0) >= CAPABILITIES.least_boot_gb
    own = in_one_spelling(row.part("network_features")).flag("dedicated_ip_available")
    in_one_spelling(row.part("pricing"))
    return _Listed(row, place, shown, tuple(sizes), bool(own) and room and 0 not in limits)


def types_from(row: Row) -> list[InstanceType]:
    """Return the types of a location: prices are of the location, so its types are its own."""
    rows = list(_listed(row))
    bad = [one for one in rows if one.problem]
    return [
        *(_type(name, size, one) for one in rows for name, size in one.named()),
        *(InstanceType(_word(one), currency=CURRENCY, problems=(one.problem,)) for one in bad),
    ]


def _word(one: _Listed) -> str:
    """Return what to call a GPU that cannot be read."""
    told = one.row.data.get("v0Name")
    return f"{told if is_id(told) else 'unreadable'}-{one.place[:8]}"


def _type(name: str, size: Sized, one: _Listed) -> InstanceType:
    memory = _vram(one.shown) or _vram(size.gpu)
    return InstanceType(
        name=name,
        model=_model(one.shown or size.gpu),
        gpu_count=size.count,
        vram_gb=size.count * (memory or 0.0),
        vcpu=size.vcpu,
        ram_gb=size.ram_gb,
        on_demand=_price(size, one.row),
        disk_price=_disk(one.row).or_nothing,
        spot=NOT_TOLD,
        currency=CURRENCY,
        images=IMAGES,
        usual_image=IMAGES[0],
        serving_image=IMAGES[0],
        problems=() if memory else ("the memory of its GPU is not told",),
    )


def _price(size: Sized, row: Row) -> Price:
    """Return what a type costs without its disk; a part that is not told makes it unknown."""
    each = in_one_spelling(row.part("pricing"))
    gpu = row.price("price_per_hr")
    if gpu.amount == 0:
        return Price(None, CURRENCY, gpu.what, f"{gpu.what} is zero")
    total = 0.0
    for price, number in (
        (gpu, size.count),
        (each.price("per_vcpu_hr"), size.vcpu),
        (each.price("per_gb_ram_hr"), size.ram_gb),
        (_disk(row), 0),
    ):
        if price.amount is None:
            return replace(price, currency=CURRENCY)
        total += price.amount * number
    return Price(round(total, 6), CURRENCY, f"the price of {size.gpu}", "", True)


def _disk(row: Row) -> Price:
    """Return what a GB of disk costs an hour beside a GPU of a location."""
    return in_one_spelling(row.part("pricing")).price("per_gb_storage_hr")


def stock_from(row: Row) -> Stock:
    """Return what is said to be in stock at a location, of instances with an address of their own."""
    names = [name for one in _listed(row) if one.is_reachable for name, _size in one.named()]
    return Stock(row.id().upper(), tuple(names))


def key_from(row: Row) -> SshKey | None:
    """Return a registered public key; None for any other secret, of which nothing is read."""
    row = in_one_spelling(row)
    if row.text("secret_type") != "SSHKEY":
        return None
    return SshKey(id=row.id(), name=row.word("name"), public_key=row.text("value"))
