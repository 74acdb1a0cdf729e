# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder that a job is given: git's own list of it, by content (private)."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from .._core.errors import InvalidError

IGNORE = ".gpuopsignore"
MB = 1_000_000
_SHOWN = 5
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """A file by the hash of its content, or a link by its target; paths are relative."""

    path: str
    size: int
    mode: int
    content: str = ""
    link: str = ""


@dataclass(frozen=True)
class Folder:
    """A folder as it is sent."""

    root: Path
    entries: tuple[Entry, ...]

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries)

    @property
    def manifest(self) -> bytes:
        """Return the entries as the host takes them: a JSON object in each line."""
        lines = (json.dumps(asdict(entry), sort_keys=True) for entry in self.entries)
        return "".join(f"{line}\n" for line in lines).encode()

    @property
    def identity(self) -> str:
        return hashlib.sha256(self.manifest).hexdigest()


def read_folder(root: Path, max_mb: int, leave_out: Sequence[Path] = ()) -> Folder:
    """Return what of a folder is sent. Raises InvalidError, with the largest where it is too much."""
    if not root.is_dir():
        raise InvalidError(f"{root} is not a folder")
    found = [
        path
        for path in sorted(_paths(root))
        if not {root / path, *(root / path).parents} & set(leave_out)
    ]
    states = {path: state for path in found if (state := _state(root / path))}
    _check_links(root, states)
    files = {path: state for path, state in states.items() if stat.S_ISREG(state.st_mode)}
    _check_size(root, files, max_mb)
    _check_readable(root, files)
    with ThreadPoolExecutor() as pool:
        hashes = dict(
            zip(files, pool.map(lambda path: content_of(root / path), files), strict=True)
        )
    entries = [_entry(root, path, state, hashes) for path, state in states.items()]
    return Folder(root, tuple(entries))


def content_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


# -- the list --------------------------------------------------------------------------------------


def _paths(root: Path) -> Iterator[str]:
    """Yield the files that git knows, or would add, without those of the ignore file."""
    if _git(root, "rev-parse", "--is-inside-work-tree", may_fail=True) != [b"true\n"]:
        with tempfile.TemporaryDirectory() as place:
            _git(root, "init", "--quiet", "--bare", place)
            yield from _others(root, f"--git-dir={place}", "--work-tree=.")
        return
    ignored = set(_listed(root, "--cached", "--ignored", *_ignore_file(root)))
    for path in {*_listed(root, "--cached"), *_others(root)} - (ignored if _has(root) else set()):
        inner = root / path
        if inner.is_dir() and not inner.is_symlink():  # a repository in this one
            yield from (f"{path.rstrip('/')}/{below}" for below in _paths(inner))
        else:
            yield path


def _others(root: Path, *place: str) -> list[str]:
    words = ("--others", "--exclude-standard", *(_ignore_file(root) if _has(root) else ()))
    return _listed(root, *words, place=place)


def _has(root: Path) -> bool:
    return (root / IGNORE).is_file()


def _ignore_file(root: Path) -> tuple[str, str]:
    return ("-X", str(root / IGNORE) if _has(root) else os.devnull)


def _listed(root: Path, *words: str, place: tuple[str, ...] = ()) -> list[str]:
    out = b"".join(_git(root, *place, "ls-files", "-z", *words))
    return [os.fsdecode(name) for name in out.split(b"\0") if name]


def _git(root: Path, *words: str, may_fail: bool = False) -> list[bytes]:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=False)
    except FileNotFoundError:
        raise InvalidError(
            "git is not installed, and it tells which files of a folder are meant",
            hint="Install git on the controller.",
        ) from None
    if done.returncode and not may_fail:
        said = done.stderr.decode(errors="replace").strip()
        raise InvalidError(f"git {words[0]} in {root}: {said}")
    return [done.stdout]


# -- what can be sent ------------------------------------------------------------------------------


def _state(path: Path) -> os.stat_result | None:
    """Return what a path is; nothing for one that was deleted, or is no file."""
    try:
        state = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return state if stat.S_ISREG(state.st_mode) or stat.S_ISLNK(state.st_mode) else None


def _check_links(root: Path, states: dict[str, os.stat_result]) -> None:
    inside = root.resolve()
    for path, state in states.items():
        if not stat.S_ISLNK(state.st_mode):
            continue
        target = str((root / path).readlink())
        reached = (root / path).parent.resolve() / target
        if Path(os.path.normpath(reached)) != inside and inside not in reached.resolve().parents:
            raise InvalidError(
                f"{_shown(path)} is a link to {_shown(target)}, which is not sent",
                hint=f"Copy what it leads to, or name it in {IGNORE}.",
            )


def _check_size(root: Path, files: dict[str, os.stat_result], max_mb: int) -> None:
    size = sum(state.st_size for state in files.values())
    if size <= max_mb * MB:
        return
    largest = sorted(files, key=lambda path: files[path].st_size, reverse=True)[:_SHOWN]
    names = [f"{_shown(path)} ({files[path].st_size / MB:.1f} MB)" for path in largest]
    raise InvalidError(
        f"{root} has {size / MB:.1f} MB in {len(files)} files, and {max_mb} MB may be sent; "
        f"the largest are {', '.join(names)}",
        hint=f"Name what is not needed in {IGNORE}, or raise inputs.max_mb.",
    )


def _check_readable(root: Path, paths: Iterable[str]) -> None:
    closed = [path for path in paths if not os.access(root / path, os.R_OK)]
    if closed:
        raise InvalidError(
            f"{len(closed)} files of {root} cannot be read: "
            f"{', '.join(map(_shown, closed[:_SHOWN]))}",
            hint=f"Let yourself read them, or name them in {IGNORE}.",
        )


def _entry(root: Path, path: str, state: os.stat_result, hashes: dict[str, str]) -> Entry:
    if path in hashes:
        mode = 0o755 if state.st_mode & 0o100 else 0o644
        return Entry(path, state.st_size, mode, content=hashes[path])
    return Entry(path, 0, 0o777, link=str((root / path).readlink()))


def _shown(name: str) -> str:
    """Return a name as a message can show it."""
    return name if name.isprintable() else repr(name)
