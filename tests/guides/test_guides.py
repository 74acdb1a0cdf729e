# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of the guides, in their order, on one deployment on real hosts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tomllib
from pages import LAST, PAGES, commands, sections
from published import LARGE, SMALL, running_hub
from whole_path import CACHE, Cloud

# What the guides install is installed by tests/e2e and the molecule scenario vllm.
HOST_IMAGE = "serving"
TOUR = ["choose", "serve", "upgrade", "secure", "several"]
Run = Callable[[str], str]


def of_user(home: Path, serving: dict[str, Any]) -> dict[str, str]:
    """Return the environment of a user in whose shell ansible-playbook stands for a CPU."""
    programs = home / "bin"
    programs.mkdir()
    shim = programs / "ansible-playbook"
    program = Path(__file__).parent / "on_cpu.py"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} {program} "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    on_cpu = {key: value for key, value in serving.items() if key not in ("tier", "prompt")}
    return {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(CACHE.parent),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "GUIDES_ANSIBLE_PLAYBOOK": str(shutil.which("ansible-playbook")),
        "GUIDES_ON_CPU": json.dumps(on_cpu),
    }


@pytest.fixture(scope="module")
def run(
    cloud: Cloud, serving: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """Return what runs commands in a shell, as a user of the installed collection would."""
    home = tmp_path_factory.mktemp("user")
    with running_hub() as hub:
        hub.publish(SMALL, {"model.safetensors": 16_381_517_208})
        hub.publish(LARGE, {"model.safetensors": 141_107_412_992})
        environment = {**cloud.environment, **of_user(home, serving), "HF_ENDPOINT": hub.url}

        def shell(text: str) -> str:
            script = home / "commands"
            script.write_text(text, encoding="utf-8")
            done = subprocess.run(
                ["bash", "-veuo", "pipefail", script],
                cwd=home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            print(done.stdout)
            assert done.returncode == 0
            return done.stdout

        yield shell


def test_every_guide_with_commands_is_on_the_tour() -> None:
    written = {page.stem.removeprefix("guide_") for page in PAGES.glob("guide_*.rst")}
    table = tomllib.loads((PAGES.parents[2] / "tests/sessions.toml").read_text(encoding="utf-8"))
    # Those that another session covers.
    others = {name: one for name, one in table["session"].items() if name != "guides"}
    covered = {what for one in others.values() for what in one["covers"]}
    assert {name for name in written if f"guide {name}" not in covered} == set(TOUR)
    assert all(commands(page) for page in TOUR)
    assert [title for title, _blocks in sections(TOUR[-1])][-1] == LAST


def test_choose_a_gpu(run: Run, cloud: Cloud) -> None:
    output = run(commands("choose"))
    assert "model does not fit: needs 2 x H100 80 GB" in output
    assert output.count("would: ") >= 4
    for made in ("capacity.html", "stock.jsonl", "observed.svg"):
        assert run(f"wc -c {made}"), "files lie where the user is"
    assert [row for row in cloud.call("GET", "/_sim/log") if row["write"]] == []


def test_serve_a_model(run: Run, cloud: Cloud) -> None:
    output = run(commands("serve"))
    assert '"object":"chat.completion"' in output.replace(" ", "")
    assert "first token p50 ms" in output
    assert "max-model-len: 448" in run(
        "ssh -F ~/.config/gpuops/llm/ssh_config llm cat /etc/vllm/config.yaml"
    )
    assert len(running(cloud)) == 1


def test_upgrade_a_server(run: Run, cloud: Cloud) -> None:
    output = run(commands("upgrade"))
    assert "Qwen/Qwen3-4B answers" in output
    assert "Qwen/Qwen3-8B answers" in output.partition("Qwen/Qwen3-4B answers")[2]
    assert len(running(cloud)) == 1


def test_secure_the_endpoint(run: Run) -> None:
    output = run(commands("secure"))
    assert '"object":"chat.completion"' in output.replace(" ", "")
    codes = [line for line in output.splitlines() if line in ("200", "401", "404")]
    assert codes == ["401", "404", "401"]


def test_several_machines(run: Run, cloud: Cloud) -> None:
    output = run(commands("several"))
    assert "llm-2" in output
    assert len(running(cloud)) == 2


def test_the_end_is_proven(run: Run, cloud: Cloud) -> None:
    assert {commands(page, last=True) for page in ("serve", "several")} == {
        commands("several", last=True)
    }
    assert "leftovers: none" in run(commands("several", last=True))
    assert running(cloud) == []


def running(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the instances that run."""
    return [row for row in cloud.state()["instances"] if row["status"] == "running"]
