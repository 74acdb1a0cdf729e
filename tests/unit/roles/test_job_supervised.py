# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs on a host without systemd: the programs of the role are real, supervisorctl is played."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.host import JobError
from ansible_collections.gpuops.cloud.tests.unit.roles.job_host import FILES, Host
from ansible_collections.gpuops.cloud.tests.unit.roles.programs import wait_until
from ansible_collections.gpuops.cloud.tests.unit.roles.supervisor_host import asked, play
from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT

PROGRAMS = [*FILES.glob("gpuops_job*.py"), ROOT / "roles/vllm/files/supervised.py"]
PLACES = ("/etc/supervisor/conf.d", "/run/gpuops-jobs")
# It says that it runs, and what it is told; what it starts outlives it.
HEARS = """\
import signal, subprocess, sys, time
def told(*_about):
    print("told", flush=True)
    sys.exit(5)
signal.signal(signal.SIGTERM, told)
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
print("runs", child.pid, flush=True)
time.sleep(60 if {waits} else 0)
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """Provide a host."""
    folder, programs = tmp_path / "host", tmp_path / "bin"
    library = folder / "lib"
    for place in (programs, library):
        place.mkdir(parents=True)
    for program in PROGRAMS:
        text = program.read_text(encoding="utf-8")
        for place in PLACES:
            text = text.replace(f'"{place}"', f'"{folder}{place}"')
        # Found by its place in the collection when it is measured.
        copy = tmp_path / "ansible_collections/gpuops/cloud" / program.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
        (library / program.name).symlink_to(copy)
    play(folder, programs)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    made = Host(folder, [sys.executable, "-I", str(library / "gpuops_job.py")])
    yield made
    for place in (folder / "supervisor").glob("*"):
        if place.read_text(encoding="utf-8"):
            kill(int(place.read_text(encoding="utf-8")))


def kill(pid: int) -> None:
    """Kill a process, which may be gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended."""
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2]
    except OSError:
        return True


def output(host: Host, name: str) -> list[str]:
    """Return the lines of the first attempt."""
    path = host.jobs / name / "attempts/0001/output.log"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def left_behind(host: Host, name: str) -> int:
    """Return what the program has started, once it has."""
    wait_until(lambda: output(host, name))
    return int(output(host, name)[0].split()[1])


@pytest.mark.parametrize(
    ("command", "code", "reason", "name"),
    [
        (["true"], 0, "succeeded", ""),
        (["sh", "-c", "exit 7"], 7, "exit_code", ""),
        (["sh", "-c", "kill -SEGV $$"], 139, "signal", "SEGV"),
        (["no-such-program"], 127, "exit_code", ""),
    ],
)
def test_a_job_ends_with_the_status_of_its_program(
    host: Host, command: list[str], code: int, reason: str, name: str
) -> None:
    found = host.ended("job", *command)["exit"]
    assert (found["exit_code"], found["reason"], found["signal"]) == (code, reason, name)
    again = host.keep("job", *command)
    assert (again["actions"], again["next"]) == ([], "fetch")


def test_a_program_has_its_secrets_and_nothing_of_the_host(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_HOST", "1")
    place = host.folder / "run/gpuops-jobs/job/secrets"
    secrets = b'{"TOKEN": "very-secret"}'
    host.remote.call("secrets", str(host.jobs / "job"), str(place), text=secrets)
    shown = "import os; print(os.environ['TOKEN'], 'OF_THE_HOST' in os.environ)"
    host.ended("job", sys.executable, "-c", shown, credential_names=["TOKEN"])
    assert output(host, "job") == ["very-secret False"]
    assert place.stat().st_mode & 0o777 == 0o600
    assert not place.with_name("credentials").exists()
    (conf,) = (host.folder / "etc").rglob("*.conf")
    assert "very-secret" not in conf.read_text(encoding="utf-8")


def test_one_that_is_stopped_is_told_first_and_leaves_nothing(host: Host) -> None:
    command = (sys.executable, "-c", HEARS.format(waits=True))
    assert host.keep("job", *command)["state"] == "running"
    child = left_behind(host, "job")
    found = host.keep("job", *command, state="stopped")["attempts"][-1]
    assert (found["exit"]["exit_code"], found["exit"]["reason"]) == (130, "cancelled")
    assert output(host, "job")[1:] == ["told"]
    assert is_gone(child)


def test_one_is_told_to_end_at_its_limit(host: Host) -> None:
    found = host.ended("job", "sleep", "60", seconds=1.2, grace=0.2)["exit"]
    assert (found["exit_code"], found["reason"], found["signal"]) == (124, "time_limit", "TERM")


def test_what_does_not_hear_is_killed(host: Host) -> None:
    command = ("sh", "-c", "trap '' TERM; echo runs $$; sleep 60")
    host.keep("job", *command, grace=0.2)
    left_behind(host, "job")
    found = host.keep("job", *command, state="stopped", grace=0.2)["attempts"][-1]["exit"]
    assert (found["exit_code"], found["reason"], found["signal"]) == (130, "cancelled", "KILL")


def test_what_is_left_behind_has_its_time_and_is_killed(host: Host) -> None:
    command = (sys.executable, "-c", HEARS.format(waits=False))
    found = host.ended("job", *command, grace=0.3)["exit"]
    assert (found["exit_code"], found["reason"]) == (0, "succeeded")
    assert is_gone(left_behind(host, "job"))


def test_a_program_does_not_outlive_what_keeps_it(host: Host) -> None:
    host.keep("job", "sh", "-c", "echo runs $$; exec sleep 60")
    program = left_behind(host, "job")
    kill(int((host.folder / "supervisor/gpuops-job@job").read_text(encoding="utf-8")))
    wait_until(lambda: is_gone(program))
    found = host.keep("job", "sh", "-c", "echo runs $$; exec sleep 60")
    assert (found["next"], found["reason"]) == ("fetch", "machine_error")


def begin_with(host: Host, line: str) -> None:
    """Let what runs an attempt do something before it notes that the attempt has begun."""
    path = host.folder / "lib/gpuops_job_supervised.py"
    text = path.read_text(encoding="utf-8")
    assert "    gpuops_job.begin(folder)\n" in text
    begun = text.replace("    gpuops_job.begin(", f"    {line}\n    gpuops_job.begin(")
    path.write_text(begun, encoding="utf-8")


def test_one_that_begins_late_is_started_once(host: Host) -> None:
    begin_with(host, "time.sleep(0.5)")
    command = ("sh", "-c", "echo runs $$; sleep 60")
    assert host.keep("job", *command)["state"] == "running"
    assert host.keep("job", *command)["actions"] == []
    started = [words for words in asked(host.folder) if words.startswith("start")]
    assert started == ["start gpuops-job@job"]


def test_one_that_does_not_begin_is_told_with_its_last_words(host: Host) -> None:
    begin_with(host, 'sys.exit("no space left")')
    with pytest.raises(JobError, match=r"gpuops-job@job.service does not start: no space left"):
        host.keep("job", "true")


def test_the_next_boot_begins_the_next_attempt(host: Host) -> None:
    command = ("sh", "-c", "echo $GPUOPS_ATTEMPT")
    host.ended("job", *command, retries=1)
    host.boot("job")
    found = host.keep("job", *command, retries=1)
    assert [words.split(",")[0] for words in found["actions"]] == ["start attempt 2 of job"]
    conf = (host.folder / "etc/supervisor/conf.d/gpuops-job@job.conf").read_text(encoding="utf-8")
    assert "attempts/0002/" in conf


def test_nothing_of_a_removed_job_stays(host: Host) -> None:
    host.ended("job", "true")
    host.keep("job", state="absent")
    assert not (host.jobs / "job").exists()
    assert list((host.folder / "etc/supervisor/conf.d").iterdir()) == []
    assert list((host.folder / "supervisor").iterdir()) == []


@pytest.mark.parametrize(
    "wish",
    [
        {"image": "localhost/one"},
        {"nodes": {"count": 2, "rank": 0, "head_address": "", "interface": "", "processes": 1}},
    ],
)
def test_what_needs_systemd_is_refused(host: Host, wish: dict[str, str]) -> None:
    with pytest.raises(JobError, match=rf"job job: {next(iter(wish))} needs a host with systemd"):
        host.keep("job", "true", **wish)
    assert not (host.jobs / "job/attempts").exists()


def test_the_files_program_asks_supervisord_too(host: Host) -> None:
    host.ended("job", "true")
    ask = [*host.program[:-1], str(host.folder / "lib/gpuops_job_files.py")]
    (host.jobs / "job/attempts/0001/exit.json").rename(host.folder / "exit.json")
    host.remote = type(host.remote)("host", tuple(ask))
    # It has no end and its program does not run: it never will have one.
    assert host.remote.call("follow", str(host.jobs / "job"), "1", "0") == b""
    assert json.loads(host.remote.call("ended", str(host.jobs / "job"), "1")) == {}
