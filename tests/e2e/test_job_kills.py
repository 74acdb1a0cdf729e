# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs on real hosts whose controller and instance are killed at random moments.

`GPUOPS_CHAOS_SEED=123 GPUOPS_CHAOS_KILLS=20,10` in the environment plays others: so many kills of
the controller, and so many of the instance.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from random import Random

from job_runs import costs, evict, kept, running
from test_job import Project, project

__all__ = ["project"]
SEED = int(os.environ.get("GPUOPS_CHAOS_SEED", "0"))
KILLS = os.environ.get("GPUOPS_CHAOS_KILLS", "20,10")
LAST, LONGEST_S = 60, 90.0
UNSEEN_H, PRICE = 2 / 60, 0.93
STOCK = {"FIN-01": {"spot": {"1A100.22V": 2}}}
# Two at once would both want the lock, and one would end with its traceback and another status.
PROGRAM = """\
import fcntl, os, pathlib, sys, time
alone = open("alone", "w")
fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
place = pathlib.Path(os.environ["GPUOPS_CHECKPOINT_DIR"], "step")
done = int(place.read_text()) if place.exists() else 0
for step in range(done + 1, int(os.environ["LAST"]) + 1):
    print("attempt", os.environ["GPUOPS_ATTEMPT"], "step", step)
    place.with_suffix(".tmp").write_text(str(step))
    place.with_suffix(".tmp").replace(place)
    time.sleep(0.5)
pathlib.Path("out/last").write_text(place.read_text())
sys.exit(int(os.environ["CODE"]))
"""


def test_whoever_is_killed_each_job_ends_as_if_nobody_was(project: Project) -> None:
    controllers, instances = map(int, KILLS.split(","))
    dice = Random(f"kills {SEED}")
    kills = ["controller"] * controllers + ["instance"] * instances
    dice.shuffle(kills)
    number = 0
    while kills:
        run_to_its_end(project, f"job{number}", number % 2 * 7, kills, dice)
        number += 1


def run_to_its_end(project: Project, name: str, code: int, kills: list[str], dice: Random) -> None:
    """Run the playbook again and again while somebody is killed; look at what it comes to."""
    project.write(
        name, PROGRAM, env={"LAST": LAST, "CODE": code}, data={"volume_gb": 1},
        gpu={"tier": "h100_or_less", "market": "spot"}, retries={"eviction": 99},
    )  # fmt: skip
    ledger = f"sqlite:///{project.folder}/ledger.sqlite3"
    words = ("-e", f"job={name}.job.yml", "-e", f"ledger={ledger}")
    results = project.folder / "results" / name
    killed, evictions = "nobody yet", 0
    while not is_over(results):
        assert killed, "a run that nobody has disturbed ends its job"
        assert len(project.living()) <= 1
        project.cloud.call("PUT", "/_sim/stock", STOCK)  # what was taken away is free again
        with running(project, *words) as process:
            killed = kill(project, process, kills, dice)
            evictions += killed == "instance"
    found = kept(results)
    assert (found["exit_code"], found["closed"]) == (code, True)
    check_output(results)
    assert project.living() == []
    volumes = [
        row["name"] for row in project.cloud.state()["volumes"] if f"job-{name}." in row["name"]
    ]
    assert len(volumes) == int(code != 0), "what a program that failed has made is retained"
    by_ledger, by_cloud = costs(project, ledger, f"job-{name}")
    # When an instance was taken away nobody says: the ledger knows it from the next look.
    assert abs(by_ledger - by_cloud) < 0.01 + evictions * UNSEEN_H * PRICE


def is_over(results: Path) -> bool:
    """Tell whether the job has ended; results on its volume the next run fetches."""
    found = kept(results)
    return bool(found.get("closed") and found.get("home", True))


def kill(project: Project, process: subprocess.Popen[bytes], kills: list[str], dice: Random) -> str:
    """Kill the next one at a random moment, and return who it was.

    One that is not there then is left for another run, and nobody was killed.
    """
    wait = dice.uniform(1, LONGEST_S)
    with suppress(subprocess.TimeoutExpired):
        process.wait(wait if kills else None)
    if process.poll() is not None or (kills[0] == "instance" and not evict(project)):
        process.wait()
        return ""
    victim = kills.pop(0)
    print(f"kill: {victim} after {wait:.0f} s, {len(kills)} left", flush=True)
    if victim == "instance":
        process.wait()
    return victim


def check_output(results: Path) -> None:
    """Look whether each line of each attempt is home once, and each step was made."""
    steps: list[int] = []
    for path in sorted(results.glob("output-*.log")):
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        assert {int(words[1]) for words in lines} <= {int(path.stem.removeprefix("output-"))}
        own = [int(words[3]) for words in lines]
        assert own == list(range(own[0], own[0] + len(own))) if own else True
        # It goes on from its checkpoint, or from the step that was told and not yet in it.
        assert not (steps and own) or own[0] in (steps[-1], steps[-1] + 1)
        steps += own
    assert sorted({*steps}) == list(range(1, LAST + 1))
    assert (results / "out/last").read_text(encoding="utf-8") == str(LAST)
