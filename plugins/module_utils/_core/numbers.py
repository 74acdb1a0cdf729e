# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading numbers: plain and finite ones only, from options and from answers alike (private, pure).

Python's own ``float`` takes NaN, infinity, ``1_0`` and digits of every script. NaN passes each
comparison with a ceiling, so none of them may become money, a size or a duration.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

from ansible.module_utils.common.validation import check_type_dict

from .data import Data
from .errors import GpuopsError, InvalidError

_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# Beyond this no figure is money or a size, and sums of them stay finite.
_MOST = 1e15
_NUMBERS = ("int", "float")


class UnreadableError(GpuopsError):
    """An answer of the API holds something else than it documents."""

    code = "unreadable"
    default_hint = (
        "Nothing is bought on an answer that cannot be read. Look at base_url and what stands "
        "between, and run the same again."
    )


def plain(value: Data) -> float | None:
    """Return a number, or text that is one, as a finite number; None for everything else."""
    if isinstance(value, str):
        if not _PLAIN.fullmatch(value.strip(" ")):
            return None
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except (OverflowError, ValueError):
        return None
    return found if math.isfinite(found) and abs(found) <= _MOST else None


def shown(value: Data) -> str:
    """Return a value of an answer as a message shows it, cut where it is long."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."


def money(value: Data, what: str) -> float:
    """Return an amount of an answer; ``what`` names request and field. Raises UnreadableError."""
    found = plain(value)
    if found is None:
        raise UnreadableError(f"{what} {shown(value)} is not a number")
    return found


def price(value: Data, what: str) -> float:
    """Return a price or a size of an answer, which is never below zero. Raises UnreadableError."""
    found = money(value, what)
    if found < 0:
        raise UnreadableError(f"{what} {shown(value)} is below zero")
    return found


# -- options ---------------------------------------------------------------------------------------


class Option(TypedDict, total=False):
    """What of an option's specification says where numbers are."""

    type: str
    elements: str
    options: dict[str, Option]


@dataclass(frozen=True)
class _Given:
    """A value as somebody wrote it for an option, before Ansible converts it."""

    value: Data

    def elements(self) -> list[_Given]:
        """Return the elements of a list, which may be written as text with commas."""
        found = self.value
        if isinstance(found, str):
            found = [part.strip() for part in found.split(",")]
        return [_Given(one) for one in (found if isinstance(found, (list, tuple)) else [found])]

    def fields(self) -> dict[str, _Given]:
        """Return the fields of a dictionary, which may be written as text; none of anything else."""
        try:
            found = check_type_dict(self.value)
        except (TypeError, ValueError):
            found = self.value
        return {key: _Given(one) for key, one in found.items()} if isinstance(found, dict) else {}


def wrong_options(spec: dict[str, Option], given: dict[str, Data]) -> dict[str, InvalidError]:
    """Return by name the options of a module that are to be numbers and are no plain ones.

    ``given`` are the options as they were written: once converted, nobody can tell ``1_0`` from ten.
    """
    found = {}
    for option, kind, one in _numbers_in(spec, _Given(given).fields()):
        if one.value is not None and plain(one.value) is None:
            found[option.partition(".")[0]] = InvalidError(
                f"{option} must be {_WANTED[kind]} (got {shown(one.value)})",
                hint="Digits 0 to 9, with a point before the decimals; no separators and no signs of "
                "a currency.",
            )
    return found


_WANTED = {"int": "a whole number such as 2", "float": "a finite number such as 2.5"}


def _numbers_in(
    spec: dict[str, Option], given: dict[str, _Given], prefix: str = ""
) -> Iterator[tuple[str, str, _Given]]:
    """Yield name, type and value of the options that are numbers."""
    for name, option in spec.items():
        one, kind, elements = given.get(name), option.get("type"), option.get("elements")
        if one is None or one.value is None:
            continue
        if kind in _NUMBERS:
            yield prefix + name, kind, one
        elif kind == "list" and elements in _NUMBERS:
            yield from ((prefix + name, elements, each) for each in one.elements())
        elif option.get("options"):
            for row in one.elements() if kind == "list" else [one]:
                yield from _numbers_in(option["options"], row.fields(), f"{prefix}{name}.")
