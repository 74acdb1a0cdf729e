# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON what the role must know of a host: one look instead of several; reads only.

Arguments: folder of the environments, packages of the distribution (comma-separated).
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any


def missing_packages(names: list[str]) -> list[str]:
    """Return those of the Debian packages that are not installed."""
    command = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.split() for line in done.stdout.splitlines()]
    installed = {words[0] for words in lines if words[1:] == ["installed"]}
    return [name for name in names if name not in installed]


def installed(store: Path) -> dict[str, str]:
    """Return by environment the requirements that a run has installed to the end."""
    return {
        str(mark.parent): mark.read_text(encoding="utf-8").strip()
        for mark in store.glob("pytorch-*/.complete")
    }


def free_gb(folder: Path) -> float:
    """Return the free space, in GB, where the folder is or will be."""
    while not folder.exists():
        folder = folder.parent
    return round(shutil.disk_usage(folder).free / 1e9, 1)


def main(store: Path, packages: str) -> dict[str, Any]:
    """Return everything that is asked for."""
    return {
        "python": ".".join(map(str, sys.version_info[:2])),
        "machine": platform.machine(),
        "glibc": platform.libc_ver()[1],
        "missing_packages": missing_packages(packages.split(",")),
        "installed": installed(store),
        "free_gb": free_gb(store),
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))
