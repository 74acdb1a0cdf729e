# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a gateway without a pause: `load.py URL KEY_FILE CA OUT STOP [THREADS]`.

Half of the requests are streamed. It ends when the file STOP appears, and leaves OUT.end. OUT gets
a line for each request: began, ended (seconds since 1970), status, complete, and who answered.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TOKENS = 10
LONGEST = 900.0


def ask(url: str, key: str, context: ssl.SSLContext, stream: bool) -> dict[str, Any]:
    """Ask once; an exception is noted as what went wrong."""
    found: dict[str, Any] = {"began": time.time(), "stream": stream, "status": 0, "who": ""}
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(str(parts.hostname), parts.port, context=context)
    connection.timeout = 60
    body = {"model": "small", "max_tokens": TOKENS, "stream": stream}
    body |= {"messages": [{"role": "user", "content": "a prompt that nobody may log"}]}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        found["status"] = answer.status
        text = answer.read().decode()
        found["complete"] = answer.status == 200 and (not stream or "[DONE]" in text)
        if answer.status == 200:
            found["who"] = who(text, stream)
        else:
            found["said"] = text[:200]
    except (OSError, ValueError, http.client.HTTPException) as error:
        found |= {"complete": False, "said": f"{type(error).__name__}: {error}"}
    finally:
        connection.close()
    return {**found, "ended": time.time()}


def who(text: str, stream: bool) -> str:
    """Return the name of the replica that has answered."""
    if stream:
        first = json.loads(text.split("\n")[0].removeprefix("data: "))
        return str(first["choices"][0]["delta"].get("content", "")).strip()
    return str(json.loads(text)["choices"][0]["message"]["content"]).split()[0]


def main(url: str, key_file: str, authority: str, out: str, stop: str, threads: str = "6") -> None:
    """Keep threads busy until the end."""
    key = Path(key_file).read_text("utf-8").strip()
    context = ssl.create_default_context(cafile=authority)
    lock, limit = threading.Lock(), time.monotonic() + LONGEST

    def work(number: int) -> None:
        turn = number
        while time.monotonic() < limit and not Path(stop).exists():
            found = ask(url, key, context, bool(turn % 2))
            turn += 1
            with lock, Path(out).open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(found) + "\n")

    workers = [threading.Thread(target=work, args=(n,)) for n in range(int(threads))]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    Path(f"{out}.end").touch()


if __name__ == "__main__":
    main(*sys.argv[1:])
