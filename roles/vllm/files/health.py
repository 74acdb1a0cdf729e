# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a server make one token; end it when it has made none several times in a row.

Arguments: unit, file of its settings, file that counts, failures in a row, seconds for an answer,
and what knows the words of systemctl where that is another command. VLLM_API_KEY is the key of the
server. What keeps it starts an ended server again. A server that loads accepts no
connections yet and is left alone, and so is one that is only slow: its counters go on.

The file also says how many of the server's requests were the watchdog's own, and is locked while
one is on its way: whoever asks whether the server is used looks under a shared lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

# What may be asked for one token, in the order of likelihood.
QUESTIONS: dict[str, dict[str, Any]] = {
    "chat/completions": {"messages": [{"role": "user", "content": "a"}], "max_tokens": 1},
    "completions": {"prompt": "a", "max_tokens": 1},
    "embeddings": {"input": "a"},
}
# Wrong key, too many requests, full queue: said by a server that is alive.
ALIVE = (401, 403, 429, 503)
# Whoever holds the lock only looks for some seconds, and must not keep the watchdog from its work.
LOCK_SECONDS = 20
SYSTEMCTL = ("systemctl",)
PROGRESS = re.compile(r"^vllm:(?:prompt|generation)_tokens_total(?:\{.*\})? (\S+)$", re.MULTILINE)


class LoadsError(Exception):
    """Nothing accepts connections."""


class SilentError(Exception):
    """The server accepts connections and gives no token."""


def call(url: str, key: str, body: dict[str, Any] | None, timeout: float) -> tuple[int, str]:
    """Return status and text of an answer; raises LoadsError or SilentError without any."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    # The address is made here, and always that of this host.
    request = urllib.request.Request(url, data, headers)  # noqa: S310
    # An environment with a proxy must not lead away from this host.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as reply:
            return reply.status, reply.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError as error:
        refused = isinstance(getattr(error, "reason", error), ConnectionRefusedError)
        raise (LoadsError if refused else SilentError)(str(error)) from error


def tokens_made(base: str, key: str, timeout: float) -> float | None:
    """Return how many tokens the server has read and made, or None if it does not say."""
    try:
        text = call(f"{base}/metrics", key, None, timeout)[1]
    except SilentError:
        return None
    return sum(map(float, PROGRESS.findall(text)))


def ask(base: str, model: str, key: str, timeout: float) -> bool:
    """Whether one token came, else a refusal; raises SilentError when the server made none."""
    for path, question in QUESTIONS.items():
        status = call(f"{base}/v1/{path}", key, {"model": model, **question}, timeout)[0]
        if status == 200 or status in ALIVE:
            return status == 200
        if status >= 500:
            raise SilentError(f"{path} answers {status}")
    return False


def trouble(base: str, model: str, key: str, timeout: float) -> tuple[str, bool]:
    """Return why the server must be taken for dead, or an empty text, and whether a token came."""
    try:
        before = tokens_made(base, key, timeout)
        try:
            return "", ask(base, model, key, timeout)
        except SilentError as error:
            after = tokens_made(base, key, timeout)
            # Others are served meanwhile, so the question only waits its turn.
            moved = before is not None and after is not None and after != before
            return ("" if moved else str(error)), False
    except LoadsError:
        return "", False


def setting(text: str, name: str) -> str:
    """Return a plain setting of the server, or an empty text."""
    found = re.search(rf"^{name}: (.+)$", text, re.MULTILINE)
    return found.group(1).strip("'\"") if found else ""


def running(unit: str, manager: Sequence[str]) -> str:
    """Return which run of the unit is active, or an empty text."""
    command = [*manager, "show", unit, "--property=ActiveState,InvocationID"]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    seen = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return seen.get("InvocationID", "") if seen.get("ActiveState") == "active" else ""


@contextlib.contextmanager
def counting(path: Path, run: str) -> Iterator[dict[str, Any]]:
    """Give what was counted in this run of the unit, locked, and write it back."""
    with path.open("a+", encoding="utf-8") as file:
        path.chmod(0o644)
        until = time.monotonic() + LOCK_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.2)
        file.seek(0)
        try:
            found = json.load(file)
        except ValueError:
            found = {}
        counts = found if found.get("run") == run else {"run": run, "failures": 0, "answered": 0}
        yield counts
        file.truncate(0)
        json.dump(counts, file)


def main(
    unit: str,
    config: Path,
    counts_file: Path,
    failures: int,
    timeout: float,
    manager: Sequence[str] = SYSTEMCTL,
) -> None:
    """Look once, count, and end the server at the last failure."""
    run = running(unit, manager)
    if not run:
        return
    # A unit of systemd has it already.
    counts_file.parent.mkdir(exist_ok=True)
    text = config.read_text(encoding="utf-8")
    port = setting(text, "port")
    key = os.environ.get("VLLM_API_KEY", "")
    with counting(counts_file, run) as counts:
        model = setting(text, "served-model-name")
        why, answered = trouble(f"http://127.0.0.1:{port}", model, key, timeout)
        count = counts["failures"] + 1 if why else 0
        counts.update(port=int(port), failures=count, answered=counts["answered"] + answered)
    if why:
        print(f"{unit} gave no token, {count} of {failures} times: {why}", flush=True)
    # The answer to the signal to stop would be waited for in vain.
    if count >= failures and running(unit, manager) == run:
        keeper = "systemd" if manager == SYSTEMCTL else "supervisord"
        print(f"{unit} is ended, and {keeper} starts it again", flush=True)
        subprocess.run([*manager, "kill", "--signal=SIGKILL", unit], check=True)


if __name__ == "__main__":
    unit, config, counts, failures, timeout, *words = sys.argv[1:]
    main(unit, Path(config), Path(counts), int(failures), float(timeout), tuple(words) or SYSTEMCTL)
