# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which dialect of the API an account speaks, as far as reading tells (private)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypedDict

from .._core.clock import MOST_SKEW_S, skew_warnings
from .._core.errors import GpuopsError
from .._core.numbers import plain
from .._core.version import VERSION
from .._instances.account_findings import findings
from .._models.balance import currency_of
from .._providers.base.client import Client
from .._providers.base.questions import OTHER_CURRENCY
from .._providers.base.redaction import Redaction, values_in
from .forms import Record, Told, longest, missing_fields, numbers_of, other_fields
from .reads import Seen, look_around
from .rows import Fact, unknown

Round = dict[str, Seen]
# What is read in one currency beside another, or for the sake of an error, has its own rows.
_WITHOUT_FORM = ("instance_types_asked", "volume_types_asked", "unknown_id")
_NOTHING = "no rows to look at"
# The header has whole seconds, and an answer is on its way for a while.
_WHOLE_S = 2


class Want(TypedDict):
    """The options of the module: none but those of the login."""


class Report(TypedDict):
    """What the module tells."""

    account: list[dict[str, str]]
    collection_version: str
    warnings: list[str]


def account_info(client: Client, _want: Want) -> Report:
    """Return what a round of reads tells of an account, redacted; no read is a failure of it all."""
    try:
        seen: Round = look_around(client)
        facts = [*_facts(client, seen), *unknown()]
    except GpuopsError as error:  # of the login
        seen = {}
        facts = [Fact("login", _refusal(error), "login", "POST /oauth2/token", _words(error))]
    redaction = redaction_of(seen)
    return {
        "account": [fact.as_row(redaction) for fact in facts],
        "collection_version": VERSION,
        "warnings": [],
    }


def redaction_of(seen: Round) -> Redaction:
    """Return what takes out of texts what a round of reads has shown of the user's own."""
    private = (one.data for one in seen.values() if one.read.is_private)
    return Redaction(value for data in private for value in values_in(data))


def _facts(client: Client, seen: Round) -> Iterator[Fact]:
    yield from _login(client)
    yield from _currency(seen)
    yield _clock(seen)
    yield from _speed(seen)
    for one in seen.values():
        if one.read.name not in _WITHOUT_FORM:
            yield from _form(one)
    yield _unknown_id(seen["unknown_id"])
    yield from _shown(seen)
    yield from _remembered(client)


def _login(client: Client) -> Iterator[Fact]:
    """Yield how long a token is good, and how long a login takes where none was kept."""
    request = "POST /oauth2/token"
    logins = [call.seconds for call in client.calls if call.path == "/oauth2/token"]
    left = client.token_seconds() / 60
    value = f"{left:.0f} minutes" if logins else f"{left:.0f} more minutes, kept from before"
    yield Fact("token_lifetime", value, "login", request)
    if logins:
        yield Fact("login_time", f"{max(logins):.1f} s", "measured", request)


def _refusal(error: GpuopsError) -> str:
    return f"refused ({error.status})" if error.status else "no answer"


def _words(error: GpuopsError) -> str:
    return error.words or error.message


# -- money -----------------------------------------------------------------------------------------


def _currency(seen: Round) -> Iterator[Fact]:
    """Yield in what the account pays, and in what prices are listed."""
    balance, request = Told(seen["balance"].data).record(), seen["balance"].read.request
    paid = currency_of(balance.values.get("currency"))
    yield Fact("currency", paid or "not readable", "read", request)
    yield Fact("money_left", _bucket(balance), "read", request)
    for kind in ("instance_types", "volume_types"):
        usual, asked = seen[kind], seen[f"{kind}_asked"]
        words = "" if asked.error is None else _words(asked.error)
        value = _listed(usual)
        if paid != OTHER_CURRENCY or asked.error or _listed(asked) != value:
            value += f"; asked for {OTHER_CURRENCY}: {_listed(asked)}"
        yield Fact(f"price_currency_{kind}", value, "read", asked.read.request, words)


def _listed(seen: Seen) -> str:
    if seen.error:
        return _refusal(seen.error)
    return " and ".join(sorted(_currencies(seen.rows))) or "not named"


def _currencies(rows: list[Record]) -> set[str]:
    """Return the currencies that a price list names, beside its prices or within them."""
    found = set()
    for row in rows:
        within = row.at("price").record().values.get("currency")
        found.add(currency_of(row.values.get("currency") or within))
    return {one for one in found if one}


def _bucket(balance: Record) -> str:
    """Return an amount of money as no more than its size."""
    found = plain(balance.values.get("amount"))
    if found is None:
        return "not readable"
    sizes = ((0, "nothing"), (10, "less than 10"), (100, "less than 100"))
    return next((text for most, text in sizes if found <= most), "100 or more")


# -- time ------------------------------------------------------------------------------------------


def _clock(seen: Round) -> Fact:
    skews = [one.skew for one in seen.values() if one.skew is not None]
    if not skews:
        return Fact("clock_skew", "no Date header that can be read")
    skew = min(skews, key=abs)
    side = "ahead of" if skew > 0 else "behind"
    far = f"{abs(skew)} s" if abs(skew) <= MOST_SKEW_S else f"{abs(skew) / 60:.0f} minutes"
    value = "none" if abs(skew) <= _WHOLE_S else f"{far} {side} the API"
    return Fact("clock_skew", value, "read", "the header Date", " ".join(skew_warnings(skew)))


def _speed(seen: Round) -> Iterator[Fact]:
    slowest = max(seen.values(), key=lambda one: one.seconds)
    yield Fact("slowest_answer", f"{slowest.seconds:.1f} s", "measured", slowest.read.request)
    silent = [one for one in seen.values() if one.error and one.error.status is None]
    for one in silent:
        yield Fact(
            f"no_answer_{one.read.name}",
            f"none within {one.seconds:.1f} s",
            "measured",
            one.read.request,
            _words(one.error) if one.error else "",
        )


# -- forms -----------------------------------------------------------------------------------------


def _form(seen: Seen) -> Iterator[Fact]:
    """Yield what form one answer has: list, ids, numbers, fields."""
    name, fields, request = seen.read.name, seen.read.fields, seen.read.request
    if seen.error:
        yield Fact(f"shape_{name}", _refusal(seen.error), "read", request, _words(seen.error))
        return
    shape = seen.problem if seen.problem == "not JSON" else Told(seen.data).shape()
    yield Fact(f"shape_{name}", shape, "read", request, seen.problem)
    rows = seen.rows
    if not rows:
        return
    ids = sorted({row.at("id").id_form() for row in rows if row.has("id")})
    if ids:
        yield Fact(f"ids_{name}", " and ".join(ids), "read", request)
    numbers = numbers_of(fields.numbers, rows)
    if numbers:
        yield Fact(f"numbers_{name}", numbers, "read", request)
    for what, found in (
        ("missing", missing_fields(fields, rows)),
        ("other", other_fields(fields, rows)),
    ):
        yield Fact(f"{what}_fields_{name}", ", ".join(found) or "none", "read", request)


def _unknown_id(seen: Seen) -> Fact:
    """Return what the API says of an id that it does not know."""
    value = "answered" if seen.error is None else str(seen.error.status or "no answer")
    words = _words(seen.error) if seen.error else ""
    return Fact("unknown_id", value, "read", seen.read.request, words)


def _shown(seen: Round) -> Iterator[Fact]:
    """Yield what rows that are there show of what the collection writes."""
    for name in ("instances", "volumes"):
        rows, request = seen[name].rows, seen[name].read.request
        yield Fact(f"tags_of_{name}", _field(rows, "tags"), "read", request)
    rows, request = seen["instances"].rows, seen["instances"].read.request
    yield Fact("volume_ids_of_instances", _field(rows, "volume_ids"), "read", request)
    length = longest(rows, "description")
    value = f"up to {length} characters" if length else _field(rows, "description")
    yield Fact("descriptions_of_instances", value, "read", request)
    pages = seen["scripts"].answer
    if pages is not None:
        counted = "X-Total-Count" in pages.headers
        value = "counted by X-Total-Count" if counted else "not counted"
        yield Fact("pages_of_scripts", value, "read", seen["scripts"].read.request)


def _field(rows: list[Record], name: str) -> str:
    """Return in words whether rows have a field, and anything in it."""
    if not rows:
        return _NOTHING
    if not any(row.has(name) for row in rows):
        return "missing"
    return "shown" if any(row.says(name) for row in rows) else "shown, empty"


def _remembered(client: Client) -> Iterable[Fact]:
    return [
        Fact(name, value, "remembered", "", words)
        for name, (value, words) in findings(client).items()
    ]
