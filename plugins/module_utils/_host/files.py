# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, folders and links of a host, compared and written together (private)."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from .._core.apply import Workers
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .commands import HostError


class FilesError(HostError):
    """Something stands where a file, folder or link is to be."""


class Wish(TypedDict):
    """An item as the options of a module name it."""

    path: str
    content: str | None
    link: str | None
    mode: str | None


class Options(TypedDict):
    """The options of the module."""

    files: list[Wish]
    secret_files: dict[str, str] | None


class Told(TypedDict):
    """The result of the module: what was not as wanted."""

    paths: list[str]


@dataclass(frozen=True)
class Item:
    """A file with its content, a link with its target, or without either a folder."""

    path: Path
    mode: int
    content: str | None = None
    link: str | None = None
    secret: bool = False

    @property
    def is_folder(self) -> bool:
        return self.content is None and self.link is None

    def is_there(self) -> bool:
        """Tell whether it is as wanted. Raises FilesError where something else is in its way."""
        try:
            seen = self.path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        if self.is_folder:
            return self._is_folder(seen)
        if stat.S_ISDIR(seen.st_mode):
            raise FilesError(f"{self.path} is a folder, and a file or link is to be there")
        if self.link is not None:
            return stat.S_ISLNK(seen.st_mode) and str(self.path.readlink()) == self.link
        good = stat.S_ISREG(seen.st_mode) and stat.S_IMODE(seen.st_mode) == self.mode
        return good and self.path.read_bytes() == (self.content or "").encode()

    def _is_folder(self, seen: os.stat_result) -> bool:
        there = self.path.stat() if stat.S_ISLNK(seen.st_mode) else seen
        if not stat.S_ISDIR(there.st_mode):
            raise FilesError(f"{self.path} is there and no folder")
        return stat.S_IMODE(there.st_mode) == self.mode

    def write(self) -> None:
        """Make it as wanted, in one step that nobody sees half done."""
        if self.is_folder:
            missing = [one for one in (self.path, *self.path.parents) if not one.exists()]
            for folder in reversed(missing):
                folder.mkdir()
            for folder in (self.path, *missing):
                folder.chmod(self.mode)  # whatever umask the login has
            return
        # From the first byte on nobody else may read a key.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write((self.content or "").encode())
                os.fchmod(file.fileno(), self.mode)
            if self.link is not None:
                unfinished.unlink()
                unfinished.symlink_to(self.link)
            unfinished.replace(self.path)
        finally:
            unfinished.unlink(missing_ok=True)

    def differs(self) -> Plan:
        """Return what changes, before it does; of a secret nothing is shown."""
        if self.is_folder or self.secret:
            before, after = "", "" if self.is_folder else "(not shown)\n"
        elif self.link is not None:
            before = f"{self.path.readlink()}\n" if self.path.is_symlink() else ""
            after = f"{self.link}\n"
        else:
            there = self.path.is_file()
            before = self.path.read_text(encoding="utf-8", errors="replace") if there else ""
            after = self.content or ""
        return Plan(before, after, title=str(self.path))

    def step(self) -> Step:
        """Return the step that writes it."""
        return Step(f"write {self.path}", lambda _workers: self.write())


def item_from(row: Wish) -> Item:
    """Return an item from the options of a module."""
    usual = "0755" if row["content"] is None else "0644"
    try:
        mode = int(row["mode"] or usual, 8)
    except ValueError as error:
        raise FilesError(f"mode {row['mode']!r} of {row['path']} is not octal") from error
    return Item(Path(row["path"]), mode, row["content"], row["link"])


class HostFiles(Resource[Workers, Options, list[Item], Told]):
    """Files, folders and links, in the order in which they are named; secret files after them."""

    def find(self, _workers: Workers, want: Options) -> list[Item]:
        """Return those that are not as wanted."""
        items = [item_from(row) for row in want["files"]]
        items += [
            Item(Path(path), 0o600, str(text), secret=True)
            for path, text in (want["secret_files"] or {}).items()
        ]
        return [item for item in items if not item.is_there()]

    def plan(self, found: list[Item], _want: Options) -> Plan:
        steps = tuple(item.step() for item in found)
        return Plan(steps=steps, parts=tuple(item.differs() for item in found))

    def result(self, _workers: Workers, found: list[Item], _plan: Plan, *, applied: bool) -> Told:
        return {"paths": [str(item.path) for item in found]}
