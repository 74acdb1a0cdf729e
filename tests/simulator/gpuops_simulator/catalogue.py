# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types, images, locations and volume types: data from catalogue.json in the API's shapes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from .errors import missing

HOURS_PER_MONTH = 730
Row = dict[str, Any]


@lru_cache(maxsize=1)
def _seed() -> Row:
    return json.loads(Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8"))


def _stable_id(kind: str, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"gpuops-simulator/{kind}/{name}"))


class Catalogue:
    """The seed, with a scenario's own instance types merged in by name."""

    def __init__(self, changes: Iterable[Row] = (), currency: str = "usd") -> None:
        seed = _seed()
        self.currency = currency
        self.locations: list[Row] = seed["locations"]
        self.codes = [row["code"] for row in self.locations]
        self.volume_types: dict[str, Row] = {row["type"]: row for row in seed["volume_types"]}
        self._rate = Decimal(seed["eur_per_usd"])
        self._sets: dict[str, list[str]] = seed["image_sets"]
        self._image_ids: dict[str, str] = seed["image_ids"]
        self.types: dict[str, Row] = {row["instance_type"]: row for row in seed["instance_types"]}
        self._merge(changes)
        self._answers: dict[str, bytes] = {}

    def _merge(self, changes: Iterable[Row]) -> None:
        for change in changes:
            name = change["instance_type"]
            if change.get("removed"):
                self.types.pop(name, None)
                continue
            row = {**self.types.get(name, {}), **change}
            lacking = {"model", "gpus", "vcpus", "ram_gb", "vram_gb", "price_per_hour"} - row.keys()
            if lacking:
                raise ValueError(f"instance type {name} lacks {', '.join(sorted(lacking))}")
            row["price_per_hour"] = str(row["price_per_hour"])
            row.setdefault("spot_price", str(Decimal(row["price_per_hour"]) / 2))
            row.setdefault("name", row["model"])
            row.setdefault("images", "hopper" if row["gpus"] else "cpu")
            self.types[name] = {**row, "spot_price": str(row["spot_price"])}

    def default_stock(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return the availability of the seed's day, with the same small number of each."""
        seed = _seed()
        return {
            code: {
                market: {name: seed["stock_per_type"] for name in names if name in self.types}
                for market, names in markets.items()
            }
            for code, markets in seed["stock"].items()
        }

    def price(self, name: str, is_spot: bool) -> Decimal:
        """Return the price per hour for the whole type, as the account pays it."""
        row = self.types[name]
        usd = row["spot_price"] if is_spot else row["price_per_hour"]
        return Decimal(self._money(usd, self.currency))

    def volume_price(self, kind: str, size: int) -> tuple[Decimal, Decimal]:
        """Return the price of a volume as the account pays it: per month, per hour."""
        month = self._month(kind, self.currency) * size
        return month, month / HOURS_PER_MONTH

    def _month(self, kind: str, currency: str) -> Decimal:
        rate = 1 if currency == "usd" else self._rate
        return Decimal(self.volume_types[kind]["month_gb"]) * rate

    def supported_os(self, name: str) -> list[str]:
        """Return the images that a type can boot."""
        images = self.types[name]["images"]
        return images if isinstance(images, list) else self._sets[images]

    def type_answer(self, currency: str) -> bytes:
        """Return the whole type list, ready to send; made once per currency."""
        if currency not in self._answers:
            rows = [self.type_view(name, currency) for name in self.types]
            self._answers[currency] = json.dumps(rows).encode()
        return self._answers[currency]

    def type_view(self, name: str, currency: str = "usd") -> Row:
        """Return one type as the API shows it; prices are text."""
        if name not in self.types:
            raise missing("Invalid instance type")
        row = self.types[name]
        price, spot = (self._money(row[key], currency) for key in ("price_per_hour", "spot_price"))
        gpus, vram = row["gpus"], row["vram_gb"]
        storage: Row = {"description": "dynamic"}
        if row["model"] == "Tesla V100":
            storage = {"description": f"{225 * gpus}GB NVME", "size_in_gigabytes": 225 * gpus}
        return {
            "id": row.get("id") or _stable_id("type", name),
            "instance_type": name,
            "name": row["name"],
            "model": row["model"],
            "display_name": None if gpus else "Genoa",
            "description": "Dedicated Hardware Instance",
            "manufacturer": "NVIDIA" if gpus else "AMD",
            "best_for": ["Large model inference"] if gpus else ["Running services"],
            **self.hardware(name),
            "gpu_memory": {
                "description": f"{vram}GB GPU RAM" if gpus else "",
                "size_in_gigabytes": vram,
            },
            "storage": storage,
            "price_per_hour": price,
            "spot_price": spot,
            "dynamic_price": None,
            "max_dynamic_price": price,
            "serverless_price": "0",
            "serverless_spot_price": "0",
            "currency": currency,
            "p2p": None,
            "deploy_warning": row.get("deploy_warning"),
            "supported_os": self.supported_os(name),
        }

    def hardware(self, name: str) -> Row:
        """Return the parts that types and instances describe alike."""
        row = self.types[name]
        gpus = row["gpus"]
        return {
            "cpu": {"description": f"{row['vcpus']} CPU", "number_of_cores": row["vcpus"]},
            "gpu": {
                "description": f"{gpus}x {row['name']}" if gpus else "",
                "number_of_gpus": gpus,
            },
            "memory": {
                "description": f"{row['ram_gb']}GB RAM",
                "size_in_gigabytes": row["ram_gb"],
            },
        }

    def _money(self, usd: str, currency: str) -> str:
        return usd if currency == "usd" else f"{Decimal(usd) * self._rate:.4f}"

    def image_id(self, name: str) -> str:
        """Return the id of an image type."""
        return self._image_ids.get(name) or _stable_id("image", name)

    def images(self, instance_type: str | None) -> list[Row]:
        """Return image rows, all or those that one type can boot."""
        if instance_type is not None and instance_type not in self.types:
            raise missing("Invalid instance type")
        wanted = [instance_type] if instance_type else list(self.types)
        names = dict.fromkeys(image for name in wanted for image in self.supported_os(name))
        return [self._image(name) for name in names]

    def image_named(self, wanted: str) -> str | None:
        """Return the image type for a type name or an image id; None when there is none."""
        return self._image_names.get(wanted)

    @cached_property
    def _image_names(self) -> dict[str, str]:
        names = {image for name in self.types for image in self.supported_os(name)}
        return {name: name for name in names} | {self.image_id(name): name for name in names}

    def _image(self, name: str) -> Row:
        words = name.replace("-", " ").replace(".cuda", " CUDA ").replace("cuda", "CUDA")
        return {
            "id": self.image_id(name),
            "image_type": name,
            "name": words[:1].upper() + words[1:],
            "is_default": name == "ubuntu-24.04",
            "details": [words],
            "category": "jupyter" if name.startswith("jupyter") else "ubuntu",
            "is_cluster": False,
        }

    def volume_type_answer(self, currency: str) -> list[Row]:
        """Return the volume types as the API shows them."""
        return [self._volume_type(row, currency) for row in self.volume_types.values()]

    def _volume_type(self, row: Row, currency: str) -> Row:
        month = self._month(row["type"], currency)
        return {
            "type": row["type"],
            "price": {
                "price_per_month_per_gb": float(month),
                "cps_per_gb": float(month / HOURS_PER_MONTH / 3600),
                "currency": currency,
            },
            "is_shared_fs": row["shared"],
            "burst_bandwidth": row["burst"],
            "continuous_bandwidth": row["continuous"],
            "internal_network_speed": 50,
            "iops": "100k",
            "throughput_gbps": 2,
        }
