# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with one disk, a file: the test writes its kernel's files and its mounts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._host import data_disk
from ansible_collections.gpuops.cloud.plugins.module_utils._host.block_device import Device, System
from ansible_collections.gpuops.cloud.tests.unit.roles.kept import kept

MIB, GIB = 1 << 20, 1 << 30
SIZE = 96 * MIB
OTHERS = "UUID=1111-2222 / ext4 defaults 0 1\n# a comment\n/swap none swap sw 0 0\n"
ROOT_MOUNT = "22 1 254:0 / / rw - ext4 /dev/root rw\n"


class Host:
    """A host with one disk, whose kernel files and mount command are written down by the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = folder / "vdb"
        self.path = folder / "data"
        self.fstab = folder / "fstab"
        self.about = folder / "sys/vdb"
        (self.about / "holders").mkdir(parents=True)
        (folder / "proc/self").mkdir(parents=True)
        (folder / "proc/swaps").write_text("Filename Type Size Used Priority\n")
        (self.about / "dev").write_text("252:16\n")
        self.mountinfo.write_text(ROOT_MOUNT)
        self.fstab.write_text(OTHERS)
        self.commands: list[list[str]] = []
        self.resize(SIZE)

    @property
    def mountinfo(self) -> Path:
        """What the kernel says is mounted."""
        return self.folder / "proc/self/mountinfo"

    @property
    def device(self) -> Device:
        """The disk as it would be found."""
        return Device(str(self.disk), "vdb", "252:16", self.disk.stat().st_size)

    def resize(self, size: int) -> None:
        """Let the volume have another size."""
        with self.disk.open("ab"):
            os.truncate(self.disk, size)
        (self.about / "size").write_text(f"{size // 512}\n")

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes on the disk."""
        with self.disk.open("r+b") as stream:
            stream.seek(offset)
            stream.write(data)

    def mount(self, path: Path | str, number: str = "252:16") -> None:
        """Let something be mounted."""
        with self.mountinfo.open("a") as stream:
            stream.write(f"30 22 {number} / {path} rw - ext4 /dev/some rw\n")

    def run(self, command: list[str]) -> tuple[int, str, str]:
        """Run a command; those that would change the host of the test are only noted."""
        self.commands.append(command)
        if command[0] == "mount" and "remount" not in command[2]:
            self.mount(command[-1])
        if command[0] in ("mount", "systemctl"):
            return 0, "", ""
        if command[0] == "resize2fs":
            subprocess.run(["e2fsck", "-fy", self.disk], capture_output=True, check=False)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def keep(self, dry: bool = False, **wish: Any) -> dict[str, Any]:
        """Prepare the disk as the module does."""
        self.commands.clear()
        given = {"path": str(self.path), "device": str(self.disk), "volume_ids": [], "wait": 0}
        given |= {"fstype": "ext4", "mount_options": "noatime", "folders": []}
        given |= {"owner": None, "group": None, "mode": None}
        places = System(str(self.folder / "sys"), str(self.folder), str(self.folder / "proc"))
        resource = data_disk.DataDisk(places, self.fstab)
        return kept(resource, self.run, {**given, **wish}, dry=dry)

    def called(self, name: str) -> bool:
        """Tell whether a command was run by the latest call."""
        return any(command[0].startswith(name) for command in self.commands)


def parted(host: Host) -> None:
    """Give the disk a partition table, one with a single partition."""
    numbers = (2048).to_bytes(4, "little") + (20480).to_bytes(4, "little")
    host.write(446, b"\0\0\0\0\x83\0\0\0" + numbers)
    host.write(510, b"\x55\xaa")


def lvm(host: Host) -> None:
    """Make the disk a physical volume of LVM: its label, as blkid looks for it."""
    host.write(512, b"LABELONE" + (1).to_bytes(8, "little") + bytes(4))
    host.write(512 + 20, (32).to_bytes(4, "little") + b"LVM2 001" + b"A" * 32)


def raid(host: Host) -> None:
    """Make the disk a part of an array: the super block of Linux RAID in version 1.2."""
    block = bytearray(256)
    block[0:8] = (0xA92B4EFC).to_bytes(4, "little") + (1).to_bytes(4, "little")
    block[16:32] = b"0123456789abcdef"
    block[144:152] = (8).to_bytes(8, "little")
    host.write(4096, bytes(block))


def swap(host: Host) -> None:
    """Make the disk swap space."""
    subprocess.run(["mkswap", "-q", host.disk], capture_output=True, check=True)


def encrypted(host: Host) -> None:
    """Make the disk an encrypted one."""
    host.write(0, b"LUKS\xba\xbe\x00\x01aes" + bytes(600))
