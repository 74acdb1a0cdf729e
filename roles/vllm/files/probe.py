# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON what the role must know of a host: one look instead of a dozen; reads only.

Arguments: environment folder, model (a path, or anything else), files of the service, packages,
unit, GPUs that the server may use, PATH of the server beside its environment, and the command that
knows the words of systemctl. Files, packages and GPUs are comma-separated; no GPU is all.
"""

from __future__ import annotations

import json
import os
import platform
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

# A package whose program may also have come another way.
PROGRAMS = {"supervisor": "supervisord"}
ASKED = "LoadState,ActiveState,UnitFileState,ActiveEnterTimestamp"
# FlashInfer compiles with these what it does not find, and looks for them in its PATH.
COMPILERS = ("nvcc", "ninja")
# Which of the files of the service is its unit, and what keeps its watchdog beside it.
UNIT_FILE, WATCHDOGS = 2, {".service": ".timer", ".conf": ".conf"}
KERNELS = ("flashinfer_cubin", "flashinfer_jit_cache")


def missing_packages(names: list[str]) -> list[str]:
    """Return those of the Debian packages that are not installed."""
    command = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.split() for line in done.stdout.splitlines()]
    installed = {words[0] for words in lines if words[1:] == ["installed"]}
    installed |= {name for name, program in PROGRAMS.items() if shutil.which(program)}
    return [name for name in names if name not in installed]


def told(command: list[str]) -> str:
    """Return what a command prints, nothing where it is not there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def unit_state(manager: list[str], unit: str) -> dict[str, str]:
    """Return what systemd knows of the unit, or what stands for it."""
    text = told([*manager, "show", unit, f"--property={ASKED}", "--timestamp=unix"])
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def runs(manager: list[str], unit: str) -> bool:
    """Tell whether a unit is active, and will be after a boot."""
    words = [("is-active", "active"), ("is-enabled", "enabled")]
    return all(told([*manager, verb, unit]).strip() == good for verb, good in words)


def user() -> list[str]:
    """Return home and shell of the user of the server, nothing where there is none."""
    try:
        found = pwd.getpwnam("vllm")
    except KeyError:
        return []
    return [found.pw_dir, found.pw_shell]


def restart_reason(state: dict[str, str], files: list[Path]) -> str:
    """Return why the server must be restarted though nothing changes now, or an empty text."""
    if state.get("ActiveState") == "failed":
        return "the unit has failed"
    since = state.get("ActiveEnterTimestamp", "").lstrip("@")
    if state.get("ActiveState") == "active" and since.isdigit():
        newer = [path for path in files if path.exists() and path.lstat().st_mtime > int(since) + 1]
        if newer:
            return f"the server is older than {newer[0]}: a run was broken off before its restart"
    return ""


def text_of(path: Path) -> str:
    """Return what a file says, nothing where it cannot be read: it is somebody else's."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def neighbours(own: Path, gpus: str) -> list[dict[str, Any]]:
    """Return name, port and share of the GPUs' memory of every other server on this host."""
    found = []
    for unit in sorted(own.parent.glob(f"vllm*{own.suffix}")):
        settings = re.search(r" serve --config (\S+)", text_of(unit))
        text = text_of(Path(settings[1])) if settings else ""
        # Of supervisord a trial that was broken off lies there as well.
        if unit.stem in (own.stem, f"{own.stem}-trial") or not text:
            continue
        share, port = (
            re.search(rf"^{key}: (\d+(?:\.\d+)?)$", text, re.MULTILINE)
            for key in ("gpu-memory-utilization", "port")
        )
        where = re.search(r"^# For (\w+)(?:, GPUs (\S+))?$", text, re.MULTILINE)
        device, theirs = where.groups() if where else ("cuda", None)
        apart = gpus and theirs and not set(gpus.split(",")) & set(theirs.split(","))
        # Without the setting, vLLM takes 0.92.
        taken = 0.0 if device != "cuda" or apart else float(share[1] if share else 0.92)
        found.append(
            {"name": unit.stem, "port": int(float(port[1])) if port else 0, "share": taken}
        )
    return found


def readable(environment: Path) -> bool:
    """Whether every user may run what is there, which an earlier run's umask may have spoilt."""
    python = (environment / "bin/python").resolve()
    seen = [environment, environment / "bin", python, *environment.glob("lib/python*")]
    seen += environment.glob("bin/*")
    seen += environment.glob("lib/python*/site-packages*")
    seen += environment.glob("lib/python*/site-packages/*")
    # A Python that uv has brought lies beside its environments.
    seen += [path for path in python.parents if environment.parent in path.parents]
    there = [path for path in seen if path.exists()]
    needed = [(path.stat().st_mode, 0o5 if path.is_dir() else 0o4) for path in there]
    return all(mode & bits == bits for mode, bits in needed)


def free_gb(folder: Path) -> float:
    """Return the free space, in GB, where the folder is or will be."""
    while not folder.exists():
        folder = folder.parent
    return round(shutil.disk_usage(folder).free / 1e9, 1)


def kernels(environment: Path, path: str) -> dict[str, Any]:
    """Return what there is of FlashInfer's kernels, and what is missing to compile them.

    It does not even start beside kernels of another version than its own.
    """
    versions = {}
    for folder in environment.glob("lib/python3*/site-packages/flashinfer_*.dist-info"):
        name, _unused, version = folder.name.removesuffix(".dist-info").partition("-")
        versions[name] = version.partition("+")[0]
    own = versions.get("flashinfer_python", "")
    fits = bool(own) and all(versions.get(name) == own for name in KERNELS)
    places = f"{environment}/bin:{path}"
    return {
        "version": own,
        "installed": fits,
        "there": fits and (environment / ".kernels").exists(),
        "missing": [name for name in COMPILERS if not shutil.which(name, path=places)],
    }


def published(model: str) -> dict[str, Any]:
    """Return the configuration of a model in a folder, and the bytes of its weights."""
    folder = Path(model)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        sizes = [path.stat().st_size for path in folder.glob("*.safetensors")]
    except (OSError, ValueError):
        return {}
    return {"name": folder.name, "config": config, "weight_bytes": sum(sizes) or None}


def main(
    environment: Path, model: str, files: str, packages: str,
    unit: str, gpus: str, path: str, command: str = "systemctl",
) -> dict[str, Any]:  # fmt: skip
    """Return everything that is asked for."""
    manager = command.split()
    state, settings = unit_state(manager, unit), [Path(name) for name in files.split(",")]
    own = settings[UNIT_FILE]
    watchdog = own.with_name(f"{own.stem}-health{WATCHDOGS[own.suffix]}")
    return {
        "python": ".".join(map(str, sys.version_info[:2])),
        "machine": platform.machine(),
        "glibc": platform.libc_ver()[1],
        "missing_packages": missing_packages(packages.split(",")),
        "environment_ready": (environment / ".complete").exists(),
        "kernels": kernels(environment, path),
        "environment_readable": readable(environment),
        "model_missing": model.startswith("/") and not Path(model).exists(),
        "model": published(model) if model.startswith("/") else {},
        "free_gb": free_gb(environment),
        "neighbours": neighbours(own, gpus),
        "unread": [
            str(path)
            for path in own.parent.glob(f"vllm*{own.suffix}")
            if not os.access(path, os.R_OK)
        ],
        "unit_exists": state.get("LoadState", "not-found") != "not-found",
        "serves": (state.get("ActiveState"), state.get("UnitFileState")) == ("active", "enabled"),
        "unproven": (settings[0].parent / "before").exists(),
        "watchdog_exists": watchdog.exists(),
        "watchdog_runs": runs(manager, watchdog.name.removesuffix(".conf")),
        "user": user(),
        "restart_reason": restart_reason(state, settings),
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), *sys.argv[2:9])))
