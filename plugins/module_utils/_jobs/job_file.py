# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job file, and those that it extends (private)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from .._core.data import Data
from .._core.errors import InvalidError

EXTENDS = "extends"
# What is given as a whole: half of another array is none.
_WHOLE = frozenset({"array"})


def read_job(path: Path, load: Callable[[str], Data]) -> tuple[Data, tuple[str, ...]]:
    """Return what a job file says together with those it extends, and the paths of all of them.

    What a file says counts before what it extends says: dictionaries key by key, all else as a
    whole, and null leaves it out. Raises InvalidError for a file that is not there, or extends itself.
    """
    files: list[Path] = []
    texts: list[Data] = []
    following: Path | None = path
    while following:
        if following in files:
            raise InvalidError(f"{files[-1]} extends {following}, which extends it")
        if not following.is_file():
            whose = f"{files[-1]} extends {following}, which" if files else f"job {following}"
            raise InvalidError(f"{whose} is not there")
        files.append(following)
        texts.append(load(str(following)))
        following = _base_of(following, texts[-1])
    found = texts.pop()
    while texts:
        found = _merged(found, texts.pop())
    return _without(found), tuple(map(str, files))


def _base_of(path: Path, found: Data) -> Path | None:
    """Return the file that a job file extends, by its own folder."""
    base = found.get(EXTENDS) if isinstance(found, Mapping) else None
    if base is None:
        return None
    if not isinstance(base, str) or not base:
        raise InvalidError(f"{path}: extends is no path of a job file")
    # As it is written: the folder that is sent is not resolved either, and leaves it out.
    return Path(os.path.normpath(path.parent / Path(base).expanduser()))


def _merged(base: Data, over: Data) -> Data:
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)):
        return over
    both = {key for key in base.keys() & over.keys() if key not in _WHOLE}
    return {**base, **over, **{key: _merged(base[key], over[key]) for key in both}}


def _without(found: Data) -> Data:
    if not isinstance(found, Mapping):
        return found
    return {key: value for key, value in found.items() if key != EXTENDS}
