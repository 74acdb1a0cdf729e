# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the unit of a job runs on its host; arguments: begin, run, end or done, and its folder.

"begin" and "end" run as root before and after the program, "run" becomes the program. They write
down what an attempt was and how it ended, so that a host that dies leaves a beginning without an
end. "done" comes some time after the end, where nobody has terminated the host, and says that it is
not needed. "show" tells everything about the attempts as JSON. Knows no cloud.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

BOOT_ID, INIT = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/1/stat")
# Of what follows the name of a process there, when it was started.
START_TIME = 19
# As of a shell, and as timeout(1) has it.
NOT_FOUND, NOT_RUNNABLE, BY_SIGNAL, OUT_OF_TIME, CANCELLED = 127, 126, 128, 124, 130
# Another node has failed, and this one was stopped for it.
NOT_DONE, PEER = 125, "peer_failed"
LIMITS = ("time_limit", "cost_limit", "lease")
# A checkpoint that is being written is none yet.
UNFINISHED, SENTINEL = ".tmp", "checkpoint-is-incomplete.txt"
PUBLIC = 0o644
# What the role idle_guard sees each minute.
REPORT = Path("/run/gpuops/idle.json")
DONE, IS_DONE = Path("/usr/local/bin/gpuops-done"), Path("/run/gpuops.done")
ARRAY = Path(__file__).with_name("gpuops_job_array.py")
# It lies there where supervisord keeps the programs, and knows the words of systemctl.
SUPERVISED = Path(__file__).with_name("supervised.py")
# What NVIDIA's container toolkit says of the GPUs; secrets on the host, and in a container.
NVIDIA, SECRETS = Path("/etc/cdi/nvidia.yaml"), Path("/run/gpuops-jobs")
INSIDE = "/run/gpuops-secrets"


def read_json(path: Path) -> dict[str, Any]:
    """Return what a file holds, nothing where it is missing or no object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Put a whole file in place, on the disk before it has its name."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(json.dumps(value) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.chmod(PUBLIC)
    fresh.replace(path)


def manager() -> tuple[str, list[str]]:
    """Return what keeps the programs of this host, and the command that is told so."""
    if SUPERVISED.exists():
        return "supervisord", [sys.executable, "-I", str(SUPERVISED)]
    return "systemd", ["systemctl"]


def unit_of(folder: Path) -> str:
    """Return the name of the unit of a job."""
    return f"gpuops-job@{folder.name}.service"


def done_unit_of(folder: Path) -> str:
    """Return the name of the units that say some time later that a job is done."""
    return f"gpuops-job-done-{folder.name}"


def boot() -> str:
    """Return what is the same until this host boots, and on no other host."""
    # Hosts that are containers share the boot of their machine, and were started one by one.
    began = INIT.read_text(encoding="utf-8").rpartition(")")[2].split()[START_TIME]
    return f"{BOOT_ID.read_text(encoding='ascii').strip()} {began}"


def attempts_of(folder: Path) -> list[Path]:
    """Return the folders of the attempts, the first one first."""
    return sorted(path for path in (folder / "attempts").glob("[0-9]*") if path.is_dir())


def newest_checkpoint(folder: Path) -> float:
    """Return when the newest file of a whole checkpoint was written, 0 without one."""
    # A task of an array that has ended is not begun again, which is as good.
    ended = (folder / "tasks").glob("*/exit.json")
    newest = max((path.stat().st_mtime for path in ended), default=0.0)
    for place, _folders, files in os.walk(folder / "checkpoints"):
        if SENTINEL in files:
            continue
        for name in files:
            if not name.endswith(UNFINISHED):
                path = Path(place, name)
                newest = max(newest, path.stat().st_mtime if path.exists() else 0.0)
    return newest


# -- before, instead of, and after the program -----------------------------------------------------


def begin(folder: Path) -> None:
    """Note that the last attempt has begun. What a job writes is its user's."""
    attempt = attempts_of(folder)[-1]
    noted = {
        "attempt": int(attempt.name),
        "boot": boot(),
        "unit": unit_of(folder),
        "time": time.time(),
    }
    write_json(attempt / "started.json", noted)
    # What is left of an earlier attempt must not end this one. supervisord has no timers.
    if manager()[0] == "systemd":
        timer = f"{done_unit_of(folder)}.timer"
        subprocess.run(["systemctl", "stop", timer], capture_output=True, check=False)
    if IS_DONE.exists():
        subprocess.run([str(DONE), "--undo"], stdout=subprocess.DEVNULL, check=False)


def variables(folder: Path, job: dict[str, Any], number: int) -> dict[str, str]:
    """Return the environment of the program."""
    prefix = job.get("environment") or ""
    path = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    found = {name: value for name, value in os.environ.items() if name in ("HOME", "USER", "LANG")}
    found["PATH"] = f"{prefix}/bin:{path}" if prefix else path
    found.update({"VIRTUAL_ENV": prefix} if prefix else {})
    found.update(
        # What is printed is seen when it is printed.
        PYTHONUNBUFFERED="1",
        GPUOPS_JOB=folder.name,
        GPUOPS_ATTEMPT=str(number),
        GPUOPS_RESUME="1" if number > 1 else "0",
        GPUOPS_CHECKPOINT_DIR=str(folder / "checkpoints"),
        GPUOPS_OUTPUT_DIR=str(folder / "work/out"),
        GPUOPS_DEADLINE=str(int(time.time() + job.get("seconds", 0))),
    )
    return {**found, **job.get("launch_env", {}), **job.get("env", {})}


def secrets_of_unit() -> dict[str, str]:
    """Return the secrets of the program, which its unit has in memory."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return read_json(Path(credentials, "secrets")) if credentials else {}


def run(folder: Path) -> NoReturn:
    """Become the program; where that cannot be, say why, with the status of a shell."""
    job = read_json(folder / "job.json")
    command = job.get("launch") or job["command"]
    if job.get("tasks"):
        command = [sys.executable, "-I", str(ARRAY), str(folder)]
    environment = variables(folder, job, int(attempts_of(folder)[-1].name))
    if job.get("image"):
        command, environment = contained(folder, job, command, environment), dict(os.environ)
    else:
        environment.update(secrets_of_unit())
    os.chdir(folder / "work")
    # Python ignores it, and a program would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.environ["PATH"] = environment["PATH"]
    status, why = NOT_RUNNABLE, ""
    try:
        os.execvpe(command[0], command, environment)
    except FileNotFoundError:
        status, why = NOT_FOUND, "it is not there"
    except OSError as error:
        why = error.strerror or str(error)
    print(f"gpuops: {command[0]} cannot be run: {why}", file=sys.stderr, flush=True)
    sys.exit(status)


def contained(
    folder: Path, job: dict[str, Any], command: list[str], environment: dict[str, str]
) -> list[str]:
    """Return the command that runs the program in a container.

    Control groups are those of the unit, so that its limits hold, and its end is the end of all.
    """
    owner = (folder / "work").stat()
    found = [*job["podman"], "run", "--rm", "--replace", "--init", "--name", folder.name]
    found += ["--pull", "never", "--log-driver", "none", "--cgroups", "disabled"]
    found += ["--network", "host", "--ipc", "host", "--entrypoint", ""]
    found += ["--user", f"{owner.st_uid}:{owner.st_gid}", "--cap-drop", "all"]
    found += ["--security-opt", "no-new-privileges"]
    found += ["--device", "nvidia.com/gpu=all"] if NVIDIA.exists() else []
    found += ["--volume", f"{folder}:{folder}", "--workdir", str(folder / "work")]
    environment = {**environment, "HOME": str(folder / "home")}
    # The image has a path and users of its own.
    own = [name for name in environment if name not in ("PATH", "USER", "VIRTUAL_ENV")]
    found += [word for name in own for word in ("--env", f"{name}={environment[name]}")]
    secrets = secrets_of_unit()
    if not secrets:
        return [*found, job["image"], *command]
    # podman keeps variables on the disk, and a file in memory does not stay.
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in secrets.items()]
    place = SECRETS / folder.name / "variables"
    place.unlink(missing_ok=True)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write("".join(lines))
    found += ["--volume", f"{place}:{INSIDE}:ro", job["image"]]
    return [*found, "sh", "-c", f'. {INSIDE} && exec "$@"', "sh", *command]


def end(folder: Path) -> None:
    """Write down how the last attempt ended, by what systemd says of it, or who says it instead."""
    attempt = attempts_of(folder)[-1]
    if not (attempt / "started.json").exists():
        return
    job = read_json(folder / "job.json")
    limit = job.get("limit", "time_limit")
    stop = read_json(attempt / "stop.json").get("reason", "")
    said = by_signal(dict(os.environ)) if job.get("image") else dict(os.environ)
    found = outcome(stop, limit, said)
    log = attempt / "output.log"
    size = log.stat().st_size if log.exists() else 0
    write_json(attempt / "exit.json", {**found, "size": size, "time": time.time()})
    if job.get("done_after") and manager()[0] == "systemd":
        # Whoever looks has that long to fetch the results.
        when = ["--unit", done_unit_of(folder), f"--on-active={job['done_after']:.0f}", "--collect"]
        words = [sys.executable, "-I", str(Path(__file__).resolve()), "done", str(folder)]
        subprocess.run(["systemd-run", "--quiet", *when, *words], check=False)


def done(folder: Path) -> None:
    """Say that the host is not needed any more, unless somebody fetches results right now."""
    with (folder / "fetching").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if DONE.exists():
            subprocess.run([str(DONE)], check=False)


def outcome(stop: str, limit: str, said: dict[str, str]) -> dict[str, Any]:
    """Return how an attempt ended: its status, its signal, and the reason in one word."""
    how, status = said.get("EXIT_CODE", ""), said.get("EXIT_STATUS", "")
    name = "" if how == "exited" else status
    code = int(status) if status.isdigit() else BY_SIGNAL + number_of(status)
    result = said.get("SERVICE_RESULT", "")
    if stop:
        code = OUT_OF_TIME if stop in LIMITS else NOT_DONE if stop == PEER else CANCELLED
        return {"exit_code": code, "reason": stop, "signal": name}
    if result == "oom-kill":
        return {"exit_code": BY_SIGNAL + signal.SIGKILL, "reason": "oom", "signal": "KILL"}
    if result == "timeout":
        return {"exit_code": OUT_OF_TIME, "reason": limit, "signal": name}
    if name:
        return {"exit_code": code, "reason": "signal", "signal": name}
    return {"exit_code": code, "reason": "exit_code" if code else "succeeded", "signal": ""}


def by_signal(said: dict[str, str]) -> dict[str, str]:
    """Return what systemd says, where podman was its program: it ends as a shell does."""
    status = said.get("EXIT_STATUS", "")
    number = int(status) - BY_SIGNAL if status.isdigit() else 0
    if number not in {int(one) for one in signal.Signals}:
        return said
    name = signal.Signals(number).name.removeprefix("SIG")
    return {**said, "EXIT_CODE": "killed", "EXIT_STATUS": name}


def number_of(name: str) -> int:
    """Return the number of a signal by its name, that of KILL for one that is not known."""
    return int(getattr(signal, f"SIG{name}", signal.SIGKILL))


# -- what there is ---------------------------------------------------------------------------------


def show(folder: Path) -> dict[str, Any]:
    """Return the job and its attempts, and what keeps its program."""
    name, command = manager()
    return {
        "manager": name,
        "command": command,
        "job": read_json(folder / "job.json"),
        "sent": (folder / "work").is_dir(),
        "attempts": [about(folder, path) for path in attempts_of(folder)],
        "tasks": tasks_of(folder),
        "gpus": read_json(REPORT).get("gpus", []),
    }


def tasks_of(folder: Path) -> list[dict[str, Any]]:
    """Return how the tasks of an array are, none for a job that is none."""
    tasks = read_json(folder / "job.json").get("tasks", [])
    if not tasks:
        return []
    attempts = attempts_of(folder)
    last = about(folder, attempts[-1]) if attempts else {}
    since = last["started"] if last.get("active") else time.time()
    rest = "cancelled" if (folder / "cancelled.json").exists() else "waiting"
    return [{**task, **task_state(folder, task["number"], since, rest)} for task in tasks]


def task_state(folder: Path, number: int, since: float, rest: str) -> dict[str, Any]:
    """Return how a task is: ended as it ended, running if it began since then, or as the rest."""
    place = folder / "tasks" / f"{number:04d}"
    ended = read_json(place / "exit.json")
    if ended:
        state = "failed" if ended["exit_code"] else "succeeded"
        return {"state": state, **{key: ended[key] for key in ("exit_code", "signal", "seconds")}}
    began = read_json(place / "started.json").get("time")
    runs = began is not None and since <= began
    return {"state": "running" if runs else rest, "exit_code": None, "signal": "", "seconds": None}


def about(folder: Path, attempt: Path) -> dict[str, Any]:
    """Return what there is to say of an attempt."""
    started = read_json(attempt / "started.json")
    last = attempt == attempts_of(folder)[-1]
    ended = read_json(attempt / "exit.json")
    runs = bool(started) and not ended and last and is_active(unit_of(folder))
    # What ended between the two looks has its end by now, and was not lost.
    ended = ended or read_json(attempt / "exit.json")
    lost = read_json(attempt / "lost.json")
    log = attempt / "output.log"
    now = log.stat() if log.exists() else None
    return {
        "number": int(attempt.name),
        "started": started.get("time"),
        "this_boot": started.get("boot") == boot(),
        "active": runs and not ended,
        "stop": read_json(attempt / "stop.json").get("reason", ""),
        "checkpoint": lost.get("checkpoint", bool(started) and is_newer(folder, started)),
        "size": now.st_size if now else 0,
        "last_output": now.st_mtime if now else None,
        "exit": ended or None,
    }


def is_newer(folder: Path, started: dict[str, Any]) -> bool:
    """Tell whether there is a checkpoint that was written after an attempt began."""
    return newest_checkpoint(folder) > float(started["time"])


def is_active(unit: str) -> bool:
    """Tell whether a unit runs, or is on its way to it or to its end."""
    words = [*manager()[1], "is-active", unit]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() in ("active", "activating", "deactivating", "reloading")


def main() -> None:
    """Do what the first argument says."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "show":
        print(json.dumps(show(folder)))
    else:
        {"begin": begin, "run": run, "end": end, "done": done}[what](folder)


if __name__ == "__main__":
    main()
