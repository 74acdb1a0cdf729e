# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try to get past a gateway: `attack.py HOST PORT KEY_FILE UPSTREAM_KEY_FILE`.

Bytes are sent as they are, over TLS, because a library would tidy them up. What a request may be
answered is written beside it. What has reached the server behind is its own note, not judged here.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
from pathlib import Path

from attacks import Attack, attacks


def send(host: str, port: int, raw: bytes) -> bytes:
    """Send bytes and return everything that comes back until the other side closes."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Whoever would get HTTP/2 has found another door.
    context.set_alpn_protocols(["h2", "http/1.1"])
    answer = b""
    plain = socket.create_connection((host, port), timeout=10)
    with context.wrap_socket(plain, server_hostname=host) as secured:
        if secured.selected_alpn_protocol() == "h2":
            return b"HTTP/2"
        secured.settimeout(3)
        secured.sendall(raw)
        try:
            while part := secured.recv(65536):
                answer += part
        except (TimeoutError, ssl.SSLError, ConnectionError):
            pass
    return answer


def judge(attack: Attack, answer: bytes) -> str:
    """Return what is wrong with an answer, or an empty text."""
    heads = [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/")]
    if not heads:
        return "" if 0 in attack.allowed else "no answer"
    if len(heads) > 1:
        return f"{len(heads)} answers to one request"
    words = heads[0].split()
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 1
    if status not in attack.allowed:
        return f"answered {status} instead of {sorted(attack.allowed)}: {answer[-200:]!r}"
    return ""


def main(host: str, port: str, key_file: str, upstream_key_file: str) -> None:
    """Try everything; fail when something came through."""
    key = Path(key_file).read_text("utf-8").strip()
    upstream = Path(upstream_key_file).read_text("utf-8").strip()
    tried = attacks(key, upstream)
    wrong = {}
    for attack in tried:
        if complaint := judge(attack, send(host, int(port), attack.raw)):
            wrong[attack.name] = complaint
    print(json.dumps({"tried": len(tried), "wrong": wrong}, indent=1))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
