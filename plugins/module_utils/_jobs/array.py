# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of an array: one command, many values (private, pure)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from .._core.data import Data
from .._core.errors import InvalidError

# More belong on several instances, and that is the work of a scheduler.
MOST = 1000
KEYS = ("values", "range", "matrix", "at_once")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})(?::(\d{1,9}))?\Z")
# What every task is given, whatever its values are called, and what the table of results tells.
NUMBER = "task"
_TAKEN = frozenset({NUMBER, "number", "state", "exit_code", "signal", "seconds"})
_HINT = "A range is FIRST-LAST, such as 0-99, or FIRST-LAST:STEP."


class ArrayOptions(TypedDict, total=False):
    """An array as somebody writes it: one of the first three, and how many tasks run at a time."""

    values: Data
    range: Data
    matrix: Data
    at_once: Data


@dataclass(frozen=True)
class Task:
    """One run of the command, by its number, and the values that tell it from the others."""

    number: int
    parameters: dict[str, str] = field(default_factory=dict)


def tasks_of(written: ArrayOptions) -> tuple[Task, ...]:
    """Return the tasks of an array, none without one. Raises InvalidError for what is none."""
    if not written:
        return ()
    values, span, matrix = written.get("values"), written.get("range"), written.get("matrix")
    given = sum(one is not None for one in (values, span, matrix))
    if given != 1:
        raise InvalidError(f"array has {given} of values, range and matrix, and takes one")
    if span is not None:
        tasks = [Task(number) for number in _numbers("array.range", span)]
    else:
        rows = _products(matrix) if values is None else _rows(values)
        tasks = [Task(number, row) for number, row in enumerate(rows)]
    if not 0 < len(tasks) <= MOST:
        raise InvalidError(f"array has {len(tasks)} tasks, and may have 1 to {MOST}")
    return tuple(tasks)


def at_once_of(written: ArrayOptions) -> int:
    """Return how many tasks run at a time; 0 for one on each GPU. Raises InvalidError."""
    found = written.get("at_once", 0)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= MOST:
        raise InvalidError(f"array.at_once {found!r} is no number of tasks")
    return found


def without_places(text: str, tasks: Iterable[Task]) -> str:
    """Return a command line without the places that values take in it."""
    names = {NUMBER, *(name for task in tasks for name in task.parameters)}
    return re.sub(rf"\{{({'|'.join(sorted(names))})\}}", "value", text)


def _numbers(name: str, found: Data) -> list[int]:
    matched = _RANGE.match(str(found))
    if not matched:
        raise InvalidError(f"{name} {found!r} is no range", hint=_HINT)
    first, last, step = int(matched[1]), int(matched[2]), int(matched[3] or 1)
    if last < first or not step:
        raise InvalidError(f"{name} {found!r} holds no number", hint=_HINT)
    return list(range(first, min(last, first + step * MOST) + 1, step))


def _rows(found: Data) -> list[dict[str, str]]:
    given = found if isinstance(found, list) else [found]
    written = [row for row in given if isinstance(row, Mapping)]
    if not isinstance(found, list) or len(written) < len(found):
        raise InvalidError("array.values is no list of dictionaries, such as [{lr: 0.1}]")
    rows = [{_name(name): _text(name, value) for name, value in row.items()} for row in written]
    for number, row in enumerate(rows):
        if row.keys() != rows[0].keys():
            raise InvalidError(
                f"task {number} of array.values gives {', '.join(row) or 'nothing'}, and task 0 "
                f"{', '.join(rows[0]) or 'nothing'}",
                hint="Give every task a value of each name.",
            )
    return rows


def _products(found: Data) -> list[dict[str, str]]:
    if not isinstance(found, Mapping):
        raise InvalidError("array.matrix is no dictionary of lists, such as {lr: [0.1, 0.01]}")
    columns = [
        [(_name(name), value) for value in _column(name, row)] for name, row in found.items()
    ]
    # One more than may be shows that there are too many, without making all of them.
    return [dict(row) for row in itertools.islice(itertools.product(*columns), MOST + 1)]


def _column(name: str, found: Data) -> list[str]:
    if isinstance(found, str):
        return [str(number) for number in _numbers(f"array.matrix.{name}", found)]
    if not isinstance(found, list):
        raise InvalidError(f"array.matrix.{name} is no list and no range", hint=_HINT)
    return [_text(name, value) for value in found]


def _name(name: str) -> str:
    text = str(name)
    if not _NAME.match(text) or text.startswith("GPUOPS_") or text in _TAKEN:
        raise InvalidError(f"array: {text} is no name of a variable that a task may get")
    return text


def _text(name: str, value: Data) -> str:
    if not isinstance(value, str | int | float):
        raise InvalidError(f"array: {name} {value!r} is no text and no number")
    return str(value).lower() if isinstance(value, bool) else str(value)
