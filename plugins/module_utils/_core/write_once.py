# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A write that may have been executed is repeated only after a look (private)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .errors import GpuopsError

T = TypeVar("T")


def write_once(do: Callable[[], T], look: Callable[[GpuopsError], T | None]) -> T:
    """Send a write and return what came of it; after an unclear answer ``look`` says what did.

    ``do`` sends the write. ``look`` gets the error of an unclear answer. It returns the outcome
    where the write has been executed, None where it has not, and raises (best that error, with a
    hint) where that cannot be known: only None lets the write be sent once more.

    Raises the error of a refusal at once, and that of the second answer when it is unclear, too,
    and nothing came of it.
    """
    for last in (False, True):
        try:
            return do()
        except GpuopsError as error:
            if not error.unclear:
                raise
            found = look(error)
            if found is not None:
                return found
            if last:
                raise
    raise AssertionError("not reached")
