# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walking the ranked offers, and waiting for better times (private)."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypedDict, cast

from .._catalog.several import Markets
from .._catalog.stock import Market
from .._core.errors import GpuopsError, RateLimitedError, UnavailableError
from .._core.progress import tell
from .._core.wait import Clock
from .._lifecycle.termination_policy import Outcome
from .._models.offer import Choice, Offer, OfferRow
from .._providers.base.views import BoughtRow
from .order_fallbacks import Fallbacks

# Waiters that were started together must not ask together for ever.
_JITTER = random.SystemRandom()


class _Trace(TypedDict, total=False):
    id: str | None


class Trace(OfferRow, _Trace):
    """A line of the trace of a walk: an offer, and what became of the order for an instance of a name.

    With an id where there was an instance.
    """

    name: str
    outcome: str
    detail: str


@dataclass(frozen=True)
class Patience:
    """Limits in seconds: for trying offers, for waiting until there are any, between two looks.

    The time of an order that was accepted counts for neither.
    """

    trying: float = 600
    waiting: float = 0
    interval: float = 30


@dataclass
class Walk:
    """The ranked offers that all purchases of one run go through together, and their trace.

    ``ends`` are the instances of orders that came to nothing and were terminated.
    """

    choice: Choice
    market: Market | Markets
    clock: Clock
    patience: Patience
    ceiling: float | None = None
    look_again: Callable[[], float | None] = lambda: None
    bought: Callable[[str], None] = lambda _instance_id: None
    attempts: list[Trace] = field(default_factory=list)
    fallbacks: Fallbacks = field(default_factory=Fallbacks)
    ends: list[Outcome] = field(default_factory=list)
    _refused: set[tuple[str, str, str | None, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ordered: dict[str, float] = field(default_factory=dict)
    _start: float | None = None

    @staticmethod
    def _key(offer: Offer) -> tuple[str, str, str | None, str]:
        return offer.provider, offer.instance_type, offer.location, offer.market

    def best(self, location: str | None = None, name: str = "") -> Offer | None:
        """Return the best offer that was not refused yet, at a location if one is given."""
        left = (
            offer
            for offer in self.choice.offers
            if self._key(offer) not in self._refused and location in (None, offer.location)
            if not self._too_dear(offer) and self.is_open(offer, name)
        )
        return next(left, None)

    def is_open(self, offer: Offer, name: str) -> bool:
        """Tell whether an instance of this name may be ordered where an offer is."""
        del offer, name
        return True

    def leave(self, name: str, offer: Offer, error: GpuopsError) -> bool:
        """Tell whether the walk goes on after a refusal that holds for all offers of an account."""
        del name, offer, error
        return False

    def ceiling_of(self, offer: Offer) -> float | None:
        """Return the price per hour above which an offer is not taken, None without one."""
        del offer
        return self.ceiling

    def _too_dear(self, offer: Offer) -> bool:
        """Tell whether an offer costs more than the guard of the money allows."""
        most = self.ceiling_of(offer)
        return most is not None and offer.price_per_hour > most

    def next(self, name: str, location: str | None = None) -> Offer | None:
        """Return the best offer for an instance that was not refused yet, None when the walk is over.

        Waits for stock as long as there is patience; purchases of one run wait as one.
        """
        with self._lock:
            self._start = self.clock.monotonic() if self._start is None else self._start
            start = self._start + self._ordered.get(name, 0.0)
            while (passed := self.clock.monotonic() - start) <= self._limit:
                if offer := self.best(location, name):
                    return offer
                if passed >= self.patience.waiting:
                    return None
                self._wait(self.patience.waiting - passed)
            return None

    @contextmanager
    def ordered(self, name: str) -> Iterator[None]:
        """Take the time of an order that lives off the time for trying offers."""
        begin = self.clock.monotonic()
        try:
            yield
        finally:
            passed = self.clock.monotonic() - begin
            self._ordered[name] = self._ordered.get(name, 0.0) + passed

    @property
    def _limit(self) -> float:
        return max(self.patience.trying, self.patience.waiting)

    def _wait(self, left: float) -> None:
        """Pause for about one interval, then look at the stock again."""
        free = self.choice.cheapest_free
        tell(
            f"waiting for {self.choice.wanted}, up to {left / 60:.0f} min more"
            + (f"; cheapest GPU free: {free}" if free else "; no GPU at all is free")
        )
        interval = self.patience.interval
        self.clock.sleep(min(interval * _JITTER.uniform(0.75, 1.25), left))
        try:
            self.choice = self.market.look(max_age=interval * 0.7)
            self._refused.clear()
            self.ceiling = self.look_again() if self.choice.offers else self.ceiling
        except (RateLimitedError, UnavailableError) as error:
            tell(f"waiting for {self.choice.wanted}: {error.message}")

    def note(
        self, name: str, offer: Offer, outcome: str, detail: str, bought: BoughtRow | None = None
    ) -> None:
        """Add a line to the trace; what is known of an instance stands instead of what was offered."""
        row = {**offer.as_dict(), "name": name, "outcome": outcome, "detail": detail}
        self.attempts.append(cast(Trace, {**row, **(bought or {})}))

    def refuse(self, offer: Offer) -> None:
        """Strike an offer out and look at the stock again, since it has just proved to be old."""
        with self._lock:
            self._refused.add(self._key(offer))
            self.choice = self.market.look()

    def why_nothing(self, location: str | None = None) -> str:
        """Return in words what was tried, and why nothing is left to try."""
        if location and self.choice.offers:
            free = ", ".join(map(str, self.choice.offers[:3]))
            return (
                f"Nothing of {self.choice.wanted} is free in {location}, where the kept volumes "
                f"lie; elsewhere: {free}."
            )
        dear = [offer for offer in self.choice.offers if self._too_dear(offer)]
        if dear:
            return (
                f"{self._tried()}What is free costs more than the {self.ceiling_of(dear[0]):g} per hour that "
                f"budget, balance and lease allow: {', '.join(map(str, dear[:3]))}."
            )
        return f"{self._tried()}{self.choice.why_nothing()}"

    def _tried(self) -> str:
        tried = [
            f"{row['instance_type']} in {row['location']}: {row['detail']}"
            for row in self.attempts
            if row["outcome"] != "taken"
        ]
        return f"Every offer was refused. {'; '.join(tried)}. " if tried else ""
