# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs on a host: begun once, ended as they ended, repeated only where that is right."""

from __future__ import annotations

import fcntl
import json
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.host import JobError
from ansible_collections.gpuops.cloud.tests.unit.roles.job_host import Host, host
from ansible_collections.gpuops.cloud.tests.unit.roles.programs import wait_until
from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

__all__ = ["host"]
program = load("roles/job/files/gpuops_job.py")
TRAIN = (sys.executable, "-c")


def output(host: Host, name: str, attempt: int = 1) -> str:
    """Return what an attempt has printed."""
    return (host.jobs / name / f"attempts/{attempt:04d}/output.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "code", "reason", "signal"),
    [
        (["true"], 0, "succeeded", ""),
        ([*TRAIN, "raise SystemExit(3)"], 3, "exit_code", ""),
        ([*TRAIN, "import os; os.kill(os.getpid(), 11)"], 139, "signal", "SEGV"),
        (["no-such-program"], 127, "exit_code", ""),
        (["/etc/hostname"], 126, "exit_code", ""),
        (["bash", "-euo", "pipefail", "-c", "false; true"], 1, "exit_code", ""),
    ],
)
def test_a_job_ends_with_the_status_of_its_program(
    host: Host, command: list[str], code: int, reason: str, signal: str
) -> None:
    found = host.ended("job", *command)["exit"]
    assert (found["exit_code"], found["reason"], found["signal"]) == (code, reason, signal)
    assert found["size"] == len(output(host, "job").encode())


def test_it_is_begun_once_and_a_user_error_is_not_repeated(host: Host) -> None:
    command = (*TRAIN, "raise SystemExit(3)")
    first = host.keep("job", *command, retries=5)
    assert first["actions"] == ["start attempt 1 of job, for 3600 s at most"]
    host.ended("job", *command, retries=5)
    again = host.keep("job", *command, retries=5)
    assert (again["actions"], again["next"], len(again["attempts"])) == ([], "fetch", 1)


def test_check_mode_says_what_it_would_do_and_does_nothing(host: Host) -> None:
    found = host.keep("job", "true", dry=True)
    assert found["actions"] == ["start attempt 1 of job, for 3600 s at most"]
    assert not (host.jobs / "job/attempts").exists()


def test_a_program_knows_where_it_is_and_what_is_secret(host: Host) -> None:
    place = host.folder / "run/gpuops-jobs/job/secrets"
    text = b'{"TOKEN": "very-secret-value"}'
    host.remote.call("secrets", str(host.jobs / "job"), str(place), text=text)
    names = ("GPUOPS_JOB", "GPUOPS_RESUME", "GPUOPS_CHECKPOINT_DIR", "MODE", "TOKEN")
    shown = f"import os; print(os.getcwd(), [os.environ[n] for n in {names}])"
    host.ended("job", *TRAIN, shown, env={"MODE": "fast"}, credential_names=["TOKEN"])
    folder = host.jobs / "job"
    values = ["job", "0", f"{folder}/checkpoints", "fast", "very-secret-value"]
    assert output(host, "job") == f"{folder}/work {values}\n"
    assert place.stat().st_mode & 0o777 == 0o600
    elsewhere = [path for path in host.jobs.rglob("*") if path.is_file()]
    kept = [p for p in elsewhere if p.name != "output.log" and b"very-secret" in p.read_bytes()]
    assert kept == []


def test_without_its_secrets_it_does_not_begin(host: Host) -> None:
    with pytest.raises(JobError, match="the secrets TOKEN are not on the host"):
        host.keep("job", "true", credential_names=["TOKEN"])
    assert not (host.jobs / "job/attempts").exists()


def test_two_controllers_begin_a_job_once(host: Host) -> None:
    (host.jobs / "job/work").mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _one: host.keep("job", "sleep", "60"), range(4)))
    started = [row["actions"] for row in found if row["actions"]]
    assert started == [["start attempt 1 of job, for 3600 s at most"]]
    assert {len(row["attempts"]) for row in found} == {1}
    host.keep("job", state="stopped")


def test_another_job_of_the_name_is_refused_with_the_difference(host: Host) -> None:
    host.ended("job", "true")
    with pytest.raises(JobError, match=r'command \["true"\] there, \["false"\] wanted'):
        host.keep("job", "false")


def test_a_cancelled_job_says_so_whatever_its_program_makes_of_it(host: Host) -> None:
    polite = "import signal, sys, time\nsignal.signal(15, lambda *a: sys.exit(0))\nprint('up')\n"
    command = (*TRAIN, f"{polite}time.sleep(60)")
    host.keep("job", *command)
    wait_until(lambda: "up" in output(host, "job"))
    found = host.keep("job", state="stopped")
    assert found["actions"] == ["stop attempt 1 of job: cancelled"]
    ended = found["attempts"][-1]["exit"]
    assert (ended["exit_code"], ended["reason"]) == (130, "cancelled")
    assert host.keep("job", state="stopped")["actions"] == []
    assert host.keep("job", *command, retries=5)["actions"] == []


def test_at_its_limit_it_is_told_to_end(host: Host) -> None:
    found = host.ended("job", "sleep", "60", seconds=6.0)["exit"]
    assert (found["exit_code"], found["reason"]) == (124, "time_limit")


def test_a_lease_that_ends_before_its_limit_is_the_limit(host: Host) -> None:
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 700))
    found = host.keep("job", "true", lease_end=end, dry=True)
    assert re.match(r"start attempt 1 of job, for (100|9\d) s", found["actions"][0])
    with pytest.raises(JobError, match="the lease leaves"):
        host.keep("job", "true", lease_end="2026-01-01T00:00:00Z")


def begun(host: Host, **more: Any) -> None:
    """Begin a job that a boot will break off."""
    host.keep("job", "sleep", "60", **more)
    host.keep("job", state="stopped")
    (host.jobs / "job/attempts/0001/stop.json").unlink()
    host.boot("job")


def test_what_ends_while_it_is_looked_at_was_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = tmp_path / "job/attempts/0001"
    attempt.mkdir(parents=True)
    (attempt / "started.json").write_text(json.dumps({"time": 1, "boot": program.boot()}), "utf-8")

    def ends(_unit: str) -> bool:
        (attempt / "exit.json").write_text(json.dumps({"exit_code": 0}), encoding="utf-8")
        return False

    monkeypatch.setattr(program, "is_active", ends)
    (row,) = program.show(tmp_path / "job")["attempts"]
    assert (row["active"], row["exit"]) == (False, {"exit_code": 0})


def test_what_a_boot_has_broken_off_is_begun_again_and_told_so(host: Host) -> None:
    begun(host)
    assert host.keep("job", "sleep", "60")["reason"] == "evicted", "no retries are asked for"
    again = host.keep("job", "sleep", "60", retries=1)
    assert again["actions"][0].startswith("start attempt 2 of job")
    assert [row["active"] for row in again["attempts"]] == [False, True]
    host.keep("job", state="stopped")


def test_two_attempts_without_a_checkpoint_are_enough(host: Host) -> None:
    begun(host)
    host.keep("job", "sleep", "60", retries=9)
    host.keep("job", state="stopped")
    (host.jobs / "job/attempts/0002/stop.json").unlink()
    host.boot("job", 2)
    found = host.keep("job", "sleep", "60", retries=9)
    assert (found["actions"], found["reason"]) == ([], "no_progress")
    (host.jobs / "job/checkpoints/step-5").write_text("x", encoding="utf-8")
    assert host.keep("job", "sleep", "60", retries=9)["actions"] != []


@pytest.mark.parametrize(
    ("files", "counts"),
    [
        (["a/model.bin"], True),
        (["a/model.bin.tmp"], False),
        (["a/model.bin", "a/checkpoint-is-incomplete.txt"], False),
    ],
)
def test_a_checkpoint_counts_when_it_is_whole(
    tmp_path: Path, files: list[str], counts: bool
) -> None:
    for name in files:
        path = tmp_path / "checkpoints" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    assert (program.newest_checkpoint(tmp_path) > 0) is counts


@pytest.mark.parametrize(
    ("stop", "said", "found"),
    [
        ("", {"EXIT_CODE": "exited", "EXIT_STATUS": "0"}, (0, "succeeded", "")),
        # To systemd itself that is a success.
        ("", {"EXIT_CODE": "killed", "EXIT_STATUS": "TERM"}, (143, "signal", "TERM")),
        ("lease", {"EXIT_CODE": "exited", "EXIT_STATUS": "0"}, (124, "lease", "")),
        (
            "",
            {"SERVICE_RESULT": "oom-kill", "EXIT_CODE": "killed", "EXIT_STATUS": "KILL"},
            (137, "oom", "KILL"),
        ),
        (
            "",
            {"SERVICE_RESULT": "timeout", "EXIT_CODE": "exited", "EXIT_STATUS": "0"},
            (124, "time_limit", ""),
        ),
    ],
)
def test_the_words_of_systemd_become_an_end(
    stop: str, said: dict[str, str], found: tuple[int, str, str]
) -> None:
    row = program.outcome(stop, "time_limit", said)
    assert (row["exit_code"], row["reason"], row["signal"]) == found


def test_a_job_is_removed_with_all_that_it_left(host: Host) -> None:
    host.ended("job", "true")
    (host.jobs / "job/work/link").symlink_to("/etc")
    found = host.keep("job", state="absent")
    assert found["actions"] == [f"remove {host.jobs}/job"]
    left = [path.name for path in host.folder.rglob("*")]
    assert "attempt.conf" not in left
    assert "secrets" not in left
    assert Path("/etc/hostname").exists()
    assert found["attempts"] == []


def test_gpus_are_told_as_the_guard_saw_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "REPORT", tmp_path / "idle.json")
    assert program.show(tmp_path / "job")["gpus"] == []
    seen = [{"index": 0, "utilization_percent": 97, "memory_used_mb": 70112}]
    (tmp_path / "idle.json").write_text(json.dumps({"gpus": seen}), encoding="utf-8")
    assert program.show(tmp_path / "job")["gpus"] == seen


# -- when it is not needed any more ----------------------------------------------------------------


def called(host: Host) -> str:
    """Return what systemd-run was asked for."""
    path = host.folder / "systemd-run.log"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_some_time_after_its_end_it_says_that_the_host_is_not_needed(host: Host) -> None:
    host.ended("job", "true")
    assert called(host) == "", "nobody asked for it"
    host.ended("other", "true", done_after=1800.0)
    wait_until(lambda: called(host))
    begun_by = "--quiet --unit gpuops-job-done-other --on-active=1800 --collect"
    assert called(host).startswith(begun_by)
    assert called(host).endswith(f"gpuops_job.py done {host.jobs}/other\n")


def test_it_does_not_say_so_while_results_are_fetched(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.ended("job", "true")
    said = tmp_path / "said"
    (tmp_path / "gpuops-done").write_text(f"#!/bin/sh\ntouch {said}\n", encoding="utf-8")
    (tmp_path / "gpuops-done").chmod(0o755)
    monkeypatch.setattr(program, "DONE", tmp_path / "gpuops-done")
    waiting = threading.Thread(target=program.done, args=(host.jobs / "job",))
    with (host.jobs / "job/fetching").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        waiting.start()
        waiting.join(0.1)
        assert not said.exists()
    waiting.join()
    assert said.exists()
