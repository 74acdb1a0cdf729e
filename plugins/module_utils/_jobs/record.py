# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller remembers of a job, and what that and the cloud mean together (private).

The record saves questions; it decides nothing that cloud and host do not confirm.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypedDict, cast

from .._core.data import Data
from .._core.errors import ConflictError, InvalidError, NotFoundError
from .._core.private_files import open_private, private_folder
from .._models.ownership import deployment_of_job
from .._models.status import BUILDING, FAILED, OVER
from .._providers.names import state_of as state_by_status
from .difference import difference
from .host import attempts_of, used
from .rows import AttemptRow, Parameters
from .state import Cloud, Exit, Rules, Seen, State, state_of

# Making the host ready, and bringing results home.
SETUP_S, FETCH_S = 1200, 600
# With less than that for the program a purchase is not worth it.
LEAST_S = 600
_SAME = ("command", "environment", "image", "nodes", "env", "secrets", "tasks")
# What records of before do not have.
_BEFORE = {"nodes": 1}
_AGAIN = "again=true forgets what is there and begins anew; another job_name keeps both."


class _JobRow(TypedDict):
    name: str
    command: list[str]
    folder: str
    leave_out: list[str]
    results: str
    environment: str
    env: dict[str, str]
    secrets: list[str]
    fetch: list[str]
    max_mb: int
    max_gb: float
    time_s: int
    grace_s: int
    fetch_grace_s: int
    cost: float | None
    data_volume_gb: int
    evictions: int


class JobRow(_JobRow, total=False):
    """A job as records and results keep it; those of before have no image, nodes or tasks."""

    image: str
    nodes: int
    tasks: list[Parameters]
    at_once: int
    file: str


class _ResultRow(TypedDict):
    exit_code: int
    reason: str
    signal: str


class ResultRow(_ResultRow, total=False):
    """How a job has ended: ``home`` tells that all of it is here, ``closed`` that its instance has ended."""

    same: dict[str, Data]
    home: bool
    closed: bool
    cost: float | None


class InstanceFacts(TypedDict):
    """What is used of an instance as results show it."""

    name: str
    status: str
    ip: str | None
    deployment: str | None
    cost_per_hour_now: float | None


class ListedRow(TypedDict):
    """A job as a list shows it, with what it costs per hour now."""

    name: str
    state: str
    reason: str
    attempts: int
    exit_code: int | None
    cost: float | None
    price_per_hour: float
    results: str


@dataclass(frozen=True)
class Record:
    """A job as it was asked for, what its folder held, and its attempts as a host showed them.

    ``own`` says that this controller has bought its instance, and not another one.
    """

    job: JobRow
    content: str
    bought: int = 0
    attempts: list[AttemptRow] = field(default_factory=list)
    instance: str = ""
    own: bool = False

    @property
    def same(self) -> dict[str, Data]:
        """What two runs of the same job have in common; limits may change between them."""
        job = cast("dict[str, Data]", {**_BEFORE, **self.job})
        return {**{key: job.get(key) for key in _SAME}, "content": self.content}

    def seconds_left(self, now: float | None) -> float:
        """Return what is left of the job's limit of time; without ``now``, nothing of it runs."""
        return float(self.job["time_s"]) - used(self.attempts, now)


def path_of(home: Path, name: str) -> Path:
    """Return where the record of a job is."""
    return home / "jobs" / f"{name}.json"


def read_record(home: Path, name: str) -> Record | None:
    """Return what is known of a job. Raises InvalidError for a record that cannot be read."""
    path = path_of(home, name)
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise InvalidError(f"{path} cannot be read: {error}", hint="Remove it.") from error


def write_record(home: Path, record: Record) -> None:
    """Keep what is known."""
    path = path_of(home, record.job["name"])
    private_folder(path.parent)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with open_private(fresh, "a") as file:
        file.write(json.dumps(asdict(record), indent=1) + "\n")
    fresh.replace(path)


def read_result(folder: str) -> ResultRow | None:
    """Return the result of a job that is home; none where there is no whole one, or not all of it."""
    try:
        found = json.loads(Path(folder, "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(found, dict) and "exit_code" in found
    return cast(ResultRow, found) if whole and found.get("home", True) else None


def output_file(folder: str, attempt: int) -> Path:
    """Return where the output of an attempt comes home to."""
    return Path(folder, f"output-{attempt:04d}.log")


def task_file(folder: str, number: int) -> Path:
    """Return where the output of a task of an array comes home to."""
    return Path(folder, "tasks", f"{number:04d}", "output.log")


def output_at_home(folder: str) -> dict[str, int]:
    """Return how many bytes of output are home, by the number of the attempt."""
    paths = sorted(Path(folder).glob("output-[0-9]*.log"))
    return {str(int(path.stem.rpartition("-")[2])): path.stat().st_size for path in paths}


def forget_result(folder: str) -> None:
    """Remove result and output of an earlier job of the same name; what else came home stays."""
    for path in (Path(folder, "result.json"), *Path(folder).glob("output-[0-9]*.*")):
        path.unlink(missing_ok=True)


def known(home: Path, name: str) -> Record:
    """Return the record of a job. Raises NotFoundError, with the names of those that there are."""
    record = read_record(home, name)
    if record is None:
        names = sorted(path.stem for path in (home / "jobs").glob("*.json"))
        raise NotFoundError(
            f"this controller knows no job {name}",
            hint=f"It knows {', '.join(names)}." if names else "It knows none at all.",
        )
    return record


def all_known(home: Path) -> list[Record]:
    """Return the records of all jobs that this controller knows, by their names."""
    names = sorted(path.stem for path in (home / "jobs").glob("*.json"))
    return [record for name in names if (record := read_record(home, name))]


def begin(home: Path, job: JobRow, content: str, *, again: bool) -> tuple[Record, ResultRow | None]:
    """Return the record and the result of a job. Raises ConflictError for another of its name."""
    fresh = Record(job.copy(), content)
    if again:
        return fresh, None
    name, results = str(job["name"]), str(job["results"])
    earlier, result = read_record(home, name), read_result(results)
    if earlier:
        _refuse_other(name, earlier.same, fresh.same, "is known here")
        return replace(earlier, job=fresh.job), result
    if result:
        _refuse_other(name, result.get("same") or {}, fresh.same, f"has results in {results}")
    return fresh, result


def _refuse_other(name: str, there: dict[str, Data], wanted: dict[str, Data], where: str) -> None:
    before: dict[str, Data] = {**_BEFORE, **there}
    other = difference((name, before.get(name), wanted[name]) for name in wanted)
    if other:
        raise ConflictError(f"job {name} {where} and is another one: {other}", hint=_AGAIN)


# -- judged ----------------------------------------------------------------------------------------


def host_of(instances: Sequence[InstanceFacts]) -> str:
    """Return the name of the instance of a job, nothing where it has none that can be reached."""
    names = [row["name"] for row in instances if row["status"] == "running" and row.get("ip")]
    return str(min(names)) if names else ""


def cloud_of(instances: Sequence[InstanceFacts], nodes: int = 1) -> Cloud:
    """Return what the cloud says of the instances of a job, of which none may be missing."""
    states = [state_by_status(row["status"]) for row in instances]
    living = [state for state in states if state not in {FAILED, *OVER}]
    if len(living) < nodes:
        return Cloud.NONE
    return Cloud.ORDERED if BUILDING in living else Cloud.RUNNING


def judge(
    record: Record, result: ResultRow | None, cloud: Cloud, now: float, *, reachable: bool = True
) -> State:
    """Return where a job stands, by the cloud, the record, and what is home."""
    job = record.job
    home = Exit(result["exit_code"], result["reason"], result["signal"]) if result else None
    # A run that was killed while it terminated the instance has left a result that is not closed.
    closed = bool(result.get("closed", True)) if result else True
    seen = Seen(cloud, reachable, attempts_of(record.attempts), record.bought, home, closed)
    left = record.seconds_left(None if cloud is Cloud.NONE else now)
    # What several nodes have lost together is not begun again by itself.
    data = bool(job["data_volume_gb"]) and job.get("nodes", 1) == 1
    rules = Rules(job["evictions"], data, left)
    return state_of(seen, rules)


def listed(
    records: Sequence[Record], instances: Sequence[InstanceFacts], now: float
) -> list[ListedRow]:
    """Return jobs as a list shows them, as far as the cloud and what was last seen tell."""
    rows: list[ListedRow] = []
    for record in records:
        name, result = str(record.job["name"]), read_result(str(record.job["results"]))
        there = [row for row in instances if row["deployment"] == deployment_of_job(name)]
        state = judge(record, result, cloud_of(there), now)
        rows.append(
            {
                "name": name,
                "state": state.name,
                "reason": state.reason,
                "attempts": len(record.attempts),
                "exit_code": result["exit_code"] if result else None,
                "cost": result.get("cost") if result else None,
                "price_per_hour": sum(row["cost_per_hour_now"] or 0 for row in there),
                "results": record.job["results"],
            }
        )
    return rows


def lease_minutes(seconds_left: float) -> int:
    """Return the lease of an instance that has so much time left for the program."""
    return int((seconds_left + SETUP_S + FETCH_S + 59) // 60)


def cut_lease(minutes: int, price_per_hour: float, money: float | None) -> int:
    """Return a lease that costs no more than there is. Raises InvalidError where that is too short."""
    if money is None or price_per_hour <= 0:
        return minutes
    most = min(minutes, int(money / price_per_hour * 60))
    if most * 60 < SETUP_S + FETCH_S + LEAST_S and most < minutes:
        raise InvalidError(
            f"{max(money, 0):.2f} of the job's limit of cost are left, which is {max(most, 0)} minutes at "
            f"{price_per_hour:g} per hour, and setting up and fetching take up to "
            f"{(SETUP_S + FETCH_S) // 60} of them",
            hint="Raise cost, or lower max_price_per_hour.",
        )
    return most
