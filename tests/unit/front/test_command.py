# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From arguments to playbooks and variables, and what is told where that cannot be."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.front import Report
from gpuops import __version__, collection, logs, main, plays
from gpuops.keys import Keys, PressedError
from gpuops.plays import Play

ROOT = Path(__file__).resolve().parents[3]
REFUSED = 125
ENDED = {"next": "nothing", "state": "failed", "result": {"exit_code": 42}, "attempt": 1}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Play]:
    """Return the playbooks that are asked for; each of them ends well, its job with 42."""
    found: list[Play] = []

    def start(play: Play, **_more: Any) -> tuple[int, Report]:
        found.append(play)
        job = {"job": {"name": "train", "results": "/none"}}
        state = {**ENDED, "record": job, "output": {}, "host": ""}
        return 0, Report({}, [state] if play.book.startswith("job") else [])

    monkeypatch.setattr(plays, "start", start)
    return found


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command with words; returns its status."""
    monkeypatch.setattr(sys, "argv", ["gpuops", *words])
    return main.entry()


TABLE: list[tuple[str, str, dict[str, Any]]] = [
    ("run train.job.yml", "job", {"job": "train.job.yml"}),
    ("run train.py --epochs 3", "job", {"run": "python train.py --epochs 3"}),
    ("run -- ./go --name x", "job", {"run": "./go --name x"}),
    (
        "run --tier any_h100 --gpus 2 --market spot --max-price 3.5 --to out --name big -y a.py",
        "job",
        {
            "tier": "any_h100", "gpu_count": 2, "market": "spot", "max_price_per_hour": 3.5,
            "results": "out", "job_name": "big", "ask": False, "run": "python a.py",
        },
    ),
    ("run --time 2h --cost 1 --volume 9 ./go", "job",
     {"time": "2h", "cost": 1.0, "data_volume_gb": 9, "run": "./go"}),
    ("run -d --again train.job.yml", "job", {"job": "train.job.yml", "again": True}),
    ("run --check a.job.yaml", "job", {"job": "a.job.yaml"}),
    ("status", "status", {}),
    ("status --json", "status", {"format": "json"}),
    ("status train", "job_status", {"job_name": "train"}),
    ("status train.job.yml", "job_status", {"job": "train.job.yml"}),
    ("logs train", "job_status", {"job_name": "train"}),
    ("cancel train", "job_cancel", {"job_name": "train"}),
    ("cancel --waiting train", "job_cancel", {"job_name": "train", "waiting": True}),
    ("result train --to here", "job_result", {"job_name": "train", "results": "here"}),
    ("up llm --model a/b --lease 4h -y", "bringup",
     {"deployment": "llm", "vllm_model": "a/b", "lease": "4h", "ask": False}),
    ("up --shell --tier any_a100", "bringup", {"purpose": "shell", "tier": "any_a100"}),
    ("down llm -y", "teardown", {"deployment": "llm", "confirm": True}),
    ("offers --market any --json", "capacity", {"market": "any", "format": "json"}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "book", "variables"), TABLE, ids=[row[0][:30] for row in TABLE])
def test_arguments_become_variables(
    line: str, book: str, variables: dict[str, Any], asked: list[Play], monkeypatch: Any
) -> None:
    status = run(monkeypatch, *line.split())
    (play,) = asked
    assert (play.book, play.variables) == (book, variables)
    assert play.check is ("--check" in line)
    assert play.fixed == ({"follow": False} if book == "job" else {})
    assert status == (42 if book == "job" else 0)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("python -c 'print(1)' | tee log",), "python -c 'print(1)' | tee log"),
        (("echo", "a b", "{{ x }}"), "echo 'a b' '{{ x }}'"),
    ],
)
def test_a_text_is_for_a_shell_and_words_stay_words(
    words: tuple[str, ...], text: str, asked: list[Play], monkeypatch: Any
) -> None:
    run(monkeypatch, "run", *words)
    assert asked[0].variables == {"run": text}


def test_anything_else_is_passed_on(asked: list[Play], monkeypatch: Any) -> None:
    run(monkeypatch, "run", "-e", "storage_path=/data", "-e", "@more.yml", "-v", "train.job.yml")
    words = asked[0].command()
    given = [words[at + 1] for at, word in enumerate(words) if word == "-e"]
    assert given == [
        '{"job": !unsafe "train.job.yml"}', "storage_path=/data", "@more.yml", '{"follow": false}'
    ]  # fmt: skip
    assert words[-1] == "-v"
    assert "ANSIBLE_STDOUT_CALLBACK" not in asked[0].environment(Path("/x"))


def test_no_text_is_a_template() -> None:
    class Loader(yaml.SafeLoader):
        """As Ansible has it, which takes what is unsafe for text."""

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    values = {"run": "echo '{{ x }}' \"ä\" \\ \t", "ask": False, "cost": 2.5}
    assert yaml.load(plays.as_variables(values), Loader) == values


def test_a_run_is_quiet_and_keeps_callbacks_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plays.constants, "CALLBACKS_ENABLED", ["mine"])
    found = Play("job").environment(Path("/x/report"))
    assert found["ANSIBLE_CALLBACKS_ENABLED"] == "mine,gpuops.cloud.progress,gpuops.cloud.report"
    assert found["ANSIBLE_STDOUT_CALLBACK"] == "gpuops.cloud.quiet"
    assert found["GPUOPS_REPORT_FILE"] == "/x/report"


# -- wrong names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lgos train", "Did you mean 'logs'?"),
        ("run --teir x a.py", "Did you mean"),
        ("run a.job.yml --epochs 3", "is a job file, which stands alone"),
        ("run", "Missing argument"),
        ("ssh trian", "Did you mean train?"),
        ("ssh other", "gpuops status lists"),
    ],
)
def test_wrong_names_get_the_nearest_and_the_status_of_gpuops(
    line: str, said: str, own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    settings = own_home / ".config/gpuops/job-train/ssh_config"
    settings.parent.mkdir(parents=True)
    settings.write_text("Host job-train 10.0.0.1\n  HostName 10.0.0.1\n\nHost *\n  User root\n")
    assert run(monkeypatch, *line.split()) == REFUSED
    assert said in capsys.readouterr().err


def test_logs_that_nobody_reads_any_more_end_as_a_pipe_does(
    asked: list[Play], monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    former = os.dup(1)
    os.dup2(writer, 1)
    try:
        monkeypatch.setattr(logs, "show_all", lambda *_given, **_more: os.write(1, b"bytes"))
        assert run(monkeypatch, "logs", "train") == 128 + signal.SIGPIPE
        os.write(1, b"what Python flushes at its end")
    finally:
        os.dup2(former, 1)
        os.close(former)
    assert capfd.readouterr().err == ""


def test_ssh_takes_the_settings_of_the_deployment(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = own_home / "elsewhere/job-train/ssh_config"
    settings.parent.mkdir(parents=True)
    settings.write_text("Host job-train 10.0.0.1\n", encoding="utf-8")
    monkeypatch.setenv("GPUOPS_HOME", str(own_home / "elsewhere"))
    became: list[list[str]] = []
    monkeypatch.setattr(main.os, "execvp", lambda _file, words: became.append(words))
    run(monkeypatch, "ssh", "train", "nvidia-smi", "-L")
    assert became == [["ssh", "-F", str(settings), "job-train", "nvidia-smi", "-L"]]


# -- what is not installed -------------------------------------------------------------------------


def test_without_ansible_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, "ansible.plugins.loader", None)
    assert run(monkeypatch, "status") == REFUSED
    assert "pip install 'ansible-core>=2.18'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("ansible_collections.gpuops.no_such", "ansible-galaxy collection install gpuops.cloud"),
        ("", "pip install gpuops==9.9.9"),
    ],
)
def test_without_the_collection_of_the_same_release_it_says_so(
    version: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    if version:
        monkeypatch.setattr(collection, "_VERSION", version)
    else:
        monkeypatch.setattr(sys.modules[collection._VERSION], "VERSION", "9.9.9")
    assert run(monkeypatch, "offers") == REFUSED
    assert said in capsys.readouterr().err


# -- the shell -------------------------------------------------------------------------------------


def test_completion_knows_commands_and_jobs(own_home: Path) -> None:
    jobs = own_home / ".config/gpuops/jobs"
    jobs.mkdir(parents=True)
    for name in ("train", "tune", "other"):
        (jobs / f"{name}.json").write_text(json.dumps({}), encoding="utf-8")

    def complete(line: str) -> list[str]:
        words = line.split(" ")
        around = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        around["_GPUOPS_COMPLETE"] = "bash_complete"
        done = CliRunner().invoke(main.main, prog_name="gpuops", env=around)
        return [row.partition(",")[2] for row in done.output.splitlines()]

    assert complete("gpuops st") == ["status"]
    assert complete("gpuops logs t") == ["train", "tune"]
    assert complete("gpuops run --max") == ["--max-price"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell: str) -> None:
    done = CliRunner().invoke(main.main, ["completion", shell], prog_name="gpuops")
    assert "_GPUOPS_COMPLETE" in done.output


def test_ctrl_c_is_counted_and_answered_once() -> None:
    keys, before = Keys(), signal.getsignal(signal.SIGINT)
    with keys.counted():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(PressedError):
        keys.check()
    keys.check()
    assert signal.getsignal(signal.SIGINT) is before


# -- the package -----------------------------------------------------------------------------------


def test_package_is_of_the_release_of_the_collection_and_not_in_it() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert galaxy["version"] == __version__
    assert "cli" in galaxy["build_ignore"]


def test_package_needs_what_the_collection_needs() -> None:
    text = (ROOT / "cli/pyproject.toml").read_text(encoding="utf-8")
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line[:1].isalpha() and f'"{line}"' not in text] == []
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert f'"ansible-core{runtime["requires_ansible"].removesuffix(".0")}"' in text
