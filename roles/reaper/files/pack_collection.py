# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack this collection, from a checkout or an installed one: SOURCE FOLDER [--dry].

The same files make the same archive. Prints {"archive": path, "digest": of the files}.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path

PARTS = ("meta", "playbooks", "plugins", "roles")
FILES = ("LICENSE", "MANIFEST.json", "galaxy.yml", "requirements.txt")
PLACE = "ansible_collections/gpuops/cloud"
# The last member of the archive: where it is, all the others are.
LAST = ".complete"


def contents(source: Path) -> dict[str, bytes]:
    """Return what belongs to the collection at run time, by its place in the archive."""
    paths = [path for part in PARTS for path in (source / part).rglob("*") if path.is_file()]
    paths += [source / name for name in FILES if (source / name).is_file()]
    kept = (path for path in paths if "__pycache__" not in path.parts)
    return {f"{PLACE}/{path.relative_to(source)}": path.read_bytes() for path in sorted(kept)}


def digest(files: dict[str, bytes]) -> str:
    """Return a short name for these files."""
    found = hashlib.sha256()
    for name, text in files.items():
        found.update(f"{name}\0{len(text)}\0".encode())
        found.update(text)
    return found.hexdigest()[:12]


def pack(files: dict[str, bytes], archive: Path) -> None:
    """Make the archive appear, and remove those of other states of the collection."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(f".{os.getpid()}.partial")
    with tarfile.open(unfinished, "w") as tar:
        # Folders that the archive does not name would get the mode of the host's umask.
        for folder in sorted({str(path) for name in files for path in Path(name).parents} - {"."}):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        for name, text in [*files.items(), (LAST, b"")]:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o644
            tar.addfile(member, io.BytesIO(text))
    for older in archive.parent.glob("reaper-collection-*.tar"):
        older.unlink(missing_ok=True)
    unfinished.rename(archive)


def main(source: Path, folder: Path, dry: bool) -> dict[str, str]:
    """Pack, unless it is packed or only the digest is wanted."""
    files = contents(source)
    name = digest(files)
    archive = folder.expanduser() / f"reaper-collection-{name}.tar"
    if not dry and not archive.exists():
        pack(files, archive)
    return {"archive": str(archive), "digest": name}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]), "--dry" in sys.argv)))
