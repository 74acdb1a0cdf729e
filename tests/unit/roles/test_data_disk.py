# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preparing a disk: the tools are real, the disk is a file, and mounts are only written down."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._host import (
    block_device,
    data_disk,
    service_manager,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._host.block_device import (
    Device,
    DiskError,
    System,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.roles.disk_host import (
    GIB,
    MIB,
    OTHERS,
    ROOT_MOUNT,
    SIZE,
    Host,
    encrypted,
    lvm,
    parted,
    raid,
    swap,
)

VOLUME = "0cd8f1b3-3b6e-4f8b-9f35-5e0d3a1b7c42"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Provide a host with a small blank disk."""
    found = Host(tmp_path)
    monkeypatch.setattr(data_disk, "find", lambda *_args: found.device)
    monkeypatch.setattr(data_disk, "no_systemd", lambda _hint: "")
    return found


def test_a_blank_disk_gets_a_file_system_and_a_mount(host: Host) -> None:
    found = host.keep(folders=[{"name": "weights", "owner": None, "group": None, "mode": "0750"}])
    assert (found["made"], found["mounted"], found["fstype"]) == (True, True, "ext4")
    line = f"UUID={found['uuid']} {host.path} ext4 noatime,nofail,"
    line += "x-systemd.device-timeout=30s,x-gpuops.data-disk 0 2\n"
    assert host.fstab.read_text() == OTHERS + line
    assert (host.path / "weights").stat().st_mode & 0o777 == 0o750


def test_a_second_run_changes_nothing(host: Host) -> None:
    first = host.keep()
    again = host.keep()
    assert again["actions"] == []
    assert again["uuid"] == first["uuid"]
    assert not host.called("mkfs")
    assert not host.called("mount")


def test_check_mode_says_what_it_would_do_and_writes_nothing(host: Host) -> None:
    before = host.disk.read_bytes()
    found = host.keep(dry=True, folders=[dict.fromkeys(("owner", "group", "mode"))
                                         | {"name": "weights"}])  # fmt: skip
    words = " ".join(found["actions"])
    assert [
        w for w in ("make a file system", "write into", "mount", "weights") if w not in words
    ] == []
    assert host.disk.read_bytes() == before
    assert host.fstab.read_text() == OTHERS
    assert not host.path.exists()


def test_what_another_machine_wrote_is_mounted_as_it_is(host: Host) -> None:
    subprocess.run(["mkfs.ext4", "-q", "-L", "theirs", host.disk], check=True)
    before = host.run(["dumpe2fs", "-h", str(host.disk)])[1]
    found = host.keep(fstype="xfs")
    assert (found["made"], found["fstype"], found["mounted"]) == (False, "ext4", True)
    assert host.run(["dumpe2fs", "-h", str(host.disk)])[1] == before


DATA = b"somebody's bytes"
OCCUPANTS: dict[str, tuple[Callable[[Host], None], str]] = {
    "partition table": (parted, "partition table .dos."),
    "LVM": (lvm, "LVM2_member"),
    "RAID": (raid, "linux_raid_member|signatures"),
    "swap": (swap, "swap"),
    "LUKS": (encrypted, "crypto_LUKS|signatures"),
    "first byte": (lambda host: host.write(0, b"\1"), "data at byte 0"),
    "within the first MiB": (lambda host: host.write(70000, DATA), "data at byte 70000"),
    "just before the end": (lambda host: host.write(SIZE - 16, DATA), f"data at byte {SIZE - 16}"),
    "a file system that was cut off": (
        lambda host: host.write(64 * MIB + 100, bytes(8) + DATA * 300000),
        "data at byte",
    ),
}


@pytest.mark.parametrize("name", OCCUPANTS)
def test_a_disk_with_anything_on_it_is_refused_and_left_alone(host: Host, name: str) -> None:
    occupy, words = OCCUPANTS[name]
    occupy(host)
    before = host.disk.read_bytes()
    with pytest.raises(DiskError, match=words) as refused:
        host.keep()
    assert "Nothing was written" in str(refused.value)
    assert host.disk.read_bytes() == before
    assert not host.called("mkfs")
    assert host.fstab.read_text() == OTHERS


def test_blank_by_hand_is_blank(host: Host) -> None:
    parted(host)
    host.write(0, bytes(512))
    assert host.keep()["made"]


def partition(host: Host) -> None:
    """Let the kernel show a partition."""
    (host.about / "vdb1").mkdir()
    (host.about / "vdb1/partition").write_text("1\n")


USES: dict[str, tuple[Callable[[Host], object], str]] = {
    "partition": (partition, "has partitions: vdb1"),
    "holder": (lambda host: (host.about / "holders/dm-0").mkdir(), "part of dm-0"),
    "read-only": (lambda host: (host.about / "ro").write_text("1\n"), "read-only"),
    "mounted": (lambda host: host.mount("/elsewhere"), "mounted on /elsewhere"),
    "root": (lambda host: host.mount("/"), "mounted on /"),
    "swap": (
        lambda host: (host.folder / "proc/swaps").write_text(
            f"Head\n{host.disk} partition 1 0 1\n"
        ),
        "swap space in use",
    ),
    "path taken": (lambda host: host.mount(host.path, "7:7"), "a mount of /dev/some already"),
    "path in use": (lambda host: (host.path / "mine").mkdir(parents=True), "the mount would hide"),
    "path is a file": (lambda host: host.path.write_text("x"), "is not a folder"),
    "fstab": (
        lambda host: host.fstab.write_text(f"/dev/vdc {host.path} ext4 defaults 0 0\n"),
        "not made here",
    ),
}


@pytest.mark.parametrize("name", USES)
def test_a_disk_or_place_in_use_is_refused(host: Host, name: str) -> None:
    use, words = USES[name]
    use(host)
    with pytest.raises(DiskError, match=words):
        host.keep()
    assert not host.called("mkfs")


def test_the_root_disk_is_refused_whatever_is_mounted(host: Host) -> None:
    root = Path("/").stat().st_dev
    device = Device(str(host.disk), "vdb", f"{os.major(root)}:{os.minor(root)}", GIB)
    with pytest.raises(DiskError, match="root disk"):
        block_device.refuse_used(
            System(str(host.folder / "sys"), "", str(host.folder / "proc")), device
        )


def test_a_volume_that_grew_is_filled(host: Host) -> None:
    assert not host.keep()["grown"]
    host.resize(2 * SIZE)
    assert host.keep(dry=True)["grown"]
    found = host.keep()
    assert found["actions"] == ["grow the file system to 0.1875 GiB"]
    assert host.keep()["actions"] == []
    text = host.run(["dumpe2fs", "-h", str(host.disk)])[1]
    blocks, size = (re.search(rf"{word}: +(\d+)", text) for word in ("Block count", "Block size"))
    assert blocks
    assert size
    assert int(blocks[1]) * int(size[1]) == 2 * SIZE


def test_other_options_are_written_and_used(host: Host) -> None:
    host.keep()
    found = host.keep(mount_options="noatime,lazytime")
    assert len(found["actions"]) == 1
    assert ["mount", "-o", "remount,noatime,lazytime", str(host.path)] in host.commands
    assert host.fstab.read_text().count("x-gpuops.data-disk") == 1


def test_another_volume_in_the_same_place_replaces_the_line(host: Host) -> None:
    host.keep()
    host.mountinfo.write_text(ROOT_MOUNT)
    for name in sorted(host.path.iterdir()):
        name.rmdir()
    host.disk.unlink()
    host.resize(SIZE)
    found = host.keep()
    assert host.fstab.read_text().count(str(host.path)) == 1
    assert found["uuid"] in host.fstab.read_text()


def test_without_a_disk_there_are_plain_folders(host: Host) -> None:
    folder = {"name": "a/b", "owner": None, "group": None, "mode": None}
    found = host.keep(device=None, folders=[folder])
    assert (found["mounted"], found["device"], found["uuid"]) == (False, None, None)
    assert (host.path / "a/b").is_dir()
    assert found["size_gb"] > 0
    assert host.keep(device=None, folders=[folder])["actions"] == []


@pytest.mark.parametrize("name", ["/etc", "../x", "a/../../x", "."])
def test_folders_stay_below_the_path(host: Host, name: str) -> None:
    with pytest.raises(DiskError, match="is not below"):
        host.keep(device=None, folders=[{"name": name, "owner": None, "group": None, "mode": None}])


def test_all_in_a_folder_changes_hands_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, int]] = []
    monkeypatch.setattr(os, "lchown", lambda path, user, _group: given.append((str(path), user)))
    (host.path / "weights/deep").mkdir(parents=True)
    (host.path / "weights/deep/file").write_text("x")
    (host.path / "weights/link").symlink_to("/etc/passwd")
    folder = {"name": "weights", "group": None, "mode": None}
    host.keep(device=None, folders=[{**folder, "owner": "12345"}])
    names = [name.removeprefix(f"{host.path}/") for name, user in given if user == 12345]
    assert sorted(names) == ["weights", "weights/deep", "weights/deep/file", "weights/link"]
    # Its own owner comes last: a run that is broken off begins again.
    assert names[-1] == "weights"
    owner = str((host.path / "weights").stat().st_uid)
    assert host.keep(device=None, folders=[{**folder, "owner": owner}])["actions"] == []
    with pytest.raises(DiskError, match="there is no nobody-of-this-name"):
        host.keep(device=None, folders=[{**folder, "owner": "nobody-of-this-name"}])


def test_big_disks_are_read_at_both_ends_and_in_between(tmp_path: Path) -> None:
    disk = tmp_path / "big"
    size = 3000 * GIB
    for offset in (0, 64 * MIB - 1, size - 16 * MIB, size - 1):
        disk.unlink(missing_ok=True)
        with disk.open("wb") as stream:
            stream.seek(offset)
            stream.write(b"\1")
        os.truncate(disk, size)
        assert block_device.first_data(str(disk), size) == offset
    ends = [start + length for start, length in block_device._ranges(size)]
    starts = [start for start, _length in block_device._ranges(size)][1:]
    assert max(start - end for start, end in zip(sorted(starts), sorted(ends), strict=False)) <= GIB


def test_a_volume_is_found_by_its_serial_number(tmp_path: Path) -> None:
    (tmp_path / "sys/vdc").mkdir(parents=True)
    (tmp_path / "sys/vdc/serial").write_text("5e0d3a1b7c42\n")
    (tmp_path / "sys/vdc/size").write_text("2097152\n")
    places = System(str(tmp_path / "sys"), str(tmp_path / "dev"))
    with pytest.raises(DiskError, match=r"no disk virtio-5e0d3a1b7c42 .* there are: vdc \(1 GiB\)"):
        block_device.find(places, "", [VOLUME], 0)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/vdc").write_text("no device")
    with pytest.raises(DiskError, match="dev/vdc is not a block device"):
        block_device.find(places, "", [VOLUME], 0)
    link = tmp_path / "dev/disk/by-id/virtio-5e0d3a1b7c42"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../vdb")
    (tmp_path / "dev/vdb").write_text("no device")
    with pytest.raises(DiskError, match="virtio-5e0d3a1b7c42 is not a block device"):
        block_device.find(places, "", ["ffffffff-0000-0000-0000-000000000000", VOLUME], 0)


@pytest.mark.every_core("data_disk")
def test_the_module_answers_with_facts_and_refuses_with_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_manager, "BOOTED", tmp_path)
    path = tmp_path / "data"
    found, _unused = run_module("data_disk", {"path": str(path), "folders": [{"name": "w"}]})
    assert found["changed"] is True
    assert (found["path"], found["mounted"], found["made"]) == (str(path), False, False)
    again, _unused = run_module("data_disk", {"path": str(path), "folders": [{"name": "w"}]})
    assert again["changed"] is False
    refused, _unused = run_module(
        "data_disk", {"path": str(path), "device": "/dev/null", "wait": 0}
    )
    assert refused["failed"] is True
    assert refused["msg"] == "/dev/null is not a block device."
