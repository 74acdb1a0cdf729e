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
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from .._core.plan import Plan, Step
from .._core.resource import Resource
from .block_device import (
    GIB,
    MIB,
    Device,
    DiskError,
    System,
    find,
    refuse_busy,
    refuse_data,
    refuse_used,
    signature,
)
from .commands import Commands
from .folders import Room, give, make, owner_id, release, room
from .fstab import BOOT_OPTIONS, FstabError, escaped, replace, with_line
from .service_manager import no_systemd

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


class Kept(Room):
    """The result of the module: what is mounted, null for a plain folder, and what was done to it."""

    path: str
    device: str | None
    uuid: str | None
    fstype: str | None
    made: bool
    grown: bool
    mounted: bool
    release: str
    warnings: list[str]


@dataclass
class Disk:
    """What there is: the device, what is on it, and the table of mounts as it is and as it will be."""

    path: Path
    device: Device | None = None
    mounted: bool = False
    blank: bool = False
    signature: dict[str, str] = field(default_factory=dict)
    fstype: str = ""
    grows: bool = False
    fstab: tuple[str, str] = ("", "")
    warnings: list[str] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        """The file system's, as a line of fstab names it."""
        return self.signature.get("UUID", "of-the-new-file-system")


class DataDisk(Resource[Commands, Wish, Disk, Kept]):
    """A disk with a file system, mounted for good, and folders on it; or folders alone."""

    def __init__(self, system: System | None = None, fstab: Path = Path("/etc/fstab")) -> None:
        """Take where the kernel shows its devices, and the table of mounts; tests give others."""
        self.system, self.fstab = system or System(), fstab

    def find(self, commands: Commands, want: Wish) -> Disk:
        """Look at everything first: whatever is refused is refused before anything is written."""
        disk = Disk(Path(want["path"]))
        _refuse_names(disk.path, want["folders"])
        for wish in (want, *want["folders"]):
            _ids(wish)
        if want["device"] or want["volume_ids"]:
            if lacking := no_systemd("which has disks"):
                raise DiskError(lacking)
            disk.device = find(self.system, want["device"] or "", want["volume_ids"], want["wait"])
            self._look(commands, want, disk, disk.device)
        return disk

    def _look(self, commands: Commands, want: Wish, disk: Disk, device: Device) -> None:
        mounts = self.system.mounts()
        on = [where for number, where, _source in mounts if number == device.number]
        disk.mounted = str(disk.path) in on
        if on and not disk.mounted:
            raise DiskError(f"{device.shown} is mounted on {', '.join(on)}, wanted {disk.path}")
        refuse_used(self.system, device)
        disk.signature = signature(commands.run, device)
        _refuse_other(device, disk.signature)
        if not disk.mounted:
            _refuse_place(disk.path, mounts)
        disk.blank = not disk.signature
        if disk.blank:
            _refuse_data(commands, device)
        disk.fstype = disk.signature.get("TYPE", want["fstype"])
        disk.fstab = self._fstab_with(_line(want, disk))
        if not disk.blank:
            disk.grows = _grows(commands, disk, device)

    def _fstab_with(self, line: str) -> tuple[str, str]:
        """Return fstab as it is and with a line; raises DiskError for others' lines about the same."""
        before = self.fstab.read_text(encoding="utf-8") if self.fstab.exists() else ""
        try:
            return before, with_line(before, line)
        except FstabError as error:
            raise DiskError(f"{self.fstab}: {error}") from error

    def plan(self, disk: Disk, want: Wish) -> Plan:
        device = disk.device
        steps = self._mounting(disk, want, device) if device else []
        # What will lie on a disk that is not mounted yet is seen once it is.
        seen = device is None or disk.mounted
        if device is None:
            steps += _made(disk.path)
        steps += _owned(disk.path, want, seen=seen)
        for folder in want["folders"]:
            path = disk.path / folder["name"]
            steps += [*_made(path, seen=seen), *_owned(path, folder, seen=seen)]
        before, after = disk.fstab
        return Plan(before, after, tuple(steps), title="/etc/fstab")

    def _mounting(self, disk: Disk, want: Wish, device: Device) -> list[Step]:
        steps = []
        if disk.blank:
            words = f"make a file system ({disk.fstype}) on {device.shown}"
            steps.append(Step(words, lambda on: _format(on, disk, device)))
        if disk.fstab[0] != disk.fstab[1]:
            words = f"write into {self.fstab}: {_line(want, disk)}"
            steps.append(Step(words, lambda on: self._write_fstab(on, disk, want)))
        if not disk.mounted:
            words = f"mount {device.shown} on {disk.path}"
            steps.append(Step(words, lambda on: self._mount(on, disk, want, device)))
        if disk.grows:
            words = f"grow the file system to {device.size / GIB:.4g} GiB"
            steps.append(Step(words, lambda on: _grow(on, disk, device)))
        return steps

    def _write_fstab(self, commands: Commands, disk: Disk, want: Wish) -> str:
        """Let every boot mount the file system by its UUID."""
        line = _line(want, disk)
        disk.fstab = self._fstab_with(line)
        replace(self.fstab, disk.fstab[1])
        if Path("/run/systemd/system").is_dir():
            commands.must("systemctl", "daemon-reload")
        if disk.mounted:
            options = want["mount_options"] or "defaults"
            commands.must("mount", "-o", f"remount,{options}", str(disk.path))
        return f"write into {self.fstab}: {line}"

    def _mount(self, commands: Commands, disk: Disk, want: Wish, device: Device) -> None:
        make(disk.path)
        options = want["mount_options"] or "defaults"
        path = str(disk.path)
        commands.must("mount", "-t", disk.fstype, "-o", options, device.node, path)
        if (device.number, path) not in [(n, where) for n, where, _s in self.system.mounts()]:
            raise DiskError(f"{device.shown} was mounted on {path}, but is not there")

    def result(self, _commands: Commands, disk: Disk, _plan: Plan, *, applied: bool) -> Kept:
        mounts = [where for _number, where, _source in self.system.mounts()]
        return {
            "path": str(disk.path),
            "device": disk.device.node if disk.device else None,
            "uuid": disk.signature.get("UUID"),
            "fstype": disk.fstype or None,
            "made": disk.blank,
            "grown": disk.grows,
            "mounted": str(disk.path) in mounts,
            **room(disk.path),
            "release": release(),
            "warnings": disk.warnings,
        }

    def alone(self, _want: Wish) -> AbstractContextManager[None]:
        return _locked()


@contextmanager
def _locked(lock: str = "/run/gpuops.data_disk.lock") -> Iterator[None]:
    """Let nobody else prepare a disk of this host meanwhile."""
    with Path(lock).open("w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


# -- what is refused -------------------------------------------------------------------------------


def _refuse_names(path: Path, folders: list[Folder]) -> None:
    """Raise DiskError for places that would not be below the path."""
    if not path.is_absolute() or path == Path("/") or ".." in path.parts:
        raise DiskError(f"path {path} is not an absolute path below /")
    for folder in folders:
        below = path / folder["name"]
        if path not in below.parents or ".." in below.parts:
            raise DiskError(f"folder {folder['name']} is not below {path}")


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


def _refuse_data(commands: Commands, device: Device) -> None:
    try:
        refuse_data(commands.run, device)
    except DiskError as error:
        raise DiskError(f"{error}. {BLANK_IT}") from error
    refuse_busy(device)


def _refuse_place(path: Path, mounts: list[tuple[str, str, str]]) -> None:
    """Raise DiskError when a mount would cover something."""
    other = next((source for _number, where, source in mounts if where == str(path)), "")
    if other:
        raise DiskError(f"{path} is a mount of {other} already")
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise DiskError(f"{path} is not a folder")
    if path.is_dir() and any(path.iterdir()):
        raise DiskError(
            f"{path} holds files that the mount would hide: move them, or choose another"
        )


# -- the file system -------------------------------------------------------------------------------


def _line(want: Wish, disk: Disk) -> str:
    """Return the line that mounts the file system at every boot."""
    options = ",".join([want["mount_options"] or "defaults", *BOOT_OPTIONS])
    check = "2" if disk.fstype in EXT else "0"
    return f"UUID={disk.uuid} {escaped(want['path'])} {disk.fstype} {options} 0 {check}"


def _format(commands: Commands, disk: Disk, device: Device) -> None:
    program = MAKE[disk.fstype][0]
    if not commands.has(program):
        raise DiskError(f"{program} is missing: apt install {PACKAGES[disk.fstype]}")
    commands.must(*MAKE[disk.fstype], device.node)
    disk.signature = signature(commands.run, device)


def _grows(commands: Commands, disk: Disk, device: Device) -> bool:
    """Tell whether a device has become bigger than its file system."""
    if disk.fstype == "xfs" and not commands.has("xfs_info"):
        disk.warnings.append("xfsprogs is not installed: a grown volume would not be noticed")
        return False
    return device.size - _file_system_size(commands, disk, device) >= GROW_FROM


def _grow(commands: Commands, disk: Disk, device: Device) -> None:
    if disk.fstype == "xfs":
        commands.must("xfs_growfs", str(disk.path))
    else:
        commands.must("resize2fs", device.node)


def _file_system_size(commands: Commands, disk: Disk, device: Device) -> int:
    """Return the size of a file system as it describes itself, in bytes."""
    if disk.fstype == "xfs":
        text = commands.must("xfs_info", str(disk.path) if disk.mounted else device.node)
        found = re.search(r"^data\s*=\s*bsize=(\d+)\s+blocks=(\d+)", text, re.MULTILINE)
    else:
        text = commands.must("dumpe2fs", "-h", device.node)
        count = re.search(r"^Block count:\s*(\d+)", text, re.MULTILINE)
        found = count and re.search(r"^Block size:\s*(\d+)()", text, re.MULTILINE)
        if count and found:
            return int(count[1]) * int(found[1])
    if not found:
        raise DiskError(f"cannot read the size of the file system on {device.shown}")
    return int(found[1]) * int(found[2])


# -- folders ---------------------------------------------------------------------------------------


def _ids(wish: Ownership) -> tuple[int, int]:
    """Return the numbers of user and group, -1 for one that is not named. Raises DiskError."""
    return owner_id(pwd.getpwnam, wish["owner"]), owner_id(grp.getgrnam, wish["group"])


def _made(path: Path, *, seen: bool = True) -> list[Step]:
    """Return the step that makes a folder; one that cannot be seen yet may turn out to be there."""
    if seen and path.is_dir():
        return []

    def step(_commands: Commands) -> str | None:
        if path.is_dir():
            return ""
        make(path)
        return None

    return [Step(f"make the folder {path}", step)]


def _owned(path: Path, wish: Ownership, *, seen: bool) -> list[Step]:
    """Return the steps that give a folder its mode, and it with all in it to somebody else."""
    steps = []
    if wish["mode"]:
        steps.append(_moded(path, int(wish["mode"], 8)))
    if wish["owner"] or wish["group"]:
        steps.append(_given(path, wish))
    return [step for good, step in steps if not (seen and path.is_dir() and good())]


def _moded(path: Path, mode: int) -> tuple[Callable[[], bool], Step]:
    """Return whether a folder has its mode, and the step that gives it."""

    def good() -> bool:
        return path.stat().st_mode & 0o7777 == mode

    def step(_commands: Commands) -> str | None:
        if good():
            return ""
        path.chmod(mode)
        return None

    return good, Step(f"set the mode of {path} to {mode:04o}", step)


def _given(path: Path, wish: Ownership) -> tuple[Callable[[], bool], Step]:
    """Return whether a folder is whose it is to be, and the step that gives it with all in it."""
    user, group = _ids(wish)

    def good() -> bool:
        about = path.stat()
        return user in (-1, about.st_uid) and group in (-1, about.st_gid)

    def step(_commands: Commands) -> str | None:
        if good():
            return ""
        give(path, user, group)
        return None

    return good, Step(f"give {path} to {wish['owner'] or ''}:{wish['group'] or ''}", step)
