# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A block device of this host: found, and proven to be blank or in use (private)."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .commands import HostError, Run

MIB = 1 << 20
GIB = 1 << 30
# What is read of a device that shows no signature before anything is written to it.
HEAD, TAIL, PROBE = 64 * MIB, 16 * MIB, 64 << 10
FEWEST_PROBES, MOST_PROBES = 256, 4096
LOOK_AGAIN_S = 0.5


class DiskError(HostError):
    """A device is not what it has to be; the message says what was seen and what to do."""


@dataclass(frozen=True)
class Device:
    """A block device: its node, the kernel's name, major:minor, size in bytes."""

    node: str
    name: str
    number: str
    size: int

    @property
    def shown(self) -> str:
        """Node and size as a person reads them."""
        return f"{self.node} ({self.size / GIB:.4g} GiB)"


@dataclass(frozen=True)
class System:
    """Where the kernel shows its devices; tests give other places."""

    sys: str = "/sys/class/block"
    dev: str = "/dev"
    proc: str = "/proc"

    def attribute(self, name: str, key: str) -> str:
        """Return what sysfs says of a device, or nothing."""
        try:
            return Path(self.sys, name, key).read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def names(self) -> list[str]:
        """Return the kernel's names of all block devices."""
        return sorted(entry.name for entry in Path(self.sys).iterdir())

    def mounts(self) -> list[tuple[str, str, str]]:
        """Return major:minor, mount point and source of everything that is mounted here."""
        found = []
        for line in Path(self.proc, "self/mountinfo").read_text(encoding="utf-8").splitlines():
            left, _unused, right = line.partition(" - ")
            fields = left.split()
            found.append((fields[2], _plain(fields[4]), _plain(right.split()[1])))
        return found

    def swaps(self) -> list[str]:
        """Return the devices that memory is swapped to."""
        lines = Path(self.proc, "swaps").read_text(encoding="utf-8").splitlines()[1:]
        return [os.path.realpath(_plain(line.split()[0])) for line in lines]


def _plain(text: str) -> str:
    """Undo the kernel's octal escapes of spaces and the like."""
    for character in " \t\n\\":
        text = text.replace(f"\\{ord(character):03o}", character)
    return text


def find(system: System, device: str, volume_ids: list[str], wait: float) -> Device:
    """Return the device at a path, or the first volume's that is attached; raises DiskError."""
    limit = time.monotonic() + wait
    while True:
        for node in [Path(device)] if device else _nodes(system, volume_ids):
            if node.exists():
                return _device(system, node)
        if time.monotonic() >= limit:
            raise DiskError(_missing(system, device, volume_ids, wait))
        time.sleep(LOOK_AGAIN_S)


def serial(volume_id: str) -> str:
    """Return the serial number of the disk of a volume: the end of its id."""
    return volume_id.replace("-", "")[-12:]


def _nodes(system: System, volume_ids: list[str]) -> Iterator[Path]:
    for volume_id in volume_ids:
        yield Path(system.dev, "disk/by-id", f"virtio-{serial(volume_id)}")
        # Without udev there are no links, but the kernel knows the serial number.
        for name in system.names():
            if system.attribute(name, "serial") == serial(volume_id):
                yield Path(system.dev, name)


def _missing(system: System, device: str, volume_ids: list[str], wait: float) -> str:
    wanted = device or " or ".join(f"virtio-{serial(v)}" for v in volume_ids)
    disks = [
        f"{name} ({int(system.attribute(name, 'size') or 0) * 512 / GIB:.4g} GiB)"
        for name in system.names()
        if int(system.attribute(name, "size") or 0) and not name.startswith(("loop", "ram", "zram"))
    ]
    return (
        f"there is no disk {wanted} here after {wait:.0f} s; there are: {', '.join(disks) or 'none'}. "
        "Is the volume attached to this instance? A shared file system is no disk"
    )


def _device(system: System, given: Path) -> Device:
    node = given.resolve()
    about = node.stat()
    if not stat.S_ISBLK(about.st_mode):
        raise DiskError(f"{given} is not a block device")
    number = f"{os.major(about.st_rdev)}:{os.minor(about.st_rdev)}"
    name = _name(system, number)
    if not name:
        raise DiskError(f"the kernel knows no device {number} for {given}")
    return Device(str(node), name, number, int(system.attribute(name, "size") or 0) * 512)


def _name(system: System, number: str) -> str:
    return next((n for n in system.names() if system.attribute(n, "dev") == number), "")


def refuse_used(system: System, device: Device) -> None:
    """Raise DiskError when anything of this host uses a device, mounts here aside."""
    about = Path(system.sys, device.name)
    parts = sorted(entry.name for entry in about.iterdir() if (entry / "partition").exists())
    if parts:
        raise DiskError(f"{device.shown} has partitions: {', '.join(parts)}")
    holders = about / "holders"
    held = sorted(entry.name for entry in holders.iterdir()) if holders.is_dir() else []
    if held:
        raise DiskError(f"{device.shown} is part of {', '.join(held)} (LVM, RAID or encryption)")
    if device.node in system.swaps():
        raise DiskError(f"{device.shown} is swap space in use")
    if system.attribute(device.name, "ro") == "1":
        raise DiskError(f"{device.shown} is read-only")
    root = Path("/").stat().st_dev
    if device.number == f"{os.major(root)}:{os.minor(root)}":
        raise DiskError(f"{device.shown} is the root disk")


def refuse_busy(device: Device) -> None:
    """Raise DiskError when the kernel would not let a device be taken, whatever holds it."""
    try:
        os.close(os.open(device.node, os.O_RDONLY | os.O_EXCL))
    except OSError as error:
        raise DiskError(f"{device.shown} is in use: {error.strerror}") from error


def signature(run: Run, device: Device) -> dict[str, str]:
    """Return what low-level probing says is on a device, empty for nothing; raises DiskError."""
    rc, out, err = run(["blkid", "--probe", "--output", "export", device.node])
    if rc == 2:
        return {}
    if rc:
        words = "several signatures" if rc == 8 else f"blkid: {err.strip() or rc}"
        raise DiskError(f"cannot determine the contents of {device.shown}: {words}")
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


def refuse_data(run: Run, device: Device) -> None:
    """Raise DiskError unless a device shows no signature and reads as zeros."""
    rc, out, err = run(["wipefs", "--no-act", "--parsable", device.node])
    if rc:
        raise DiskError(f"cannot determine the contents of {device.shown}: wipefs: {err.strip()}")
    seen = [line for line in out.splitlines() if line and not line.startswith("#")]
    if seen:
        kinds = sorted({line.rsplit(",", 1)[-1] for line in seen})
        raise DiskError(f"{device.shown} has signatures: {', '.join(kinds)}")
    offset = first_data(device.node, device.size)
    if offset is not None:
        raise DiskError(f"{device.shown} has no signature, but data at byte {offset}")


def first_data(path: str, size: int) -> int | None:
    """Return where the first byte that is not zero was read, or None; reads parts of big devices."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        for start, length in _ranges(size):
            block = os.pread(descriptor, length, start)
            rest = block.lstrip(b"\0")
            if rest:
                return start + len(block) - len(rest)
    finally:
        os.close(descriptor)
    return None


def _ranges(size: int) -> Iterator[tuple[int, int]]:
    """Yield what to read: start, end, and places in between at equal distances."""
    yield from ((start, min(MIB, size - start)) for start in range(0, min(HEAD, size), MIB))
    if size <= HEAD:
        return
    tail = max(HEAD, size - TAIL)
    yield from ((start, min(MIB, size - start)) for start in range(tail, size, MIB))
    count = min(max(size // GIB, FEWEST_PROBES), MOST_PROBES)
    step = max((tail - HEAD) // count, PROBE)
    yield from ((start, min(PROBE, tail - start)) for start in range(HEAD, tail, step))
