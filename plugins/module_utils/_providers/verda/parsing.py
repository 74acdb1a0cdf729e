# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From answers to types, at one place: what cannot be believed is settled here (private).

Unknown fields are passed over. A field that is missing or null has its default, but for the few
without which nothing can be said. One of another type is an error that names request and field.
Prices are read as far as they can be, so that something can be terminated whose price nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..._core.numbers import plain
from ..._models.balance import Balance, balance_from, currency_of
from ..._models.catalogue import InstanceType, Stock, VolumeType
from ..._models.offer import ON_DEMAND, SPOT
from ..._models.price import Price
from ..._models.resources import Instance, SshKey, StartupScript, Tag, Volume
from ..base.row import Row, Source
from ..base.shapes import is_host_name, is_id
from .capabilities import CAPABILITIES
from .images import best_image
from .states import NO_CAPACITY, state_of


def _count(value: float | None) -> int | None:
    return None if value is None else int(value)


# -- what an account holds -------------------------------------------------------------------------


def tag_from(row: Row) -> Tag:
    """Return a tag."""
    return Tag(row.text("key") or "", row.text("value") or "", row.maybe_id("id") or "")


def _tags(row: Row) -> tuple[Tag, ...]:
    return tuple(tag for tag in map(tag_from, row.records("tags")) if tag.key)


def instance_from(row: Row) -> Instance:
    """Return an instance; a host name that is none is left out."""
    name, status = row.text("hostname"), row.word("status")
    return Instance(
        id=row.id(),
        name=name if is_host_name(name) else None,
        tags=_tags(row),
        created_at=row.text("created_at"),
        status=status,
        state=state_of(status),
        was_free=status == NO_CAPACITY,
        description=row.text("description") or "",
        ip=row.address("ip"),
        instance_type=row.text("instance_type"),
        location=row.text("location"),
        image=row.text("image"),
        market=SPOT if row.flag("is_spot") else ON_DEMAND,
        contract=row.text("contract") or "",
        price=row.price("price_per_hour"),
        gpu_count=_count(row.part("gpu").number("number_of_gpus")),
        vram_gb=row.part("gpu_memory").number("size_in_gigabytes"),
        vcpu=_count(row.part("cpu").number("number_of_cores")),
        ram_gb=row.part("memory").number("size_in_gigabytes"),
        boot_volume_id=row.maybe_id("os_volume_id"),
        volume_ids=row.ids("volume_ids"),
        ssh_key_ids=row.ids("ssh_key_ids"),
        deleted_at=row.text("deleted_at"),
    )


def volume_from(row: Row) -> Volume:
    """Return a volume. ``instance_id`` names only the first of those that have it."""
    key, kind = row.id(), row.text("type")
    several = [one.maybe_id("id") for one in row.records("instances")]
    holders = several if any(several) else [row.maybe_id("instance_id")]
    return Volume(
        id=key,
        name=row.text("name"),
        tags=_tags(row),
        created_at=row.text("created_at"),
        status=row.text("status") or "unknown",
        type=kind,
        location=row.text("location"),
        size_gb=row.number("size"),
        is_boot=bool(row.flag("is_os_volume")),
        holders=tuple(one for one in holders if one),
        price=row.price("base_hourly_cost"),
        price_per_month=row.amount("monthly_price"),
        deleted_at=row.text("deleted_at"),
        is_permanently_deleted=row.flag("is_permanently_deleted"),
        mount_command=row.text("mount_command"),
        trash_hours=CAPABILITIES.trash_hours,
        device=_device(key, kind),
    )


def _device(key: str, kind: str | None) -> str | None:
    """Return the path of the block device in an instance; None for a shared file system."""
    if "shared" in (kind or "").lower():
        return None
    return f"/dev/disk/by-id/virtio-{key.replace('-', '')[-12:]}"


def trashed_from(row: Row) -> Volume:
    """Return a volume in the trash, where only its name tells whose it was."""
    row.word("name")
    return volume_from(row)


def ssh_key_from(row: Row) -> SshKey:
    """Return a registered public key; its name tells whose it is."""
    return SshKey(
        id=row.id(),
        name=row.word("name"),
        created_at=row.text("created_at"),
        public_key=row.text("key"),
        fingerprint=row.text("fingerprint"),
    )


def script_from(row: Row) -> StartupScript:
    """Return a startup script; its name tells whose it is."""
    return StartupScript(
        id=row.id(),
        name=row.word("name"),
        created_at=row.text("created_at"),
        content=row.text("script"),
    )


def balance_of(row: Row) -> Balance:
    """Return the balance of the account. Raises UnreadableError."""
    return balance_from(row.data)


# -- what can be bought ----------------------------------------------------------------------------


class _Sizes:
    """Reads the sizes of a type of instance, and notes what cannot be read."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self.problems: list[str] = []

    def _note(self, text: str) -> None:
        self.problems.append(f"{self._row.source.request}: {text}")

    def of(self, part: str, key: str) -> float:
        """Return a size that is not below zero; 0 for one that is missing, or unreadable."""
        sizes = self._row.data.get(part)
        if sizes is None:
            return 0.0
        if not isinstance(sizes, dict):
            self._note(f"{part} {self._row.shown(sizes)} cannot be read")
            return 0.0
        value = sizes.get(key)
        found = 0.0 if value is None else plain(value)
        if found is None or found < 0:
            self._note(f"{part}.{key} {self._row.shown(value)} is no size")
            return 0.0
        return found

    def currency(self) -> str | None:
        """Return the currency of the prices, None where none is named."""
        value = self._row.data.get("currency")
        found = currency_of(value)
        if found is None and value not in (None, ""):
            self._note(f"currency {self._row.shown(value)} is not a currency")
        return found

    def images(self) -> tuple[str, ...]:
        """Return the images that it boots."""
        value = self._row.data.get("supported_os")
        if value is None:
            return ()
        if not isinstance(value, list):
            self._note(f"supported_os {self._row.shown(value)} cannot be read")
            return ()
        return tuple(one for one in value if isinstance(one, str))


def instance_type_from(row: Row) -> InstanceType:
    """Return a type of the catalogue; one that cannot be read says so, and spoils no other."""
    sizes, model = _Sizes(row), row.data.get("model")
    images = sizes.images()
    return InstanceType(
        name=row.word("instance_type"),
        model=model if isinstance(model, str) else None,
        gpu_count=int(sizes.of("gpu", "number_of_gpus")),
        vram_gb=sizes.of("gpu_memory", "size_in_gigabytes"),
        vcpu=int(sizes.of("cpu", "number_of_cores")),
        ram_gb=sizes.of("memory", "size_in_gigabytes"),
        on_demand=row.price("price_per_hour", missing=0.0),
        spot=row.price("spot_price", missing=0.0),
        currency=sizes.currency(),
        images=images,
        usual_image=best_image(images),
        serving_image=best_image(images, serving=True),
        problems=tuple(sizes.problems),
    )


def volume_type_from(row: Row) -> VolumeType:
    """Return a type of volume with its price."""
    name = row.word("type")
    prices = Row(row.source, {**row.part("price").data, "name": name})
    price = prices.price("price_per_month_per_gb")
    return VolumeType(name, price if price.currency else _priced_in(price, row))


def _priced_in(price: Price, row: Row) -> Price:
    """Return a price whose currency stands beside it."""
    return replace(price, currency=currency_of(row.data.get("currency")))


def stock_from(row: Row) -> Stock:
    """Return what is in stock at a location."""
    return Stock(row.word("location_code"), row.texts("availabilities"))


# -- what a write answers --------------------------------------------------------------------------


def made_id(source: Source) -> str | None:
    """Return the id that an answer names: bare text, quoted text or an object; None without one.

    The content type says nothing about which it is.
    """
    answer = source.answer
    if answer is None:
        return None
    try:
        data = answer.json()
    except ValueError:
        data = answer.text
    found = data.get("id") if isinstance(data, dict) else data
    text = str(found).strip().strip('"') if isinstance(found, (str, int)) else None
    return text if is_id(text) else None


def refused_rows(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the refusals inside an answer about several things, with words without secrets."""
    answer = source.answer
    if answer is None or not answer.content:
        return
    try:
        rows = answer.json()
    except ValueError:
        return
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("status") == "error":
            yield {**row, "error": answer.hide(str(row.get("error") or "refused"))[:1000]}
