# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask at once and print the statuses: `burst.py URL KEY_FILE CA COUNT TOKENS [BYTES]`."""

from __future__ import annotations

import collections
import http.client
import json
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit


def ask(url: str, key: str, authority: str, tokens: int, size: int) -> str:
    """Return the status of one answer, with the pause that it asks for."""
    at, context = urlsplit(url), ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(str(at.hostname), at.port, context=context, timeout=60)
    body = {"model": "small", "max_tokens": tokens, "prompt": "x" * size}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    answer.read()
    pause = answer.headers.get("Retry-After")
    return f"{answer.status}{f' after {pause}' if pause else ''}"


def main(url: str, key_file: str, authority: str, count: str, tokens: str, size: str = "1") -> None:
    """Ask all at once."""
    key = Path(key_file).read_text("utf-8").strip()
    with ThreadPoolExecutor(max_workers=int(count)) as pool:
        jobs = [
            pool.submit(ask, url, key, authority, int(tokens), int(size))
            for _unused in range(int(count))
        ]
    print(json.dumps(collections.Counter(job.result() for job in jobs)))


if __name__ == "__main__":
    main(*sys.argv[1:])
