# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From offers of the market to types of a catalogue that holds single offers (private).

An offer is some GPUs of one computer, at one place, once. Its name tells GPUs and computer, so that
an instance bears the same one: the number of an offer is nothing that lasts.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timezone

from ..._core.errors import UnavailableError
from ..._core.times import write_time
from ..._hardware.gpus import MODELS, model_named
from ..._models.catalogue import InstanceType
from ..._models.price import NOT_TOLD, Price
from ..._models.terms import Terms
from ..base.row import Row

CURRENCY = "usd"
VM, CONTAINER = "vm", "container"
IMAGES = {
    VM: "docker.io/vastai/kvm:ubuntu_terminal",
    CONTAINER: "docker.io/vastai/base-image:@vastai-automatic-tag",
}
NOWHERE = "UNKNOWN"
# The vendor reckons a month of storage so.
_MONTH_HOURS = 720
_MOST = 1000
# Bids are told in thousandths.
_LEAST_BID = 0.001
# Of "H100 SXM", "A100 PCIE", "RTX PRO 6000 WS": how it is built in, which no tier asks for.
_FORM = re.compile(r"\s+(SXM\d?|PCIE|NVL|WS|S)\Z", re.IGNORECASE)
_PRO = re.compile(r"RTX PRO 6000\b", re.IGNORECASE)
# Memory is told in MB as the driver counts it, a little less or more than on the box.
_TOLERANCE = 0.07
_COUNTRY = re.compile(r"(?:.*,\s*|\A)([A-Z]{2})\Z")


def search_for(rents: str) -> dict[str, object]:
    """Return what is searched: what can be rented as a VM or container, in a verified data centre."""
    found: dict[str, object] = {
        "verified": {"eq": True},
        "external": {"eq": False},
        "rentable": {"eq": True},
        "rented": {"eq": False},
        "datacenter": {"eq": True},
        "type": "on-demand",
        "order": [["dph_total", "asc"]],
        "limit": _MOST,
    }
    return {**found, "vms_enabled": {"eq": True}} if rents == VM else found


def gpu_of(name: str) -> str:
    """Return the model of a GPU without how it is built in."""
    return "RTX PRO 6000" if _PRO.match(name) else _FORM.sub("", name.strip())


def vram_each(name: str, megabytes: float | None) -> float:
    """Return the memory of one GPU in GB: the usual one of its model, where it is about that."""
    told = (megabytes or 0.0) / 1024
    model = model_named(gpu_of(name))
    usual = next((one.vram_gb for one in MODELS if one.key == model), ())
    return next((gb for gb in usual if abs(told - gb) <= gb * _TOLERANCE), float(round(told)))


def ram_of(row: Row) -> float | None:
    """Return the memory in GB that comes with the GPUs: what is told is that of the whole computer."""
    whole, cores = row.number("cpu_ram"), row.number("cpu_cores")
    mine = row.number("cpu_cores_effective")
    if whole is None or not cores or mine is None:
        return None
    return round(whole / 1024 * min(mine / cores, 1.0), 1)


def place_of(row: Row) -> str | None:
    """Return the country of an offer or an instance, None where none is told."""
    found = _COUNTRY.match((row.text("geolocation") or "").strip().upper())
    return found[1] if found else None


def time_of(row: Row, field: str) -> str | None:
    """Return a time that is told in seconds since 1970."""
    seconds = row.number(field)
    if not seconds:
        return None
    try:
        return write_time(datetime.fromtimestamp(seconds, timezone.utc))
    except (ValueError, OverflowError, OSError):
        raise row.source.wrong(f"the field {field} is no time: {row.shown(seconds)}") from None


def type_name(row: Row) -> str:
    """Return how GPUs of a computer are called: ``2X-H100-SXM-M12345``."""
    gpu = re.sub(r"[^A-Z0-9]+", "-", row.word("gpu_name").upper()).strip("-")
    return f"{int(row.number('num_gpus') or 0)}X-{gpu}-M{row.int_id('machine_id')}"


@dataclass(frozen=True)
class Ask:
    """An offer with the number under which it is ordered. ``bid`` is the least that wins, in thousandths."""

    id: str
    type: InstanceType
    location: str
    bid: float | None
    disk_gb: float

    @property
    def order(self) -> tuple[float, str]:
        """What sorts the cheapest offer of the same GPUs first."""
        return self.type.on_demand.or_nothing or math.inf, self.id


def ask_from(row: Row, rents: str = VM) -> Ask:
    """Return an offer; one that cannot be read says so, and spoils no other."""
    found = row.int_id("id")
    try:
        return _ask_from(row, found, rents)
    except UnavailableError as error:
        kind = InstanceType(f"OFFER-{found}", currency=CURRENCY, problems=(error.message,))
        return Ask(found, kind, NOWHERE, None, 0.0)


def _ask_from(row: Row, found: str, rents: str) -> Ask:
    name, gpus = row.word("gpu_name"), int(row.number("num_gpus") or 0)
    each = vram_each(name, row.number("gpu_ram"))
    disk = row.price("storage_cost")
    least = row.price("min_bid")
    bid = _thousandths(least.amount) if least.amount and not least.problem else None
    kind = InstanceType(
        name=type_name(row),
        model=gpu_of(name),
        gpu_count=gpus,
        vram_gb=each * gpus,
        vcpu=int(row.number("cpu_cores_effective") or 0),
        ram_gb=ram_of(row) or 0.0,
        on_demand=_usd(row.price("dph_base")),
        spot=NOT_TOLD if bid is None else Price(bid, CURRENCY, least.what, "", is_told=True),
        currency=CURRENCY,
        images=(IMAGES[rents],),
        usual_image=IMAGES[rents],
        serving_image=IMAGES[rents],
        problems=(*_other(row, rents), *([disk.problem] if disk.problem else [])),
        disk_price=disk.or_nothing / _MONTH_HOURS,
        terms=terms_of(row),
    )
    return Ask(found, kind, place_of(row) or NOWHERE, bid, row.number("disk_space") or 0.0)


def terms_of(row: Row) -> Terms:
    """Return what else is to be known of an offer."""
    share = row.number("reliability2")
    return Terms(
        reliability=row.number("reliability") if share is None else share,
        verification=row.text("verification"),
        traffic_down_price=row.number("inet_down_cost"),
        traffic_up_price=row.number("inet_up_cost"),
        contract_end=time_of(row, "end_date"),
    )


def _other(row: Row, rents: str) -> list[str]:
    """Return why an offer is none of those that were searched for."""
    wrong = {
        "it is not verified": row.text("verification") not in (None, "verified"),
        "it cannot be rented": row.flag("rentable") is False or row.flag("rented") is True,
        "it runs no VMs": rents == VM and row.flag("vms_enabled") is False,
        "it stands in no data centre": row.number("hosting_type") not in (None, 1),
    }
    return [why for why, is_so in wrong.items() if is_so]


def _usd(price: Price) -> Price:
    return Price(price.amount, CURRENCY, price.what, price.problem, price.is_told)


def _thousandths(amount: float) -> float:
    """Return a bid that is not below an amount."""
    return max(math.ceil(round(amount * 1000, 6)) / 1000, _LEAST_BID)
