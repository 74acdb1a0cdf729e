# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End a unit when the head of its cluster is gone: arguments HEAD, PORT, UNIT.

A worker of vLLM waits for the head's next message without end, also when that head is gone, and a
new head waits for a new worker. This holds a connection to the head's store, which ends with the
head; then the unit is killed, and its own "Restart=always" starts one for the new head.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time

TIMEOUT = 5.0
# Seconds without a word until a head that was switched off is asked, and between three questions.
KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


def connect(head: str, port: int) -> socket.socket | None:
    """Return a connection that notices a dead host, or None while there is none."""
    try:
        connection = socket.create_connection((head, port), timeout=TIMEOUT)
    except OSError:
        return None
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    connection.settimeout(None)
    return connection


def wait_for_end(connection: socket.socket) -> None:
    """Return when the other side has gone."""
    with connection:
        try:
            while connection.recv(1024):
                pass
        except OSError:
            return


def watch(head: str, port: int) -> None:
    """Return when a head that was there is gone; one that takes a new connection still is."""
    connection = None
    while connection is None:
        connection = connect(head, port)
        if connection is None:
            time.sleep(1)
    while connection is not None:
        wait_for_end(connection)
        # A store that turns silent visitors away is not asked without a pause.
        time.sleep(1)
        connection = connect(head, port)


def main(head: str, port: int, unit: str) -> None:
    """Watch without end."""
    while True:
        watch(head, port)
        print(f"the head {head} is gone: {unit} is started anew", flush=True)
        # The other processes of the unit end with their parent.
        command = ["systemctl", "kill", "--kill-who=main", "--signal=SIGKILL", unit]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
