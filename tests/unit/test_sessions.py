# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of test sessions names everything once, and whatever did not run turns the run red."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import cpu_watch
import running
import sessions
import test as runner_program
import workshop
from sessions import CI, MAKE_TEST, NIGHTLY, Session

TARGETS = "tests/integration/targets"
# Cases of ready names, of no session of their own: they draw pictures, write files, or measure.
TOOLS = {"benchmarks", "costs", "dashboard", "drawings", "picture"}


def stems(pattern: str, prefix: str = "") -> set[str]:
    """Return the names of the files that match, without folder, prefix and suffix."""
    return {path.stem.removeprefix(prefix) for path in ROOT.glob(pattern)}


def in_the_tree() -> set[str]:
    """Return everything that some session has to cover."""
    scenarios = {path.parent.name for path in ROOT.glob("extensions/molecule/*/molecule.yml")}
    targets = {path.parent.name for path in ROOT.glob(f"{TARGETS}/*/aliases")}
    helpers = {path.parents[1].name for path in ROOT.glob(f"{TARGETS}/setup_*/tasks/main.yml")}
    found = {f"molecule {name}" for name in scenarios}
    found |= {f"integration {name}" for name in targets - helpers}
    found |= {f"e2e {path.name}" for path in ROOT.glob("tests/e2e/test_*.py")}
    found |= {f"client {name}" for name in stems("tests/clients/test_*.py", "test_")}
    found |= {f"guide {name}" for name in stems("docs/docsite/rst/guide_*.rst", "guide_")}
    found |= {f"{kind} {core}" for kind in ("unit", "sanity") for core in sessions.cores()}
    found |= {"coverage of make test", "coverage of all"}
    return found | {
        "lint",
        "build",
        "docs site",
        "3,000 random sequences",
        "3,000 sequences over two clouds",
        "2,000 threes of dialects",
        "a whole month",
    }


def test_everything_in_the_tree_is_covered_by_exactly_one_session() -> None:
    covered = Counter(words for session in sessions.read() for words in session.covers)
    assert [words for words, times in covered.items() if times > 1] == []
    assert set(covered) == in_the_tree()


def test_every_session_of_nox_stands_in_the_table() -> None:
    command = [f"{ROOT}/.venv/bin/nox", "--list-sessions"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    known = set(re.findall(r"^[*-] (\S+)", done.stdout, re.MULTILINE))
    assert known == {session.name for session in sessions.read()} | TOOLS


def test_the_oldest_releases_of_ansible_core_may_never_be_left_out() -> None:
    excused = {name for name, core in sessions.cores().items() if core.not_possible_here}
    assert {"2.18", "2.19"} & excused == set()


def test_the_workflow_runs_the_table() -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    matrix = {name: jobs[name]["strategy"]["matrix"]["include"] for name in ("session", "nightly")}
    assert matrix == {
        "session": "${{ fromJSON(needs.list.outputs.every_change) }}",
        "nightly": "${{ fromJSON(needs.list.outputs.nightly) }}",
    }
    (listing,) = [step["run"] for step in jobs["list"]["steps"] if "run" in step]
    for place, options in {"every_change": "--ci", "nightly": "--nightly"}.items():
        assert f"{place}=$(python3 scripts/test.py --list {options})" in listing


@pytest.mark.parametrize(
    ("options", "places"), [("--ci", {MAKE_TEST, CI}), ("--nightly", {NIGHTLY})]
)
def test_the_list_for_the_workflow(options: str, places: set[str]) -> None:
    command = [sys.executable, str(ROOT / "scripts/test.py"), "--list", options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    listed = [row["session"] for row in json.loads(done.stdout)]
    expected = [one for one in sessions.read() if one.runs_in in places and not one.last]
    assert listed == [one.name for one in expected]


def test_what_ci_runs_fits_into_forty_minutes() -> None:
    rows = [one for one in sessions.read() if one.runs_in in (MAKE_TEST, CI)]
    assert sessions.forecast(rows, 2) <= 40 * 60


def test_what_counts_for_all_is_last_and_counts_once() -> None:
    table = sessions.read()
    for places, names in {(MAKE_TEST,): ["coverage"], (MAKE_TEST, CI): ["coverage-all"]}.items():
        assert [one.name for one in sessions.chosen(places, table) if one.last] == names


BUSY = Session("busy", CI, seconds=100, cores=1.9)
HOSTS = Session("hosts", CI, seconds=500, cores=0.5)
MORE_HOSTS = Session("more hosts", CI, seconds=400, cores=0.5)


def test_the_most_work_begins_first_and_others_fill_the_cores() -> None:
    waiting = [BUSY, HOSTS, MORE_HOSTS]
    assert sessions.next_one(waiting, [], 2) is HOSTS
    assert sessions.next_one([BUSY, MORE_HOSTS], [HOSTS], 2) is MORE_HOSTS
    assert sessions.next_one([BUSY], [HOSTS, MORE_HOSTS], 2) is None
    assert sessions.next_one([BUSY], [HOSTS], 2) is BUSY
    assert sessions.next_one([BUSY], [], 1) is BUSY  # even on a host that is too small for it


def test_no_more_sessions_at_once_than_the_memory_holds() -> None:
    idle = [Session(str(number), CI, cores=0.1) for number in range(sessions.AT_ONCE + 1)]
    assert sessions.next_one(idle[-1:], idle[:-1], 8) is None


def test_a_forecast_adds_what_cannot_run_beside_each_other() -> None:
    assert sessions.forecast([HOSTS, MORE_HOSTS], 2) == 500
    assert sessions.forecast([BUSY, HOSTS, MORE_HOSTS], 2) == 500
    assert sessions.forecast([BUSY, replace(BUSY, name="as busy")], 2) == 200


WRITES = """
import json, pathlib, sys
result = {"passed": 1, "failed": 0, "failures": [], "not_run": [], "not_possible": [], **RESULT}
pathlib.Path(FILE).write_text(json.dumps(result))
"""


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let sessions leave their results in a folder of the test."""
    monkeypatch.setattr(workshop, "RESULTS", tmp_path)
    monkeypatch.setattr(running, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(running, "END_SECONDS", 2.0)
    return tmp_path


def play(programs: dict[str, str], **options: float) -> dict[str, running.Outcome]:
    """Run sessions that are small Python programs, and return what came of them."""
    rows = [Session(name, CI, seconds=0.1, cores=0.2) for name in programs]
    command = {name: [sys.executable, "-c", text] for name, text in programs.items()}
    return running.Runner(2, command.__getitem__, **options).run(rows, beside=True)


def leaves(folder: Path, name: str, **result: object) -> str:
    """Return a program that leaves a result, as a session does."""
    file = str(folder / f"{name}.json")
    return WRITES.replace("RESULT", repr(result)).replace("FILE", repr(file))


def test_sessions_that_pass_are_green(results: Path) -> None:
    found = play({"one": leaves(results, "one"), "two": leaves(results, "two")})
    assert runner_program.report(found, 1.0) == 0
    assert [one.result.passed for one in found.values()] == [1, 1]


@pytest.mark.parametrize(
    ("name", "program", "words"),
    [
        ("fails", "raise SystemExit(3)", "session fails ended with 3"),
        ("dies", "import os; os.kill(os.getpid(), 9)", "session dies ended with -9"),
        ("silent", "pass", "session silent did not say what it found"),
    ],
)
def test_a_session_that_does_not_end_well_is_red(
    results: Path, name: str, program: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = play({name: program, "good": leaves(results, "good")})
    assert runner_program.report(found, 1.0) == 1
    assert f"FAILED: {name}: {words}" in capsys.readouterr().out


TELLS = """
print("\\x1b[2m\\u2502\\x1b[0m \\x1b[31mfatal: [host]: FAILED! => {\\x1b[0m")
print("  \\u2502   what went wrong")
print("\\n".join(f"FAILED - RETRYING: ok: {number}" for number in range(100)))
print("E   assert 1 == 2")
raise SystemExit(2)
"""


def test_why_a_session_failed_stands_at_the_end_of_all(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = "print('E   expected'); " + leaves(results, "good")
    runner_program.report(play({"fails": TELLS, "good": quiet}), 1.0)
    told = capsys.readouterr().out.rpartition("FAILED: fails: ")[2]
    words = r"    fatal: .host.: FAILED! => {\n    what went wrong\n(.*\n)+    E   assert 1 == 2\n"
    assert re.search(words, told)
    assert not re.search("ok: 2|expected", told)


def test_a_session_that_hangs_is_ended_and_red(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sessions, "LEAST_LIMIT", 1.0)
    hangs = "import subprocess, sys; subprocess.run(['sleep', '600'])"
    found = play({"hangs": hangs, "good": leaves(results, "good")})
    assert runner_program.report(found, 1.0) == 1
    told = capsys.readouterr().out
    assert re.search(r"FAILED: hangs: session hangs hung, and was ended after \d+ s\n", told)


@pytest.mark.parametrize(("load", "counted"), [(0.0, 100.0), (2.0, 100.0), (16.0, 12.5)])
def test_a_crowded_machine_takes_no_session_for_one_that_hangs(
    monkeypatch: pytest.MonkeyPatch, load: float, counted: float
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    with subprocess.Popen(["true"]) as process:
        one = running.Running(sessions.Session("slow", "make test"), process, None)
    one.wait(100.0, 2.0)
    assert one.waited == counted


def test_a_session_that_was_not_begun_is_red(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = dict.fromkeys("abcd", "import time; time.sleep(600)")
    late = {"late": leaves(results, "late")}
    found = play(programs | late, until=time.monotonic() + 1)
    assert runner_program.report(found, 1.0) == 5
    out = capsys.readouterr().out
    assert "NOT RUN: late: the whole session, since the time for all was over" in out
    assert "FAILED: a: session a was ended, since the time for all sessions was over" in out


def test_a_test_that_was_skipped_is_red_and_a_release_without_python_is_told(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skips = leaves(results, "skips", not_run=["test_with_nginx"])
    excused = leaves(results, "excused", passed=0, not_possible=["no Python 3.99 here"])
    assert runner_program.report(play({"skips": skips}), 1.0) == 1
    assert runner_program.report(play({"excused": excused}), 1.0) == 0
    out = capsys.readouterr().out
    assert "NOT RUN: skips: test_with_nginx" in out
    assert "NOT POSSIBLE HERE: excused: no Python 3.99 here" in out


def test_cpu_seconds_of_a_session_and_of_what_left_its_tree(tmp_path: Path) -> None:
    burn = (
        "import time\nwhile time.process_time() < 0.5: pass\nprint(1, flush=True)\ntime.sleep(60)"
    )
    start = "import subprocess, sys; python = [sys.executable, '-c']\n"
    away = f"{start}subprocess.Popen([*python, {burn!r}], start_new_session=True)"
    session = (
        f"{start}import os; os.environ['HOME'] = {str(tmp_path)!r}\n"
        f"subprocess.run([*python, {away!r}])\nsubprocess.run([*python, {burn!r}])"
    )
    watch = cpu_watch.CpuWatch()
    process = subprocess.Popen([sys.executable, "-c", session], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert [process.stdout.readline() for _both in range(2)] == [b"1\n", b"1\n"]
        watch.look({process.pid})
        assert watch.seconds(process.pid) >= 0.9
    finally:
        for entry in cpu_watch.processes():
            if cpu_watch.home_of(entry) == str(tmp_path):
                subprocess.run(["kill", str(entry)], check=False)
        process.wait()
