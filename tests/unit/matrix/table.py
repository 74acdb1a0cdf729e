# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialects, and how each operation must end in them; how those of several follow from that.

Everything works but what a row says. Rows that come into force only after the purchase are late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from enum import Enum
from itertools import chain
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._models.label import (
    REQUEST_DIGITS,
    write_label,
)
from ansible_collections.gpuops.cloud.tests.unit.matrix.operations import DEPLOYMENT
from gpuops_simulator.dialect import CHOICES, Dialect

DAY = 24 * 3600
DRIP = 120  # seconds, longer than any request may take
Settings = dict[str, Any]


class How(Enum):
    """What becomes of an operation: with ``STOPPED`` an instance was ordered, and is named."""

    WORKS = "works"
    REFUSED = "refused before the order"
    STOPPED = "stopped after the order, with id and price"


@dataclass(frozen=True)
class End:
    """How an operation ends, and the code of its error."""

    how: How
    code: str = ""


WORKS = End(How.WORKS)


def refused(code: str) -> End:
    """Return the end of what is refused before anything was ordered."""
    return End(How.REFUSED, code)


def stopped(code: str) -> End:
    """Return the end of what is stopped after the order."""
    return End(How.STOPPED, code)


# Of several reasons the one that is met first is told: answers that do not come or cannot be read
# before clocks, clocks before money, money before what the account makes of an order, and at last
# what it makes of tags.
_FIRST = ("unavailable", "invalid", "unreadable", "ownership", "forbidden", "error", "")


def worst(ends: Iterable[End]) -> End:
    """Return which of several ends comes about."""
    return min(ends, key=lambda end: _FIRST.index(end.code), default=WORKS)


@dataclass(frozen=True)
class Speech:
    """One dialect: its switches, and the operations that do not work in it."""

    name: str
    settings: Settings = field(default_factory=dict)
    ends: Mapping[str, End] = field(default_factory=dict)
    late: bool = False

    def end(self, operation: str) -> End:
        """Return how an operation ends."""
        return self.ends.get(operation, self.ends.get("all", WORKS))


EXTENSIONS = ("extend", "extend again")
TAGGING = (*EXTENSIONS, "protect")


def _each(operations: Iterable[str], end: End) -> dict[str, End]:
    return dict.fromkeys(operations, end)


UNREADABLE = refused("unavailable")
# A lease that was counted from a wrong clock would be one; the reaper would end what is not over.
BY_THE_CLOCK = _each((*EXTENSIONS, "reap"), refused("invalid"))
MONEY = _each(EXTENSIONS, refused("unreadable"))

TABLE: tuple[Speech, ...] = (
    Speech("as documented"),
    *(Speech(f"descriptions of {n}", {"description_limit": n}) for n in (100, None)),
    Speech("tags refused by 400", {"order_tags": "refused_400"}),
    Speech("tags refused by 403", {"order_tags": "refused_403"}),
    Speech("tags refused on disks", {"order_tags": "refused_on_disks"}),
    Speech("no tags", {"tags_supported": False}, _each(TAGGING, refused("forbidden"))),
    *(Speech(f"untag by {how}", {"untag": how}) for how in ("id", "key")),
    Speech("two tags of a key", {"tag_conflict": "tag"}),
    Speech("tags not shown", {"answer_tags": False}, _each(TAGGING, refused("error"))),
    *(Speech(f"descriptions cut at {n}", {"answer_description": n}) for n in (0, 20, 40)),
    # What becomes of the purchase follows from the rule of ownership below.
    Speech("no ownership shown", {"answer_tags": False, "answer_description": 0}),
    Speech("unknown at first", {"unknown_looks": 3}),
    Speech("list lags", {"list_lag_seconds": 30}),
    *(
        Speech(f"order answered {code}", {"order_answer": code})
        for code in CHOICES["order_answer"]
        if code
    ),
    *(Speech(f"refusals by {code}", {"refusal_code": code}) for code in (400, 409, 207)),
    Speech("first delete does nothing", {"first_delete": "404"}),
    Speech("trash at once", {"trash": "immediate"}),
    Speech("no volume ids", {"volume_ids": "missing"}),
    Speech("disks stay attached", {"ended_disks": "attached"}),
    Speech("unknown ids by 400", {"unknown_id_status": 400}),
    Speech("ids in quotes", {"quoted_ids": True}),
    Speech("euros", {"currency": "eur"}),
    *(
        Speech(f"lists as {shape}", {"list_shape": shape}, {"all": UNREADABLE})
        for shape in ("data", "object", "null")
    ),
    Speech("bodies drip for 3 s", {"slow_body_seconds": 3}),
    Speech("bodies drip too long", {"slow_body_seconds": DRIP}, {"all": UNREADABLE}),
    Speech("writes drip too long", {"slow_body_seconds": DRIP, "slow_bodies": "writes"}),
    Speech("dates an hour ahead", {"date_offset_seconds": 3600}),
    Speech("dates days ahead", {"date_offset_seconds": 3 * DAY}, BY_THE_CLOCK),
    Speech("dates days behind", {"date_offset_seconds": -3 * DAY}, BY_THE_CLOCK),
    *(
        Speech(f"amounts as {how}", {"numbers": how}, {"buy": refused("unreadable")})
        for how in ("nan", "null", "comma")
    ),
    # What an account may do only once something is rented there.
    *(
        Speech(f"amounts as {how} later", {"numbers": how}, MONEY, late=True)
        for how in ("nan", "null", "comma")
    ),
    Speech("lists as data later", {"list_shape": "data"}, {"all": UNREADABLE}, late=True),
    Speech("bodies drip later", {"slow_body_seconds": DRIP}, {"all": UNREADABLE}, late=True),
    Speech("dates jump later", {"date_offset_seconds": 30 * DAY}, BY_THE_CLOCK, late=True),
)
_SWITCHES = {one.name for one in fields(Dialect)}


@dataclass(frozen=True)
class Case:
    """Some dialects at once."""

    parts: tuple[Speech, ...]

    @property
    def name(self) -> str:
        """The names of the dialects."""
        return " + ".join(part.name for part in self.parts)

    def settings(self, *, late: bool) -> Settings:
        """Return the keys of a scenario, those that come late included or not."""
        parts = [part for part in self.parts if late or not part.late]
        known = {key: value for part in parts for key, value in part.settings.items()}
        plain = {key: value for key, value in known.items() if key not in _SWITCHES}
        return {**plain, "dialect": {k: v for k, v in known.items() if k in _SWITCHES}}

    def end(self, operation: str, *, late: bool) -> End:
        """Return how an operation ends: as in the worst of the dialects that are in force."""
        ends = [part.end(operation) for part in self.parts if late or not part.late]
        if operation == "buy" and not self.shows_ownership:
            ends.append(stopped("ownership"))
        return worst(ends)

    def without_instance(self, operation: str, bought: End, *, late: bool) -> End:
        """Return how an operation ends where the purchase did, and there is no instance."""
        end = self.end(operation, late=late)
        # What stopped one purchase refuses the next.
        return worst([refused(bought.code), end]) if operation == "second run" else end

    @property
    def shows_ownership(self) -> bool:
        """Tell whether an instance shows whose it is: by its tags, or by its description."""
        plain = self.settings(late=False)
        habits = Dialect.read(plain["dialect"])
        taken = habits.order_tags in ("accepted", "refused_on_disks")
        tags = plain.get("tags_supported", True) and taken and habits.answer_tags
        shown = habits.answer_description
        return bool(tags or shown is None or shown >= LABEL)

    @property
    def can_be_known(self) -> bool:
        """Tell whether what came of an order can be known at all.

        Without a clear answer and without ownership only the time of the order tells it, and that
        is wrong where the clock is ahead.
        """
        habits = Dialect.read(self.settings(late=False)["dialect"])
        clear = habits.order_answer is None and habits.drip(write=True) < DRIP
        return self.shows_ownership or clear or habits.date_offset_seconds <= 0

    @property
    def can_be(self) -> bool:
        """Tell whether these dialects do not contradict each other."""
        keys = list(chain.from_iterable(part.settings for part in self.parts))
        return len(keys) == len(set(keys))


LABEL = len(write_label(DEPLOYMENT, DEPLOYMENT, datetime.now(timezone.utc), "0" * REQUEST_DIGITS))
