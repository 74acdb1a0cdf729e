# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a job on its host; its controller is at the other end of input and output.

Arguments: what to do, the folder of the job, and more.
    missing    a manifest comes in; which content is missing goes out, or why it is refused
    receive    an archive of that content comes in; when all is there the work folder is made
    secrets    their values come in, and go into the file that is named, which is in memory
    follow     number of an attempt, or "task-" and that of a task, and an offset: its output from
               there goes out, to its last byte; with a third word to the last that there is now
    ended      number of an attempt: how it has ended goes out
    list       folder in that of the job; patterns and a limit come in; the files that they mean go
               out, with their hashes
    pack       the same folder; names of such files come in, an archive of them goes out
Content is named by its SHA-256 and believed only when it has it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

BLOCK = 1 << 20
LOOK_AGAIN_S, ASK_AGAIN_S = 0.1, 5.0
# It lies there where supervisord keeps the programs, and knows the words of systemctl.
SUPERVISED = Path(__file__).with_name("supervised.py")


class RefusedError(Exception):
    """What is asked for cannot be; the text says why."""


def main() -> None:
    """Do what the first argument says; what is refused is told in one sentence."""
    # The user of a job has to reach what root writes, whatever umask the login has.
    os.umask(0o022)
    what, folder, *more = sys.argv[1:]
    todo = {"missing": missing, "receive": receive, "secrets": secrets, "follow": follow}
    todo |= {"ended": ended, "list": listed, "pack": pack}
    try:
        todo[what](Path(folder), *more)
    except RefusedError as error:
        sys.exit(str(error))


# -- a folder comes --------------------------------------------------------------------------------


def missing(folder: Path) -> None:
    """Keep the manifest, and tell which content has to be sent; none where the folder is there."""
    text = sys.stdin.buffer.read()
    known = folder / "manifest"
    if (folder / "work").is_dir():
        if known.read_bytes() != text:
            raise RefusedError("the job has another folder already")
        print(json.dumps({"done": True, "missing": []}))
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "incoming").mkdir(exist_ok=True)
    known.write_bytes(text)
    _check_room(folder, entries(folder))
    wanted = {entry["content"]: entry["size"] for entry in entries(folder) if entry["content"]}
    lacking = [one for one in wanted if not (folder / "incoming" / one).exists()]
    print(json.dumps({"done": False, "missing": lacking}))


def entries(folder: Path) -> list[dict[str, Any]]:
    """Return what the manifest lists. Raises RefusedError for a path out of the folder."""
    lines = (folder / "manifest").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    for entry in found:
        path = Path(entry["path"])
        if path.is_absolute() or ".." in path.parts:
            raise RefusedError(f"{entry['path']!r} leads out of the folder")
    return found


def _check_room(folder: Path, found: list[dict[str, Any]]) -> None:
    size = sum(entry["size"] for entry in found)
    there = sum(path.stat().st_size for path in (folder / "incoming").iterdir())
    free = shutil.disk_usage(folder).free + there
    if size > free:
        raise RefusedError(f"the folder has {size / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free")


def receive(folder: Path) -> None:
    """Take content in, each piece only with its own hash; make the work folder of a whole one."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "work").is_dir():  # another run was quicker
            while sys.stdin.buffer.read(BLOCK):
                pass
        else:
            _receive(folder)


def _receive(folder: Path) -> None:
    incoming = folder / "incoming"
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is None or len(member.name) != 64 or not member.name.isalnum():
                raise RefusedError(f"{member.name!r} is no content")
            _take(incoming / member.name, content)
    found = entries(folder)
    lacking = {one["path"] for one in found if one["content"]}
    lacking -= {one["path"] for one in found if (incoming / (one["content"] or ".")).is_file()}
    if lacking:
        raise RefusedError(f"{len(lacking)} files did not come, such as {sorted(lacking)[0]!r}")
    _make_work(folder, found)


def _take(path: Path, content: IO[bytes]) -> None:
    fresh, seen = path.with_suffix(".part"), hashlib.sha256()
    with fresh.open("wb") as file:
        while block := content.read(BLOCK):
            seen.update(block)
            file.write(block)
    if seen.hexdigest() != path.name:
        fresh.unlink()
        raise RefusedError("a file changed while it was sent; run the same again")
    fresh.replace(path)


def _make_work(folder: Path, found: list[dict[str, Any]]) -> None:
    """Make the work folder out of the content: moved there, and copied where it is needed twice."""
    fresh, incoming = folder / "work.new", folder / "incoming"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    left = Counter(entry["content"] for entry in found)
    for entry in found:
        path = fresh / entry["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry["link"]:
            path.symlink_to(entry["link"])
            continue
        left[entry["content"]] -= 1
        put = shutil.copyfile if left[entry["content"]] else os.replace
        put(incoming / entry["content"], path)
        path.chmod(entry["mode"])
    fresh.replace(folder / "work")
    shutil.rmtree(incoming)


def secrets(_folder: Path, place: str) -> None:
    """Keep values for root alone, and tell whether they were others."""
    path, text = Path(place), sys.stdin.buffer.read()
    if path.exists() and path.read_bytes() == text:
        print(json.dumps({"changed": False}))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(".secrets.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    fresh.replace(path)
    print(json.dumps({"changed": True}))


# -- output goes -----------------------------------------------------------------------------------


def follow(folder: Path, number: str, offset: str, now: str = "") -> None:
    """Print the output of an attempt from an offset on, until it has ended and all is printed."""
    kind = "tasks" if number.startswith("task-") else "attempts"
    attempt, at = folder / kind / f"{int(number.removeprefix('task-')):04d}", int(offset)
    out, asked = sys.stdout.buffer, time.monotonic()
    while True:
        ended = _size_at_end(attempt)
        at += _copy(attempt / "output.log", at, out)
        if now or (ended is not None and at >= ended):
            return
        if time.monotonic() - asked > ASK_AGAIN_S:
            asked = time.monotonic()
            if ended is None and _is_lost(folder, attempt):
                return
        time.sleep(LOOK_AGAIN_S)


def ended(folder: Path, number: str) -> None:
    """Print how an attempt has ended, an empty object where it has not."""
    try:
        text = (folder / "attempts" / f"{int(number):04d}" / "exit.json").read_text("utf-8")
    except OSError:
        text = "{}"
    print(text)


def _is_lost(folder: Path, attempt: Path) -> bool:
    """Tell whether an attempt never will have an end: another came, or its unit is not there."""
    following = attempt.with_name(f"{int(attempt.name) + 1:04d}").exists()
    return (following and attempt.parent.name == "attempts") or (
        not _is_active(folder) and _size_at_end(attempt) is None
    )


def _size_at_end(attempt: Path) -> int | None:
    try:
        return int(json.loads((attempt / "exit.json").read_text(encoding="utf-8"))["size"])
    except (OSError, ValueError, KeyError):
        return None


def _copy(log: Path, at: int, out: IO[bytes]) -> int:
    """Copy what has come since; returns how much that was."""
    copied = 0
    try:
        with log.open("rb") as file:
            file.seek(at)
            while block := file.read(BLOCK):
                out.write(block)
                copied += len(block)
    except FileNotFoundError:
        return 0
    out.flush()
    return copied


def _is_active(folder: Path) -> bool:
    unit = f"gpuops-job@{folder.name}.service"
    ask = [sys.executable, "-I", str(SUPERVISED)] if SUPERVISED.exists() else ["systemctl"]
    done = subprocess.run([*ask, "is-active", unit], capture_output=True, check=False)
    return done.stdout.strip() in (b"active", b"activating", b"deactivating", b"reloading")


# -- results go ------------------------------------------------------------------------------------


def listed(folder: Path, within: str) -> None:
    """Tell which files patterns mean, with size and hash. Links do not count."""
    wanted, work = json.load(sys.stdin), folder / within
    become_owner(work)
    paths = sorted(set(_matching(work, wanted["patterns"])))
    size = sum(path.stat().st_size for path in paths)
    if size > wanted["max_bytes"]:
        raise RefusedError(
            f"the results have {size / 1e9:.2f} GB, and {wanted['max_bytes'] / 1e9:g} GB "
            "may be fetched"
        )
    rows = [
        {"path": str(path.relative_to(work)), "size": path.stat().st_size, "content": _hash(path)}
        for path in paths
    ]
    print(json.dumps(rows))


def become_owner(work: Path) -> None:
    """Read only what the program could read, for what lies there is its doing."""
    if os.geteuid() == 0:
        owner = work.stat()
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


def _matching(work: Path, patterns: list[str]) -> Iterator[Path]:
    inside = work.resolve()
    for pattern in patterns:
        # "**" of a pattern means folders only, unless something follows.
        for path in work.glob(f"{pattern}/*" if pattern.endswith("**") else pattern):
            if path.is_file() and not path.is_symlink() and inside in path.resolve().parents:
                yield path


def _hash(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def pack(folder: Path, within: str) -> None:
    """Send the files that are named, by their numbers in the list that came in."""
    names, work = json.load(sys.stdin), folder / within
    # Nobody may take the host for one that is not needed meanwhile; it ends with this program.
    fetching = (folder / "fetching").open("a")
    fcntl.flock(fetching, fcntl.LOCK_SH)
    become_owner(work)
    inside = work.resolve()
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.GNU_FORMAT) as archive:
        for number, name in enumerate(names):
            path = work / name
            if inside not in path.resolve().parents or path.is_symlink():
                raise RefusedError(f"{name!r} leads out of the folder")
            about = tarfile.TarInfo(str(number))
            with path.open("rb") as file:
                about.size = os.fstat(file.fileno()).st_size
                archive.addfile(about, file)


if __name__ == "__main__":
    main()
