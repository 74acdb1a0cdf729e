# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tunnels of OpenSSH from ports of the controller to ports of instances (private).

A unit of the user's systemd keeps a tunnel open over broken connections; where there is none, it is
a process of its own. A record beside the deployment's SSH settings says what there is.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path

from .._core.errors import GpuopsError, InvalidError

# Ports that are tried after one that somebody else has.
NEARBY = 50
INTERVAL, END_SECONDS = 0.1, 5.0


@dataclass(frozen=True)
class Tunnel:
    """A tunnel; ``unit`` or ``pid`` is what keeps it."""

    name: str
    port: int
    address: str
    local_port: int
    unit: str = ""
    pid: int = 0

    @property
    def forward(self) -> str:
        """Return the argument of -L: the far end is loopback of the instance."""
        near = f"[{self.address}]" if ":" in self.address else self.address
        return f"{near}:{self.local_port}:127.0.0.1:{self.port}"

    @property
    def is_open(self) -> bool:
        """Tell whether what keeps it is at work."""
        if self.unit:
            return _run("systemctl", "--user", "is-active", "--quiet", self.unit)[0] == 0
        return self.forward in _words_of(self.pid)

    def command(self, settings: Path) -> list[str]:
        """Return the command line of OpenSSH."""
        # Nobody is there to be asked, and a tunnel without its port would be none.
        options = ("BatchMode=yes", "ControlPath=none", "ExitOnForwardFailure=yes")
        flags = [part for option in options for part in ("-o", option)]
        program = shutil.which("ssh") or "ssh"
        return [program, "-F", str(settings), "-N", "-T", *flags, "-L", self.forward, self.name]


def names_in(settings: Path) -> list[str]:
    """Return the instances that a deployment's SSH settings, which are ours, name."""
    try:
        text = settings.read_text(encoding="utf-8")
    except OSError:
        return []
    return [name for name in re.findall(r"^Host (\S+)", text, re.MULTILINE) if name != "*"]


def free_port(address: str, first: int) -> int:
    """Return a port of ours that nobody listens on: the first, or one after it."""
    for port in range(first, min(first + NEARBY, 65535) + 1):
        if _is_free(address, port):
            return port
    raise InvalidError(
        f"Ports {first} to {first + NEARBY} of {address} cannot be taken",
        hint="Name another local_port.",
    )


def _is_free(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((address, port))
        except (OSError, OverflowError):
            return False
    return True


@dataclass(frozen=True)
class Tunnels:
    """The tunnels of one deployment."""

    settings: Path

    @property
    def _folder(self) -> Path:
        return self.settings.parent / "tunnels"

    def _record(self, tunnel: Tunnel) -> Path:
        return self._folder / f"{tunnel.name}-{tunnel.port}.json"

    def there(self) -> Iterator[Tunnel]:
        """Yield what the records tell, whether it is open or not."""
        for path in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(OSError, ValueError, TypeError):
                yield Tunnel(**json.loads(path.read_text(encoding="utf-8")))

    def open(self, tunnel: Tunnel, timeout: float) -> Tunnel:
        """Open a tunnel, and return it with what keeps it. Raises GpuopsError with what ssh said."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        log = self._record(tunnel).with_suffix(".log")
        begin = _as_unit if has_systemd() else _as_process
        opened, gone, said = begin(tunnel, tunnel.command(self.settings), log)
        if not _wait_for(opened, timeout, gone):
            _end(opened)
            raise GpuopsError(
                f"No tunnel to {tunnel.name} in {timeout:g} s: {said() or 'ssh said nothing'}",
                hint=f"ssh -F '{self.settings}' {tunnel.name} shows whether the instance answers.",
            )
        self._record(opened).write_text(json.dumps(asdict(opened)), encoding="utf-8")
        return opened

    def close(self, tunnel: Tunnel) -> None:
        """End what keeps a tunnel, and forget it."""
        _end(tunnel)
        for suffix in (".json", ".log"):
            self._record(tunnel).with_suffix(suffix).unlink(missing_ok=True)


# What has begun, whether it has ended by itself, and what it said.
Begun = tuple[Tunnel, Callable[[], bool], Callable[[], str]]


def has_systemd() -> bool:
    """Tell whether this user has a systemd that keeps units."""
    if not shutil.which("systemd-run"):
        return False
    return _run("systemctl", "--user", "show", "--property=Version")[0] == 0


def _as_unit(tunnel: Tunnel, command: list[str], log: Path) -> Begun:
    words = f"gpuops-tunnel-{log.parents[1].name}-{tunnel.name}-{tunnel.port}"
    unit = re.sub(r"[^A-Za-z0-9-]", "_", words) + ".service"
    flags = ["--user", "--quiet", "--collect", f"--unit={unit}"]
    flags += ["--property=Restart=always", "--property=RestartSec=5"]
    if agent := os.environ.get("SSH_AUTH_SOCK"):
        flags.append(f"--setenv=SSH_AUTH_SOCK={agent}")
    # One whose record is lost would be in the way.
    _run("systemctl", "--user", "stop", unit)
    code, said = _run("systemd-run", *flags, *command)
    if code:
        raise GpuopsError(f"systemd-run --user does not begin a unit: {said}")
    asked = ("journalctl", "--user", f"--unit={unit}", "--lines=3", "--output=cat", "--no-pager")
    opened = Tunnel(**{**asdict(tunnel), "unit": unit})
    return opened, lambda: False, lambda: _run(*asked)[1]


def _as_process(tunnel: Tunnel, command: list[str], log: Path) -> Begun:
    with log.open("wb") as file:
        program = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    opened = Tunnel(**{**asdict(tunnel), "pid": program.pid})
    ended: Callable[[], bool] = lambda: program.poll() is not None  # noqa: E731
    return opened, ended, lambda: log.read_text(encoding="utf-8", errors="replace").strip()


def _wait_for(tunnel: Tunnel, timeout: float, gone: Callable[[], bool]) -> bool:
    """Wait until something listens on our port; False when it will not."""
    until = time.monotonic() + timeout
    everywhere = ip_address(tunnel.address).is_unspecified
    place = ("localhost" if everywhere else tunnel.address, tunnel.local_port)
    while time.monotonic() < until and not gone():
        with contextlib.suppress(OSError), socket.create_connection(place, 1):
            return not gone()
        time.sleep(INTERVAL)
    return False


def _end(tunnel: Tunnel) -> None:
    if tunnel.unit:
        _run("systemctl", "--user", "stop", tunnel.unit)
    elif tunnel.is_open:  # the number may be another program's by now
        with contextlib.suppress(ProcessLookupError):
            os.kill(tunnel.pid, signal.SIGTERM)
        until = time.monotonic() + END_SECONDS
        while tunnel.is_open and time.monotonic() < until:
            time.sleep(INTERVAL)


def _words_of(pid: int) -> list[str]:
    """Return the command line of a process, nothing for one that has ended."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").split("\0")
        except OSError:
            return []
    return _run("ps", "-o", "args=", "-p", str(pid))[1].split()


def _run(*words: str) -> tuple[int, str]:
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, (done.stdout + done.stderr).strip()
