# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator as a program: started, found, watched and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gpuops_simulator import Simulator, cli

PROGRAM = Path(cli.__file__).parents[1]


def gone(pid: int) -> bool:
    """Tell whether a process is no more; one that nobody has collected yet counts as gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def eventually_gone(pid: int) -> bool:
    """Wait for a process to end, five seconds at most."""
    deadline = time.monotonic() + 5
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return gone(pid)


def ask(address: str, path: str, method: str = "GET") -> Any:
    """Return the JSON of a control call."""
    request = urllib.request.Request(f"http://{address}{path}", method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def moment(state: dict[str, Any]) -> datetime:
    """Return the simulated time of a state."""
    return datetime.fromisoformat(state["time"].replace("Z", "+00:00"))


def test_it_listens_on_a_second_address_with_the_same_port() -> None:
    with Simulator(also_host="127.0.0.2") as simulator:
        port = simulator.url.rpartition(":")[2]
        states = [ask(f"127.0.0.{last}:{port}", "/_sim/state") for last in (1, 2)]
    assert [state["instances"] for state in states] == [[], []]


class Program:
    """Starts simulators in a folder and ends what a test leaves running."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port_file, self.pid_file = folder / "port", folder / "pid"
        self.log_file = folder / "log"

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Start one in the background and return what its parent said."""
        files = {"port": self.port_file, "pid": self.pid_file, "log": self.log_file}
        own = [f"--{name}-file={path}" for name, path in files.items()]
        return subprocess.run(
            [sys.executable, str(PROGRAM), "--detach", *own, *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.port_file.read_text().strip()

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self.pid_file.read_text())


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A program that is ended after the test."""
    one = Program(tmp_path)
    yield one
    if one.pid_file.exists():
        os.kill(one.pid, signal.SIGKILL)


def test_it_goes_to_the_background_and_says_what_it_is(program: Program) -> None:
    done = program.start()
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("gpuops-simulator/")
    assert f"http://{program.address}/v1" in line
    assert ask(program.address, "/_sim/state")["instances"] == []
    with urllib.request.urlopen(f"http://{program.address}/v1/volume-types", timeout=5) as answer:
        assert '"project";q=500;w=60' in answer.headers["RateLimit-Policy"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_its_files(program: Program, number: signal.Signals) -> None:
    program.start()
    pid = program.pid
    os.kill(pid, number)
    assert eventually_gone(pid)
    assert not program.port_file.exists()
    assert not program.pid_file.exists()


def test_it_can_be_told_to_stop(program: Program) -> None:
    program.start()
    pid = program.pid
    assert ask(program.address, "/_sim/stop", "POST") == {"ok": True}
    assert eventually_gone(pid)


def test_it_ends_with_the_process_it_watches(program: Program) -> None:
    watched = subprocess.Popen(["sleep", "60"])
    program.start("--watch-pid", str(watched.pid))
    pid = program.pid
    assert not gone(pid)
    watched.kill()
    watched.wait()
    assert eventually_gone(pid)


def test_scenario_speed_and_state_are_taken_from_the_command_line(program: Program) -> None:
    scenario = program.folder / "scenario.json"
    scenario.write_text(json.dumps({"balance": 42, "provision_seconds": 7}))
    state = program.folder / "state.json"
    program.start("--scenario", str(scenario), "--state", str(state), "--speed", "1000000")
    first = ask(program.address, "/_sim/state")
    time.sleep(0.01)
    second = ask(program.address, "/_sim/state")
    assert first["balance"]["amount"] == 42
    assert moment(second) - moment(first) > timedelta(hours=2)
    pid = program.pid
    ask(program.address, "/_sim/stop", "POST")
    assert eventually_gone(pid)
    assert json.loads(state.read_text())["account"]["balance"] == "42"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--scenario", "/no/such/file"], "No such file"),
        (["--port", "1", "--host", "203.0.113.1"], "gpuops-simulator:"),
        (["--providers", "lambda,nimbus"], "there are doors for: lambda, runpod, tensordock, vast"),
        (["--providers", "vast", "--state", "/no/such/state"], "a state file holds the first"),
    ],
)
def test_what_cannot_start_says_why(program: Program, arguments: list[str], text: str) -> None:
    done = program.start(*arguments)
    assert done.returncode == 1
    assert text in done.stderr
    assert "failed to start" in done.stderr


def test_it_opens_doors_of_further_providers(program: Program) -> None:
    ports = program.folder / "ports"
    done = program.start("--providers", "lambda", "--providers=vast", f"--ports-file={ports}")
    urls = json.loads(ports.read_text())
    assert [*urls] == ["verda", "lambda", "vast"]
    assert urls["verda"] == f"http://{program.address}/v1"
    lines = done.stdout.splitlines()
    assert [line.rpartition(" ")[2] for line in lines[1:]] == [urls["lambda"], urls["vast"]]
    for url in (f"{urls['lambda']}/instances", f"{urls['vast']}/api/v0/users/current/"):
        request = urllib.request.Request(url, headers={"Authorization": "Bearer any"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200
    pid = program.pid
    ask(program.address, "/_sim/stop", "POST")
    assert eventually_gone(pid)
    assert not ports.exists()


def test_the_standard_library_is_all_it_needs() -> None:
    words = f"import sys; sys.path.insert(0, {str(PROGRAM)!r}); import gpuops_simulator.cli"
    command = [sys.executable, "-I", "-S", "-c", words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_in_the_foreground_it_prints_one_line_first(program: Program) -> None:
    command = [sys.executable, str(PROGRAM), "--provision-seconds", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
    assert "no real machines, no real money" in line
    assert process.returncode == 0


def test_the_default_time_to_run_is_five_seconds() -> None:
    simulator = cli._simulator(cli.parser().parse_args([]))
    assert simulator.cloud.scenario.provision_seconds == 5
    chosen = cli._simulator(cli.parser().parse_args(["--provision-seconds", "1"]))
    assert chosen.cloud.scenario.provision_seconds == 1


class FakeHosts:
    """A host backend that only tells what it was asked."""

    def __init__(self, run_id: str, log: Any, image: str) -> None:
        self.log = log

    def prepare(self) -> str:
        return "using the image of a test"

    def sweep(self) -> list[str]:
        return ["old-one"]

    def close(self) -> None:
        self.log("closed")


def test_hosts_are_swept_and_prepared_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gpuops_simulator.hosts.PodmanHosts", FakeHosts)
    simulator = cli._simulator(cli.parser().parse_args(["--hosts", "podman"]))
    simulator.start()
    simulator.stop()
    said = capsys.readouterr().err.splitlines()
    assert said == ["removed the stale host old-one", "using the image of a test", "closed"]
    assert cli.main(["--prepare-hosts"]) == 0
    assert capsys.readouterr().out == "using the image of a test\n"
