# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading idle reports: a program of the test plays ssh."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ssh import idle_reader

REPORT = {
    "version": 1,
    "at": "2026-11-22T12:00:00+00:00",
    "idle_since": "2026-11-22T11:20:00+00:00",
    "idle_after": "2h",
    "done": False,
    "gpus": [{"index": 0, "utilization_percent": None, "memory_used_mb": 7}],
    "vllm_running": 0,
    "vllm_waiting": None,
    "users": 0,
    "load1": 0.02,
    "why_busy": [],
    "servers": [{"port": 8000, "down_since": None, "why": ""}],
}
# Answers by the address, the last word but one; notes how it was called.
SSH = """#!/bin/sh
printf '%s\\n' "$*" >> {folder}/calls
for word; do address=$last; last=$word; done
[ -f {folder}/$address.sh ] && . {folder}/$address.sh
cat {folder}/$address.json
"""
Fleet = Callable[..., list[dict[str, Any]]]


def machine(number: int, **more: Any) -> dict[str, Any]:
    """Return an instance as it is listed."""
    base = {"id": f"id-{number}", "name": f"llm-{number}", "deployment": "llm"}
    return {**base, "ip": f"192.0.2.{number}", **more}


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Provide instances that answer with these reports (text or script) by their numbers."""
    (tmp_path / "ssh").write_text(SSH.format(folder=tmp_path), encoding="ascii")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(pinned: str = "", **answers: Any) -> list[dict[str, Any]]:
        for key, answer in answers.items():
            address = f"192.0.2.{key[1:]}"
            if isinstance(answer, str) and answer.startswith("sh:"):
                (tmp_path / f"{address}.sh").write_text(answer[3:], encoding="utf-8")
            else:
                text = answer if isinstance(answer, str) else json.dumps(answer)
                (tmp_path / f"{address}.json").write_text(text, encoding="utf-8")
        (tmp_path / "known_hosts").write_text(pinned, encoding="utf-8")
        return [machine(int(key[1:])) for key in answers]

    return make


def read(
    folder: Path, machines: list[dict[str, Any]], timeout: float = 10, **keys: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the reports by id, and the problems by name."""
    given = {"home": folder, "key_file": "/key", **keys}
    reports, unread = idle_reader.read_reports(machines, idle_reader.Keys(**given), timeout)
    return {row["id"]: row for row in reports}, {row["name"]: row["problem"] for row in unread}


def test_report_gets_the_id_of_the_machine_that_was_asked(fleet: Fleet, tmp_path: Path) -> None:
    machines = fleet("id-1 ssh-ed25519 A\n", _1={**REPORT, "id": "id-9", "more": "of it"})
    assert read(tmp_path, machines) == ({"id-1": {**REPORT, "id": "id-1"}}, {})
    (call,) = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    for words in ("-F none -i /key -l gpuops-guard", "HostKeyAlias=id-1 ", "BatchMode=yes"):
        assert words in call
    assert call.endswith("192.0.2.1 cat /run/gpuops/idle.json")


def test_settings_of_the_deployment_come_first(fleet: Fleet, tmp_path: Path) -> None:
    machines = fleet(_1=REPORT)
    (tmp_path / "llm").mkdir()
    (tmp_path / "llm/ssh_config").touch()
    (tmp_path / "llm/known_hosts").write_text("x,id-1 ssh-ed25519 A\n", encoding="ascii")
    assert list(read(tmp_path, machines)[0]) == ["id-1"]
    call = (tmp_path / "calls").read_text(encoding="utf-8")
    assert f"-F {tmp_path}/llm/ssh_config" in call
    assert f"UserKnownHostsFile={tmp_path}/llm/known_hosts" in call
    assert "/key" not in call


def test_first_contact_is_not_believed(fleet: Fleet, tmp_path: Path) -> None:
    machines = fleet("id-11 ssh-ed25519 A\n", _1=REPORT)
    assert read(tmp_path, machines) == ({}, {"llm-1": idle_reader.FIRST_CONTACT})
    assert "StrictHostKeyChecking=accept-new" in (tmp_path / "calls").read_text(encoding="utf-8")
    read(tmp_path, machines, pin=False)
    assert "StrictHostKeyChecking=yes" in (tmp_path / "calls").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("sh:echo 'ssh: connect: timed out.' >&2; exit 255", "ssh: connect: timed out"),
        ("sh:exit 255", "ssh ended with 255"),
        ("sh:printf 'a\\033[31mb\\n' >&2; exit 1", "a [31mb"),
        (
            "sh:echo '@ REMOTE HOST IDENTIFICATION HAS CHANGED! @' >&2; exit 255",
            "it shows another host key than the pinned one: something else may answer there",
        ),
        (
            "sh:echo 'cat: /run/gpuops/idle.json: No such file or directory' >&2; exit 1",
            "the idle guard has written no report there",
        ),
        ({**REPORT, "version": 2}, "its report has an unknown format"),
    ],
)
def test_reason_is_told(fleet: Fleet, tmp_path: Path, answer: Any, problem: str) -> None:
    machines = fleet("id-1 ssh-ed25519 A\n", _1=answer)
    assert read(tmp_path, machines) == ({}, {"llm-1": problem})


@pytest.mark.parametrize(
    "answer",
    [
        *("", "[]", "null", "[" * 60000, "x" * 200000),
        json.dumps({**REPORT, "at": "2026-11-22T12:00:00"}),
        json.dumps({**REPORT, "at": None}),
        json.dumps({**REPORT, "idle_since": 7}),
        json.dumps({**REPORT, "done": "yes"}),
        json.dumps({**REPORT, "idle_after": "soon"}),
        json.dumps({**REPORT, "idle_after": ["2h"]}),
        json.dumps({**REPORT, "gpus": {"a": 1}}),
        json.dumps({**REPORT, "gpus": [[]]}),
        json.dumps({**REPORT, "users": []}),
        json.dumps({**REPORT, "load1": "high"}),
        json.dumps({**REPORT, "load1": float("nan")}),
        json.dumps(REPORT).replace("0.02", "1e999"),
        json.dumps({**REPORT, "users": float("inf")}),
        json.dumps({**REPORT, "at": "0001-01-01T00:00:00+14:00"}),
        json.dumps({**REPORT, "why_busy": 5}),
        json.dumps({key: value for key, value in REPORT.items() if key != "users"}),
    ],
)
def test_nonsense_is_no_report(fleet: Fleet, tmp_path: Path, answer: str) -> None:
    machines = fleet("id-1 ssh-ed25519 A\n", _1=answer)
    assert read(tmp_path, machines) == ({}, {"llm-1": "its report cannot be read"})


def test_guard_of_an_earlier_release_says_nothing_of_a_limit(fleet: Fleet, tmp_path: Path) -> None:
    older = {key: value for key, value in REPORT.items() if key != "idle_after"}
    machines = fleet("id-1 ssh-ed25519 A\n", _1=older)
    assert read(tmp_path, machines)[0]["id-1"]["idle_after"] == "never"


def test_words_of_a_machine_cannot_steer_a_terminal(fleet: Fleet, tmp_path: Path) -> None:
    machines = fleet("id-1 k A\n", _1={**REPORT, "why_busy": ["a\x1b[2J\nb" + "c" * 400] * 30})
    words = read(tmp_path, machines)[0]["id-1"]["why_busy"]
    assert len(words) == 20
    assert words[0] == ("a [2J b" + "c" * 400)[:200]


def test_a_machine_that_hangs_ends_with_the_round(fleet: Fleet, tmp_path: Path) -> None:
    machines = fleet("id-1 k A\nid-2 k A\n", _1="sh:exec sleep 60", _2=REPORT)
    started = time.monotonic()
    reports, problems = read(tmp_path, machines, timeout=0.8)
    assert time.monotonic() - started < 10
    assert (list(reports), problems) == (["id-2"], {"llm-1": "no answer within 1 s"})


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"ip": None}, "it has no address"),
        ({"ip": "-oProxyCommand=touch /x"}, "it has no address"),
        ({"id": "a b"}, "its id is no name"),
    ],
)
def test_what_is_no_address_is_not_asked(
    fleet: Fleet, tmp_path: Path, given: dict[str, Any], problem: str
) -> None:
    fleet()
    assert read(tmp_path, [machine(1, **given)]) == ({}, {"llm-1": problem})
    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize("deployment", ["..", "../llm", "", None])
def test_the_name_of_a_deployment_leads_nowhere_else(
    fleet: Fleet, tmp_path: Path, deployment: str | None
) -> None:
    fleet()
    (tmp_path / "llm").mkdir()
    for folder in (tmp_path, tmp_path / "llm"):
        (folder / "ssh_config").touch()
    asked = machine(1, deployment=deployment)
    assert read(tmp_path / "llm", [asked], key_file="") == ({}, {"llm-1": "no key for it here"})


def test_machines_with_the_same_problem_share_a_sentence() -> None:
    unread = [{"name": n, "problem": p} for n, p in (("a", "dead"), ("b", "mute"), ("c", "dead"))]
    assert idle_reader.tell([REPORT], unread) == [
        "Read the idle reports of 1 of 4 instances.",
        "No idle report of a, c: dead.",
        "No idle report of b: mute.",
    ]
    assert idle_reader.tell([], []) == []


def test_nobody_hears_of_keys_that_nobody_has_given() -> None:
    mute = {"name": "a", "problem": idle_reader.NO_KEY}
    assert idle_reader.tell([], [mute]) == []
    assert len(idle_reader.tell([REPORT], [mute])) == 2
