# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and ports that are wanted and that somebody else has: who, and in which words (private)."""

from __future__ import annotations

import errno
import os
import pwd
import re
import socket
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypedDict

from .commands import Commands, HostError
from .service_manager import no_systemd, processes_of

# Of every file that this collection has ever written.
MARKS = ("Ansible managed", "gpuops")
UNITS = Path("etc/systemd/system")
# A unit of a package would be hidden by one of the same name there.
PACKAGED = (Path("usr/lib/systemd/system"), Path("lib/systemd/system"))
LONGEST = 1 << 20
LISTENS = "0A"


class Endpoint(TypedDict, total=False):
    """A port that is wanted, on one address or without it on all."""

    port: int
    address: str


class Wanted(TypedDict):
    """The options of the module."""

    files: list[str]
    ports: list[Endpoint]
    units: list[str]
    programs: list[str]
    systemd: str
    marks: list[str]
    hint: str


class Free(TypedDict):
    """The result of the module where nothing is in the way."""

    conflicts: list[str]


def nothing_in_the_way(commands: Commands, want: Wanted) -> Free:
    """Look, and raise HostError for all that is in the way."""
    if want["systemd"] and (lacking := no_systemd(want["systemd"])):
        raise HostError(lacking, details={"conflicts": [lacking]})
    found = foreign_files(want["files"], want["marks"])
    leaders = partial(processes_of, want["programs"], lambda command: commands.run(command)[1])
    found += taken_ports(want["ports"], want["units"], leaders=leaders)
    if found:
        words = f"{'; '.join(found)}. Nothing was changed"
        raise HostError(words, hint=want["hint"], details={"conflicts": found})
    return {"conflicts": []}


def foreign_files(files: Iterable[str], marks: Iterable[str], root: Path = Path("/")) -> list[str]:
    """Return what is there under these names and bears no mark of ours, in words."""
    known = {*MARKS, *filter(None, map(_beginning, marks))}
    found = []
    for name in files:
        path = root / name.lstrip("/")
        if os.path.lexists(path) and not _is_ours(path, known):
            found.append(f"{name} is there, and was not made by this role")
        found += _packaged(name, root) if not os.path.lexists(path) else []
    return found


def _beginning(mark: str) -> str:
    """Return what stays the same of a mark that may name file, host and time."""
    return re.split(r"[{%]", mark)[0].strip()


def _is_ours(path: Path, marks: set[str]) -> bool:
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST).decode("utf-8", "replace")
    except OSError:  # a folder, or a link to nowhere
        return False
    return any(mark in text for mark in marks)


def _packaged(name: str, root: Path) -> list[str]:
    path = Path(name.lstrip("/"))
    if path.parent != UNITS:
        return []
    places = [root / folder / path.name for folder in PACKAGED]
    return [f"/{place.relative_to(root)} is there already" for place in places if place.exists()][
        :1
    ]


def taken_ports(
    ports: Iterable[Endpoint],
    units: Iterable[str],
    proc: Path = Path("/proc"),
    leaders: Callable[[], Collection[int]] = tuple,
) -> list[str]:
    """Return which ports somebody else listens on, and who.

    Processes of the units are ours, and those in the group of one of the leaders, which are asked
    for only where somebody listens.
    """
    found, ours = [], set(units)
    for wanted in ports:
        port = int(wanted["port"])
        if is_free(port, wanted.get("address") or ""):
            continue
        sockets = dict(_sockets(proc, port))
        sure, possible = _holders(proc, sockets)
        mine = any(ours & set(_groups(proc, pid)) for pid in sure or possible)
        if not (mine or {_group(proc, pid) for pid in sure or possible} & set(leaders())):
            who = " and ".join(_named(proc, pid) for pid in sure) or _owner(sockets)
            found.append(f"port {port} is taken by {who}")
    return found


def is_free(port: int, address: str) -> bool:
    """Whether a server could listen there, which only the kernel knows."""
    tries = [(socket.AF_INET6 if ":" in address else socket.AF_INET, address)]
    if not address and socket.has_ipv6:
        tries.append((socket.AF_INET6, "::"))
    return not any(_in_use(family, place, port) for family, place in tries)


def _in_use(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            # Connections that have ended are no obstacle, as for every server.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            trial.bind((address, port))
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def _sockets(proc: Path, port: int) -> Iterator[tuple[str, str]]:
    """Yield the sockets that listen on a port, as a process has them, each with its user."""
    for name in ("tcp", "tcp6"):
        for line in _lines(proc / "net" / name)[1:]:
            fields = line.split()
            if fields[3] == LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                yield f"socket:[{fields[9]}]", fields[7]


def _holders(proc: Path, sockets: dict[str, str]) -> tuple[list[int], list[int]]:
    """Return the processes that hold one of the sockets, and those that may.

    In a container not even root sees what processes of other users have open. A socket belongs to
    the user who opened it: that of its program, or root, who has become another one since.
    """
    sure, possible = [], []
    owners = {*sockets.values()}
    for folder in proc.glob("[0-9]*"):
        try:
            if any(str(path.readlink()) in sockets for path in (folder / "fd").iterdir()):
                sure.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        except OSError:
            users = [line.split()[1] for line in _lines(folder / "status") if line[:4] == "Uid:"]
            possible += [int(folder.name)] * ("0" in owners or bool(owners & {*users}))
    return sorted(sure), sorted(possible)


def _owner(sockets: dict[str, str]) -> str:
    """Return who listens, where no more than the user is known."""
    for user in sockets.values():
        try:
            return f"a program of the user {pwd.getpwuid(int(user)).pw_name}"
        except KeyError:
            continue
    return "an unknown program"


def _groups(proc: Path, pid: int) -> list[str]:
    """Return the parts of a process's control groups; one of them is its unit."""
    return [part for line in _lines(proc / str(pid) / "cgroup") for part in line.split("/")]


def _group(proc: Path, pid: int) -> int:
    """Return the leader of the group that a process is in."""
    fields = "".join(_lines(proc / str(pid) / "stat")).rpartition(")")[2].split()
    return int(fields[2]) if len(fields) > 2 else 0


def _named(proc: Path, pid: int) -> str:
    name = "".join(_lines(proc / str(pid) / "comm")) or "a program"
    units = [part for part in _groups(proc, pid) if part.endswith((".service", ".scope"))]
    return f"{name} (pid {pid}{f', {units[-1]}' if units else ''})"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
