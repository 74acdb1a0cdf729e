# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scenario file may say; also the switches that can be thrown while the simulator runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any

from .catalogue import Catalogue
from .dialect import Dialect
from .faults import check_fault

Stock = dict[str, dict[str, dict[str, int]]]
MARKETS = ("on_demand", "spot")
CURRENCIES = ("usd", "eur")
DEFAULT_QUOTAS = {
    "gpus": 64,
    "spot_gpus": 64,
    "vcpus": 4000,
    "volumes": 200,
    "storage_gb": 100_000,
    "scripts": 100,
}


@dataclass(frozen=True)
class RateLimits:
    """Requests allowed per window of real seconds, as the API documents them."""

    project: int = 500
    endpoint: int = 60
    listing: int = 120
    window_s: float = 60
    json: bool = False
    enforced: bool = True


@dataclass(frozen=True)
class Scenario:
    """The start of an account and the habits of the imitated cloud."""

    balance: Decimal = Decimal(500)
    currency: str = "usd"
    stock: Stock | None = None
    faults: list[dict[str, Any]] = field(default_factory=list)
    instance_types: list[dict[str, Any]] = field(default_factory=list)
    clients: dict[str, str] = field(default_factory=dict)
    rate_limits: RateLimits = RateLimits(enforced=False)
    provision_seconds: float = 0.0
    delete_seconds: float | None = None
    volume_seconds: float | None = None
    remember_seconds: float = 3600.0
    token_seconds: float = 3600.0
    quotas: dict[str, int] = field(default_factory=dict)
    availability_lies: list[str] = field(default_factory=list)
    tags_supported: bool = True
    quoted_ids: bool = False
    extra_fields: bool = True
    aliases: bool = True
    clone_answer: str = "array"
    unknown_id_status: int = 404
    journal: bool = True
    dialect: Dialect = field(default_factory=Dialect)
    providers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, data: dict[str, Any] | None, **defaults: Any) -> Scenario:
        """Return the scenario that plain data describes; unknown keys raise ValueError."""
        return cls(**{**defaults, **_converted(data or {})})

    def switched(self, changes: dict[str, Any]) -> Scenario:
        """Return a copy with some switches thrown."""
        return replace(self, **_converted(changes))

    def quota(self, name: str) -> int:
        """Return a quota by name."""
        return self.quotas.get(name, DEFAULT_QUOTAS[name])

    def delete_time(self) -> float:
        """Return how long an instance stays in `deleting`, in seconds."""
        return self.provision_seconds * 0.4 if self.delete_seconds is None else self.delete_seconds

    def volume_time(self) -> float:
        """Return how long a volume lags behind what was asked of it, in seconds."""
        return self.provision_seconds * 0.2 if self.volume_seconds is None else self.volume_seconds

    def lies(self, instance_type: str, location: str) -> bool:
        """Return whether this type is listed as available and refused when ordered."""
        return not {instance_type, f"{instance_type}@{location}"}.isdisjoint(self.availability_lies)


def _converted(data: dict[str, Any]) -> dict[str, Any]:
    unknown = data.keys() - {f.name for f in fields(Scenario)}
    if unknown:
        raise ValueError(f"unknown scenario keys: {', '.join(sorted(unknown))}")
    values = dict(data)
    if "balance" in values:
        values["balance"] = Decimal(str(values["balance"]))
    if values.get("currency", "usd") not in CURRENCIES:
        raise ValueError(f"unknown currency {values['currency']!r}; known: {', '.join(CURRENCIES)}")
    if "rate_limits" in values:
        values["rate_limits"] = _rate_limits(values["rate_limits"])
    if "dialect" in values:
        values["dialect"] = Dialect.read(values["dialect"])
    _check_providers(values.get("providers", {}))
    for fault in values.get("faults", ()):
        check_fault(fault)
    bad = set(values.get("quotas", ())) - DEFAULT_QUOTAS.keys()
    if bad:
        raise ValueError(f"unknown quotas: {', '.join(sorted(bad))}")
    return values


def _check_providers(given: dict[str, Any]) -> None:
    for name, one in given.items():
        if not isinstance(one, dict) or one.keys() - {"offers"}:
            raise ValueError(f"providers.{name} is an object with offers, a list")


def _rate_limits(value: Any) -> RateLimits:
    if isinstance(value, RateLimits):
        return value
    if isinstance(value, dict):
        return RateLimits(**value)
    return RateLimits(enforced=bool(value))


def exact_stock(given: Stock, catalogue: Catalogue) -> Stock:
    """Return stock for every location, zero where not given; unknown names raise ValueError."""
    stock: Stock = {code: {market: {} for market in MARKETS} for code in catalogue.codes}
    for code, markets in given.items():
        if code not in stock:
            raise ValueError(f"unknown location {code}")
        for market, counts in markets.items():
            if market not in MARKETS:
                raise ValueError(f"unknown market {market}")
            strange = counts.keys() - catalogue.types.keys()
            if strange:
                raise ValueError(f"unknown instance types: {', '.join(sorted(strange))}")
            stock[code][market] = {name: int(count) for name, count in counts.items()}
    return stock
