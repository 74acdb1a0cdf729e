# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job is: what its file may say, what is refused, and what makes it another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs import (
    job_file,
    record,
    spec,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.environments import (
    Environment,
    environment_of,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.folder import read_folder
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.state import Cloud, Step

FILE = {
    "name": "tiny-sft",
    "command": ["python", "train.py", "--epochs", 3],
    "gpu": {"tier": "h100_or_less"},
    "limits": {"time": "6h", "cost": 12, "grace": "30s"},
    "env": {"WANDB_MODE": "offline", "DEBUG": True},
    "secrets": ["HF_TOKEN"],
    "data": {"volume_gb": 200},
    "outputs": {"fetch": ["out/**"], "to": "home"},
}


def test_a_file_gives_variables_of_the_playbook_and_the_rest_of_the_job() -> None:
    short = spec.flatten(FILE, "train.job.yml")
    assert short == {
        "tier": "h100_or_less",
        "job_name": "tiny-sft",
        "time": "6h",
        "cost": 12,
        "data_volume_gb": 200,
        "results": "home",
    }
    job = spec.job_of(short, FILE, "/work", ["/work/train.job.yml"])
    assert job.command == ("python", "train.py", "--epochs", "3")
    assert (job.time_s, job.grace_s, job.cost) == (21600, 30, 12)
    assert job.env == {"WANDB_MODE": "offline", "DEBUG": "true"}
    assert (job.folder, job.results) == ("/work", "/work/home")
    assert job.leave_out == ("/work/home", "/work/train.job.yml")


@pytest.mark.parametrize(
    ("run", "command", "name"),
    [
        ("python train.py --lr 1e-4", ("python", "train.py", "--lr", "1e-4"), "train"),
        ("./Run_All.sh", ("./Run_All.sh",), "run-all"),
        ("nvidia-smi", ("nvidia-smi",), "nvidia-smi"),
        ("a.py | tee x", ("bash", "-euo", "pipefail", "-c", "a.py | tee x"), "job"),
        ("X=1 python a.py", ("bash", "-euo", "pipefail", "-c", "X=1 python a.py"), "job"),
    ],
)
def test_a_line_is_run_by_a_shell_only_where_it_needs_one(
    run: str, command: tuple[str, ...], name: str
) -> None:
    job = spec.job_of({"run": run}, {}, "/work")
    assert job.command == command
    assert job.name == name or name == "job"


WRONG: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, "no command is given"),
    ({"run": "x"}, {"command": "y"}, "are both given"),
    ({"run": "x 'y"}, {}, "No closing quotation"),
    ({"run": "x", "job_name": "A b"}, {}, "(got 'A b')"),
    ({"run": "x", "time": "30s"}, {}, "at least a minute"),
    ({"run": "x", "time": "soon"}, {}, "is not a duration"),
    ({"run": "x", "market": "spot"}, {}, "without a data volume"),
    ({"run": "x", "market": "spot_first", "data_volume_gb": 1}, {}, "needs a limit of its cost"),
    ({"run": "x"}, {"env": {"A": 1}, "secrets": ["A"]}, "in env and in secrets"),
    ({"run": "x"}, {"env": {"GPUOPS_JOB": 1}}, "may set"),
    ({"run": "x"}, {"outputs": {"fetch": ["../x"]}}, "leads out of the folder"),
    ({"run": "x"}, {"retries": {"eviction": -1}}, "is no number"),
    ({"run": "x"}, {"image": "pytorch"}, "is no full name of an image"),
    ({"run": "x"}, {"image": "a.b/c:1", "environment": "auto"}, "image and environment are both"),
    ({"run": "x"}, {"nodes": 0}, "nodes 0 is not usable"),
    ({"run": "x", "market": "spot"}, {"nodes": 2}, "an eviction of one would end all"),
]


@pytest.mark.parametrize(("given", "written", "words"), WRONG, ids=[row[2] for row in WRONG])
def test_what_could_not_end_well_is_refused(
    given: dict[str, Any], written: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidError, match=words):
        spec.job_of(given, written, "/work")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (["x"], "is not a dictionary of a job"),
        ({"comand": "x"}, "Did you mean command"),
        ({"limits": {"tim": "2h"}}, "Did you mean limits.time"),
        ({"gpu": {"teir": "a100"}}, "Did you mean gpu.tier"),
        ({"limits": "2h"}, "limits is no dictionary"),
    ],
)
def test_a_file_that_is_misspelt_is_refused_with_the_nearest(found: Any, words: str) -> None:
    with pytest.raises(InvalidError, match=words):
        spec.flatten(found, "train.job.yml")


BASE = {"gpu": {"tier": "h100_or_less", "market": "spot"}, "env": {"A": 1}, "secrets": ["T"]}
CHILD = {"extends": "lib/base.job.yml", "gpu": {"market": "on_demand"}, "secrets": None}


def files_of(folder: Path, **texts: Any) -> Path:
    """Write job files; returns the path of the one that is called job."""
    for name, found in texts.items():
        path = folder / f"{name.replace('_', '/')}.job.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(found), encoding="utf-8")
    return folder / "job.job.yml"


def load(path: str) -> Any:
    """Return what a file holds."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def test_a_file_says_what_differs_from_another(tmp_path: Path) -> None:
    root = {"command": ["x"], "gpu": {"gpu_count": 2}, "array": {"range": "0-9", "at_once": 2}}
    path = files_of(
        tmp_path,
        job={**CHILD, "array": {"values": [{"a": 1}]}},
        lib_base={**BASE, "extends": "root.job.yml"},
        lib_root=root,
    )
    found, files = job_file.read_job(path, load)
    assert found == {
        "command": ["x"],
        "gpu": {"tier": "h100_or_less", "market": "on_demand", "gpu_count": 2},
        "env": {"A": 1},
        "secrets": None,
        "array": {"values": [{"a": 1}]},
    }
    assert files == tuple(
        str(tmp_path / name) for name in ("job.job.yml", "lib/base.job.yml", "lib/root.job.yml")
    )
    job = spec.job_of(spec.flatten(found, files[0]), found, str(tmp_path), files)
    assert set(files) < set(job.leave_out)
    assert job.secrets == ()


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({}, "job .*job.job.yml is not there"),
        ({"job": CHILD}, "job.job.yml extends .*base.job.yml, which is not there"),
        ({"job": CHILD, "lib_base": {"extends": "../job.job.yml"}}, "which extends it"),
        ({"job": {"extends": ["a"]}}, "extends is no path"),
    ],
)
def test_a_file_that_cannot_be_extended_is_told(
    tmp_path: Path, texts: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidError, match=words):
        job_file.read_job(files_of(tmp_path, **texts), load)


# -- environments ----------------------------------------------------------------------------------

SCRIPT = '# /// script\n# dependencies = ["numpy"]\n# ///\nprint(1)\n'
FOLDERS = {
    "script": ({"train.py": SCRIPT, "uv.lock": "x"}, "train.py"),
    "lock": ({"train.py": "x", "uv.lock": "x", "requirements.txt": "y"}, "uv.lock"),
    "requirements": ({"train.py": "x", "requirements.txt": "y"}, "requirements.txt"),
    "none": ({"train.py": "x"}, ""),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_says_which_environment_it_wants(tmp_path: Path, kind: str) -> None:
    files, source = FOLDERS[kind]
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    rows = read_folder(tmp_path, 1).entries
    command = ("python", "./train.py")
    found = environment_of("auto", "job", command, tmp_path, rows)
    assert (found.kind, found.source) == (kind, source)
    assert environment_of("none", "job", command, tmp_path, rows).kind == "none"
    assert environment_of("/opt/env", "job", command, tmp_path, rows) == Environment(
        "path", "/opt/env"
    )


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("numpy==2.3.5 \\\n    --hash=sha256:aa\n", True),
        ("--extra-index-url https://download.pytorch.org/whl/cpu\ntorch\n", True),
        ("-r other.txt\n", False),
        ("-e .\n", False),
        ("./tools\n", False),
        ("tiny @ file:///opt/tiny.whl\n", False),
    ],
)
def test_what_leads_to_files_of_a_folder_is_shared_by_no_other_job(
    tmp_path: Path, text: str, shared: bool
) -> None:
    (tmp_path / "requirements.txt").write_text(text, encoding="utf-8")
    rows = read_folder(tmp_path, 1).entries
    one, other = (environment_of("auto", name, ["x"], tmp_path, rows).key for name in "ab")
    assert (one == other) is shared


# -- what is remembered ----------------------------------------------------------------------------


def remembered(home: Path, **changes: Any) -> dict[str, Any]:
    """Remember a job, and return it with changes."""
    job = {"name": "a", "command": ["x"], "environment": "auto", "env": {}, "secrets": []}
    job |= {"results": str(home / "results"), "time_s": 3600, "cost": None}
    record.write_record(home, record.Record(job, "content", bought=1))
    return {**job, **changes}


def test_a_job_is_found_again_and_its_limits_may_change(tmp_path: Path) -> None:
    job = remembered(tmp_path, time_s=7200)
    found, result = record.begin(tmp_path, job, "content", again=False)
    assert (found.bought, found.job["time_s"], result) == (1, 7200, None)
    assert record.path_of(tmp_path, "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("now", [1000.0 - 86400, 1600.0, 1000.0 + 86400])
def test_the_clock_of_a_controller_ends_no_job_that_was_evicted(now: float) -> None:
    row = {"number": 1, "started": 1000.0, "this_boot": True, "active": True, "stop": ""}
    row |= {"checkpoint": False, "size": 0, "last_output": 1600.0, "exit": None}
    job = {"time_s": 3600, "evictions": 5, "data_volume_gb": 1}
    kept = record.Record(job, "content", bought=1, attempts=[row])
    found = record.judge(kept, None, Cloud.NONE, now)
    assert (found.name, found.step) == ("evicted", Step.BUY)
    assert kept.seconds_left(None) == 3000


def test_of_several_nodes_none_may_be_missing() -> None:
    rows = [{"status": "running"}, {"status": "provisioning"}]
    assert record.cloud_of(rows, 2) is Cloud.ORDERED
    assert record.cloud_of(rows[:1], 2) is Cloud.NONE
    assert record.cloud_of([rows[0], rows[0]], 2) is Cloud.RUNNING


@pytest.mark.parametrize(
    ("changes", "content", "words"),
    [
        ({"command": ["y"]}, "content", r'command \["x"\] there, \["y"\] wanted'),
        ({}, "other", 'content "content" there, "other" wanted'),
    ],
)
def test_another_job_of_the_name_is_refused_with_the_difference(
    tmp_path: Path, changes: dict[str, Any], content: str, words: str
) -> None:
    job = remembered(tmp_path, **changes)
    with pytest.raises(ConflictError, match=words):
        record.begin(tmp_path, job, content, again=False)
    assert record.begin(tmp_path, job, content, again=True)[0].bought == 0


def test_a_job_that_nobody_knows_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    remembered(tmp_path)
    with pytest.raises(NotFoundError) as found:
        record.known(tmp_path, "b")
    assert "It knows a." in str(found.value)


@pytest.mark.parametrize(
    ("price", "money", "minutes"),
    [(2.0, None, 150), (0.0, 5.0, 150), (2.0, 10.0, 150), (2.0, 4.0, 120)],
)
def test_a_lease_is_cut_to_the_money(price: float, money: float | None, minutes: int) -> None:
    assert record.cut_lease(record.lease_minutes(7200), price, money) == minutes


def test_a_lease_that_leaves_the_program_no_time_is_not_bought() -> None:
    with pytest.raises(InvalidError, match=r"1.00 of the job's limit of cost are left"):
        record.cut_lease(record.lease_minutes(7200), 2.0, 1.0)
