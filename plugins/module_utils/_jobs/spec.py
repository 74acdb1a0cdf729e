# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job is: its file, or a command line, as one checked description (private, pure)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypedDict, cast

from .._core.argspecs import SELECTION_SPEC
from .._core.data import Data
from .._core.errors import InvalidError
from .._core.nearest import nearest
from .._core.times import read_duration
from .array import KEYS, ArrayOptions, Task, at_once_of, tasks_of, without_places

# The parts of a job file that are variables of the playbook, and under which name.
SHORT = {
    ("name",): "job_name",
    ("array",): "array",
    ("limits", "time"): "time",
    ("limits", "cost"): "cost",
    ("data", "volume_gb"): "data_volume_gb",
    ("outputs", "to"): "results",
}
_KEYS: dict[str, tuple[str, ...]] = {
    "name": (),
    "command": (),
    "array": KEYS,
    "gpu": (),
    "limits": ("time", "cost", "grace", "fetch_grace"),
    "inputs": ("path", "max_mb"),
    "environment": (),
    "image": (),
    "nodes": (),
    "env": (),
    "secrets": (),
    "data": ("volume_gb",),
    "outputs": ("fetch", "max_gb", "to"),
    "retries": ("eviction",),
}
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\Z")
# With the registry, so that no host guesses one.
_IMAGE = re.compile(
    r"[a-z0-9.-]+(:\d+)?/[a-z0-9][a-z0-9._/-]*(:[\w][\w.-]*)?(@sha256:[0-9a-f]{64})?\Z"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_TIME, _GRACE, _FETCH_GRACE = "12h", "2m", "30m"
_MAX_MB, _MAX_GB = 200, 10
_RETRIES = 5
_MOST_NODES = 64


class JobOptions(TypedDict, total=False):
    """The variables of a playbook that say what a job is; ``time`` as a duration, ``cost`` as an amount."""

    run: str
    job_name: str
    array: ArrayOptions
    time: str
    cost: float
    data_volume_gb: int
    results: str
    market: str


class JobFile(TypedDict, total=False):
    """What a job file says, of which only the keys were looked at."""

    command: Data
    inputs: dict[str, Data] | None
    outputs: dict[str, Data] | None
    limits: dict[str, Data] | None
    retries: dict[str, Data] | None
    env: dict[str, Data] | None
    environment: Data
    image: Data
    nodes: Data
    secrets: Data


@dataclass(frozen=True)
class Job:
    """A job as it was asked for. ``folder`` is what is sent, ``results`` where results go.

    ``leave_out`` is never sent: results that came home, and job files, whose limits may change.
    """

    name: str
    command: tuple[str, ...]
    folder: str
    leave_out: tuple[str, ...]
    results: str
    environment: str
    image: str
    env: dict[str, str]
    secrets: tuple[str, ...]
    fetch: tuple[str, ...]
    max_mb: int
    max_gb: float
    time_s: int
    grace_s: int
    fetch_grace_s: int
    cost: float | None
    data_volume_gb: int
    evictions: int
    nodes: int
    tasks: tuple[Task, ...] = ()
    at_once: int = 0


def flatten(found: Data, path: str) -> dict[str, Data]:
    """Return the variables of the playbook that a job file gives. Raises InvalidError."""
    gpu = _at(_keyed(found, path), "gpu") or {}
    chosen = gpu if isinstance(gpu, Mapping) else {}
    for name in chosen:
        if name not in SELECTION_SPEC:
            raise _unknown(path, f"gpu.{name}", [f"gpu.{one}" for one in SELECTION_SPEC])
    short = {name: _at(found, *keys) for keys, name in SHORT.items()}
    return {**chosen, **{name: value for name, value in short.items() if value is not None}}


def checked_keys(found: Data, path: str) -> JobFile:
    """Return a job file that has no keys but those of a job. Raises InvalidError."""
    return cast(JobFile, _keyed(found, path))


def _at(found: Data, *keys: str) -> Data:
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _keyed(found: Data, path: str) -> dict[str, Data]:
    if not isinstance(found, Mapping):
        raise InvalidError(f"{path} is not a dictionary of a job", hint="docs/jobs.md shows one.")
    for key, value in found.items():
        parts = _KEYS.get(str(key))
        if parts is None:
            raise _unknown(path, str(key), _KEYS)
        has_parts = bool(parts) or key in ("gpu", "env")
        if has_parts and value is not None and not isinstance(value, Mapping):
            raise InvalidError(f"{path}: {key} is no dictionary")
        for part in value if parts and isinstance(value, Mapping) else ():
            if part not in parts:
                raise _unknown(path, f"{key}.{part}", [f"{key}.{one}" for one in parts])
    return {**found}


def _unknown(path: str, key: str, known: Collection[str]) -> InvalidError:
    meant = nearest(key, known)
    hint = f"Did you mean {' or '.join(meant)}?" if meant else f"It knows {', '.join(known)}."
    return InvalidError(f"{path}: {key} is not an option of a job", hint=hint)


def job_of(given: JobOptions, written: JobFile, base: str, files: Sequence[str] = ()) -> Job:
    """Return the job of checked variables and of job files; ``base`` is the folder of either."""
    array: ArrayOptions = given.get("array") or {}
    tasks = tasks_of(array)
    command = _command(given.get("run"), written.get("command"), tasks)
    name = _checked(str(given.get("job_name") or _name_after(command)))
    inputs, outputs = written.get("inputs") or {}, written.get("outputs") or {}
    limits = written.get("limits") or {}
    results = results_of(given, name, base)
    nodes, evictions = _nodes(written)
    job = Job(
        name=name,
        command=command,
        folder=_below(base, str(inputs.get("path") or ".")),
        leave_out=(results, *files),
        results=results,
        environment="none" if written.get("image") else str(written.get("environment") or "auto"),
        image=_image(written),
        env=_environment(written.get("env") or {}),
        secrets=_names(written.get("secrets") or []),
        fetch=_globs(outputs.get("fetch") or ["out/**"]),
        max_mb=int(_number("inputs.max_mb", inputs.get("max_mb"), _MAX_MB)),
        max_gb=_number("outputs.max_gb", outputs.get("max_gb"), _MAX_GB),
        time_s=_seconds("time", given.get("time") or _TIME),
        grace_s=_seconds("limits.grace", limits.get("grace") or _GRACE),
        fetch_grace_s=_seconds("limits.fetch_grace", limits.get("fetch_grace") or _FETCH_GRACE),
        cost=given.get("cost"),
        data_volume_gb=int(given.get("data_volume_gb") or 0),
        evictions=evictions,
        nodes=nodes,
        tasks=tasks,
        at_once=at_once_of(array),
    )
    _check(job, str(given.get("market") or ""))
    return job


def _check(job: Job, market: str) -> None:
    """Raise InvalidError for what would cost money and could not end well."""
    both = set(job.env) & set(job.secrets)
    if both:
        raise InvalidError(f"{', '.join(sorted(both))} is in env and in secrets")
    twice = {*job.env, *job.secrets} & {name for task in job.tasks for name in task.parameters}
    if twice:
        raise InvalidError(f"{', '.join(sorted(twice))} is in array and in env or secrets")
    if job.tasks and (job.image or job.nodes > 1):
        raise InvalidError(
            f"{'image' if job.image else 'nodes'} and array are both given",
            hint="Tasks of an array run on one host, in its environment.",
        )
    if not 1 <= job.nodes <= _MOST_NODES:
        raise InvalidError(f"nodes {job.nodes} is not usable: 1 to {_MOST_NODES}")
    if job.time_s < 60:
        raise InvalidError("time must be at least a minute")
    if market.startswith("spot"):
        _check_spot(job)


def _check_spot(job: Job) -> None:
    if job.nodes > 1:
        raise InvalidError(
            "a job on several nodes is all or nothing, and an eviction of one would end all",
            hint="Give market=on_demand.",
        )
    if not job.data_volume_gb:
        raise InvalidError(
            "a spot instance may be taken away at any time, and without a data volume nothing of "
            "the job would be left",
            hint="Give the job data_volume_gb, or market=on_demand.",
        )
    if job.cost is None:
        raise InvalidError(
            "a job on spot instances may be begun several times, so it needs a limit of its cost",
            hint="Give cost, or limits.cost in the job file.",
        )


def _command(run: str | None, written: Data, tasks: Sequence[Task] = ()) -> tuple[str, ...]:
    """Return the words of a command; what needs a shell is run by one that stops at a failure."""
    if run and written:
        raise InvalidError("run and the command of a job file are both given", hint="Give one.")
    if isinstance(written, list):
        if not written or not all(isinstance(one, str | int | float) for one in written):
            raise InvalidError("command is no list of words")
        return tuple(str(one) for one in written)
    text = str(run or written or "").strip()
    if not text:
        raise InvalidError("no command is given", hint="Give job=FILE, or run='python train.py'.")
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InvalidError(f"command {text!r}: {error}") from None
    plain = without_places(text, tasks) if tasks else text
    if re.search(r"[|&;<>()$`*?\[\]{}~#\n]", plain) or "=" in words[0]:
        return ("bash", "-euo", "pipefail", "-c", text)
    return tuple(words)


def results_of(given: JobOptions, name: str, base: str) -> str:
    """Return the folder that the results of a job go into."""
    return _below(base, str(given.get("results") or f"results/{name}"))


def name_of(given: JobOptions, written: JobFile) -> str:
    """Return the name of a job that exists. Raises InvalidError where nobody gives it."""
    if given.get("job_name"):
        return _checked(str(given["job_name"]))
    if not written:
        raise InvalidError("no job is named", hint="Give job_name=NAME, or job=FILE.")
    return _checked(_name_after(_command(None, written.get("command"))))


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise InvalidError(
            f"job_name must be 1 to 40 lower-case letters, digits and inner hyphens (got {name!r})",
            hint="It becomes a host name and a tag.",
        )
    return name


def _name_after(command: tuple[str, ...]) -> str:
    """Return a name after the program that runs."""
    scripts = [word for word in command if word.endswith((".py", ".sh"))]
    stem = PurePath((scripts or [command[0]])[0]).stem
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40].strip("-") or "job"


def _below(base: str, path: str) -> str:
    return str(PurePath(base) / path)


def _image(written: JobFile) -> str:
    image = str(written.get("image") or "")
    if image and written.get("environment"):
        raise InvalidError(
            "image and environment are both given", hint="A container brings its environment along."
        )
    if image and not _IMAGE.match(image):
        raise InvalidError(
            f"image {image!r} is no full name of an image",
            hint="Such as docker.io/pytorch/pytorch:2.9.1-cuda13.0-cudnn9-runtime.",
        )
    return image


def _nodes(written: JobFile) -> tuple[int, int]:
    """Return how many nodes a job has, and how often an attempt that was lost is repeated."""
    nodes = int(_number("nodes", written.get("nodes"), 1))
    retries = written.get("retries") or {}
    again = int(_number("retries.eviction", retries.get("eviction"), _RETRIES))
    # What several nodes have lost together is not begun again by itself.
    return nodes, again if nodes == 1 else 0


def _environment(found: dict[str, Data]) -> dict[str, str]:
    for name in found:
        if not _VARIABLE.match(str(name)) or str(name).startswith("GPUOPS_"):
            raise InvalidError(f"env: {name} is no name of a variable that a job may set")
    return {str(name): _text(value) for name, value in found.items()}


def _text(value: Data) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _names(found: Data) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(_VARIABLE.match(str(one)) for one in found):
        raise InvalidError(
            "secrets is no list of names of variables",
            hint="Their values come from the environment of the controller.",
        )
    return tuple(str(one) for one in found)


def _globs(found: Data) -> tuple[str, ...]:
    texts = [str(one) for one in found] if isinstance(found, list) else [str(found)]
    for one in texts:
        if one.startswith("/") or ".." in PurePath(one).parts:
            raise InvalidError(f"outputs.fetch: {one} leads out of the folder of the job")
    return tuple(texts)


def _number(name: str, value: Data, default: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise InvalidError(f"{name} {value!r} is no number")
    return value


def _seconds(name: str, value: Data) -> int:
    return int(read_duration(str(value), name).total_seconds())
