# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down whether anybody uses this machine, and since when nobody has; argument: settings.

Looks at GPUs, vLLM, terminals, load and network. What cannot be measured counts as use: an
error must never end a machine at work. Runs once a minute; what it wrote last time says since when.
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

QUERY = ("--query-gpu=index,utilization.gpu,memory.used", "--format=csv,noheader,nounits")
SAMPLES, SAMPLE_SECONDS, PROGRAM_S, VLLM_SECONDS, WATCHDOG_SECONDS = 3, 2.0, 20, 5, 10
# Without a report for so long nobody knows what happened in between.
LONGEST_GAP_S = 300
GAUGE = re.compile(r"^vllm:num_requests_(running|waiting)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
# It grows with each answer, so that requests between two looks are seen as well.
COUNTER = re.compile(r"^vllm:request_success_total(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
# Where the watchdog of a server counts its own requests; it is locked while one is on its way.
WATCHDOGS = "vllm*-health/counts.json"
# The unit of a job that runs, by its control group, as both versions of those have it.
CONTROL_GROUPS = "/sys/fs/cgroup"
_JOB = "system.slice/system-gpuops*/gpuops-job@*.service"
JOBS = (_JOB, f"systemd/{_JOB}")
# An environment with a proxy must not lead away from this host.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Seen:
    """What one look found; ``unknown`` could not be measured, ``down`` says why by port."""

    gpus: list[dict[str, Any]] = field(default_factory=list)
    vllm_running: int | None = None
    vllm_waiting: int | None = None
    answers: float | None = None
    users: int = 0
    load1: float = 0.0
    network_mb: float | None = None
    uptime_minutes: float = 0.0
    jobs: list[str] = field(default_factory=list)
    down: dict[int, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def parse_gpus(text: str) -> list[dict[str, Any]]:
    """Return the GPUs of nvidia-smi's answer to QUERY; null where the driver says [N/A]."""
    rows = [row for row in csv.reader(text.splitlines(), skipinitialspace=True) if len(row) == 3]
    keys = ("index", "utilization_percent", "memory_used_mb")
    numbers = [[int(cell) if cell.strip().isdigit() else None for cell in row] for row in rows]
    return [dict(zip(keys, row, strict=True)) for row in numbers]


def busiest(samples: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return for each GPU the highest figures of all samples."""
    found: dict[Any, dict[str, Any]] = {}
    for gpu in (gpu for sample in samples for gpu in sample):
        seen = found.setdefault(gpu["index"], gpu)
        for key in ("utilization_percent", "memory_used_mb"):
            seen[key] = max((n for n in (seen[key], gpu[key]) if n is not None), default=None)
    return list(found.values())


def printed(seen: Seen, *command: str) -> str | None:
    """Return what a program prints; None where it is not there, or fails, which is noted."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROGRAM_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        if not isinstance(error, FileNotFoundError):
            seen.unknown.append(f"{command[0]}: {error}")
        return None
    return done.stdout


def ask_gpus(seen: Seen, pause: float = SAMPLE_SECONDS) -> None:
    """Ask nvidia-smi a few times, because it tells of the last second only."""
    samples = []
    for number in range(SAMPLES):
        if number:
            time.sleep(pause)
        if (text := printed(seen, "nvidia-smi", *QUERY)) is None:
            return
        samples.append(parse_gpus(text))
    seen.gpus = busiest(samples)
    if not seen.gpus:
        seen.unknown.append("nvidia-smi lists no GPU")


def ask_vllm(seen: Seen, url: str, own: int) -> None:
    """Add the requests in a vLLM, and a count that grows with each answer but its watchdog's."""
    try:
        with OPENER.open(url, timeout=VLLM_SECONDS) as answer:
            text = answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError:
        return  # something else serves there
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if not isinstance(reason, ConnectionRefusedError):
            seen.unknown.append(f"vLLM: {reason}")
        return
    if gauges := GAUGE.findall(text):
        seen.vllm_running, seen.vllm_waiting = (
            int(sum(float(value) for name, value in gauges if name == wanted)) + (before or 0)
            for wanted, before in (("running", seen.vllm_running), ("waiting", seen.vllm_waiting))
        )
        seen.answers = sum(map(float, COUNTER.findall(text)), (seen.answers or 0) - own)


@contextlib.contextmanager
def unwatched(folder: Path) -> Iterator[dict[int, dict[str, int]]]:
    """Keep watchdogs from asking, and give what each has counted, by port."""
    found: dict[int, dict[str, int]] = {}
    with contextlib.ExitStack() as held:
        for path in folder.glob(WATCHDOGS):
            with contextlib.suppress(OSError, ValueError, KeyError):
                file = held.enter_context(path.open(encoding="utf-8"))
                lock(file)
                counts = json.loads(file.read() or "{}")
                found[int(counts["port"])] = counts
        yield found


def why_down(port: int, failures: int) -> str:
    """Return why a server must be taken for down, an empty text while it is well."""
    if failures:
        return f"it gave no token, {failures} times in a row"
    try:
        with OPENER.open(f"http://127.0.0.1:{port}/health", timeout=VLLM_SECONDS):
            return ""
    except (OSError, ValueError) as error:
        return f"its health check fails: {getattr(error, 'reason', error)}"


def servers(seen: Seen, last: dict[str, Any], at: datetime) -> list[dict[str, Any]]:
    """Return for each port with a watchdog since when its server is down, null while it is well."""
    known = {row["port"]: row["down_since"] for row in last.get("servers", ())}
    rows = ((port, why, known.get(port) or at.isoformat()) for port, why in seen.down.items())
    return [{"port": p, "down_since": since if why else None, "why": why} for p, why, since in rows]


def lock(file: TextIO) -> None:
    """Wait for a shared lock; without it after some seconds, the look counts what it sees."""
    until = time.monotonic() + WATCHDOG_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
        time.sleep(0.2)


def ask_users(seen: Seen, folder: Path, minutes: float, now: float) -> None:
    """Count those who are logged in, and other terminals, as of tmux, that are in use."""
    rows = [line.split() for line in (printed(seen, "who") or "").splitlines()]
    logins = {words[1].removeprefix("pts/") for words in rows if len(words) > 1}
    typed = {path.name: path.stat().st_atime for path in folder.glob("[0-9]*")}
    seen.users = len(logins | {name for name, at in typed.items() if now - at < minutes * 60})


def running_jobs(folder: Path) -> list[str]:
    """Return the names of the jobs that run, however little they use."""
    units = (path.name for pattern in JOBS for path in folder.glob(pattern))
    return sorted({name.removeprefix("gpuops-job@").removesuffix(".service") for name in units})


def network_mb(text: str) -> float:
    """Return what all interfaces but loopback have received and sent, in MB, from /proc/net/dev."""
    rows = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    fields = [words.split() for name, words in rows if name.strip() != "lo"]
    return sum(int(words[0]) + int(words[8]) for words in fields) / 1e6


def why_busy(seen: Seen, last: dict[str, Any], limits: dict[str, Any]) -> list[str]:
    """Return what speaks against idleness, in words; ``last`` is what the run before noted."""
    words = list(seen.unknown)
    if seen.uptime_minutes < limits["boot_minutes"]:
        words.append(f"booted {seen.uptime_minutes:.0f} min ago")
    words += [f"job {name} runs" for name in seen.jobs]
    for gpu in seen.gpus:
        words += busy_gpu(gpu, limits)
    if seen.vllm_running or seen.vllm_waiting:
        words.append(f"vLLM: {seen.vllm_running} running, {seen.vllm_waiting} waiting")
    elif seen.answers is not None and seen.answers != last.get("answers", seen.answers):
        words.append("vLLM answered since the last look")
    if seen.users:
        words.append(f"{seen.users} login(s) or terminal(s) in use")
    if limits["load"] and seen.load1 >= limits["load"]:
        words.append(f"load {seen.load1:.2f}")
    moved = (seen.network_mb or 0.0) - last.get("network_mb", seen.network_mb or 0.0)
    if limits["network_mb"] and moved >= limits["network_mb"]:
        words.append(f"{moved:.0f} MB through the network since the last look")
    return words


def busy_gpu(gpu: dict[str, Any], limits: dict[str, Any]) -> list[str]:
    """Return what speaks against the idleness of a GPU."""
    name, busy, held = f"GPU {gpu['index']}", gpu["utilization_percent"], gpu["memory_used_mb"]
    words = []
    if busy is None and not limits["gpu_memory_mb"]:
        words.append(f"{name} does not tell its utilisation")
    elif busy is not None and busy >= limits["gpu_percent"]:
        words.append(f"{name} at {busy} %")
    if limits["gpu_memory_mb"] and (held is None or held >= limits["gpu_memory_mb"]):
        words.append(f"{name} with {'unknown' if held is None else held} MB in use")
    return words


def idle_since(previous: dict[str, Any], at: datetime, busy: bool) -> datetime | None:
    """Return since when the machine is idle: no longer than reports followed each other."""
    if busy:
        return None
    try:
        last, since = (datetime.fromisoformat(previous[key]) for key in ("at", "idle_since"))
        unbroken = 0 <= (at - last).total_seconds() <= LONGEST_GAP_S and since <= last
    except (KeyError, TypeError, ValueError):
        return at
    return since if unbroken else at


def read_json(path: Path) -> dict[str, Any]:
    """Return what a file holds, nothing when it is missing or not an object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Put a whole file in the place of the old one, for everybody to read."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text(json.dumps(value) + "\n", encoding="utf-8")
    unfinished.chmod(0o644)
    unfinished.replace(path)


def look(settings: dict[str, Any], now: float) -> Seen:
    """Return what can be seen of the machine now."""
    seen = Seen(load1=os.getloadavg()[0])
    seen.uptime_minutes = float(Path("/proc/uptime").read_text("ascii").split()[0]) / 60
    seen.network_mb = network_mb(Path("/proc/net/dev").read_text("ascii"))
    seen.jobs = running_jobs(Path(settings.get("control_groups", CONTROL_GROUPS)))
    terminals = Path(settings.get("terminals", "/dev/pts"))
    ask_users(seen, terminals, settings["terminal_minutes"], now)
    with unwatched(Path(settings.get("run", "/run"))) as watched:
        ask_gpus(seen, settings.get("sample_seconds", SAMPLE_SECONDS))
        if url := settings["vllm_metrics_url"]:
            # A machine may have several servers, each with a watchdog.
            urls = {port: f"http://127.0.0.1:{port}/metrics" for port in watched}
            for port, one in {**urls, urlsplit(url).port or 0: url}.items():
                ask_vllm(seen, one, watched.get(port, {}).get("answered", 0))
        seen.down = {port: why_down(port, one.get("failures", 0)) for port, one in watched.items()}
    return seen


def report(settings: dict[str, Any], now: float) -> dict[str, Any]:
    """Look at the machine, write the report, and return it. Times are in UTC by its own clock."""
    folder = Path(settings["folder"])
    notes = folder / "idle_state.json"
    seen, last = look(settings, now), read_json(notes)
    at = datetime.fromtimestamp(int(now), timezone.utc)
    words = why_busy(seen, last, settings)
    before = read_json(folder / "idle.json")
    since = idle_since(before, at, bool(words))
    written = {
        "version": 1,
        "at": at.isoformat(),
        "idle_since": since.isoformat() if since else None,
        "idle_after": settings.get("idle_after"),
        "done": Path(settings["done_file"]).exists(),
        "gpus": seen.gpus,
        "vllm_running": seen.vllm_running,
        "vllm_waiting": seen.vllm_waiting,
        "users": seen.users,
        "load1": round(seen.load1, 2),
        "why_busy": words,
        "servers": servers(seen, before, at),
    }
    noted = {"answers": seen.answers, "network_mb": seen.network_mb}
    write_json(notes, {name: value for name, value in noted.items() if value is not None})
    write_json(folder / "idle.json", written)
    return written


def main() -> None:
    """Report, and tell the journal when idleness begins or ends."""
    settings = read_json(Path(sys.argv[1]))
    before = read_json(Path(settings["folder"]) / "idle.json")
    now = report(settings, time.time())
    if bool(before.get("idle_since")) != bool(now["idle_since"]) or not before:
        # <5> is the priority "notice" for the journal.
        words = "; ".join(now["why_busy"])
        print(f"<5>busy: {words}" if words else f"<5>idle since {now['idle_since']}")


if __name__ == "__main__":
    main()
