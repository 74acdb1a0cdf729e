# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch a streamed answer arrive: `stream.py URL KEY_FILE CA MODEL TOKENS [COMMAND ...]`.

Printed: when its parts came, and whether it was whole. After the third part COMMAND is started, and
until the answer has ended others are asked for, whose statuses are printed, too.
"""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class Asker:
    """Asks one gateway with one key."""

    def __init__(self, url: str, key_file: str, authority: str, model: str) -> None:
        self._at = urlsplit(url)
        self._key = Path(key_file).read_text("utf-8").strip()
        self._context = ssl.create_default_context(cafile=authority)
        self._model = model

    def ask(self, tokens: int, stream: bool) -> http.client.HTTPResponse:
        """Return the beginning of an answer of exactly so many tokens."""
        host, port = str(self._at.hostname), self._at.port
        connection = http.client.HTTPSConnection(host, port, timeout=60, context=self._context)
        body = {"model": self._model, "stream": stream, "max_tokens": tokens, "ignore_eos": True}
        body |= {"messages": [{"role": "user", "content": "x"}], "temperature": 0}
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        return connection.getresponse()

    def keep_asking(self, statuses: list[str], ended: threading.Event) -> None:
        """Ask for one token again and again, and note what came of it."""
        while not ended.wait(0.2):
            try:
                statuses.append(str(self.ask(1, False).status))
            except OSError as error:
                statuses.append(str(error))


def watch(asker: Asker, tokens: int, command: list[str]) -> dict[str, Any]:
    """Return what was seen of one streamed answer."""
    began = time.monotonic()
    answer = asker.ask(tokens, True)
    parts, statuses, ended = [], [], threading.Event()
    others = threading.Thread(target=asker.keep_asking, args=(statuses, ended))
    whole = False
    for line in answer:
        whole = whole or line.strip() == b"data: [DONE]"
        if line.startswith(b"data: {"):
            parts.append(time.monotonic() - began)
        if len(parts) == 3 and command and not others.is_alive():
            subprocess.run(command, check=True)
            others.start()
    ended.set()
    if others.ident:
        others.join()
    seen = {"status": answer.status, "whole": whole, "parts": len(parts), "others": statuses}
    # By their times one sees whether parts have waited for each other.
    return {**seen, "first": round(parts[0], 3), "last": round(parts[-1], 3)}


def main(url: str, key_file: str, authority: str, model: str, tokens: str, *command: str) -> None:
    """Watch one."""
    asker = Asker(url, key_file, authority, model)
    print(json.dumps(watch(asker, int(tokens), list(command))))


if __name__ == "__main__":
    main(*sys.argv[1:])
