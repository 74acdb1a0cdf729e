# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a door for what it has and for what it must not give: address, port, Prometheus's folder.

Prints as JSON the status of each request, with the certificate and without.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
from pathlib import Path

NAME = "replica.gpuops.internal"
ASKED = (
    "GET /node",
    "GET /vllm",
    "GET /vllm?x=/secret",
    "GET /gpu",
    "GET /secret",
    "GET /vllm/../secret",
    "GET //127.0.0.1/secret",
    "POST /vllm",
)


def status(context: ssl.SSLContext, address: tuple[str, int], request: str) -> int | str:
    """Return the status of an answer, or that there is none."""
    head = f"{request} HTTP/1.1\r\nHost: door\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    try:
        with (
            socket.create_connection(address, timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=NAME) as secure,
        ):
            secure.sendall(head.encode())
            line = secure.makefile("rb").readline().decode()
    except (ssl.SSLError, ConnectionResetError):
        return "refused"
    return int(line.split()[1]) if line else "refused"


def main() -> None:
    """Ask for everything."""
    host, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    known = ssl.create_default_context(cafile=folder / "ca.crt")
    stranger = ssl.create_default_context(cafile=folder / "ca.crt")
    known.load_cert_chain(folder / "prometheus.pem")
    found = {
        "with": {request: status(known, (host, port), request) for request in ASKED},
        "without": {"GET /node": status(stranger, (host, port), "GET /node")},
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
