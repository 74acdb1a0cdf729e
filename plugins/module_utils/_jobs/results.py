# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes home from a job: its output by byte, and its results by content (private)."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypedDict, TypeVar

from .._core.errors import ConflictError, GpuopsError
from .answers import HostFile, member_of, read_end, read_files
from .folder import content_of
from .remote import LOST, Remote, pipe
from .screen import Screen

_BLOCK = 1 << 16
_PAUSE_S = 2.0
_LOOK_S, _LET_GO = 1.0, 10
# A host that cannot be reached is given up sooner.
_HELD_S = 60.0
_AGAIN_S = 15.0
Found = TypeVar("Found")


class PeerFailedError(GpuopsError):
    """Another node of the job has failed; the message is its name."""

    code = "peer"


@dataclass
class Follower:
    """Takes the output of an attempt, each byte once, whatever the connection does.

    ``of_task`` says that ``number`` is that of a task instead. ``at`` is the byte where it goes on,
    so it may be ended at any moment and run again. ``wanted`` is asked every second at least, and
    raises when nobody wants more.
    """

    remote: Remote
    folder: str
    number: int
    file: Path
    screen: Screen
    patience_s: float
    wait: bool = True
    of_task: bool = False
    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    wanted: Callable[[], None] = field(default_factory=lambda: with_parent(os.getppid()))
    # Nodes that run a job together: what one of them leaves here when it has failed, for the others.
    marker: Path | None = None
    lost: list[str] = field(default_factory=list)
    at: int = 0

    def follow(self) -> bool:
        """Write to the file what it lacks, to the last byte.

        Returns whether that was reached; else nobody could be.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("ab") as out, _alone(out, self.file, self.pause):
            self.at = out.tell()
            return self._to_the_end(out)

    def watch(self) -> bool:
        """Show what comes after ``at``, and write nothing, as somebody else may do that."""
        with Path(os.devnull).open("wb") as out:
            return self._to_the_end(out)

    def _to_the_end(self, out: IO[bytes]) -> bool:
        heard = self.now()
        while True:
            before, began = self.at, self.now()
            status, said = self._listen(out)
            if status == 0:
                self.screen.end()
                self._tell_others()
                return True
            self.wanted()
            if not (self.remote.login and status == LOST):
                self.remote.check(status, said, ("follow",))
            # Of a job that prints nothing, a connection that held is heard, too.
            if self.at > before or self.now() - began > _HELD_S:
                heard = self.now()
            self.lost.append(said.decode(errors="replace").strip())
            if self.now() - heard > self.patience_s:
                return False
            self.pause(_PAUSE_S)

    def _listen(self, out: IO[bytes]) -> tuple[int, bytes]:
        """Take what one connection brings; returns how it ended."""
        number = f"task-{self.number}" if self.of_task else str(self.number)
        words = ["follow", self.folder, number, str(self.at)]
        words += [] if self.wait else ["now"]
        with self.remote.started(*words, stdin=subprocess.DEVNULL) as running:
            try:
                for data in self._heard(pipe(running.stdout).fileno()):
                    out.write(data)
                    out.flush()
                    self.at += len(data)
                    self.screen.take(data)
            except BaseException:
                running.kill()
                raise
            said = pipe(running.stderr).read()
            return running.wait(), said

    def _heard(self, stream: int) -> Iterator[bytes]:
        """Yield what comes."""
        while True:
            if select.select([stream], [], [], _LOOK_S)[0]:
                data = os.read(stream, _BLOCK)
                if not data:
                    return
                yield data
            self.wanted()
            if self.wait and self.marker and self.marker.exists():
                raise PeerFailedError(self.marker.read_text(encoding="utf-8"))

    def _tell_others(self) -> None:
        if self.wait and self.marker and not self.marker.exists():
            words = ("ended", self.folder, str(self.number))
            if read_end(self.remote.call(*words)):
                self.marker.write_text(self.remote.host, encoding="utf-8")


def with_parent(parent: int) -> Callable[[], None]:
    """Return what raises once this process has another parent.

    A worker of Ansible outlives a run that is killed, and must not go on.
    """

    def check() -> None:
        if os.getppid() != parent:
            raise GpuopsError("The run that showed the output is gone")

    return check


@contextmanager
def _alone(out: IO[bytes], path: Path, pause: Callable[[float], None]) -> Iterator[None]:
    """Hold a file alone; whoever wrote it for a run that was killed lets go after a moment."""
    for _second in range(_LET_GO):
        with suppress(BlockingIOError):
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        pause(_LOOK_S)
    else:
        raise ConflictError(
            f"another run writes {path}",
            hint="It shows the output. Stop it, or wait until the job has ended.",
        )
    out.seek(0, 2)
    yield


# -- results ---------------------------------------------------------------------------------------


def patiently(
    bring: Callable[[], Found],
    patience_s: float,
    tell: Callable[[str], None],
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Found:
    """Return what is brought, trying for a while; what stands in the way is told when it changes."""
    limit, told = now() + patience_s, ""
    while True:
        try:
            return bring()
        except (GpuopsError, OSError) as error:
            if now() >= limit:
                raise
            if str(error) != told:
                told = str(error)
                tell(f"The results are not home: {told} Trying for {patience_s / 60:.0f} minutes.")
            pause(_AGAIN_S)


class Fetched(TypedDict):
    """What came home: the paths of all results, their bytes, and how many files were fetched now."""

    changed: bool
    files: list[str]
    bytes: int
    fetched: int


def fetch(
    remote: Remote, folder: str, to: Path, patterns: list[str], max_gb: float, within: str = "work"
) -> Fetched:
    """Bring the results home that are not there yet, each with its hash."""
    most = int(max_gb * 1e9)
    text = json.dumps({"patterns": patterns, "max_bytes": most}).encode()
    files = read_files(remote.call("list", folder, within, text=text))
    size = sum(one.size for one in files)
    if size > most:
        raise GpuopsError(f"{remote.host} lists {size / 1e9:.2f} GB, and {max_gb:g} GB may come")
    lacking = [one for one in files if not _is_home(to, one)]
    if lacking:
        _unpack(remote, (folder, within), to, lacking)
    return {
        "changed": bool(lacking),
        "files": [one.path for one in files],
        "bytes": size,
        "fetched": len(lacking),
    }


def _place(to: Path, path: str) -> Path:
    """Return where a result goes, which is below the folder of results, whatever a host says."""
    place = to / path
    if to.resolve() not in place.resolve().parents:
        raise GpuopsError(f"{path!r} leads out of {to}, and was not written")
    return place


def _is_home(to: Path, file: HostFile) -> bool:
    place = _place(to, file.path)
    return (
        place.is_file() and place.stat().st_size == file.size and content_of(place) == file.content
    )


def _unpack(remote: Remote, place: tuple[str, str], to: Path, files: list[HostFile]) -> None:
    names = json.dumps([one.path for one in files]).encode()
    with remote.started("pack", *place) as running:
        request = pipe(running.stdin)
        request.write(names)
        request.close()
        broken = b""
        try:
            with tarfile.open(fileobj=running.stdout, mode="r|") as archive:
                for member, _one in zip(archive, files, strict=False):  # never more than asked for
                    _keep(archive, member, to, member_of(files, member.name))
        # What is no archive fails in tarfile with any of these.
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            broken = str(error).encode()
        said = pipe(running.stderr).read()
    remote.check(running.returncode or (1 if broken else 0), said or broken, ("pack",))
    wrong = [one.path for one in files if not _is_home(to, one)]
    if wrong:
        raise GpuopsError(
            f"{len(wrong)} results are not what the host has, such as {wrong[0]!r}",
            hint="Something writes them still; run the same again.",
        )


def _keep(archive: tarfile.TarFile, member: tarfile.TarInfo, to: Path, known: HostFile) -> None:
    if member.size != known.size:
        return  # it changes still, as is told when all have come
    place = _place(to, known.path)
    place.parent.mkdir(parents=True, exist_ok=True)
    content = archive.extractfile(member)
    fresh = place.with_name(f".{place.name}.part")
    with fresh.open("wb") as file:
        while block := content.read(_BLOCK) if content else b"":
            file.write(block)
    fresh.replace(place)
