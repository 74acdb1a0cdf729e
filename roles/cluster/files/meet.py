# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that hosts reach each other: "listen ADDRESS:PORT NAME", "reach NAME=ADDRESS:PORT ...".

The one that listens says its name to whoever connects, and ends by itself. The one that reaches
ends with an error that names those who did not answer, or who are somebody else.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

LISTEN_SECONDS = 120
REACH_SECONDS = 20.0


def split(text: str) -> tuple[str, int]:
    """Return address and port."""
    address, _unused, port = text.rpartition(":")
    return address, int(port)


def listen(place: str, name: str) -> None:
    """Leave a process behind that says the name for a while."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # One of an earlier run may still be there, and says the same.
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind(split(place))
    server.listen(64)
    if os.fork():
        return
    os.setsid()
    signal.alarm(LISTEN_SECONDS)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    while True:
        try:
            connection, _unused = server.accept()
            with connection:
                connection.sendall(name.encode())
        except OSError:
            continue


def heard(place: str) -> str:
    """Return the name that is said there; raises OSError."""
    with socket.create_connection(split(place), timeout=3) as connection:
        return connection.recv(300).decode("utf-8", "replace")


def trouble(name: str, place: str, limit: float) -> str:
    """Return why the host was not met, or an empty text."""
    last = ""
    while True:
        try:
            said = heard(place)
            last = "" if said == name else f"{name} at {place} is {said or 'nobody'}"
        except OSError as error:
            last = f"{name} does not answer at {place} ({error})"
        if not last or time.monotonic() >= limit:
            return last
        time.sleep(0.5)


def reach(wanted: list[str]) -> str:
    """Return who was not met, or an empty text."""
    limit = time.monotonic() + REACH_SECONDS
    pairs = [text.split("=", 1) for text in wanted]
    return "; ".join(filter(None, (trouble(name, place, limit) for name, place in pairs)))


if __name__ == "__main__":
    if sys.argv[1] == "listen":
        listen(*sys.argv[2:4])
    else:
        sys.exit(reach(sys.argv[2:]) or 0)
