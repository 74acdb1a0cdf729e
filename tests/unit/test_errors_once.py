# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a playbook of the installed collection failed is told as often as Ansible itself tells it.

That is once by ansible-core 2.18 and twice by later ones, as an error and as a task's result.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.in_process import run_playbook
from ansible_collections.gpuops.cloud.tests.unit.test_estates import WISH, Estate, said
from ansible_collections.gpuops.cloud.tests.unit.test_request import rent
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "This is the sentence of a task that fails."
NONE = {"gpuops_ledger": "none"}
MINE = {"deployment": "llm", **NONE}
# By playbook: what makes it fail, and words of what it says then. The first ones differ by release.
ON_EVERY_CORE = [
    ("lease", {**MINE, "extend": "2h", "machine_name": "other"}, "has no instance"),
    ("lease", {**MINE, "done": True, "owner": "bob"}, "Not terminated without confirmation: llm"),
    ("teardown", {**MINE, "owner": "bob"}, "Not terminated without confirmation: llm"),
    ("bringup", {**WISH, "ssh_ready_timeout": 1}, "not ready after"),
    ("capacity", {"tier": "any_h101"}, "Unknown tier"),
]
ON_ONE = [
    ("teardown", {"deployment": "llmm", **NONE}, "Unknown deployment llmm"),
    ("bringup", {**WISH, "deployment": "llm", "owner": "bob"}, "Not used or changed without"),
    ("bringup", {**WISH, "tier": "any_b300"}, "any_b300"),
    ("bringup", {"teir": "any_a100"}, "Not known on the command line: teir"),
    ("preflight", {"tier": "any_a100"}, "vllm_model is required"),
    ("scheduled", {**MINE, "hours": "never"}, "cannot be read"),
    ("status", {"deployment": "a_b"}, "deployment must be"),
    ("cost", {"since": "1", **NONE}, "is not a duration"),
    ("reap", NONE, "One of the following is required"),
    ("metrics", {"file": "/metrics", **NONE}, "must end in .prom"),
    ("observed", {}, "observation_log is required"),
    ("gateway", {"deployment": "none"}, "has no running instance"),
    ("benchmark", {"deployment": "none"}, "No instance of none runs"),
    ("monitor", {"deployment": "a b"}, "deployment must be"),
    ("verify_account", {"spend": True, "max_price_per_hour": 0.01, **NONE}, "There is no type"),
]


@pytest.fixture(scope="module")
def times(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Return how often this release of Ansible tells why a task failed."""
    home = tmp_path_factory.mktemp("home")
    task = {"name": "Fail", "ansible.builtin.fail": {"msg": SENTENCE}}
    play = {"name": "Fail", "hosts": "localhost", "gather_facts": False, "tasks": [task]}
    (home / "fail.yml").write_text(json.dumps([play]), encoding="utf-8")
    done = run_playbook(str(home / "fail.yml"), folder=home, environment={})
    return said(done).count(SENTENCE)


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Return an estate with an instance of the deployment ``llm``, which is ada's."""
    stock = {"FIN-01": {"on_demand": {"1A100.22V": 4}, "spot": {}}}
    with Simulator({"stock": stock, "provision_seconds": 0}) as cloud:
        estate = Estate(cloud, tmp_path)
        rent(estate, "llm", "ada")
        yield estate


def fail(estate: Estate, book: str, variables: dict[str, Any]) -> Any:
    """Run a playbook by the name that it has where it is installed; it fails as Ansible fails."""
    done = estate.run_installed(book, variables=variables)
    assert done.returncode == 2, said(done)
    return done


def sentences(done: Any) -> list[str]:
    """Return all sentences in the messages of tasks that failed."""
    results = re.findall(r"FAILED! => (\{.*\})$", done.stdout, re.M)
    messages = [json.loads(row)["msg"] for row in results]
    assert messages, said(done)
    return [one for text in messages for one in re.split(r"(?<=[.!?]) ", text) if len(one) > 12]


def count(done: Any, sentence: str) -> int:
    """Return how often a sentence is told, as it is or as JSON has it.

    The field ``error.hint`` of a result is for programs: people have read it in the message.
    """
    told = re.sub(r'"hint": "(?:[^"\\]|\\.)*"', "", said(done))
    return sum(told.count(form) for form in sorted({sentence, json.dumps(sentence)[1:-1]}))


def check(done: Any, words: str, times: int) -> None:
    """Check that every sentence is there as often as Ansible tells it, and stands at its head."""
    found = sentences(done)
    assert any(words in one for one in found), said(done)
    assert {one: count(done, one) for one in found if count(done, one) != times} == {}
    assert "failed_when" not in said(done)
    heads = re.findall(
        r"^\[ERROR\]: Task failed: (?:Module|Action) failed: (.*)$", done.stdout, re.M
    )
    assert len(heads) == (0 if times == 1 else len(re.findall("FAILED! =>", done.stdout)))
    assert times == 1 or any(words in head for head in heads)


def ids(rows: list[tuple[str, dict[str, Any], str]]) -> list[str]:
    """Return the name of each case."""
    return [f"{book}: {words}" for book, _variables, words in rows]


@pytest.mark.every_core
@pytest.mark.parametrize(("book", "variables", "words"), ON_EVERY_CORE, ids=ids(ON_EVERY_CORE))
def test_sentence_stands_there_once(
    estate: Estate, times: int, book: str, variables: dict[str, Any], words: str
) -> None:
    done = fail(estate, book, variables)
    check(done, words, times)
    if book == "bringup":
        assert count(done, "The instance still costs 1.797 per hour.") == times


@pytest.mark.parametrize(("book", "variables", "words"), ON_ONE, ids=ids(ON_ONE))
def test_sentence_of_every_playbook_stands_there_once(
    estate: Estate, times: int, book: str, variables: dict[str, Any], words: str
) -> None:
    check(fail(estate, book, variables), words, times)


@pytest.mark.every_core
def test_settings_of_the_readme_end_the_warnings(estate: Estate) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    settings = text.split("```ini\n")[1].split("```")[0]
    ours = (ROOT / "ansible.cfg").read_text(encoding="utf-8")
    assert set(settings.splitlines()) <= set(ours.splitlines())
    (estate.home / "ansible.cfg").write_text(settings, encoding="utf-8")
    command, environment = estate.command("capacity", {"tier": "any_h101"})
    del environment["ANSIBLE_LOCALHOST_WARNING"]
    done = subprocess.run(
        command, cwd=estate.home, env=environment, capture_output=True, text=True, check=False
    )
    assert "Unknown tier" in said(done)
    assert "WARNING" not in said(done)
