# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the Python environment of a job, once; what is in the way is told in one sentence.

Arguments: kind (script, lock, requirements, none or path), what it is made of, its prefix, the work
folder of the job, and uv. The file .complete says that nothing is missing. Prints whether it was
made now.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

OUT_OF_DATE = "needs to be updated"


class RefusedError(Exception):
    """What is asked for cannot be; the text says why."""


def main() -> None:
    """Make it unless it is there."""
    # The user of jobs has to read what root makes, whatever umask the login has.
    os.umask(0o022)
    kind, source, prefix, work, uv = sys.argv[1:]
    try:
        print(json.dumps({"changed": made(kind, source, Path(prefix), Path(work), uv)}))
    except RefusedError as error:
        sys.exit(str(error))


def made(kind: str, source: str, prefix: Path, work: Path, uv: str) -> bool:
    """Tell whether the environment was made now. Raises RefusedError."""
    if kind == "path":
        if not (prefix / "bin").is_dir():
            raise RefusedError(f"environment {prefix} is not on the host: it has no folder bin")
        return False
    prefix.parent.mkdir(parents=True, exist_ok=True)
    # Two jobs on one host may want the same.
    with prefix.with_name(f".{prefix.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (prefix / ".complete").exists():
            return False
        if kind == "none":
            venv = ["-m", "venv", "--clear", "--without-pip", "--system-site-packages"]
            run(["/usr/bin/python3", *venv, str(prefix)], work)
        else:
            fill(uv, kind, source, prefix, work)
        (prefix / ".complete").touch()
        return True


def fill(uv: str, kind: str, source: str, prefix: Path, work: Path) -> None:
    """Make an environment by uv, in the folder of the job, whose settings count."""
    run([uv, "venv", "--quiet", "--clear", str(prefix)], work)
    if kind == "requirements":
        python = f"{prefix}/bin/python"
        run([uv, "pip", "install", "--quiet", "--python", python, "--requirements", source], work)
        return
    words = [uv, "sync", "--quiet"]
    locked = source if kind == "lock" else f"{source}.lock"
    # A lock that is out of date is refused: nobody wants to resolve anew on a GPU.
    words += ["--locked"] if (work / locked).exists() else []
    words += ["--script", source, "--active"] if kind == "script" else []
    run(words, work, locked, VIRTUAL_ENV=str(prefix), UV_PROJECT_ENVIRONMENT=str(prefix))


def run(words: list[str], work: Path, locked: str = "", **more: str) -> None:
    """Run a command. Raises RefusedError with its last words."""
    done = subprocess.run(
        words, cwd=work, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    if not done.returncode:
        return
    said = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()
    if OUT_OF_DATE in done.stderr:
        again = "uv lock" if locked == "uv.lock" else f"uv lock --script {locked[: -len('.lock')]}"
        raise RefusedError(f"{locked} is out of date: run '{again}', and start the job anew")
    raise RefusedError(f"{Path(words[0]).name} {words[1]} failed: {'; '.join(said[-4:])}")


if __name__ == "__main__":
    main()
