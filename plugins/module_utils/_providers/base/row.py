# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One answer and the objects in it, whose fields are read by type (private)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ..._core.errors import UnavailableError
from ..._core.numbers import plain, shown
from ..._models.balance import currency_of
from ..._models.price import Price
from .answers import Answer
from .shapes import is_address, is_id

T = TypeVar("T")
_LONGEST_SHOWN = 80


@dataclass(frozen=True)
class Source:
    """Where data comes from: the request, and its answer if there is one.

    ``envelope`` is the field of every answer that holds what was asked for, empty where none does.
    """

    request: str
    answer: Answer | None = None
    envelope: str = ""

    def wrong(self, what: str) -> UnavailableError:
        """Return the error of an answer that is not what it must be."""
        return UnavailableError(
            f"{self.request}: {what}",
            status=self.answer.status_code if self.answer else None,
            request=self.request,
            unclear=not self.request.startswith("GET "),
        )

    def shown(self, value: Any) -> str:
        """Return a value as a message shows it, cut and without secrets."""
        text = repr(value)
        return (self.answer.hide(text) if self.answer else text)[:_LONGEST_SHOWN]

    def header(self, name: str) -> str:
        """Return a header of the answer, an empty text where it has none of that name."""
        return str(self.answer.headers.get(name, "")) if self.answer else ""

    def data(self) -> Any:
        """Return the JSON of the answer. Raises UnavailableError that says what came back instead."""
        answer = self.answer
        if answer is None:
            raise AssertionError("only an answer has data")
        try:
            return self._opened(answer.json())
        except ValueError:
            kind = answer.headers.get("Content-Type", "no content type")
            raise self.wrong(f"the answer is not JSON ({kind}): {answer.excerpt()}") from None

    def _opened(self, data: Any) -> Any:
        """Return what an answer holds in its envelope."""
        if not self.envelope:
            return data
        if not isinstance(data, dict) or self.envelope not in data:
            raise self.wrong(f"the answer has no field {self.envelope}: {self.shown(data)}")
        return data[self.envelope]

    def rows(self, read: Callable[[Row], T]) -> list[T]:
        """Return what a list holds, nothing of it twice.

        An answer that nobody can read is never an empty list.
        """
        found = self.data()
        if not isinstance(found, list):
            excerpt = self.answer.excerpt() if self.answer else "nothing"
            raise self.wrong(f"a list is due, and the answer is {excerpt}")
        return list(self._once(read(Row(self, one)) for one in found))

    def _once(self, found: Iterable[T]) -> Iterator[T]:
        """Yield what a list holds; what it shows twice is one thing, or cannot be believed."""
        seen: dict[str, T] = {}
        for one in found:
            key = getattr(one, "id", None)
            if key is None or key not in seen:
                yield one
            elif seen[key] != one:
                raise self.wrong(f"{key} stands in the list twice, and not as the same")
            if key is not None:
                seen[key] = one

    def one(self, read: Callable[[Row], T], asked: str = "", *, wrapped: bool = False) -> T:
        """Return the one thing that is asked for, by its id; ``wrapped`` takes a list of one as well."""
        found = self.data()
        if wrapped and isinstance(found, list) and len(found) == 1:
            found = found[0]
        made = read(Row(self, found))
        if asked and getattr(made, "id", asked) != asked:
            raise self.wrong(
                f"the answer is about another id: {self.shown(getattr(made, 'id', ''))}"
            )
        return made


class Row:
    """One object of an answer, whose fields are read by type."""

    def __init__(self, source: Source, data: Any, within: str = "", of: str = "") -> None:
        """Take the data. Raises UnavailableError for what is no object."""
        if not isinstance(data, dict):
            raise source.wrong(f"an object is due, and the answer holds {source.shown(data)}")
        self.source = source
        self.data: dict[str, Any] = data
        self._within = within
        self._of = of or (f" of {data['id']}" if is_id(data.get("id")) else "")

    def _read(self, field: str, good: Callable[[Any], bool], *, due: bool = False) -> Any:
        """Return a field of the right form, None for one that is missing or null."""
        value = self.data.get(field)
        if (value is None and not due) or (value is not None and good(value)):
            return value
        of = "" if field == "id" and not self._within else self._of
        text = self.source.shown(value) if field in self.data else "missing"
        raise self.source.wrong(f"the field {self._within}{field}{of} is not usable: {text}")

    def id(self, field: str = "id") -> str:
        """Return an id, which must be there."""
        return str(self._read(field, is_id, due=True))

    def int_id(self, field: str = "id") -> str:
        """Return an id that is told as a whole number, which must be there, as text."""
        found = whole_number(self._read(field, lambda value: bool(whole_number(value)), due=True))
        return str(found)

    def maybe_id(self, field: str) -> str | None:
        """Return an id, None where there is none yet."""
        return self._read(field, lambda value: value == "" or is_id(value)) or None

    def ids(self, field: str) -> tuple[str, ...]:
        """Return a list of ids."""
        found = self._read(field, lambda value: isinstance(value, list) and all(map(is_id, value)))
        return tuple(found or ())

    def word(self, field: str) -> str:
        """Return a text that must be there, and not be empty."""
        return str(self._read(field, lambda v: isinstance(v, str) and bool(v), due=True))

    def text(self, field: str) -> str | None:
        """Return a text."""
        found: str | None = self._read(field, lambda value: isinstance(value, str))
        return found

    def address(self, field: str) -> str | None:
        """Return an IP address, None where there is none yet."""
        return self._read(field, lambda value: value == "" or is_address(value)) or None

    def flag(self, field: str) -> bool | None:
        """Return yes or no."""
        found: bool | None = self._read(field, lambda value: isinstance(value, bool))
        return found

    def number(self, field: str) -> float | None:
        """Return a finite number, from text as well; whole ones stay whole."""
        return _plain(self._read(field, lambda value: plain(value) is not None))

    def texts(self, field: str) -> tuple[str, ...]:
        """Return a list of texts."""
        found = self._read(
            field, lambda v: isinstance(v, list) and all(isinstance(one, str) for one in v)
        )
        return tuple(found or ())

    def records(self, field: str) -> list[Row]:
        """Return a list of objects."""
        found = self._read(
            field, lambda v: isinstance(v, list) and all(isinstance(one, dict) for one in v)
        )
        return [Row(self.source, one, f"{self._within}{field}.", self._of) for one in found or ()]

    def part(self, field: str) -> Row:
        """Return an object within the object, an empty one where it is missing."""
        found = self._read(field, lambda value: isinstance(value, dict))
        return Row(self.source, found or {}, f"{self._within}{field}.", self._of)

    def amount(self, field: str) -> float | None:
        """Return an amount that is only shown, None for one that cannot be read."""
        return plain(self.data.get(field))

    def price(self, field: str, *, missing: float | None = None) -> Price:
        """Return a price; one that is not told is ``missing``. Nothing is raised before it is needed."""
        value, name = self.data.get(field), self.data.get("hostname") or self.data.get("name")
        of = f" of {name} ({self.data['id']})" if "id" in self.data else ""
        what = self.source.answer.hide(f"{field}{of}") if self.source.answer else f"{field}{of}"
        what = f"{self.source.request}: {what}"
        unit, told = currency_of(self.data.get("currency")), value is not None
        found = plain(value) if told else missing
        if found is None:
            return Price(None, unit, what, f"{what} {self.shown(value)} is not a number", told)
        if found < 0:
            return Price(None, unit, what, f"{what} {self.shown(value)} is below zero", told)
        return Price(found, unit, what, "", told)

    def cents(self, field: str, currency: str) -> Price:
        """Return a price that is told in hundredths of a currency."""
        found = self.price(field)
        amount = None if found.amount is None else found.amount / 100
        return replace(found, amount=amount, currency=currency)

    def shown(self, value: Any) -> str:
        """Return a value as data, cut and without secrets."""
        text = shown(value)
        return self.source.answer.hide(text) if self.source.answer else text


def whole_number(value: Any) -> int | None:
    """Return a whole number above zero, None for everything else."""
    found = plain(value)
    return int(found) if found and found > 0 and found.is_integer() else None


def _plain(value: Any) -> float | None:
    """Return a number as it was written, and one in text as a number."""
    if not isinstance(value, str):
        return value
    found = plain(value)
    return int(found) if found is not None and found.is_integer() else found
