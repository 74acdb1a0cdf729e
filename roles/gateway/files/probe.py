# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON what the role must know of a host: one look instead of several; reads only.

Arguments: packages (comma-separated), and a file whose existence is asked for.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

# There the package nginx lacks the module that checks keys.
FULL_PACKAGE = {("ubuntu", "22.04"): {"nginx": "nginx-extras"}}


def output(*command: str) -> str:
    """Return what a program prints, whatever its exit status."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def release() -> tuple[str, str]:
    """Return the distribution's name and version."""
    lines = Path("/etc/os-release").read_text("utf-8").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    return found.get("ID", "").strip('"'), found.get("VERSION_ID", "").strip('"')


def missing_packages(names: list[str]) -> list[str]:
    """Return those of the Debian packages that are not installed, by their names here."""
    other = FULL_PACKAGE.get(release(), {})
    wanted = [other.get(name, name) for name in names]
    form = "--showformat=${Package} ${db:Status-Status}\n"
    lines = [line.split() for line in output("dpkg-query", "--show", form, *wanted).splitlines()]
    installed = {words[0] for words in lines if words[1:] == ["installed"]}
    return [name for name in wanted if name not in installed]


def main(packages: str, file: str) -> dict[str, Any]:
    """Return everything that is asked for."""
    return {
        "missing_packages": missing_packages(packages.split(",")),
        "ipv6": Path("/proc/net/if_inet6").exists(),
        "file": bool(file) and Path(file).exists(),
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:3])))
