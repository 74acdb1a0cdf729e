# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the requests of one purchase tell of an account (private)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .._models.ownership import KEEP_SUFFIX
from .forms import Record, Told
from .rows import Fact
from .trial_log import Exchange, TrialLog
from .trial_options import TRIED

_NUMBER = re.compile(r"\b([1-9]\d{1,3})\b")
_REFUSED = (400, 403, 409, 422)


def facts_of(log: TrialLog) -> Iterator[Fact]:
    """Yield what a purchase has shown so far, by looking at its requests alone."""
    orders = log.of("POST", "/instances")
    if not orders:
        return
    yield _order_tags(orders)
    yield _order_answer(orders[-1])
    yield _description_limit(orders)
    rows = log.instance_rows
    if rows:
        yield _answer_description(orders[-1], rows)
        yield _answer_tags(rows)
        yield Fact(
            "volume_ids",
            "shown" if any(row.has("volume_ids") for row in rows) else "missing",
            "purchase",
            "GET /instances/{id}",
        )
    yield from _looks(log)
    yield from _lag(log, orders[-1])
    yield from _first_delete(log)
    yield from _ended_disks(log)
    writes = [one for one in log.exchanges if one.method != "GET"]
    slowest = max(writes, key=lambda one: one.seconds)
    yield Fact("slowest_write", f"{slowest.seconds:.1f} s", "measured", slowest.request)


# -- the order -------------------------------------------------------------------------------------


def _disks(body: Record) -> list[Record]:
    return [body.at("os_volume").record(), *Told(body.values.get("volumes") or []).rows()]


def _has_tags(body: Record) -> bool:
    return body.says("tags")


def _has_disk_tags(body: Record) -> bool:
    return any(disk.says("tags") for disk in _disks(body))


def _is_about_description(one: Exchange) -> bool:
    return one.status == 400 and "description" in one.words.lower()


def _order_tags(orders: list[Exchange]) -> Fact:
    """Return which tags of an order are taken: by the shape of the last one, and what came before."""
    last = orders[-1].body
    refused = [one for one in orders[:-1] if one.status in _REFUSED]
    refused = [one for one in refused if not _is_about_description(one)]
    had = _has_disk_tags if _has_tags(last) else _has_tags
    why = next((one for one in reversed(refused) if had(one.body)), None)
    words, status = (why.words, why.status) if why else ("", None)
    if _has_tags(last) and _has_disk_tags(last):
        value = "accepted"
    elif _has_tags(last):
        value = f"refused on disks ({status})"
    else:
        value = f"refused ({status})"
    return Fact("order_tags", value, "order", "POST /instances", words)


def _order_answer(last: Exchange) -> Fact:
    if last.status is None:
        return Fact("order_answer", "no answer", "order", last.request)
    if last.status >= 300:
        return Fact(
            "order_answer", f"executed, answered {last.status}", "order", last.request, last.words
        )
    return Fact("order_answer", f"{last.status}, id as {last.form}", "order", last.request)


def _length(body: Record) -> int:
    return len(body.text("description"))


def _description_limit(orders: list[Exchange]) -> Fact:
    """Return how long a description may be, by the words of a refusal or by what was taken."""
    name, taken = "description_limit", _length(orders[-1].body)
    refused = [one for one in orders if _is_about_description(one)]
    if not refused:
        value = f"none up to {taken} characters"
        return Fact(name, value, "order", "POST /instances")
    words = refused[0].words
    said = [number for number in map(int, _NUMBER.findall(words)) if taken <= number < TRIED]
    value = f"{said[0]} characters" if said else f"between {taken} and {TRIED - 1} characters"
    if not orders[-1].body.has("description"):
        value = "refused altogether"
    return Fact(name, value, "order", "POST /instances", words)


# -- what answers show -----------------------------------------------------------------------------


def _answer_description(order: Exchange, rows: list[Record]) -> Fact:
    sent = order.body.text("description")
    texts = [row.text("description") for row in rows if row.has("description")]
    shown = max(texts, key=len, default=None)
    if shown is None:
        value = "not shown"
    elif shown == sent:
        value = f"whole, {len(sent)} characters"
    else:
        value = f"cut at {len(shown)} characters" if sent.startswith(shown) else "another text"
    return Fact("answer_description", value, "purchase", "GET /instances/{id}")


def _answer_tags(rows: list[Record]) -> Fact:
    """Return whether tags are shown; where an order takes none, those that were added later."""
    shown = any(row.says("tags") for row in rows)
    there = any(row.has("tags") for row in rows)
    value = "shown" if shown else "shown, always empty" if there else "not shown"
    return Fact("answer_tags", value, "purchase", "GET /instances/{id}")


def _looks(log: TrialLog) -> Iterator[Fact]:
    """Yield for how many looks by its id a new instance was unknown."""
    looks = log.of("GET", "/instances/{id}")
    if not looks:
        return
    first = next((number for number, one in enumerate(looks) if one.is_good), None)
    words = next((one.words for one in looks if not one.is_good), "") if first != 0 else ""
    value = f"{len(looks)} and more" if first is None else str(first)
    yield Fact("unknown_looks", value, "purchase", "GET /instances/{id}", words)


def _lag(log: TrialLog, order: Exchange) -> Iterator[Fact]:
    """Yield how long after its order an instance was missing in the list."""
    later = log.exchanges[log.exchanges.index(order) :]
    lists = [one for one in later if one.request == "GET /instances" and one.is_good]
    if not lists:
        return
    first = next((number for number, one in enumerate(lists) if one.rows), None)
    if first == 0:
        value = "none"
    elif first is None:
        value = f"more than {lists[-1].at - order.at:.0f} s"
    else:
        value = f"{lists[first - 1].at - order.at:.0f} to {lists[first].at - order.at:.0f} s"
    yield Fact("list_lag", value, "purchase", "GET /instances")


# -- the end ---------------------------------------------------------------------------------------


def _first_delete(log: TrialLog) -> Iterator[Fact]:
    deletes = [one for one in log.of("PUT", "/instances") if one.body.text("action") == "delete"]
    if not deletes:
        return
    first = deletes[0]
    value = "ok" if first.is_good else status_of(first)
    yield Fact("first_delete", value, "purchase", first.request, first.words)


def status_of(one: Exchange) -> str:
    """Return the status of a refusal, also of one inside an answer that is a success."""
    if one.status == 207:
        return "207, refused in its row"
    return str(one.status or "no answer")


def _ended_disks(log: TrialLog) -> Iterator[Fact]:
    """Yield whether a disk that outlives its instance is released by itself."""
    detached = [one for one in log.of("PUT", "/volumes") if one.body.text("action") == "detach"]
    data = [
        row
        for one in log.of("GET", "/volumes")
        for row in one.rows
        if row.text("name").removesuffix(KEEP_SUFFIX).endswith(".data")
    ]
    if not data or data[-1].text("status") not in ("detached", "deleting", "deleted"):
        return
    accepted = any(one.is_good for one in detached)
    value = "attached until detached by hand" if accepted else "released"
    yield Fact("ended_disks", value, "purchase", "GET /volumes")
