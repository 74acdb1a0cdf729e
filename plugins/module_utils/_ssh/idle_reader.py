# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances say of their own use: read over SSH in one bounded round (private)."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import math
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypedDict

from .._core.errors import InvalidError
from .idle_report import NEVER, Gpu, NamedReport, Report, Server, read_idle_after

REPORT = "/run/gpuops/idle.json"
MAX_PARALLEL, MAX_BYTES = 50, 65536
CONNECT_TIMEOUT_S = 5
FIRST_CONTACT = (
    "seen for the first time: its host key is pinned now, and its report counts from the next "
    "round on"
)
NO_KEY = "no key for it here"
# Whatever a configuration file says: no questions, no old connections, nothing of ours goes along.
_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": str(CONNECT_TIMEOUT_S),
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "2",
    "ControlMaster": "no",
    "ControlPath": "none",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "IdentitiesOnly": "yes",
    "UpdateHostKeys": "no",
    "HashKnownHosts": "no",
    "LogLevel": "ERROR",
}
_NO_REPORT = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
_MACHINE_ID = re.compile(r"[\w.-]+")
_DEPLOYMENT = re.compile(r"[a-z0-9][a-z0-9-]*")


class UnreadError(Exception):
    """There is no report of an instance; the text says why."""


class Instance(TypedDict, total=False):
    """An instance that is asked, as the inventory knows it."""

    id: str
    name: str | None
    deployment: str | None
    ip: str | None


class Unread(TypedDict):
    """An instance without a report, and why."""

    id: str
    name: str | None
    problem: str


@dataclass(frozen=True)
class Keys:
    """What opens instances: a deployment's own settings below ``home``, else a key that is given."""

    home: Path
    key_file: str = ""
    user: str = "gpuops-guard"
    pin: bool = True

    def command(self, machine: Instance) -> tuple[list[str], bool]:
        """Return the command that reads a report, and whether the instance's host key is known.

        Raises UnreadError without a key, or for what is no address.
        """
        name, address = str(machine["id"]), _address(machine)
        settings, known_hosts = self._settings(machine)
        if not settings:
            raise UnreadError(NO_KEY)
        known = _is_pinned(name, known_hosts)
        check = "accept-new" if self.pin else "yes"
        options = {
            **_OPTIONS,
            "HostKeyAlias": name,
            "UserKnownHostsFile": str(known_hosts),
            "StrictHostKeyChecking": check,
        }
        flags = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        return ["ssh", *settings, *flags, address, f"cat {REPORT}"], known

    def _settings(self, machine: Instance) -> tuple[list[str], Path]:
        deployment = str(machine.get("deployment") or "")
        folder = self.home / deployment
        # The name comes from the cloud, and must not lead anywhere else.
        if _DEPLOYMENT.fullmatch(deployment) and (folder / "ssh_config").is_file():
            return ["-F", str(folder / "ssh_config")], folder / "known_hosts"
        if self.key_file:
            return ["-F", "none", "-i", self.key_file, "-l", self.user], self.home / "known_hosts"
        return [], self.home


def _address(machine: Instance) -> str:
    if not _MACHINE_ID.fullmatch(str(machine["id"])):
        raise UnreadError("its id is no name")
    try:
        return str(ipaddress.ip_address(str(machine.get("ip"))))
    except ValueError:
        raise UnreadError("it has no address") from None


def _is_pinned(name: str, known_hosts: Path) -> bool:
    try:
        lines = known_hosts.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return any(name in line.split(" ", 1)[0].split(",") for line in lines)


def _line(text: str) -> str:
    """Return text of an instance as one short line that cannot steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)[:200].strip()


@dataclass(frozen=True)
class _Written:
    """Something that an instance has written, read by type; what is of another raises _NO_REPORT."""

    row: Any

    def moment(self, name: str) -> str | None:
        """Return a time, which has to name its zone."""
        if self.row[name] is None:
            return None
        moment = datetime.fromisoformat(str(self.row[name]).replace("Z", "+00:00"))
        if moment.tzinfo is None:
            raise ValueError("a time without zone")
        return moment.astimezone(timezone.utc).isoformat()

    def limit(self, name: str) -> str:
        """Return what a guard says of its limit; one of an earlier release says nothing."""
        found = self.row.get(name)
        text = NEVER if found is None else str(found)
        read_idle_after(text)
        return text

    def flag(self, name: str) -> bool:
        """Return yes or no."""
        found = self.row[name]
        if not isinstance(found, bool):
            raise TypeError("no answer")
        return found

    def count(self, name: str) -> int:
        """Return a whole number."""
        return int(self.row[name])

    def maybe_count(self, name: str) -> int | None:
        """Return a whole number, None where the instance does not know it."""
        return None if self.row[name] is None else self.count(name)

    def finite(self, name: str) -> float:
        """Return a number that is one."""
        number = float(self.row[name])
        if not math.isfinite(number):
            raise ValueError("no number")
        return number

    def words(self, name: str) -> str:
        """Return a text as one short line."""
        return _line(str(self.row[name]))

    def lines(self, name: str, most: int) -> list[str]:
        """Return some texts, each as one short line."""
        return [_line(str(word)) for word in self.row[name][:most]]

    def parts(self, name: str, most: int) -> list[_Written]:
        """Return some things within."""
        return [_Written(one) for one in self.row[name][:most]]


def _gpu(of: _Written) -> Gpu:
    return {
        "index": of.maybe_count("index"),
        "utilization_percent": of.maybe_count("utilization_percent"),
        "memory_used_mb": of.maybe_count("memory_used_mb"),
    }


def _server(of: _Written) -> Server:
    since = of.moment("down_since")
    return {"port": of.count("port"), "down_since": since, "why": of.words("why")}


def parse_report(text: str) -> Report:
    """Return a report with nothing in it but what belongs there; raises UnreadError.

    The instance is rented, and whoever sits on it may have written anything.
    """
    try:
        # An older guard says nothing of servers.
        found = _Written({"servers": [], **json.loads(text)})
        if found.row["version"] != 1:
            raise UnreadError("its report has an unknown format")
        at = found.moment("at")
        if at is None:
            raise ValueError("no time")
        return {
            "version": 1,
            "at": at,
            "idle_since": found.moment("idle_since"),
            "idle_after": found.limit("idle_after"),
            "done": found.flag("done"),
            "gpus": [_gpu(one) for one in found.parts("gpus", 64)],
            "vllm_running": found.maybe_count("vllm_running"),
            "vllm_waiting": found.maybe_count("vllm_waiting"),
            "users": found.count("users"),
            "load1": found.finite("load1"),
            "why_busy": found.lines("why_busy", 20),
            "servers": [_server(one) for one in found.parts("servers", 8)],
        }
    except (*_NO_REPORT, InvalidError):
        raise UnreadError("its report cannot be read") from None


async def _run(command: list[str]) -> str:
    """Return what a command prints; raises UnreadError with its last words."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    try:
        if process.stdout is None or process.stderr is None:
            raise AssertionError("both are pipes")
        text, words = await asyncio.gather(_head(process.stdout), _head(process.stderr))
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        raise UnreadError(_reason(words) or f"ssh ended with {status}")
    return text


async def _head(stream: asyncio.StreamReader) -> str:
    """Return the beginning of what a stream brings; the rest is taken and forgotten."""
    kept = b""
    while block := await stream.read(MAX_BYTES):
        kept += block[: MAX_BYTES - len(kept)]
    return kept.decode("utf-8", "replace")


def _reason(words: str) -> str:
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in words:
        return "it shows another host key than the pinned one: something else may answer there"
    if REPORT in words and "No such file" in words:
        return "the idle guard has written no report there"
    lines = [line for line in words.splitlines() if line.strip()]
    return _line(lines[-1]).rstrip(".") if lines else ""


async def _read(machine: Instance, keys: Keys, gate: asyncio.Semaphore) -> NamedReport:
    command, known = keys.command(machine)
    async with gate:
        report = parse_report(await _run(command))
    if not known:
        raise UnreadError(FIRST_CONTACT)
    return {**report, "id": machine["id"]}


async def _round(machines: list[Instance], keys: Keys, timeout: float) -> list[NamedReport | str]:
    gate = asyncio.Semaphore(MAX_PARALLEL)
    tasks = [asyncio.create_task(_read(machine, keys, gate)) for machine in machines]
    _done, late = await asyncio.wait(tasks, timeout=timeout)
    for task in late:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    return [_outcome(answer, timeout) for answer in answers]


def _outcome(answer: NamedReport | BaseException, timeout: float) -> NamedReport | str:
    if isinstance(answer, asyncio.CancelledError):
        return f"no answer within {timeout:.0f} s"
    if isinstance(answer, (UnreadError, OSError)):
        return str(answer)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def read_reports(
    machines: list[Instance], keys: Keys, timeout: float
) -> tuple[list[NamedReport], list[Unread]]:
    """Return the reports, each with the id of its instance, and the instances without one and why.

    All are asked at the same time, and the round ends after ``timeout`` seconds, whatever hangs.
    """
    answers = asyncio.run(_round(machines, keys, timeout)) if machines else []
    unread: list[Unread] = [
        {"id": machine["id"], "name": machine.get("name"), "problem": answer}
        for machine, answer in zip(machines, answers, strict=True)
        if isinstance(answer, str)
    ]
    return [answer for answer in answers if isinstance(answer, dict)], unread


def tell(reports: list[NamedReport], unread: list[Unread]) -> list[str]:
    """Return the round in sentences: instances with the same problem share one.

    Where there is no key for any of them nobody wants to hear about it every few minutes.
    """
    if not reports and all(row["problem"] == NO_KEY for row in unread):
        return []
    lines = [f"Read the idle reports of {len(reports)} of {len(reports) + len(unread)} instances."]
    for problem in dict.fromkeys(row["problem"] for row in unread):
        names = [str(row["name"]) for row in unread if row["problem"] == problem]
        lines.append(f"No idle report of {', '.join(names)}: {problem}.")
    return lines
