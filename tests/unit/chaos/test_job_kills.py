# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs whose controller and instance are killed at random: each byte once, one attempt at a time.

The cloud is the simulator; controllers, programs of the host and the job itself are processes that
are killed; systemd and ssh are played. GPUOPS_CHAOS_SEED=123 plays other moments, and
GPUOPS_CHAOS_KILLS=20,10 so many kills of the controller, and so many of the instance.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.chaos import job_controller
from ansible_collections.gpuops.cloud.tests.unit.roles.job_host import Host, host
from gpuops_simulator import Simulator

__all__ = ["host"]
SEED = int(os.environ.get("GPUOPS_CHAOS_SEED", "0"))
KILLS = os.environ.get("GPUOPS_CHAOS_KILLS", "2,1")
LAST = 60
# Each line is a step that is in the checkpoint when the next one begins; two at once are told.
PROGRAM = """\
import fcntl, os, pathlib, sys, time
alone = open("alone", "w")
fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
place = pathlib.Path(os.environ["GPUOPS_CHECKPOINT_DIR"], "step")
done = int(place.read_text()) if place.exists() else 0
for step in range(done + 1, int(sys.argv[1]) + 1):
    print("step", step, "of attempt", os.environ["GPUOPS_ATTEMPT"])
    place.with_suffix(".tmp").write_text(str(step))
    place.with_suffix(".tmp").replace(place)
    time.sleep(0.02)
pathlib.Path("out/last").write_text(place.read_text())
sys.exit(int(sys.argv[2]))
"""
SSH = """\
#!/bin/sh
# The last two words: which host, and what it is to do. A host that is gone answers nobody.
while [ $# -gt 2 ]; do shift; done
up() { [ -e "$GPUOPS_HOST/up/$1" ] && ! [ -e "$GPUOPS_HOST/gone/$1" ]; }
up "$1" || { echo "no route to $1" >&2; exit 255; }
GPUOPS_ON_HOST=yes sh -c "$2"
status=$?
up "$1" || exit 255
exit $status
"""


@dataclass
class World:
    """A cloud, a host whose disk outlives it, and the jobs that were run to their end."""

    sim: Simulator
    host: Host
    home: Path
    dice: Random

    def place(self, number: int, code: int) -> job_controller.Place:
        """Return a new job, and where everything of it is."""
        name = f"job{number}"
        command = [sys.executable, "-u", "train.py", str(LAST), str(code)]
        job: dict[str, Any] = {"name": name, "command": command, "env": {}, "secrets": []}
        job |= {"environment": "none"}
        job |= {"results": str(self.home / "results" / name), "time_s": 3600, "cost": None}
        job |= {"evictions": 99, "data_volume_gb": 10}
        want = {**self.host.want(name, *command), "retries": 99}
        programs = str(self.home / "programs")
        return job_controller.Place(
            self.sim.url, str(self.home), str(self.host.folder), programs, job, want
        )

    def living(self) -> list[str]:
        """Return the instances that run."""
        return [row["id"] for row in self.sim.state()["instances"] if row["status"] == "running"]

    def evict(self) -> bool:
        """Take the instance away, with all that runs on it; its data volume stays."""
        there = self.living()
        for row_id in there:
            (self.host.folder / "gone" / row_id).touch()
            self.sim.evict(row_id)
        end_all(self.host.folder)
        for path in [*self.host.folder.glob("*.pid"), *self.host.folder.glob("*.done")]:
            path.unlink(missing_ok=True)
        for path in self.host.jobs.glob("*/attempts/*/started.json"):
            if not path.with_name("exit.json").exists():
                noted = json.loads(path.read_text(encoding="utf-8"))
                path.write_text(json.dumps({**noted, "boot": "another"}), encoding="utf-8")
        return bool(there)


def on_host(folder: Path) -> Iterator[int]:
    """Yield what runs on this host, and on none of another test."""
    wanted = {b"GPUOPS_ON_HOST=yes", f"GPUOPS_HOST={folder}".encode()}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted <= {*(entry / "environ").read_bytes().split(b"\0")}:
                yield int(entry.name)


def end_all(folder: Path) -> None:
    """Kill what runs on the host, and what that has started meanwhile."""
    while found := [*on_host(folder)]:
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


@pytest.fixture
def world(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Provide a world."""
    home, programs = tmp_path / "home", tmp_path / "home/programs"
    for place in (programs, home / "project", host.folder / "up", host.folder / "gone"):
        place.mkdir(parents=True)
    (home / "project/train.py").write_text(PROGRAM, encoding="utf-8")
    (programs / "ssh").write_text(SSH, encoding="utf-8")
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("GPUOPS_HOST", str(host.folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # of the server of forks
    # What is evicted does not come back to the shelf.
    shelf = {"FIN-01": {"on_demand": {}, "spot": {"1A100.22V": 99}}}
    with Simulator({"stock": shelf}, provision_seconds=0) as sim:
        yield World(sim, host, home, Random(f"kills {SEED}"))
    end_all(host.folder)


def strikes(world: World, controller: ForkServerProcess, whom: str) -> bool:
    """Kill somebody after a while; returns whether there was somebody."""
    limit = time.monotonic() + 9
    while whom == "instance" and not world.living() and controller.is_alive():
        if time.monotonic() > limit:
            return False
        time.sleep(0.01)
    controller.join(world.dice.uniform(0, 1.2))
    if whom == "instance":
        return world.evict()
    struck = controller.is_alive()
    controller.kill()
    return struck


def run_to_its_end(world: World, at: job_controller.Place, kills: list[str]) -> dict[str, Any]:
    """Run controllers until the job is done, and kill as long as there is somebody to be killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([job_controller.__name__])
    result = Path(at.job["results"], "result.json")
    for _run in range(99):
        controller = context.Process(target=job_controller.converge, args=(at,))
        controller.start()
        struck = kills.pop(0) if kills and strikes(world, controller, kills[0]) else ""
        controller.join()
        # A purchase whose instance is taken away meanwhile fails, and is repeated as any other.
        fates = (0, 1) if struck == "instance" else (0, -signal.SIGKILL)
        assert controller.exitcode in fates
        found = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
        if found.get("closed"):
            return dict(found)
    pytest.fail("it never ended")


def test_whoever_is_killed_each_job_ends_as_if_nobody_was(world: World) -> None:
    controllers, instances = map(int, KILLS.split(","))
    kills = ["controller"] * controllers + ["instance"] * instances
    world.dice.shuffle(kills)
    number = 0
    while kills:
        number, code = number + 1, number % 2 * 7
        at = world.place(number, code)
        found = run_to_its_end(world, at, kills)
        assert (found["exit_code"], found["reason"]) == (code, "exit_code" if code else "succeeded")
        check_output(world, at)
        check_money(world, at.job["name"], kept=bool(code))


def check_output(world: World, at: job_controller.Place) -> None:
    """Compare what is home with what the program wrote, and that with the steps there are."""
    results, name = Path(at.job["results"]), at.job["name"]
    steps: list[int] = []
    for path in sorted((world.host.jobs / name / "attempts").iterdir()):
        written = path / "output.log"
        text = written.read_bytes() if written.exists() else b""
        here = results / f"output-{path.name}.log"
        assert (here.read_bytes() if here.exists() else b"") == text
        lines = [line.split() for line in text.decode().splitlines()]
        assert {words[4] for words in lines} <= {str(int(path.name))}
        steps += [int(words[1]) for words in lines]
    # A step that was told and is not in the checkpoint is done again, by the next attempt.
    assert sorted({*steps}) == [*range(1, LAST + 1)]
    assert (results / "out/last").read_text(encoding="utf-8") == str(LAST)


def check_money(world: World, name: str, *, kept: bool) -> None:
    """Look for what is left; what a program that failed has on its volume is retained."""
    assert world.living() == []
    own = [row for row in world.sim.state()["volumes"] if f".job-{name}." in row["name"]]
    assert len(own) == int(kept)
    assert list(on_host(world.host.folder)) == []
