# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job from a folder to its results, on hosts with systemd; what a controller survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from whole_path import HF_TOKEN, ROOT, Cloud

PATIENCE = 240.0
TRAIN = """\
import os, pathlib, subprocess, sys
print("token of", len(os.environ["HF_TOKEN"]), "characters", flush=True)
unit = subprocess.run(["systemctl", "show", "gpuops-job@train"], capture_output=True, text=True)
print("seen in the unit:", os.environ["HF_TOKEN"] in unit.stdout)
for step in range(3):
    sys.stdout.write(f"\\rstep {step}")
print()
out = pathlib.Path(os.environ["GPUOPS_OUTPUT_DIR"])
(out / "model.txt").write_text("weights")
# It outlives its parent, unless somebody looks after it.
subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 3600"])
sys.exit(3)
"""
# Goes on from its checkpoint, and waits to be let go.
LONG = """\
import os, pathlib, time
place = pathlib.Path(os.environ["GPUOPS_CHECKPOINT_DIR"], "step")
step = int(place.read_text()) if place.exists() else 0
print("resume", os.environ["GPUOPS_RESUME"], "from", step, flush=True)
while step < int(os.environ["STEPS"]):
    step += 1
    place.with_suffix(".tmp").write_text(str(step))
    place.with_suffix(".tmp").replace(place)
    print("step", step, flush=True)
    time.sleep(0.5)
pathlib.Path("out/steps").write_text(str(step))
"""
# The same, whose first attempt comes to no end, however long a crowded machine takes to evict it.
HELD = LONG.replace(
    "    time.sleep(0.5)\n",
    "    time.sleep(0.5)\n    while step == 8 and os.environ['GPUOPS_RESUME'] == '0':\n"
    "        time.sleep(0.5)\n",
)


@dataclass
class Project:
    """A folder with a program and a job file, and the runs of playbooks in it."""

    cloud: Cloud
    folder: Path

    def write(self, name: str, program: str, **job: Any) -> None:
        """Write a program and its job file."""
        (self.folder / f"{name}.py").write_text(program, encoding="utf-8")
        wish = {"name": name, "command": ["python", f"{name}.py"], "gpu": {"tier": "h100_or_less"}}
        text = yaml.safe_dump({**wish, "limits": {"time": "1h", "cost": 9, "grace": "5s"}, **job})
        (self.folder / f"{name}.job.yml").write_text(text, encoding="utf-8")

    def command(self, book: str, *words: str) -> list[str]:
        """Return the command of a playbook. There is no GPU behind the simulated cloud."""
        given = {"gpuops_home": str(self.cloud.home), "cuda_required": False}
        return [
            "ansible-playbook",
            str(ROOT / f"playbooks/{book}.yml"),
            "-e",
            json.dumps(given),
            *words,
        ]

    @property
    def environment(self) -> dict[str, str]:
        return {**self.cloud.environment, "HF_TOKEN": HF_TOKEN, "PWD": str(self.folder)}

    def play(self, book: str, *words: str) -> tuple[int, str]:
        """Run a playbook; returns its status and output."""
        done = subprocess.run(
            self.command(book, *words),
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        print(done.stdout[-8000:])
        return done.returncode, done.stdout

    def result(self, name: str) -> dict[str, Any]:
        """Return the result of a job that is home."""
        path = self.folder / f"results/{name}/result.json"
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def output(self, name: str, attempt: int = 1, node: str = "") -> str:
        """Return what of an attempt's output is home."""
        path = self.folder / f"results/{name}/output-{attempt:04d}{node}.log"
        return path.read_bytes().decode() if path.exists() else ""

    def living(self) -> list[str]:
        """Return the instances that exist."""
        rows = self.cloud.state()["instances"]
        return [row["id"] for row in rows if row["status"] not in ("discontinued", "deleted")]

    def orders(self) -> int:
        """Return how many orders of instances were accepted."""
        log = self.cloud.call("GET", "/_sim/log")
        made = [r for r in log if (r["method"], r["path"]) == ("POST", "/v1/instances")]
        return len([r for r in made if r["status"] < 300])


@pytest.fixture
def project(cloud: Cloud, tmp_path: Path) -> Project:
    """Provide a project of its own."""
    return Project(cloud, tmp_path)


def wait_until(met: Callable[[], Any]) -> None:
    """Return when it is so."""
    limit = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < limit, "it does not come"
        time.sleep(0.2)


def test_a_job_that_fails_comes_home_with_all_it_made_and_nothing_goes_on(project: Project) -> None:
    project.write("train", TRAIN, secrets=["HF_TOKEN"])
    status, said = project.play("job", "-e", "job=train.job.yml", "-vv")
    assert status == 2
    found = project.result("train")
    assert (found["exit_code"], found["reason"], found["state"]) == (3, "exit_code", "failed")
    expected = f"token of {len(HF_TOKEN)} characters\nseen in the unit: False\n"
    assert project.output("train") == expected + "\rstep 0\rstep 1\rstep 2\n"
    assert (project.folder / "results/train/out/model.txt").read_text() == "weights"
    assert "leftovers: none" in said
    assert found["cost"] > 0
    assert HF_TOKEN not in said
    assert project.living() == []
    orders = project.orders()
    status, said = project.play("job", "-e", "job=train.job.yml")
    assert status == 2
    assert "again=true starts it again" in said
    assert project.orders() == orders


def test_a_killed_controller_costs_no_second_instance_and_no_byte(project: Project) -> None:
    project.write("long", LONG, env={"STEPS": 60})
    orders = project.orders()
    with subprocess.Popen(
        project.command("job", "-e", "job=long.job.yml"),
        cwd=project.folder, env=project.environment, stdin=subprocess.DEVNULL,
        start_new_session=True,
    ) as first:  # fmt: skip
        wait_until(lambda: "step 2" in project.output("long"))
        os.killpg(first.pid, signal.SIGKILL)
    status, _said = project.play("job", "-e", "job=long.job.yml")
    assert status == 0
    steps = "".join(f"step {n}\n" for n in range(1, 61))
    assert project.output("long") == f"resume 0 from 0\n{steps}"
    assert (project.folder / "results/long/out/steps").read_text() == "60"
    assert project.orders() == orders + 1
    assert project.living() == []


def test_an_evicted_job_goes_on_from_its_checkpoint(project: Project) -> None:
    project.write(
        "spot",
        HELD,
        env={"STEPS": 40},
        data={"volume_gb": 1},
        gpu={"tier": "h100_or_less", "market": "spot"},
    )
    status, _said = project.play("job", "-e", "job=spot.job.yml", "-e", "follow=false")
    assert status == 0
    time.sleep(4)
    (instance,) = project.living()
    project.cloud.call("POST", f"/_sim/instances/{instance}/evict", {})
    status, said = project.play("job", "-e", "job=spot.job.yml")
    assert status == 0
    assert [row["number"] for row in project.result("spot")["attempts"]] == [1, 2]
    assert project.output("spot", 2).startswith("resume 1 from ")
    assert (project.folder / "results/spot/out/steps").read_text() == "40"
    assert "leftovers: none" in said
    assert project.living() == []


def test_a_cancelled_job_is_stopped_and_ended(project: Project) -> None:
    project.write("wait", LONG, env={"STEPS": 100000})
    assert project.play("job", "-e", "job=wait.job.yml", "-e", "follow=false")[0] == 0
    status, said = project.play("job_status", "-e", "job_name=wait")
    assert status == 0
    assert "wait is running" in said
    assert project.play("job_cancel", "-e", "job_name=wait")[0] == 0
    found = project.result("wait")
    assert (found["exit_code"], found["reason"], found["state"]) == (130, "cancelled", "cancelled")
    assert project.living() == []
    status, said = project.play("job_logs", "-e", "job_name=wait")
    assert "step 1" in said


def test_results_that_cannot_come_are_retained_and_fetched_by_the_next_run(
    project: Project,
) -> None:
    words = "import pathlib; pathlib.Path('out/model').write_text('x' * 5000)\n"
    limits = {"time": "1h", "cost": 9, "fetch_grace": "20s"}
    more: dict[str, Any] = {"limits": limits, "data": {"volume_gb": 1}}
    project.write("large", words, **more, outputs={"max_gb": 1e-6})
    orders = project.orders()
    status, said = project.play("job", "-e", "job=large.job.yml")
    assert status == 2
    for text in (
        "it is tried for 0.3 minutes",
        "NOT HOME",
        "per day; they lie in jobs/large/work on it",
        "fetch     ansible-playbook gpuops.cloud.job -e job=",
        "may be fetched",
    ):
        assert text in said, text
    assert project.living() == []
    assert project.result("large")["home"] is False
    project.write("large", words, **more)
    status, said = project.play("job", "-e", "job=large.job.yml")
    assert status == 0
    assert (project.folder / "results/large/out/model").read_text() == "x" * 5000
    assert "leftovers: none" in said
    assert (project.orders(), project.living()) == (orders + 2, [])
