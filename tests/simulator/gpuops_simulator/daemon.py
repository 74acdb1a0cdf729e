# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Life as a background process: detach, watch another process, leave no files behind."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

WATCH_SECONDS = 1.0
Ready = Callable[[str], None]


def detach(log_file: Path | None) -> Ready:
    """Go on in a background process; the parent ends when the child is ready, or has failed.

    The returned call gives the parent the line to print and turns our output to the log file.
    """
    read_end, write_end = os.pipe()
    if os.fork():
        os.close(write_end)
        _wait_for_child(read_end)
    os.close(read_end)
    os.setsid()

    def ready(line: str) -> None:
        target = os.open(log_file or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for stream in (1, 2):
            os.dup2(target, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        with contextlib.suppress(BrokenPipeError):
            os.write(write_end, line.encode() + b"\n")
        os.close(write_end)

    return ready


def _wait_for_child(read_end: int) -> None:
    with open(read_end, encoding="utf-8") as pipe:
        line = pipe.read()
    if not line:
        print("the simulator failed to start", file=sys.stderr)
    sys.stdout.write(line)
    sys.stdout.flush()
    os._exit(0 if line else 1)


def watch(pid: int, gone: Callable[[], None]) -> None:
    """Call `gone` once that process is no more."""
    born = _birth(pid)

    def look() -> None:
        while born is not None and _birth(pid) == born:
            time.sleep(WATCH_SECONDS)
        gone()

    threading.Thread(target=look, daemon=True).start()


def _birth(pid: int) -> str | None:
    """Return what tells a process from a later one of the same number; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return _exists(pid)
    return None if fields[0] == "Z" else fields[19]


def _exists(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "alive"


@contextlib.contextmanager
def notes_of_us(
    port_file: Path | None, address: str, pid_file: Path | None, *more: tuple[Path | None, str]
) -> Iterator[None]:
    """Write where we are and who we are while we live, the process id last."""
    written = [(port_file, address), *more, (pid_file, str(os.getpid()))]
    for path, text in written:
        if path:
            fresh = path.with_name(path.name + ".new")
            fresh.write_text(text + "\n", encoding="utf-8")
            fresh.replace(path)
    try:
        yield
    finally:
        for path, text in written:
            with contextlib.suppress(OSError):
                if path and path.read_text(encoding="utf-8").strip() == text:
                    path.unlink()
