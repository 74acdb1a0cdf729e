# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer that several waiting runs of one user share, so that they ask as often as one (private)."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from typing import TypeVar

from .private_files import cache_folder, open_private

T = TypeVar("T")


def shared(name: str, now: float, max_age: float, ask: Callable[[], T]) -> T:
    """Return the stored answer when it is younger than ``max_age`` seconds, else ask and store it.

    Runs that ask at the same moment wait for the first one's answer. ``now`` is a time that all of
    them agree on. Without a writable cache folder everybody asks for himself.
    """
    try:
        file = open_private(cache_folder("stock") / f"{name}.json", "a+")
    except OSError:
        return ask()
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        try:
            stored = json.loads(file.read())
            if 0 <= now - stored["time"] < max_age:
                known: T = stored["answer"]
                return known
        except (ValueError, KeyError, TypeError):
            pass  # empty, or of another release
        answer = ask()
        file.seek(0)
        file.truncate()
        json.dump({"time": now, "answer": answer}, file)
        return answer
