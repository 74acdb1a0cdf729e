# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a job that is an array: runs its tasks, so many at a time, each on its own GPUs.

Argument: the folder of the job. It is started as the job's user, with the environment of a program.
Each task has tasks/NUMBER with output.log, started.json, and exit.json once it has ended by itself.
A task that has ended is never begun again, and none is begun once cancelled.json is there.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

# Isolated as it is started, Python does not look beside a program.
sys.path.insert(0, str(Path(__file__).parent))
from gpuops_job import BY_SIGNAL, NOT_FOUND, NOT_RUNNABLE, read_json, write_json

GPUS = Path("/proc/driver/nvidia/gpus")
VISIBLE = "CUDA_VISIBLE_DEVICES"
SHELL = ["bash", "-euo"]
LAST_LINES, LAST_BYTES = 5, 4096


def devices(environment: dict[str, str]) -> list[str]:
    """Return the GPUs that there are, by what the job was given, or by the driver."""
    if VISIBLE in environment:
        return [one for one in environment[VISIBLE].split(",") if one]
    return [str(number) for number in range(len(list(GPUS.iterdir()) if GPUS.is_dir() else []))]


def slots(at_once: int, gpus: list[str]) -> list[str]:
    """Return for each task that may run at a time which GPUs it sees; 0 runs one on each GPU."""
    count = at_once or max(len(gpus), 1)
    share = len(gpus) // count
    if (
        not share
    ):  # more tasks than GPUs take turns on them, and without any there is nothing to say
        return [gpus[number % len(gpus)] if gpus else "" for number in range(count)]
    return [",".join(gpus[number * share : (number + 1) * share]) for number in range(count)]


def words(command: list[str], task: dict[str, Any]) -> list[str]:
    """Return the command of a task, with its values in their places."""
    quote = shlex.quote if command[:2] == SHELL else str
    values = {"task": str(task["number"]), **task["parameters"]}
    return [
        _filled(word, {name: quote(value) for name, value in values.items()}) for word in command
    ]


def _filled(word: str, values: dict[str, str]) -> str:
    """Return a word with values in their places; what stands in a value is none."""
    parts = word.split("{")
    found = parts[0]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        found += values[name] + rest if closed and name in values else "{" + part
    return found


def say(text: str) -> None:
    """Tell it in the output of the job, as a line of its own."""
    sys.stdout.write(f"gpuops: {text}\n")
    sys.stdout.flush()


class Tasks:
    """The tasks of a job: those that wait, those that run, and how they ended."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.job = read_json(folder / "job.json")
        self.ended = {
            task["number"]: code
            for task in self.job["tasks"]
            if (code := read_json(self.place(task) / "exit.json").get("exit_code")) is not None
        }
        self.waiting = deque(row for row in self.job["tasks"] if row["number"] not in self.ended)
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self.stopping = False
        self.lock = threading.RLock()

    def place(self, task: dict[str, Any]) -> Path:
        """Return the folder of a task."""
        return self.folder / "tasks" / f"{task['number']:04d}"

    def run(self) -> int:
        """Run what has not ended yet; returns 1 where a task has failed, 0 where none has."""
        signal.signal(signal.SIGTERM, lambda *_about: self.stop())
        of, again = len(self.job["tasks"]), f", {len(self.ended)} have ended before"
        say(f"{of} tasks{again if self.ended else ''}")
        places = slots(self.job.get("at_once", 0), devices(self.environment))
        with ThreadPoolExecutor(len(places)) as pool:
            for done in [pool.submit(self.work, place) for place in places]:
                done.result()
        failed = sum(1 for code in self.ended.values() if code)
        rest = of - len(self.ended)
        say(f"{len(self.ended) - failed} succeeded, {failed} failed, {rest} did not end")
        return 1 if failed else 0

    def stop(self) -> None:
        """Begin nothing more, and tell what runs to end."""
        with self.lock:
            self.stopping = True
            for process in self.running.values():
                self.tell(process)

    def tell(self, process: subprocess.Popen[bytes]) -> None:
        """Send TERM; a shell does not pass it on to what it runs."""
        send = os.killpg if self.job["command"][:2] == SHELL else os.kill
        with suppress(ProcessLookupError):
            send(process.pid, signal.SIGTERM)

    def work(self, gpus: str) -> None:
        """Run one task after the other on some GPUs."""
        while True:
            with self.lock:
                if self.stopping or not self.waiting or (self.folder / "cancelled.json").exists():
                    return
                task = self.waiting.popleft()
            self.one(task, gpus)

    def one(self, task: dict[str, Any], gpus: str) -> None:
        """Run a task to its end, and write down how it ended, unless it was told to."""
        place = self.place(task)
        place.mkdir(parents=True, exist_ok=True)
        began = time.time()
        write_json(place / "started.json", {"time": began})
        values = " ".join(f"{name}={value}" for name, value in task["parameters"].items())
        say(f"task {task['number']} begins{': ' + values if values else ''}")
        with (place / "output.log").open("ab") as log:
            code, name = self.ending_of(task, gpus, log)
        if self.stopping:
            return
        seconds = round(time.time() - began, 1)
        size = (place / "output.log").stat().st_size
        row = {"exit_code": code, "signal": name, "seconds": seconds, "size": size}
        write_json(place / "exit.json", row)
        with self.lock:
            self.ended[task["number"]] = code
            say(f"task {task['number']} has ended with {code} after {seconds} s")
            if code:
                self.show_last(place / "output.log")

    def ending_of(self, task: dict[str, Any], gpus: str, log: Any) -> tuple[int, str]:
        """Start a task and wait for it; returns its status as a shell has it, and its signal."""
        command = words(self.job["command"], task)
        try:
            with self.lock:
                process = self.running[task["number"]] = subprocess.Popen(
                    command, env=self.variables(task, gpus), stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
                if self.stopping:
                    self.tell(process)
        except FileNotFoundError:
            log.write(f"gpuops: {command[0]} cannot be run: it is not there\n".encode())
            return NOT_FOUND, ""
        except OSError as error:
            log.write(f"gpuops: {command[0]} cannot be run: {error.strerror}\n".encode())
            return NOT_RUNNABLE, ""
        # What it has left behind would keep its GPU: it goes while nobody else can have its number.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self.lock:
            del self.running[task["number"]]
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        if code < 0:
            return BY_SIGNAL - code, signal.Signals(-code).name.removeprefix("SIG")
        return code, ""

    def variables(self, task: dict[str, Any], gpus: str) -> dict[str, str]:
        """Return the environment of a task; folders of its own keep it from the others' files."""
        found = {**self.environment, **task["parameters"]}
        found["GPUOPS_TASK"], found["GPUOPS_TASKS"] = (
            str(task["number"]),
            str(len(self.job["tasks"])),
        )
        for name in ("GPUOPS_OUTPUT_DIR", "GPUOPS_CHECKPOINT_DIR"):
            found[name] = f"{self.environment[name]}/{task['number']:04d}"
            Path(found[name]).mkdir(parents=True, exist_ok=True)
        return {**found, VISIBLE: gpus} if gpus else found

    @staticmethod
    def show_last(log: Path) -> None:
        """Show the last lines of a task that has failed."""
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - LAST_BYTES, 0))
            lines = file.read().decode(errors="replace").splitlines()[-LAST_LINES:]
        for line in lines:
            say(f"  {line}")


if __name__ == "__main__":
    try:
        sys.exit(Tasks(Path(sys.argv[1]), dict(os.environ)).run())
    except OSError as error:
        sys.exit(f"gpuops: the tasks cannot go on: {error}")
