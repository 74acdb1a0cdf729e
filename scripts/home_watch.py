# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Note what Python programs of our environments write in the user's own home.

A session gives its programs a home. Whoever looks the home up in the password database instead, or
starts a program without HOME, reaches that of the user. The files there do not tell who made them,
and other programs make some all the time; so each Python of ours notes what it opens to write.

A copy lies in every environment and runs at each start of its Python: few imports, no other file.
"""

from __future__ import annotations

import _thread
import os
import pwd
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import TraceFunction

NOTES = "written-at-home"
MARK = "GPUOPS_WORKSPACE"
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Event of Python -> which of its arguments is the path that is made or written.
EVENTS = {
    "open": 0,
    "os.link": 1,
    "os.mkdir": 0,
    "os.rename": 1,
    "os.symlink": 1,
    "sqlite3.connect": 0,
}


def hook(
    home: str, allowed: tuple[str, ...], notes: str
) -> Callable[[str, tuple[object, ...]], None]:
    """Return an audit hook that notes the paths below `home` that are not below `allowed`.

    Both end with a slash.
    """

    def look(event: str, arguments: tuple[object, ...]) -> None:
        number = EVENTS.get(event)
        if number is None or (event == "open" and not int(str(arguments[2] or 0)) & WRITES):
            return
        path = arguments[number]
        if not isinstance(path, (str, bytes)):
            return  # the number of a file that is open
        place = os.path.realpath(os.fsdecode(path)) + "/"  # a folder that is allowed may be made
        if place.startswith(home) and not place.startswith(allowed) and "/__pycache__" not in place:
            line = f"{os.environ.get(MARK, '')}\t{place[:-1]}\n".encode(errors="replace")
            handle = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(handle, line)
            os.close(handle)

    return look


def trace_one_after_another() -> None:
    """Let threads that start at the same time set their trace functions one after the other.

    Python 3.11 refuses one while the audit hook runs for another, and the thread dies unheard. What
    measures coverage also sets its own below Python, where no lock is asked: then once more.
    """
    lock, settrace = _thread.allocate_lock(), sys.settrace

    def in_turn(function: TraceFunction | None) -> None:
        with lock:
            while True:
                try:
                    settrace(function)
                except RuntimeError:
                    os.sched_yield()
                else:
                    return

    sys.settrace = in_turn  # threads take it from there, and so does what measures coverage


def watch(allowed: list[str]) -> None:
    """Watch this process, which may write below the `allowed` folders; called by the .pth file."""
    try:
        home = os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return
    if home != "/":
        places = tuple(f"{os.path.realpath(place)}/" for place in (sys.prefix, *allowed))
        sys.addaudithook(hook(f"{home}/", places, f"{sys.prefix}/{NOTES}"))
        if "COVERAGE_PROCESS_START" in os.environ:
            trace_one_after_another()
