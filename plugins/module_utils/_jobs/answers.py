# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host answers, read as data: of a shape that is known, or refused (private, pure)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

from .._core.data import Data
from .._core.errors import GpuopsError
from .rows import AttemptRow, Ended

_SHOWN = 80
# What an attempt says of itself, besides how it ended, and of which type that is.
Fields = dict[str, tuple[type, ...]]
_ATTEMPT: Fields = {
    "number": (int,),
    "started": (int, float, type(None)),
    "this_boot": (bool,),
    "active": (bool,),
    "stop": (str,),
    "checkpoint": (bool,),
    "size": (int,),
    "last_output": (int, float, type(None)),
}
_EXIT: Fields = {"exit_code": (int,), "reason": (str,), "signal": (str,)}


class AnswerError(GpuopsError):
    """A host has answered with what nobody can mean."""

    code = "answer"

    def __init__(self, what: str, found: Data) -> None:
        shown = found if isinstance(found, str) else repr(found)
        cut = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
        super().__init__(
            f"the host's {what} cannot be read: {cut!r}",
            hint="Something there is broken, or not ours; the instance can be replaced.",
        )


@dataclass(frozen=True)
class HostFile:
    """A file as a host lists it."""

    path: str
    size: int
    content: str


class _FileRow(TypedDict):
    path: str
    size: int
    content: str


def read_files(text: bytes) -> list[HostFile]:
    """Return the files that a host lists. Raises AnswerError."""
    rows = _json("list of files", text)
    if not isinstance(rows, list):
        raise AnswerError("list of files", rows)
    return [_file(row) for row in rows]


def _file(row: Data) -> HostFile:
    found = cast(_FileRow, row)
    fields: Fields = {"path": (str,), "size": (int,), "content": (str,)}
    if not _has(row, fields) or found["size"] < 0 or "\0" in found["path"]:
        raise AnswerError("list of files", row)
    return HostFile(found["path"], found["size"], found["content"])


def read_missing(text: bytes) -> tuple[bool, list[str]]:
    """Return whether a folder is there, and else which content is not. Raises AnswerError."""
    row = _json("answer to a folder", text)
    done, names = (row.get("done"), row.get("missing")) if isinstance(row, dict) else (None, None)
    texts = [one for one in names if isinstance(one, str)] if isinstance(names, list) else None
    if not isinstance(done, bool) or texts is None or texts != names:
        raise AnswerError("answer to a folder", row)
    return done, texts


def read_changed(text: bytes) -> bool:
    """Return whether something was changed. Raises AnswerError."""
    row = _json("answer", text)
    changed = row.get("changed") if isinstance(row, dict) else None
    if not isinstance(changed, bool):
        raise AnswerError("answer", row)
    return changed


def read_end(text: bytes) -> int | None:
    """Return the exit status of an attempt, none before its end. Raises AnswerError."""
    row = _json("end of an attempt", text)
    if row == {}:
        return None
    if not _has(row, _EXIT):
        raise AnswerError("end of an attempt", row)
    return cast(Ended, row)["exit_code"]


def member_of(files: Sequence[HostFile], name: str) -> HostFile:
    """Return the file that a member of an archive is, by its number. Raises AnswerError."""
    if not (name.isascii() and name.isdigit() and int(name) < len(files)):
        raise AnswerError("archive", name)
    return files[int(name)]


def attempts_from(rows: Sequence[Data]) -> list[AttemptRow]:
    """Return attempts as a host has told them. Raises AnswerError for a shape that nobody can judge."""
    for row in rows:
        ended = row.get("exit") if isinstance(row, Mapping) else None
        if not _has(row, _ATTEMPT) or not (ended is None or _has(ended, _EXIT)):
            raise AnswerError("attempt", row)
    return cast("list[AttemptRow]", list(rows))


def _json(what: str, text: bytes) -> Data:
    try:
        found: Data = json.loads(text)
        return found
    except (ValueError, RecursionError):
        raise AnswerError(what, text.decode(errors="replace")) from None


def _has(row: Data, fields: Fields) -> bool:
    """Tell whether a row has all fields, of their types; true and false are no numbers."""
    if not isinstance(row, Mapping):
        return False
    for name, types in fields.items():
        value = row.get(name)
        flag = isinstance(value, bool) and bool not in types
        if flag or not isinstance(value, types) or name not in row:
            return False
        if isinstance(value, float) and not math.isfinite(value):
            return False
    return True
