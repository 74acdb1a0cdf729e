# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of a host with bytes in and out, over OpenSSH (private)."""

from __future__ import annotations

import os
import shlex
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from .._core.errors import GpuopsError

# What OpenSSH itself ends with when there is no connection, or none any more.
LOST = 255
_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "10",
    # A connection that is dead is noticed within half a minute.
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "6",
}
_LAST_LINES = 3


class RemoteError(GpuopsError):
    """A program of the host failed. ``lost`` tells that the connection did."""

    code = "remote"

    def __init__(self, message: str, *, lost: bool = False) -> None:
        super().__init__(message, hint="")
        self.lost = lost


class Connection(Protocol):
    """What is used of a connection of Ansible."""

    @property
    def transport(self) -> str:
        """The name of its plugin."""

    def get_option(self, option: str) -> str | int | None:
        """Return an option of it."""


@dataclass(frozen=True)
class Remote:
    """A program on a host. ``login`` is what runs a shell command there, empty for the controller."""

    host: str
    program: tuple[str, ...]
    login: tuple[str, ...] = ()
    become: bool = False

    def command(self, *words: str) -> list[str]:
        """Return the command that runs the program with words."""
        wanted = [*(("sudo", "-n") if self.become else ()), *self.program, *words]
        return [*self.login, shlex.join(wanted)] if self.login else wanted

    @classmethod
    def over(
        cls, connection: Connection, host: str, program: tuple[str, ...], *, become: bool
    ) -> Remote:
        """Return a program at the other end of a connection of Ansible."""
        if connection.transport == "local":
            return cls(host, program, become=become and os.geteuid() != 0)
        option = connection.get_option
        words = f"{option('ssh_common_args') or ''} {option('ssh_extra_args') or ''}"
        login = ["ssh", *shlex.split(words)]
        login += [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
        for flag, name in (("-p", "port"), ("-i", "private_key_file"), ("-l", "remote_user")):
            login += [flag, str(option(name))] if option(name) else []
        login.append(str(option("host") or host))
        return cls(host, program, tuple(login), become and option("remote_user") != "root")

    @classmethod
    def by_settings(cls, settings: Path, host: str, program: tuple[str, ...]) -> Remote:
        """Return a program on a host that a file of settings of OpenSSH knows."""
        options = [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
        return cls(host, program, ("ssh", "-F", str(settings), *options, host))

    def call(self, *words: str, text: bytes = b"") -> bytes:
        """Return what the program prints for its input. Raises RemoteError."""
        done = subprocess.run(self.command(*words), input=text, capture_output=True, check=False)
        self.check(done.returncode, done.stderr, words)
        return done.stdout

    def check(self, status: int, said: bytes, words: tuple[str, ...]) -> None:
        """Raise RemoteError for a status that is not 0."""
        if not status:
            return
        lines = said.decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
        lost = bool(self.login) and status == LOST
        why = "; ".join(lines) or f"status {status}"
        what = "cannot be reached" if lost else f"{words[0]} failed"
        raise RemoteError(f"{self.host}: {what}: {why}", lost=lost)

    def started(self, *words: str, stdin: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        """Start the program with pipes; whoever asks reads them, and checks how it ended."""
        out = subprocess.PIPE
        return subprocess.Popen(self.command(*words), stdin=stdin, stdout=out, stderr=out)

    def send(self, *words: str, write: Callable[[IO[bytes]], None]) -> bytes:
        """Return what the program prints while its input is written by a function."""
        with self.started(*words) as running:
            heard: list[bytes] = []
            said: list[bytes] = []
            readers = [_reader(pipe(running.stdout), heard), _reader(pipe(running.stderr), said)]
            broken = _written(pipe(running.stdin), write)
            for reader in readers:
                reader.join()
            status = running.wait()
        self.check(status or (1 if broken else 0), b"".join(said) or broken, words)
        return b"".join(heard)


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a pipe that a program was started with."""
    if stream is None:
        raise AssertionError("the pipe was asked for")
    return stream


def _reader(stream: IO[bytes], into: list[bytes]) -> threading.Thread:
    thread = threading.Thread(target=lambda: into.append(stream.read()), daemon=True)
    thread.start()
    return thread


def _written(stream: IO[bytes], write: Callable[[IO[bytes]], None]) -> bytes:
    """Write, and return why that could not be done to the end."""
    try:
        write(stream)
        stream.close()
    except BrokenPipeError:
        return b"it took no more input"
    return b""


def write_tar(stream: IO[bytes], files: Iterable[tuple[str, Path, int]]) -> None:
    """Write files as an archive: the name that each gets in it, its path, and its size."""
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as archive:
        for name, path, size in files:
            about = tarfile.TarInfo(name)
            about.size = size
            with path.open("rb") as file:
                archive.addfile(about, file)
