# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to jobs on real hosts: a full disk, much output, a host without a login."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
from test_job import LONG, Project, project, wait_until
from whole_path import HF_TOKEN

__all__ = ["project"]
LINE = "x" * 59_999 + "\n"
LINES = 3500
# 210 MB; then a checkpoint that the disk does not hold.
GREEDY = f"""\
import os, pathlib, sys
for _number in range({LINES}):
    sys.stdout.write("x" * 59_999 + "\\n")
print(os.environ["HF_TOKEN"], flush=True)
pathlib.Path("out/kept").write_text("what there was")
place = pathlib.Path(os.environ["GPUOPS_CHECKPOINT_DIR"], "state.tmp")
with place.open("wb") as file:
    while True:
        file.write(bytes(1 << 20))
"""


def test_a_full_disk_is_an_end_like_any_other(project: Project) -> None:
    more = {"data": {"volume_gb": 1}, "secrets": ["HF_TOKEN"], "outputs": {"max_gb": 2}}
    project.write("greedy", GREEDY, **more)
    status, said = project.play("job", "-e", "job=greedy.job.yml")
    found = project.result("greedy")
    assert (status, found["reason"], found["exit_code"]) == (2, "exit_code", 1)
    output = (project.folder / "results/greedy/output-0001.log").read_bytes()
    head = output[: len(LINE) * LINES]
    assert hashlib.sha256(head).digest() == hashlib.sha256((LINE * LINES).encode()).digest()
    assert output[len(head) :].startswith(f"{HF_TOKEN}\n".encode()), "the file has every byte"
    assert HF_TOKEN not in said
    assert (project.folder / "results/greedy/out/kept").read_text() == "what there was"
    assert project.living() == []


@pytest.fixture
def patient() -> tuple[str, ...]:
    """Return a job's patience with a host that is out of reach: seconds instead of minutes."""
    return ("-e", "_job_look_every=10", "-e", "_job_patience_minutes=1")


def on_host(project: Project, command: str) -> None:
    """Run a command on the only host, past its server of SSH."""
    (instance,) = project.living()
    label = f"label=gpuops.simulator.instance={instance}"
    words = ["podman", "ps", "--quiet", "--filter", label]
    name = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["podman", "exec", name, "sh", "-c", command], check=True)


def test_a_host_without_a_login_is_not_replaced(project: Project, patient: tuple[str, ...]) -> None:
    project.write("alone", LONG, env={"STEPS": 150})
    orders = project.orders()
    with subprocess.Popen(
        project.command("job", "-e", "job=alone.job.yml", *patient),
        cwd=project.folder, env=project.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as first:  # fmt: skip
        wait_until(lambda: "step 2" in project.output("alone"))
        on_host(project, "systemctl stop ssh; for one in $(pidof sshd); do kill $one; done")
        said, _nothing = first.communicate()
    print(said[-4000:])
    assert first.returncode in (2, 4)
    assert len(project.living()) == 1
    assert project.orders() == orders + 1
    on_host(project, "systemctl start ssh")
    status, said = project.play("job", "-e", "job=alone.job.yml")
    assert status == 0
    steps = "".join(f"step {n}\n" for n in range(1, 151))
    assert project.output("alone") == f"resume 0 from 0\n{steps}"
    assert (project.orders(), project.living()) == (orders + 1, [])
