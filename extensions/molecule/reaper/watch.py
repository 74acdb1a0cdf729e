# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch one whole round of the reaper, with the eyes of its user, for places that show its secret.

Looks at environment and arguments of each of its processes, and at each file that they make.
Prints {"processes": how many were looked at, "credentials": those given a credentials directory,
"found": places with the secret}.
"""

from __future__ import annotations

import configparser
import json
import os
import pwd
import time
from pathlib import Path

USER, LONGEST_S = "gpuops-reaper", 240.0
CREDENTIALS = Path("/etc/gpuops-reaper/credentials")
# As the processes see them, which have a folder for temporary files of their own.
FOLDERS = ("var/lib/gpuops-reaper", "run/gpuops-reaper", "tmp")


def read(path: Path) -> bytes:
    """Return what a file holds, nothing when it is gone."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def processes(uid: int) -> list[Path]:
    """Return the processes of a user."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if path.stat().st_uid == uid and path.name != str(os.getpid()):
                found.append(path)
        except OSError:
            continue
    return found


def files(root: Path) -> list[Path]:
    """Return the files in its folders, which come and go."""
    trees = (tree for name in FOLDERS for tree in os.walk(root / name))
    return [Path(folder, name) for folder, _folders, names in trees for name in names]


def is_main(process: Path) -> bool:
    """Tell whether systemd itself has started a process: it is the first one of a round."""
    return read(process / "stat").rpartition(b")")[2].split()[1:2] == [b"1"]


def watch(uid: int, secret: bytes) -> dict[str, object]:
    """Look again and again until a round has begun and ended."""
    seen: set[str] = set()
    handed: set[str] = set()
    found: set[str] = set()
    before = {path.name for path in processes(uid)}
    started, main = time.monotonic(), ""
    while time.monotonic() - started < LONGEST_S:
        alive = [path for path in processes(uid) if path.name not in before]
        if main and main not in {path.name for path in alive}:
            break
        main = main or next((path.name for path in alive if is_main(path)), "")
        for path in alive:
            environment = read(path / "environ")
            for part, text in (("environ", environment), ("cmdline", read(path / "cmdline"))):
                found |= {f"{part} of {path.name}"} if secret in text else set()
            handed |= {path.name} if b"CREDENTIALS_DIRECTORY=" in environment else set()
            seen.add(path.name)
        roots = [*alive[:1], Path("/proc/self")]
        found |= {str(p) for root in roots for p in files(root / "root") if secret in read(p)}
        time.sleep(0.05)
    return {"processes": len(seen), "credentials": len(handed), "found": sorted(found)}


if __name__ == "__main__":
    settings = configparser.ConfigParser()
    settings.read(CREDENTIALS)
    secret_text = settings["default"]["client_secret"].encode()
    user = pwd.getpwnam(USER)
    os.setgroups([])
    os.setgid(user.pw_gid)
    # Root in a container may not look into the environment of others; the user itself may.
    os.setuid(user.pw_uid)
    print(json.dumps(watch(user.pw_uid, secret_text)))
