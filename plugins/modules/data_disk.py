# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: data_disk
short_description: Format, mount and grow the disk of a data volume
version_added: 0.1.0
description:
  - Runs on the host that the volume is attached to. Finds its disk, makes a file system if it is blank, mounts it now and at every boot,
    grows the file system when the volume has grown, and keeps folders in it.
  - B(Makes a file system only on a disk that is proven to be blank.) It shows no signature, partition or user to the kernel, to C(blkid) and to C(wipefs),
    and reads as zeros in its first 64 MiB, its last 16 MiB and in one place per GiB, 256 of them at least. There is no option that forces it.
    A disk with a file system (ext2, ext3, ext4 or xfs) is mounted as it is; anything else is refused with what was seen.
  - The mount is a line in C(/etc/fstab) by UUID, with C(nofail) and a limit of 30 seconds, so that a host boots without its disk, too.
    Lines that this module did not write are never changed.
  - Without O(volume_ids) and O(device) it keeps a plain folder and the folders in it, so that callers need not care whether there is a disk.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  path:
    description: Absolute path to mount the disk on. Its folder has to be empty before, because the mount hides what is in it.
    type: path
    required: true
  volume_ids:
    description:
      - Ids of volumes of the cloud, of which the first one that is attached as a disk is taken.
      - The disk of a volume is found by its serial number, C(/dev/disk/by-id/virtio-) and the last twelve hexadecimal digits of the id.
    type: list
    elements: str
    default: []
  device:
    description: Path of a block device, instead of O(volume_ids).
    type: path
  fstype:
    description: File system that a blank disk gets. One that exists stays what it is.
    type: str
    choices: [ext4, xfs]
    default: ext4
  mount_options:
    description: Options of the mount, separated by commas, to which those for the boot are added.
    type: str
    default: noatime
  wait:
    description: Seconds to wait for the disk to appear.
    type: float
    default: 30
  owner:
    description: User that O(path) and all in it is given to, where it belongs to somebody else. Without it, an owner stays.
    type: str
  group:
    description: Group that O(path) and all in it is given to, where it belongs to another.
    type: str
  mode:
    description: Mode of O(path) in octal digits, such as V("0755").
    type: str
  folders:
    description: Folders to keep below O(path).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Path of the folder, relative to O(path).
        type: str
        required: true
      owner:
        description: User that the folder and all in it is given to, where it belongs to somebody else, as on a disk that another host has written.
        type: str
      group:
        description: Group that the folder and all in it is given to, where it belongs to another.
        type: str
      mode:
        description: Mode of the folder in octal digits.
        type: str
attributes:
  check_mode:
    support: full
    description: Looks at everything and says in RV(actions) what it would do.
  diff_mode:
    support: full
    description: Shows the change of C(/etc/fstab).
  idempotent:
    support: full
    description: A second run changes nothing.
"""

EXAMPLES = r"""
- name: Mount the data volume of a host
  gpuops.cloud.data_disk:
    path: /srv/data
    volume_ids: [0cd8f1b3-3b6e-4f8b-9f35-5e0d3a1b7c42]
    folders:
      - name: weights
      - name: scratch
        owner: nobody
        mode: "0770"
  become: true

- name: Mount a disk by its path
  gpuops.cloud.data_disk:
    path: /srv/data
    device: /dev/vdb
    fstype: xfs
  become: true
"""

RETURN = r"""
path: {type: str, description: Where the data are., returned: success, sample: /srv/data}
mounted: {type: bool, description: Whether it is a mount and not a plain folder., returned: success, sample: true}
device: {type: str, description: Node of the disk; null for a plain folder., returned: success, sample: /dev/vdb}
uuid: {type: str, description: UUID of the file system; null for a plain folder., returned: success, sample: 6a4ac8b4-2f3b-4f0e-9b6c-0d6f2f6f6c55}
fstype: {type: str, description: Kind of the file system; null for a plain folder., returned: success, sample: ext4}
made: {type: bool, description: Whether the file system was made by this run., returned: success, sample: false}
grown: {type: bool, description: Whether the file system was grown by this run., returned: success, sample: false}
size_gb: {type: float, description: Size of the file system in GiB; null for a folder that is not there yet., returned: success, sample: 97.9}
free_gb: {type: float, description: Free space in GiB; null for a folder that is not there yet., returned: success, sample: 97.9}
release:
  description: System, version and architecture of the host, for folders of programs that run on no other.
  returned: success
  type: str
  sample: ubuntu-24.04-x86_64
actions: {type: list, elements: str, description: What was done or would be., returned: success, sample: ["mount /dev/vdb (100 GiB) on /srv/data"]}
"""

from typing import Any

from ..module_utils._host.data_disk import DataDisk
from ..module_utils._runner.engine import run
from ..module_utils._runner.on_host import HOST

OWNERSHIP: dict[str, Any] = {
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "mode": {"type": "str"},
}
FOLDER: dict[str, Any] = {"name": {"type": "str", "required": True}, **OWNERSHIP}
SPEC: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "volume_ids": {"type": "list", "elements": "str", "default": []},
    "device": {"type": "path"},
    "fstype": {"type": "str", "choices": ["ext4", "xfs"], "default": "ext4"},
    "mount_options": {"type": "str", "default": "noatime"},
    "wait": {"type": "float", "default": 30.0},
    **OWNERSHIP,
    "folders": {"type": "list", "elements": "dict", "default": [], "options": FOLDER},
}


def main() -> None:
    """Mount the disk and keep its folders."""
    run(SPEC, DataDisk(), HOST, mutually_exclusive=[("volume_ids", "device")])


if __name__ == "__main__":
    main()
