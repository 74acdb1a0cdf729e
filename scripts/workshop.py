# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sessions of noxfile.py stand on: interpreters, environments, the tree, results."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass, field
from pathlib import Path

import home_watch
from surroundings import SOURCES, for_git, locked, passed_on, tests_cache, write

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".nox"
RESULTS = WORK / "results"
COLLECTION = Path("ansible_collections/gpuops/cloud")


@dataclass
class Result:
    """What one session found."""

    passed: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)  # as bad as failed
    not_possible: list[str] = field(default_factory=list)  # with the reason that the table allows

    def check(self, name: str, good: bool) -> None:
        """Count one check."""
        if good:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(name)

    def add_junit(self, path: Path) -> None:
        """Count the cases of a JUnit file, if it was written.

        A skipped one counts as not run, unless ansible-test had no file that it applies to.
        """
        if not path.exists():
            return
        for case in ET.parse(path).getroot().iter("testcase"):
            name = f"{case.get('classname', '')}::{case.get('name', '')}"
            skipped = case.find("skipped")
            if skipped is not None:
                if skipped.text != "No tests applicable.":
                    self.not_run.append(name)
            else:
                self.check(name, case.find("failure") is None and case.find("error") is None)

    def write(self, session: str) -> None:
        """Leave the result where scripts/test.py finds it."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{session}.json").write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_result(session: str) -> Result | None:
    """Return what a session left, or None when it left nothing."""
    path = RESULTS / f"{session}.json"
    return Result(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def interpreter(version: str) -> str | None:
    """Return a working Python of this version, from PATH or pyenv's versions, or None."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return os.path.realpath(sys.executable)
    pyenv = os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))
    found = [shutil.which(f"python{version}")]
    found += sorted(map(str, Path(pyenv).glob(f"versions/{version}.*/bin/python{version}")))
    for candidate in filter(None, found):
        # A shim of pyenv exists for versions that it then refuses to start.
        command = [candidate, "-c", "import ssl"]
        environment = {**passed_on(os.environ), "HOME": str(Path.home())}
        trial = subprocess.run(command, env=environment, capture_output=True, check=False)
        if trial.returncode == 0:
            return candidate
    return None


def pip_settings() -> dict[str, str]:
    """Return what the user's pip is told of where packages come from, by the settings' bare names.

    The one thing that is read of the user's settings, files and environment: behind the mirror of
    a company no package could be had without it.
    """
    command = [f"{ROOT}/.venv/bin/python", "-I", "-m", "pip", "config", "list"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", text, re.MULTILINE)
    return {name: value for name, value in rows if name in SOURCES}


def tool_environment() -> dict[str, str]:
    """Return the environment of our tools; uv hears of pip's index and certificates.

    Without HOME: a session has one of its own.
    """
    environment = passed_on(os.environ)
    settings = pip_settings()
    for name, variable in {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}.items():
        if name in settings:
            environment.setdefault(variable, settings[name])
    cache = tests_cache(os.environ)
    return {
        **environment,
        "UV_SYSTEM_CERTS": "1",  # as pip does
        "UV_NO_CONFIG": "1",
        "UV_CACHE_DIR": str(cache / "uv"),
        "PIP_CACHE_DIR": str(cache / "pip"),
        "GPUOPS_SIMULATOR_CACHE": str(cache),
    }


def environment_for(name: str, requirements: list[str], python: str | None = None) -> Path:
    """Make the environment .nox/<name>, unless made from the same before; return its bin folder.

    Sessions that run at the same time may ask for the same one.
    """
    folder = WORK / name
    stamp = folder / "made-from"
    wanted = hashlib.sha256("\n".join([str(python), *requirements]).encode()).hexdigest()
    with locked(WORK / "locks" / name):
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            _fill(folder, requirements, python or sys.executable)
            stamp.write_text(wanted, encoding="utf-8")
        _watch_home(folder)
    return folder / "bin"


def _fill(folder: Path, requirements: list[str], python: str) -> None:
    """Make a new environment; in the user's home uv reads the login of a package index, if any."""
    environment = {**tool_environment(), "HOME": str(Path.home())}
    for words in (
        ["venv", "--quiet", "--clear", "--python", python, str(folder)],
        ["pip", "install", "--quiet", "--python", str(folder), *requirements],
    ):
        command = [f"{ROOT}/.venv/bin/uv", *words]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)


def install_command(programs: Path) -> None:
    """Install the command gpuops, as it is now, into an environment by its bin folder."""
    words = ["pip", "install", "--quiet", "--python", str(programs.parent), "--reinstall-package"]
    command = [f"{ROOT}/.venv/bin/uv", *words, "gpuops", str(ROOT / "cli")]
    environment = {**tool_environment(), "HOME": str(Path.home())}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def _watch_home(folder: Path) -> None:
    """Let every Python of an environment note what it writes in the user's home."""
    packages = next((folder / "lib").glob("python3*/site-packages"))
    # The interpreter may lie in the home, too, and the folder for temporary files.
    allowed = [ROOT, tests_cache(os.environ), Path(tempfile.gettempdir())]
    call = f"gpuops_home_watch.watch({list(map(str, allowed))!r})"
    write(packages / "gpuops_home_watch.py", Path(home_watch.__file__).read_text(encoding="utf-8"))
    write(packages / "gpuops_home_watch.pth", f"import gpuops_home_watch; {call}\n")


def written_at_home() -> dict[Path, int]:
    """Return the notes of all environments on that, and how long each is."""
    return {path: path.stat().st_size for path in WORK.glob(f"*/{home_watch.NOTES}")}


def known_files() -> set[str]:
    """Return the files that git tracks or does not ignore, as paths from the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(
        command, cwd=ROOT, env=for_git(os.environ), capture_output=True, text=True, check=True
    ).stdout
    return {name for name in names.split("\0") if name and (ROOT / name).exists()}


def make_tree(name: str) -> Path:
    """Copy the known files to .nox/trees/<name>/ansible_collections/gpuops/cloud; return that.

    ansible-test wants that path and refuses a link; its own output from an earlier run is dropped.
    The copy is a repository of its own, else git would call all of it ignored by the outer one.
    """
    tree = WORK / "trees" / name / COLLECTION
    shutil.rmtree(tree, ignore_errors=True)
    for file in sorted(known_files()):
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, tree / file, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet", str(tree)], env=for_git(os.environ), check=True)
    return tree


def packed_files(tarball: Path) -> set[str]:
    """Return the paths of the files in a built collection."""
    with tarfile.open(tarball) as archive:
        return {member.name for member in archive.getmembers() if not member.isdir()}


def documented(collection: Path) -> list[tuple[str, str]]:
    """Return (type, name) of everything in a collection that ansible-doc must know."""
    kinds = {"modules": "module"}
    found = [
        (kinds.get(path.parent.name, path.parent.name), path.stem)
        for path in sorted((collection / "plugins").glob("*/*.py"))
        if path.parent.name not in ("action", "doc_fragments", "module_utils", "plugin_utils")
        and not path.stem.startswith("_")
    ]
    return found + [
        ("role", path.name) for path in sorted((collection / "roles").glob("*")) if path.is_dir()
    ]
