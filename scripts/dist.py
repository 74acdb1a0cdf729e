# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the collection into a tarball, with the address of its repository.

usage: python3 scripts/dist.py [FOLDER]

FOLDER is dist unless given. GPUOPS_REPOSITORY is the address, such as https://HOST/OWNER/NAME:
Galaxy takes no collection without one. Needs ansible-galaxy.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import workshop

VARIABLE = "GPUOPS_REPOSITORY"


def addresses(repository: str) -> str:
    """Return the lines of galaxy.yml about a repository; ValueError for no public address."""
    parts = urlsplit(repository)
    if (
        parts.scheme != "https"
        or not parts.hostname
        or "@" in parts.netloc
        or repository.split()[1:]
    ):
        raise ValueError(f"{VARIABLE}={repository} is no address that begins with https://")
    url = repository.rstrip("/")
    rows = {"repository": url, "documentation": url, "homepage": url, "issues": f"{url}/issues"}
    return "".join(f"{name}: {address}\n" for name, address in rows.items())


def build(folder: Path, repository: str) -> None:
    """Build what git knows, as a collection that names this repository, if any."""
    tree = workshop.make_tree("dist")
    if repository:
        with (tree / "galaxy.yml").open("a", encoding="utf-8") as stream:
            stream.write(addresses(repository))
    folder.mkdir(parents=True, exist_ok=True)
    command = ["ansible-galaxy", "collection", "build", "--force", "--output-path"]
    subprocess.run([*command, folder, tree], check=True)


def main(arguments: list[str]) -> None:
    """Build, and say so when no address is known."""
    if arguments[1:] or arguments[:1] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    repository = os.environ.get(VARIABLE, "").strip()
    try:
        build(Path(*arguments or ["dist"]).resolve(), repository)
    except (ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"[dist] failed: {error}")
    if not repository:
        print(f"[dist] without the address of a repository, so not for Galaxy: set {VARIABLE}")


if __name__ == "__main__":
    main(sys.argv[1:])
