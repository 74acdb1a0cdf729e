# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk for data: a file system made once, mounted for good, grown, with folders (private)."""

from __future__ import annotations

import fcntl
import grp
import pwd
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from .block_device import (
    GIB,
    MIB,
    Device,
    DiskError,
    Run,
    System,
    find,
    refuse_busy,
    refuse_data,
    refuse_used,
    signature,
)
from .folders import Room, give, make, owner_id, release, room
from .fstab import BOOT_OPTIONS, MARK, FstabError, escaped, replace, with_line

LABEL = "gpuops-data"
EXT = ("ext2", "ext3", "ext4")
FILE_SYSTEMS = (*EXT, "xfs")
MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard", "-L", LABEL],
    "xfs": ["mkfs.xfs", "-q", "-K", "-L", LABEL],
}
PACKAGES = {"ext4": "e2fsprogs", "xfs": "xfsprogs"}
# A file system leaves less than this unused at the end of its device.
GROW_FROM = 64 * MIB
BLANK_IT = (
    "Nothing was written. If nothing on it is needed, blank it by hand "
    "(wipefs --all DEVICE; blkdiscard --zeroout DEVICE) and run this again"
)


class Ownership(TypedDict):
    """Whose a folder is to be, and with which mode."""

    owner: str | None
    group: str | None
    mode: str | None


class Folder(Ownership):
    """A folder to keep below the path."""

    name: str


class Wish(Ownership):
    """The options of the module."""

    path: str
    volume_ids: list[str]
    device: str | None
    fstype: str
    mount_options: str
    wait: float
    folders: list[Folder]


class Change(TypedDict):
    """The table of mounts, before and after."""

    before: str
    after: str


class Mount(TypedDict):
    """What is mounted, null for a plain folder, and what was done to it."""

    path: str
    device: str | None
    uuid: str | None
    fstype: str | None
    made: bool
    grown: bool
    fstab: Change


class Kept(Mount, Room):
    """The result of the module."""

    mounted: bool
    release: str
    actions: list[str]


def _plain_folder(path: str = "") -> Mount:
    unmounted: Change = {"before": "", "after": ""}
    return Mount(
        path=path, device=None, uuid=None, fstype=None, made=False, grown=False, fstab=unmounted
    )


@dataclass
class Disk:
    """The wish in ``want``, how commands run, and what has been done or would be."""

    want: Wish
    run: Run
    dry: bool = False
    system: System = field(default_factory=System)
    fstab: Path = Path("/etc/fstab")
    actions: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    result: Mount = field(default_factory=_plain_folder)

    @property
    def path(self) -> Path:
        """Where the data are wanted."""
        return Path(self.want["path"])

    def is_mounted(self) -> bool:
        """Tell whether that is a mount now."""
        return str(self.path) in [where for _number, where, _source in self.system.mounts()]

    def do(self, words: str, step: Callable[[], str | None]) -> None:
        """Take a step and remember it; in check mode only remember it."""
        self.actions.append(words)
        if not self.dry:
            step()

    def has(self, program: str) -> bool:
        """Tell whether a program is installed."""
        return self.run(["sh", "-c", f"command -v {program}"])[0] == 0

    def must(self, *command: str) -> str:
        """Run a command and return its output; raises DiskError with its words."""
        try:
            rc, out, err = self.run(list(command))
        except OSError as error:
            raise DiskError(f"{command[0]}: {error.strerror}") from error
        if rc:
            raise DiskError(f"{' '.join(command)}: {(err or out).strip()}")
        return out


def keep(disk: Disk) -> Kept:
    """Make it so and return what there is; raises DiskError."""
    want, path = disk.want, disk.path
    if not path.is_absolute() or path == Path("/") or ".." in path.parts:
        raise DiskError(f"path {path} is not an absolute path below /")
    disk.result = _plain_folder(str(path))
    if want["device"] or want["volume_ids"]:
        _mount(disk, find(disk.system, want["device"] or "", want["volume_ids"], want["wait"]))
    elif not path.is_dir():
        disk.do(f"make the folder {path}", lambda: make(path))
    _own(disk, path, want)
    for folder in want["folders"]:
        _folder(disk, path / folder["name"], folder)
    return {
        **disk.result,
        "mounted": disk.is_mounted(),
        **room(path),
        "release": release(),
        "actions": disk.actions,
    }


def _mount(disk: Disk, device: Device) -> None:
    path, result = disk.path, disk.result
    on = [where for number, where, _unused in disk.system.mounts() if number == device.number]
    result["device"] = device.node
    mounted = str(path) in on
    if on and not mounted:
        raise DiskError(f"{device.shown} is mounted on {', '.join(on)}, wanted {path}")
    refuse_used(disk.system, device)
    seen = signature(disk.run, device)
    _refuse_other(device, seen)
    if not mounted:
        _refuse_place(disk, path)
    if not seen:
        _refuse_data(disk, device)
        disk.do(
            f"make a file system ({_kind(disk)}) on {device.shown}", lambda: _make(disk, device)
        )
        result["made"] = True
        seen = {} if disk.dry else signature(disk.run, device)
    result["fstype"] = seen.get("TYPE", _kind(disk))
    result["uuid"] = seen.get("UUID")
    _write_fstab(disk, mounted)
    if not mounted:
        disk.do(f"mount {device.shown} on {path}", lambda: _mount_now(disk, device))
    if not result["made"]:
        _grow(disk, device)


def _kind(disk: Disk) -> str:
    return str(disk.want["fstype"])


def _refuse_other(device: Device, seen: dict[str, str]) -> None:
    """Raise DiskError for everything that is neither blank nor a file system to be mounted."""
    if seen.get("PTTYPE"):
        raise DiskError(f"{device.shown} has a partition table ({seen['PTTYPE']}). {BLANK_IT}")
    kind = seen.get("TYPE")
    if seen and kind not in FILE_SYSTEMS:
        raise DiskError(
            f"{device.shown} holds {kind or 'something unknown'} ({seen.get('USAGE', 'no usage')}), "
            f"not one of {', '.join(FILE_SYSTEMS)}. {BLANK_IT}"
        )


def _refuse_data(disk: Disk, device: Device) -> None:
    try:
        refuse_data(disk.run, device)
    except DiskError as error:
        raise DiskError(f"{error}. {BLANK_IT}") from error
    refuse_busy(device)


def _refuse_place(disk: Disk, path: Path) -> None:
    """Raise DiskError when a mount would cover something."""
    other = next((source for _n, where, source in disk.system.mounts() if where == str(path)), "")
    if other:
        raise DiskError(f"{path} is a mount of {other} already")
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise DiskError(f"{path} is not a folder")
    if path.is_dir() and any(path.iterdir()):
        raise DiskError(
            f"{path} holds files that the mount would hide: move them, or choose another"
        )
    _fstab_with(disk, f"UUID=not-known-yet {escaped(str(path))} auto {MARK} 0 0")


def _make(disk: Disk, device: Device) -> None:
    if not disk.has(MAKE[_kind(disk)][0]):
        raise DiskError(f"{MAKE[_kind(disk)][0]} is missing: apt install {PACKAGES[_kind(disk)]}")
    disk.must(*MAKE[_kind(disk)], device.node)


def _write_fstab(disk: Disk, mounted: bool) -> None:
    """Let every boot mount the file system by its UUID."""
    want, result = disk.want, disk.result
    options = ",".join([want["mount_options"] or "defaults", *BOOT_OPTIONS])
    check = "2" if result["fstype"] in EXT else "0"
    what = f"UUID={result['uuid'] or 'of-the-new-file-system'}"
    line = f"{what} {escaped(want['path'])} {result['fstype']} {options} 0 {check}"
    before, after = _fstab_with(disk, line)
    result["fstab"] = {"before": before, "after": after}
    if after == before:
        return

    def write() -> None:
        replace(disk.fstab, after)
        if Path("/run/systemd/system").is_dir():
            disk.must("systemctl", "daemon-reload")
        if mounted:
            disk.must("mount", "-o", f"remount,{want['mount_options'] or 'defaults'}", want["path"])

    disk.do(f"write into {disk.fstab}: {line}", write)


def _fstab_with(disk: Disk, line: str) -> tuple[str, str]:
    """Return fstab as it is and with a line; raises DiskError for others' lines about the same."""
    before = disk.fstab.read_text(encoding="utf-8") if disk.fstab.exists() else ""
    try:
        return before, with_line(before, line)
    except FstabError as error:
        raise DiskError(f"{disk.fstab}: {error}") from error


def _mount_now(disk: Disk, device: Device) -> None:
    path = str(disk.path)
    make(disk.path)
    options = disk.want["mount_options"] or "defaults"
    disk.must("mount", "-t", disk.result["fstype"] or _kind(disk), "-o", options, device.node, path)
    if (device.number, path) not in [(number, where) for number, where, _s in disk.system.mounts()]:
        raise DiskError(f"{device.shown} was mounted on {path}, but is not there")


def _grow(disk: Disk, device: Device) -> None:
    """Let a file system fill a device that has become bigger."""
    if disk.result["fstype"] == "xfs" and not disk.has("xfs_info"):
        disk.warnings.append("xfsprogs is not installed: a grown volume would not be noticed")
        return
    if device.size - _file_system_size(disk, device) < GROW_FROM:
        return
    command = ("resize2fs", device.node)
    if disk.result["fstype"] == "xfs":
        command = ("xfs_growfs", disk.want["path"])
    disk.do(f"grow the file system to {device.size / GIB:.4g} GiB", lambda: disk.must(*command))
    disk.result["grown"] = True


def _file_system_size(disk: Disk, device: Device) -> int:
    """Return the size of a file system as it describes itself, in bytes."""
    if disk.result["fstype"] == "xfs":
        text = disk.must("xfs_info", str(disk.path) if disk.is_mounted() else device.node)
        found = re.search(r"^data\s*=\s*bsize=(\d+)\s+blocks=(\d+)", text, re.MULTILINE)
    else:
        text = disk.must("dumpe2fs", "-h", device.node)
        count = re.search(r"^Block count:\s*(\d+)", text, re.MULTILINE)
        found = count and re.search(r"^Block size:\s*(\d+)()", text, re.MULTILINE)
        if count and found:
            return int(count[1]) * int(found[1])
    if not found:
        raise DiskError(f"cannot read the size of the file system on {device.shown}")
    return int(found[1]) * int(found[2])


def _folder(disk: Disk, path: Path, wish: Folder) -> None:
    if disk.path not in path.parents or ".." in path.parts:
        raise DiskError(f"folder {wish['name']} is not below {disk.path}")
    if not path.is_dir():
        disk.do(f"make the folder {path}", lambda: make(path))
    _own(disk, path, wish)


def _own(disk: Disk, path: Path, wish: Ownership) -> None:
    """Give a folder its mode, and it with all in it to somebody else where it is not theirs."""
    about = path.stat() if path.is_dir() else None
    mode = int(wish["mode"], 8) if wish["mode"] else None
    if mode is not None and (about is None or about.st_mode & 0o7777 != mode):
        disk.do(f"set the mode of {path} to {mode:04o}", lambda: path.chmod(mode))
    user, group = owner_id(pwd.getpwnam, wish["owner"]), owner_id(grp.getgrnam, wish["group"])
    have = (about.st_uid, about.st_gid) if about else (0, 0)
    if (user in (-1, have[0])) and (group in (-1, have[1])):
        return
    names = f"{wish['owner'] or ''}:{wish['group'] or ''}"
    disk.do(f"give {path} to {names}", lambda: give(path, user, group))


@contextmanager
def alone(lock: str = "/run/gpuops.data_disk.lock") -> Iterator[None]:
    """Let nobody else prepare a disk of this host meanwhile."""
    with Path(lock).open("w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
