# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job on its host: started once, stopped with a reason, removed (private)."""

from __future__ import annotations

import fcntl
import grp
import json
import os
import pwd
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._core.times import read_time
from .._host.commands import Commands, HostError, Run
from .._host.folders import give, make
from .difference import difference
from .nodes import Place
from .rows import AttemptRow, Ended, Lost, Noted, Options, Shown, Stopped, Told
from .state import Attempt, Cloud, Exit, Rules, Seen, State, state_of
from .state import Step as Next
from .units import KEEPERS, RUNNER_LOG, Supervisord, Systemd, Wish

_BEGINS_WITHIN_S, _LOOK_AGAIN_S = 60, 0.05
# What makes a job another one when it changes.
_Same = Literal[
    "command", "environment_wish", "image", "env", "credential_names", "folder_hash", "tasks"
]
_SAME: tuple[_Same, ...] = get_args(_Same)


class JobError(HostError):
    """What is asked for cannot be; the text says why and what to do."""


@dataclass
class JobHost:
    """The wish in ``want``, how commands run, and what the host's own program has found."""

    want: Options
    run: Run
    root: Path = Path("/")
    now: Callable[[], float] = time.time
    # What keeps its programs, and the command that is told so, by the words of the host's program.
    manager: str = "systemd"
    command: list[str] = field(default_factory=lambda: ["systemctl"])

    @property
    def name(self) -> str:
        return self.want["name"]

    @property
    def folder(self) -> Path:
        return Path(self.want["folder"]) / self.name

    @property
    def unit(self) -> str:
        return f"gpuops-job@{self.name}.service"

    @property
    def secrets(self) -> Path:
        return self.root / "run/gpuops-jobs" / self.name / "secrets"

    @property
    def keeper(self) -> Systemd | Supervisord:
        return KEEPERS[self.manager]

    def must(self, *command: str) -> str:
        """Run a command and return its output; raises JobError with its words."""
        rc, out, err = self.run(list(command))
        if rc:
            raise JobError(f"{' '.join(command[:3])}: {(err or out).strip()}")
        return out

    def look(self) -> Shown:
        """Return what the host's own program says of the job."""
        out = self.must(*self.want["program"], "show", str(self.folder))
        try:
            found: Shown = json.loads(out)
        except ValueError as error:
            raise JobError(f"{self.want['program'][-1]} says nothing that can be read") from error
        # Programs of before knew of nothing else.
        self.manager = found.get("manager", self.manager)
        self.command = found.get("command", self.command)
        return found


@dataclass(frozen=True)
class Found:
    """A job on its host, and what the host's own program says of it."""

    host: JobHost
    shown: Shown


class HostJob(Resource[Commands, Options, Found, Told]):
    """A job that is started once, stopped with a reason, or removed."""

    def __init__(self, root: Path = Path("/"), now: Callable[[], float] = time.time) -> None:
        """Take the root of the file system, and a clock; tests give others."""
        self.root, self.now = root, now

    def find(self, commands: Commands, want: Options) -> Found:
        host = JobHost(want, commands.run, self.root, self.now)
        return Found(host, host.look())

    def plan(self, found: Found, want: Options) -> Plan:
        steps = {"started": _start, "stopped": _stop, "absent": _remove}
        return Plan(steps=tuple(steps[want["state"]](found.host, found.shown)))

    def result(self, _commands: Commands, found: Found, _plan: Plan, *, applied: bool) -> Told:
        after = found.host.look() if applied else found.shown
        state = judge(after, found.host.want)
        return {
            "state": state.name,
            "next": state.step.value,
            "reason": state.reason,
            "folder": str(found.host.folder),
            "attempt": state.attempt,
            "attempts": after["attempts"],
            "tasks": after["tasks"],
            "gpus": after["gpus"],
        }

    @contextmanager
    def alone(self, want: Options) -> Iterator[None]:
        """Let nobody else start or stop the job meanwhile."""
        lock = self.root / f"run/gpuops-jobs/{want['name']}.lock"
        # Where there is no memory below /run it leads to where there is.
        make(lock.parent.resolve())
        with lock.open("w", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


# -- what there is ---------------------------------------------------------------------------------


def attempts_of(rows: Iterable[AttemptRow]) -> list[Attempt]:
    """Return attempts as types."""
    return [
        Attempt(
            number=row["number"],
            started=row["started"] is not None,
            active=row["active"],
            this_boot=row["this_boot"],
            checkpoint=row["checkpoint"],
            stop=row["stop"],
            exit=_exit(row["exit"]),
        )
        for row in rows
    ]


def _exit(row: Ended | None) -> Exit | None:
    return Exit(row["exit_code"], row["reason"], row["signal"]) if row else None


def used(rows: Iterable[AttemptRow], now: float | None) -> float:
    """Return the seconds that attempts have taken together; without ``now``, none goes on."""
    total = 0.0
    for row in rows:
        if row["started"] is None:
            continue
        goes_on = now if row["active"] else None
        ended = (row["exit"].get("time") if row["exit"] else None) or goes_on or row["last_output"]
        total += max((ended or row["started"]) - row["started"], 0)
    return total


def judge(found: Shown, want: Options, now: float | None = None) -> State:
    """Return where the job stands, as far as its host can tell."""
    rows = found["attempts"]
    left = want["seconds"] - used(rows, time.time() if now is None else now)
    rules = Rules(retries=want["retries"], data=True, left_s=left)
    return state_of(Seen(Cloud.RUNNING, attempts=attempts_of(rows), bought=1), rules)


# -- start -----------------------------------------------------------------------------------------


def _start(host: JobHost, found: Shown) -> list[Step]:
    if found["job"]:
        _refuse_other(found["job"], host.want)
    state = judge(found, host.want, host.now())
    if state.step is not Next.START:
        return []
    rows = found["attempts"]
    if refused := host.keeper.refusal(_wish(host, host.folder, 0)):
        raise JobError(f"job {host.name}: {refused}")
    number = len(rows) + (not rows or rows[-1]["started"] is not None)
    seconds, limit = _time_left(host, rows)

    def start(_commands: Commands) -> None:
        _refuse_unsent(host, found)
        _begin(host, rows, number, seconds, limit)

    return [Step(f"start attempt {number} of {host.name}, for {seconds:.0f} s at most", start)]


def _refuse_unsent(host: JobHost, found: Shown) -> None:
    """Raise JobError where something was not sent, which in check mode nothing is."""
    if not found["sent"]:
        raise JobError(f"{host.folder}/work is not there: send the folder of the job first")
    names = host.want["credential_names"]
    if names and not host.secrets.exists():
        raise JobError(f"the secrets {', '.join(names)} are not on the host: send them first")


def _refuse_other(job: Noted, want: Options) -> None:
    """Raise JobError for a job of this name that is another one, with the difference."""
    other = difference((key, job.get(key), want[key]) for key in _SAME)
    if other:
        raise JobError(
            f"job {want['name']} exists on this host and is another one: {other}. "
            "Give this one another name, or remove that one first"
        )


def _time_left(host: JobHost, rows: list[AttemptRow]) -> tuple[float, str]:
    """Return the seconds that an attempt may take, and what limits them."""
    now = host.now()
    left = float(host.want["seconds"]) - used(rows, now)
    end = read_time(host.want["lease_end"])
    leased = end.timestamp() - host.want["fetch_time"] - now if end else left
    if leased < left:
        left = leased
        if left < host.want["grace"]:
            raise JobError(f"the lease leaves {left:.0f} s for job {host.name}: extend it first")
        return left, "lease"
    return left, "time_limit"


def _begin(host: JobHost, rows: list[AttemptRow], number: int, seconds: float, limit: str) -> None:
    attempt = host.folder / "attempts" / f"{number:04d}"
    if rows and number > rows[-1]["number"]:
        lost = Lost(checkpoint=rows[-1]["checkpoint"], time=host.now())
        _write(attempt.with_name(f"{number - 1:04d}") / "lost.json", lost)
    make(attempt)
    _let_write(host)
    _write(host.folder / "job.json", _noted(host.want, seconds, limit))
    if not host.secrets.exists():  # the unit wants it, also with nothing in it
        _write(host.secrets, Noted(), 0o600)
    place = host.keeper.place(host.root, host.unit)
    make(place.parent)
    place.write_text(host.keeper.settings(_wish(host, attempt, seconds)), encoding="utf-8")
    host.must(*host.command, "daemon-reload")
    _rc, _out, err = host.run([*host.command, "start", host.unit])
    if not _has_begun(host, attempt):
        raise JobError(f"{host.unit} does not start: {err.strip() or _last_words(attempt)}")


def _noted(want: Options, seconds: float, limit: str) -> Noted:
    """Return what the host is to know of the job, and tells when it is asked for another one."""
    noted = Noted(
        command=want["command"],
        environment_wish=want["environment_wish"],
        image=want["image"],
        env=want["env"],
        credential_names=want["credential_names"],
        folder_hash=want["folder_hash"],
        tasks=want["tasks"],
        environment=want["environment"],
        at_once=want["at_once"],
        podman=want["podman"],
        done_after=want["done_after"],
        seconds=seconds,
        limit=limit,
    )
    if want["nodes"]:
        node = Place(**want["nodes"])
        noted |= {"launch": node.launched(want["command"]), "launch_env": node.environment}
    return noted


def _has_begun(host: JobHost, attempt: Path) -> bool:
    """Tell whether an attempt has begun, once that is certain.

    Until it is noted the next call would start it anew. systemd notes it before its "start"
    returns, supervisord some moments after it.
    """
    limit = time.monotonic() + _BEGINS_WITHIN_S
    while not (attempt / "started.json").exists():
        if host.run([*host.command, "is-active", host.unit])[0]:
            return (attempt / "started.json").exists()
        if time.monotonic() > limit:
            host.must(*host.command, "stop", host.unit)
            raise JobError(f"{host.unit} was stopped: it did not begin in {_BEGINS_WITHIN_S} s")
        time.sleep(_LOOK_AGAIN_S)
    return True


def _last_words(attempt: Path) -> str:
    """Return the last line that what runs the attempt has printed."""
    log = attempt / RUNNER_LOG
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else "it said nothing"


def _let_write(host: JobHost) -> None:
    """Let the job's user own what the program may change, and nothing else."""
    user = pwd.getpwnam(host.want["user"])
    group = grp.getgrgid(user.pw_gid)
    for name in ("work/out", "checkpoints", "tasks", "home"):
        make(host.folder / name)
    for name in ("work", "checkpoints", "tasks", "home"):
        about = (host.folder / name).stat()
        if (about.st_uid, about.st_gid) != (user.pw_uid, group.gr_gid):
            give(host.folder / name, user.pw_uid, group.gr_gid)


def _wish(host: JobHost, attempt: Path, seconds: float) -> Wish:
    """Return what holds for one attempt."""
    want = host.want
    return Wish(
        name=host.name,
        folder=host.folder,
        attempt=attempt,
        user=want["user"],
        command=tuple(want["command"]),
        seconds=seconds,
        grace=want["grace"],
        is_image=bool(want["image"]),
        is_array=bool(want["tasks"]),
        is_node=bool(want["nodes"]),
    )


# -- stop, and remove ------------------------------------------------------------------------------


def _stop(host: JobHost, found: Shown) -> list[Step]:
    if host.want["waiting"]:
        return _cancel_waiting(host, found)
    last = found["attempts"][-1] if found["attempts"] else None
    if not last or not last["active"]:
        return []
    attempt = host.folder / "attempts" / f"{last['number']:04d}"
    reason = host.want["reason"]

    def stop(_commands: Commands) -> None:
        if not last["stop"]:  # before any signal, so that nobody has to guess from one
            _write(attempt / "stop.json", Stopped(reason=reason, time=host.now()))
        host.must(*host.command, "stop", host.unit)

    return [Step(f"stop attempt {last['number']} of {host.name}: {reason}", stop)]


def _cancel_waiting(host: JobHost, found: Shown) -> list[Step]:
    """Let no task begin that has not; those that run go on."""
    waiting = [task for task in found["tasks"] if task["state"] == "waiting"]
    if not waiting:
        return []
    noted = Stopped(reason=host.want["reason"], time=host.now())
    return [
        Step(
            f"cancel the {len(waiting)} tasks of {host.name} that wait",
            lambda _commands: _write(host.folder / "cancelled.json", noted),
        )
    ]


def _remove(host: JobHost, found: Shown) -> list[Step]:
    places = [host.folder, host.keeper.left(host.root, host.unit), host.secrets.parent]
    there = [place for place in places if place.exists()]

    def remove(_commands: Commands) -> None:
        for place in there:
            _clear(place)
        host.must(*host.command, "daemon-reload")
        host.run([*host.command, "reset-failed", host.unit])

    steps = _stop(host, found)
    return [*steps, Step(f"remove {host.folder}", remove)] if there else steps


def _clear(place: Path) -> None:
    """Remove a folder with all in it, without following a link out of it; or a file."""
    if place.is_file():
        place.unlink()
        return
    for folder, names, files in os.walk(place, topdown=False):
        for name in (*names, *files):
            path = Path(folder, name)
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
    place.rmdir()


def _write(path: Path, value: Noted | Stopped | Lost, mode: int = 0o644) -> None:
    """Put a whole file in place; nobody else ever sees what is for its owner alone."""
    make(path.parent)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        os.fchmod(opened, mode)
        file.write(json.dumps(value) + "\n")
        file.flush()
        os.fsync(opened)
    fresh.replace(path)
