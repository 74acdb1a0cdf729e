# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, on a test host, a folder /srv/gpus that shows GPUs and a signed repository /srv/mirror.

The packages stand for NVIDIA's and hold only what the role looks at; they compute nothing.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
from pathlib import Path

ROOT, MIRROR, WORK = Path("/srv/gpus"), Path("/srv/mirror"), Path("/srv/work")
OLD, GOOD, LATER, NEXT = "580.65.06-1", "580.95.05-1", "580.105.08-1", "610.43.02-1"

# What the driver is asked, and a state that the test sets by files in /run/gpus.
SMI = """#!/bin/sh
if [ -e /run/gpus/mismatch ]; then
    echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18
fi
if [ ! -e /run/gpus/loaded ]; then
    echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."; exit 9
fi
case "$1" in
    --query-gpu=index,name,mig.mode.current)
        for n in 0 1; do echo "$n, NVIDIA H100 80GB HBM3, [N/A]"; done ;;
    --query-gpu=*)
        for n in 0 1; do
            echo "$n, NVIDIA H100 80GB HBM3, GPU-$n, VERSION, 81559, 9.0, [N/A]"
        done ;;
    --query-compute-apps=*) ;;
    --list-gpus) for n in 0 1; do echo "GPU $n: NVIDIA H100 80GB HBM3 (UUID: GPU-$n)"; done ;;
    *) echo "| NVIDIA-SMI VERSION    Driver Version: VERSION    CUDA Version: 13.0     |" ;;
esac
"""
# In front of the host's own, which must not touch the modules of a kernel that others use.
MODPROBE = """#!/bin/sh
mkdir -p /run/gpus
echo "$@" >> /run/gpus/modprobe
[ "$1" != nvidia ] || touch /run/gpus/loaded
[ -e /run/gpus/stuck ] || rm -f /run/gpus/mismatch
"""
UNIT = """[Unit]
Description=Stands for NAME
[Service]
ExecStart=/usr/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""
PIN = "Package: nvidia-* cuda-drivers*\nPin: version 580.*\nPin-Priority: 1001\n"


def show_gpus() -> None:
    """Show two H100 and four NVLink switches on a PCI bus; the rest is the host's own."""
    for place, (kind, number) in enumerate(
        [("0x030200", "0x2330")] * 2 + [("0x068000", "0x22a3")] * 4
    ):
        device = ROOT / f"sys/bus/pci/devices/{place}"
        device.mkdir(parents=True)
        for name, text in (("vendor", "0x10de"), ("class", kind), ("device", number)):
            (device / name).write_text(f"{text}\n", encoding="ascii")
    for name in ("etc", "usr"):
        (ROOT / name).symlink_to(f"/{name}")
    program = Path("/usr/local/sbin/modprobe")
    program.write_text(MODPROBE, encoding="ascii")
    program.chmod(0o755)


def package(name: str, version: str, files: dict[str, str], depends: str = "") -> None:
    """Build one package of files, given by their places; those in a bin folder can be run."""
    folder = WORK / f"{name}_{version}"
    control = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: a test\n"
    control += f"Depends: {depends}\n" if depends else ""
    files = {"DEBIAN/control": f"{control}Description: stands for {name}\n", **files}
    for place, text in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
        path.chmod(0o755 if "/bin/" in place else 0o644)
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", folder, MIRROR],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def packages() -> None:
    """Build what stands for the driver in two branches, and for what belongs to it."""
    package("nvidia-driver-pinning-580", "580-1", {"etc/apt/preferences.d/nvidia-580": PIN})
    package(f"linux-headers-{platform.release()}", "1", {})
    for version in (GOOD, NEXT):
        smi = SMI.replace("VERSION", version.partition("-")[0])
        package("nvidia-open", version, {"usr/bin/nvidia-smi": smi}, "nvidia-persistenced")
        unit = UNIT.replace("NAME", "nvidia-persistenced")
        place = "usr/lib/systemd/system/nvidia-persistenced.service"
        package("nvidia-persistenced", version, {place: unit})
    for version in (OLD, GOOD, LATER):
        said = f"#!/bin/sh\necho 'Fabric Manager version is : {version.partition('-')[0]}'\n"
        unit = UNIT.replace("NAME", "the fabric manager")
        files = {
            "usr/bin/nv-fabricmanager": said,
            "usr/lib/systemd/system/nvidia-fabricmanager.service": unit,
        }
        package("nvidia-fabricmanager-580", version, files)


def publish() -> None:
    """Write the index of the repository, and sign it with a key made for it."""
    entries = []
    for path in sorted(MIRROR.glob("*.deb")):
        control = subprocess.run(
            ["dpkg-deb", "--field", path], check=True, capture_output=True, text=True
        ).stdout
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = path.stat().st_size
        entries.append(f"{control}Filename: ./{path.name}\nSize: {size}\nSHA256: {digest}\n")
    index = "\n".join(entries).encode()
    (MIRROR / "Packages").write_bytes(index)
    line = f" {hashlib.sha256(index).hexdigest()} {len(index)} Packages\n"
    date = subprocess.run(["date", "-Ru"], check=True, capture_output=True, text=True).stdout
    (MIRROR / "Release").write_text(f"Origin: test\nDate: {date}SHA256:\n{line}", "ascii")
    gpg = ("gpg", "--homedir", WORK, "--batch", "--quiet", "--passphrase", "")
    subprocess.run([*gpg, "--quick-generate-key", "test@invalid", "ed25519", "sign"], check=True)
    release = ("--clearsign", "--output", MIRROR / "InRelease", MIRROR / "Release")
    subprocess.run([*gpg, *release], check=True)
    subprocess.run([*gpg, "--armor", "--output", MIRROR / "key.asc", "--export"], check=True)


if __name__ == "__main__":
    MIRROR.mkdir(parents=True)
    WORK.mkdir(mode=0o700)
    show_gpus()
    packages()
    publish()
