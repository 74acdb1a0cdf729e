# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON what the role must know of a host: packages, a GPU, its exporter; reads only.

Arguments: the package of the GPU exporter, then packages that are needed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def output(*command: str) -> str:
    """Return what a program prints, whatever its exit status."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def installed(names: list[str]) -> list[str]:
    """Return those of the Debian packages that are installed."""
    form = "--showformat=${Package} ${db:Status-Status}\n"
    lines = [line.split() for line in output("dpkg-query", "--show", form, *names).splitlines()]
    return [words[0] for words in lines if words[1:] == ["installed"]]


def candidate(policy: str) -> bool:
    """Tell from what apt-cache says whether a package can be had."""
    lines = [line.split() for line in policy.splitlines()]
    return any(words[:1] == ["Candidate:"] and words[1:] != ["(none)"] for words in lines)


def unit(files: str, fallback: str) -> str:
    """Return the first service among the files of a package."""
    services = [line for line in files.split() if line.endswith(".service")]
    return Path(services[0]).name if services else fallback


def gpu(driver: Path) -> bool:
    """Tell whether the driver has a GPU; it may be loaded on a host that has none."""
    return any((driver / "gpus").glob("*"))


def main() -> None:
    """Look, and print."""
    exporter, needed = sys.argv[1], sys.argv[2:]
    there = installed([exporter, *needed])
    found = {
        "missing": [name for name in needed if name not in there],
        "gpu": gpu(Path("/proc/driver/nvidia")),
        "gpu_installed": exporter in there,
        "gpu_package": candidate(output("apt-cache", "policy", exporter)),
        "gpu_unit": unit(
            output("dpkg-query", "--listfiles", exporter), "nvidia-dcgm-exporter.service"
        ),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
