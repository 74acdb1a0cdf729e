# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are not what they should be: a sound one of the simulator with one change in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

JSON, HTML = "application/json; charset=utf-8", "text/html; charset=utf-8"
STRANGER = "field_of_tomorrow"  # clients read nothing of it
Path = tuple[str | int, ...]


def _nested(depth: int) -> Any:
    found: Any = "x"
    for _level in range(depth):
        found = [found]
    return found


# What one value of an answer becomes.
VALUES: dict[str, Callable[[Any], Any]] = {
    "null": lambda _old: None,
    "NaN": lambda _old: float("nan"),
    "Infinity": lambda _old: float("inf"),
    "-Infinity": lambda _old: float("-inf"),
    "below zero": lambda _old: -1,
    "a huge number": lambda _old: 1e300,
    "an endless number": lambda _old: 10**400,
    "zero": lambda _old: 0,
    "true": lambda _old: True,
    "false": lambda _old: False,
    "as text": str,
    "a number as text": lambda _old: "7",
    "a decimal comma": lambda _old: "1,797",
    "digits of another script": lambda _old: "٤",
    "no text": lambda _old: "",
    "blanks": lambda _old: "  ",
    "a line break": lambda _old: "a\nHost *\r\n  ProxyCommand x",
    "a template": lambda _old: "{{ lookup('pipe', 'x') }}{% x %}",
    "a format": lambda _old: "%s %(x)s {0} {x!r} ${x}",
    "a NUL": lambda _old: "a\0b",
    "a lone surrogate": lambda _old: "\ud800",
    "a long text": lambda _old: "x" * 20_000,
    "a path": lambda _old: "../../instances",
    "an option": lambda _old: "-oProxyCommand=x",
    "an empty list": lambda _old: [],
    "an empty object": lambda _old: {},
    "in a list": lambda old: [old],
    "in an object": lambda old: {"value": old},
    "a list of null": lambda _old: [None],
    "a list of objects": lambda _old: [{}],
    "nested": lambda _old: _nested(60),
}
# What becomes of an object that is part of an answer.
PARTS = ("left out", "said twice")
# What becomes of a whole body.
WHOLE = (
    "truncated",
    "not UTF-8",
    "a page",
    "nothing",
    "no content",
    "wrapped",
    "unwrapped",
    "another kind",
    "too deep",
    "UTF-16",
)
# What becomes of the rows of a list, each of them a list that could be true.
ROWS = ("a row less", "rows twice", "rows reversed")
KINDS = (*VALUES, *PARTS, *WHOLE, *ROWS, "the whole", "the id of a stranger")
PAGE = (
    "<html><head><title>502</title></head><body>Authorization: {}; client_secret={}</body></html>"
)


@dataclass(frozen=True)
class Mutant:
    """A changed answer. A ``sound`` one has the documented form all the same, and may be true."""

    body: bytes
    status: int
    content_type: str
    where: str
    sound: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Original:
    """A sound answer, and what a page that repeats its request would give away."""

    body: bytes
    status: int
    content_type: str
    token: str = ""
    secret: str = ""
    stranger: str = ""

    def data(self) -> Any:
        """Return it as data: JSON, or the bare text that some answers are."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode() or None

    def with_data(
        self, data: Any, where: str, *, sound: bool = False, whole: bool = False
    ) -> Mutant:
        """Return the answer with other data."""
        return self.with_body(json.dumps(data).encode(), where, sound=sound, whole=whole)

    def with_body(
        self, body: bytes, where: str, *, kind: str = JSON, sound: bool = False, whole: bool = True
    ) -> Mutant:
        """Return the answer with another body; one that has none so far gets a status for it."""
        status = 200 if self.status == 204 else self.status
        return Mutant(body, status, kind, where, sound, whole)


def mutate(original: Original, kind: str, dice: Random) -> Mutant:
    """Return an answer with one change of a kind, or one like it where there is no place for it."""
    if kind == "the id of a stranger":
        found: Any = original.stranger if dice.random() < 0.5 else {"id": original.stranger}
        return original.with_data(found, kind, whole=True)
    if kind == "the whole":
        name = dice.choice(sorted(VALUES))
        return _as_whole(original, name, VALUES[name](original.data()))
    if kind in WHOLE:
        return _whole(original, kind, dice)
    if kind in ROWS:
        return _rows(original, kind, dice)
    return _inner(original, kind, dice)


def _whole(original: Original, kind: str, dice: Random) -> Mutant:
    body, data = original.body, original.data()
    if kind == "no content":
        return Mutant(b"", 204, original.content_type, kind, original.status == 204, whole=True)
    if kind == "a page":
        page = PAGE.format(original.token, original.secret).encode()
        return original.with_body(page, kind, kind=HTML)
    if kind in ("wrapped", "unwrapped", "another kind"):
        return original.with_data(_other_form(kind, data), kind, whole=True)
    bodies: dict[str, Callable[[], bytes]] = {
        "truncated": lambda: body[: dice.randrange(1, len(body))] if len(body) > 1 else b"{",
        "not UTF-8": lambda: b'{"\xe9": "\xff\xfe' + body,
        "nothing": lambda: b"",
        "too deep": lambda: b"[" * 5000 + b"]" * 5000,
        "UTF-16": lambda: (body or b"[]").decode().encode("utf-16"),
    }
    return original.with_body(bodies[kind](), kind)


def _other_form(kind: str, data: Any) -> Any:
    if kind == "wrapped":
        return {"data": data}
    if kind == "unwrapped":
        return data[0] if isinstance(data, list) and data else [data]
    return {str(n): row for n, row in enumerate(data)} if isinstance(data, list) else [data, data]


def _rows(original: Original, kind: str, dice: Random) -> Mutant:
    data = original.data()
    if not isinstance(data, list) or not data:
        return _as_whole(original, "an empty list", [])
    place = dice.randrange(len(data))
    rows = {
        "a row less": data[:place] + data[place + 1 :],
        "rows twice": [*data, *data],
        "rows reversed": data[::-1],
    }[kind]
    return original.with_data(rows, kind, sound=True)


def _as_whole(original: Original, name: str, new: Any) -> Mutant:
    """Return an answer that is another value as a whole; an empty list may be a true one."""
    old = original.data()
    return original.with_data(new, f"the whole: {name}", sound=same_form(old, new), whole=True)


# -- one value -------------------------------------------------------------------------------------


def _inner(original: Original, kind: str, dice: Random) -> Mutant:
    data = original.data()
    least = 1 + isinstance(data, list)  # what becomes of whole rows is another kind
    paths = [path for path in places(data) if len(path) >= least]
    if not paths:
        return _as_whole(original, kind, VALUES.get(kind, str)(data))
    path = dice.choice(paths)
    everywhere = isinstance(data, list) and dice.random() < 0.5
    if kind == "said twice":
        return _said_twice(original, data, path)
    starts: list[Path] = [(n,) for n in range(len(data))] if everywhere else [path[:1]]
    found, sound = data, True
    for start in starts:
        sound = _put(found, (*start, *path[1:]), kind) and sound
    where = ".".join(map(str, path)) + (" of all rows" if everywhere else "")
    return original.with_data(found, f"{where}: {kind}", sound=sound)


def places(data: Any, path: Path = ()) -> Iterator[Path]:
    """Yield where the values of an answer are, but for a field that nobody knows."""
    yield path
    rows: Any = ()
    if isinstance(data, dict):
        rows = ((key, value) for key, value in data.items() if key != STRANGER)
    elif isinstance(data, list):
        rows = enumerate(data)
    for key, value in rows:
        yield from places(value, (*path, key))


def _put(data: Any, path: Path, kind: str) -> bool:
    """Change one value where it is; tell whether what is there now has the form of what was."""
    holder, last = data, path[-1]
    try:
        for part in path[:-1]:
            holder = holder[part]
        old = holder[last]
    except (IndexError, KeyError, TypeError):  # another row may have no such place
        return True
    if kind == "left out":
        del holder[last]
        return isinstance(holder, list)
    holder[last] = VALUES[kind](old)
    return same_form(old, holder[last])


def same_form(old: Any, new: Any) -> bool:
    """Tell whether a value could stand for another one: of its type, not negative, and no NaN."""
    numbers = (int, float)
    if isinstance(old, numbers) and not isinstance(old, bool):
        number = isinstance(new, numbers) and not isinstance(new, bool)
        return number and 0 <= new < 1e301  # false for NaN, too
    return type(old) is type(new)


def _said_twice(original: Original, data: Any, path: Path) -> Mutant:
    """Return an answer in which the object around a value says that value twice."""
    holder: Any = data
    for part in path[:-1]:
        holder = holder[part]
    if not isinstance(holder, dict):
        return original.with_body(original.body + original.body, "said twice")
    name = json.dumps(path[-1])
    mark = "gpuops-fuzz-mark"
    holder[mark] = 0
    text = json.dumps(data).replace(f'"{mark}": 0', f'{name}: "other"')
    return original.with_body(text.encode(), f"{'.'.join(map(str, path))}: said twice", whole=False)
