# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepare this clone: the system packages that are missing, and the virtual environment .venv.

usage: python3 scripts/setup.py demo|test|link

Runs on the bare Python of the system; does nothing when everything is there. `link` installs
nothing: it only lets Ansible find this clone as the collection gpuops.cloud, as the others do, too.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "gpuops-setup.json"
# Where ansible.cfg looks for the collection, which is this clone, whatever its folder is called.
LINK = ROOT / ".collections/ansible_collections/gpuops/cloud"

PYTHON_MIN, PYTHON_MAX = (3, 11), (3, 13)  # what the pinned ansible-core supports

LOCK_SECONDS, LOOK_SECONDS = 600.0, 2.0

# Program -> Debian package that brings it.
DEMO_PROGRAMS = {
    "debootstrap": "debootstrap",
    "podman": "podman",
    "runc": "runc",
    "ssh": "openssh-client",
}
TEST_PROGRAMS = {
    **DEMO_PROGRAMS,
    "chromedriver": "chromium-driver",
    "chromium": "chromium",
    "git": "git",
    "initdb": "postgresql",
    "java": "default-jre-headless",
    "nft": "nftables",
    "shellcheck": "shellcheck",
}

# Programs whose packages would start a server on this machine: unpacked below .venv, not installed.
UNPACKED = {
    "nginx": "nginx",
    "prometheus": "prometheus",
    "prometheus-node-exporter": "prometheus-node-exporter",
}

# Names in requirements-test.txt that .venv gets, with requirements.txt.
DEMO_PINS = ("ansible-core",)
TEST_PINS = ("ansible-core", "nox", "uv")


def say(text: str) -> None:
    """Print one line at once, so that it stands above the output of what it announces."""
    print(f"[setup] {text}", flush=True)


def missing_packages(programs: dict[str, str]) -> list[str]:
    """Return the Debian packages that are still needed."""
    # Debian keeps some programs off the path of users.
    more = ["/usr/sbin", "/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *more])
    packages = {
        package for program, package in programs.items() if not shutil.which(program, path=path)
    }
    if importlib.util.find_spec("ensurepip") is None:
        packages.add("python3-venv")
    return sorted(packages)


def apt_get(*words: str, cwd: Path | None = None) -> None:
    """Run apt-get, once whoever else uses it has finished: another clone may be set up meanwhile.

    Raises CalledProcessError, after what apt-get said.
    """
    command = ["apt-get", "--quiet=2", f"--option=DPkg::Lock::Timeout={LOCK_SECONDS:.0f}", *words]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    limit = time.monotonic() + LOCK_SECONDS
    while True:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
        if "Could not get lock" not in done.stderr or time.monotonic() > limit:
            print(done.stderr, file=sys.stderr, flush=True)
            raise subprocess.CalledProcessError(done.returncode, command)
        time.sleep(LOOK_SECONDS)


def install_packages(packages: list[str]) -> None:
    """Install system packages as root; otherwise end with the command that somebody must run."""
    command = ["install", "--yes", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        sys.exit(f"[setup] please install, by your system's package manager: {' '.join(packages)}")
    if os.geteuid() != 0:
        sys.exit(f"[setup] please run first: sudo apt-get {' '.join(command)}")
    say(f"installing system packages: {' '.join(packages)}")
    apt_get("update")
    apt_get(*command)


def pins(names: tuple[str, ...]) -> list[str]:
    """Return the exact requirements of these names; KeyError for one not pinned."""
    lines = (ROOT / "requirements-test.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0]: line for line in lines if "==" in line}
    return [pinned[name] for name in names]


def fingerprint(requirements: list[str]) -> str:
    """Return what the environment must have been made from to be used again."""
    parts = [sys.version, str(ROOT), *requirements]
    parts += [
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("requirements.txt", "requirements-test.txt")
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def link() -> None:
    """Make this clone the collection gpuops.cloud."""
    LINK.parent.mkdir(parents=True, exist_ok=True)
    if not LINK.is_symlink():
        LINK.symlink_to("../../..")


def made_from() -> dict[str, str]:
    """Return the fingerprints that a working environment holds by now, empty without one."""
    python = VENV / "bin" / "python"
    if not STAMP.is_file() or subprocess.run([python, "-c", ""], check=False).returncode:
        return {}
    return dict(json.loads(STAMP.read_text(encoding="utf-8")))


def make_environment(kind: str, requirements: list[str]) -> None:
    """Make or complete .venv with pip, which follows the user's own pip settings."""
    wanted, have = fingerprint(requirements), made_from()
    if have.get(kind) == wanted:
        return
    say(f"filling .venv: {', '.join(requirements)} and requirements.txt")
    if not have:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    pip = [f"{VENV}/bin/pip", "install", "-qq", "--disable-pip-version-check"]
    pip += ["--constraint", "requirements-test.txt", "--requirement", "requirements.txt"]
    subprocess.run([*pip, *requirements], cwd=ROOT, check=True)
    STAMP.write_text(json.dumps({**have, kind: wanted}), encoding="utf-8")


def unpack(packages: dict[str, str]) -> None:
    """Fetch Debian packages and unpack them below .venv, unless their programs are there."""
    folder = VENV / "unpacked"
    places = [os.environ.get("PATH", os.defpath), "/usr/sbin"]
    path = os.pathsep.join([*places, f"{folder}/usr/bin", f"{folder}/usr/sbin"])
    missing = [
        package for program, package in packages.items() if not shutil.which(program, path=path)
    ]
    if not missing:
        return
    if not shutil.which("apt-get"):
        sys.exit(f"[setup] please install, by your system's package manager: {' '.join(missing)}")
    say(f"unpacking below .venv: {' '.join(missing)}")
    if os.geteuid() == 0:  # the lists of packages may be old, or not there yet
        apt_get("update")
    with tempfile.TemporaryDirectory() as place:
        apt_get("download", *missing, cwd=Path(place))
        for file in Path(place).glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", str(file), str(folder)], check=True)


def main(arguments: list[str]) -> None:
    """Prepare for the demo or the tests."""
    if arguments not in (["demo"], ["test"], ["link"]):
        sys.exit(__doc__)
    link()
    if arguments == ["link"]:
        return
    if not PYTHON_MIN <= sys.version_info[:2] <= PYTHON_MAX:
        sys.exit(
            f"[setup] this needs Python 3.11 to 3.13; {sys.executable} is {sys.version.split()[0]}"
        )
    kind = arguments[0]
    started = time.monotonic()
    packages = missing_packages(DEMO_PROGRAMS if kind == "demo" else TEST_PROGRAMS)
    try:
        if packages:
            install_packages(packages)
        make_environment(kind, pins(DEMO_PINS if kind == "demo" else TEST_PINS))
        unpack({} if kind == "demo" else UNPACKED)
    except subprocess.CalledProcessError as error:
        sys.exit(f"[setup] failed: {' '.join(map(str, error.cmd))}")
    say(f"ready in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
