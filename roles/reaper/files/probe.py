# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON what the role must know of a host; reads only.

Arguments: folder of the reaper, names of its environment and its collection there, packages.
The last are comma-separated.
"""

from __future__ import annotations

import json
import platform
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


def readable(folder: Path) -> bool:
    """Whether every user may read what is there, which an earlier run's umask may have spoilt."""
    seen = [folder, *folder.glob("*"), *folder.glob("*/*"), *folder.glob("lib/*/site-packages/*")]
    there = [path for path in seen if path.exists()]
    needed = [(path.stat().st_mode, 0o5 if path.is_dir() else 0o4) for path in there]
    return all(mode & bits == bits for mode, bits in needed)


def main(root: Path, environment: str, collection: str, packages: str) -> dict[str, Any]:
    """Return everything that is asked for."""
    # Places of their own for each Python and state, so that a change never breaks a round.
    environment = f"{environment}-{sys.version_info[0]}.{sys.version_info[1]}"
    kept = {environment, collection}
    return {
        "python": ".".join(map(str, sys.version_info[:2])),
        "machine": platform.machine(),
        "glibc": platform.libc_ver()[1],
        "systemd": Path("/run/systemd/system").is_dir(),
        "missing_packages": missing_packages(packages.split(",")),
        "environment": str(root / environment),
        "environment_ready": (root / environment / ".complete").exists(),
        "environment_readable": readable(root / environment),
        "collection_ready": (root / collection / ".complete").exists()
        and readable(root / collection),
        "stale": [str(path) for path in sorted(root.glob("*-*")) if path.name not in kept],
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), *sys.argv[2:5])))
