# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide for tests without an account: its commands and its tasks, as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from pathlib import Path

import pytest
import yaml
from whole_path import ROOT

PAGE = ROOT / "docs/docsite/rst/guide_simulator.rst"
PLAY = {"hosts": "localhost", "connection": "local", "gather_facts": False}


def block(language: str) -> str:
    """Return the one block of this language on the page."""
    text = PAGE.read_text(encoding="utf-8")
    (found,) = re.findall(rf"code-block:: {language}\n\n((?:    .*\n|\n)+)", text)
    return textwrap.dedent(found)


@pytest.fixture
def commands(tmp_path: Path) -> list[str]:
    """Return the commands of the page, with a place of their own for what lies in /tmp."""
    lines = [line.removeprefix("$ ") for line in block("console").splitlines() if line]
    return [line.replace("/tmp/cloud", str(tmp_path / "cloud")) for line in lines]


def test_the_guide_works_as_it_is_written(commands: list[str], tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    tasks = [{**PLAY, "tasks": yaml.safe_load(block("yaml"))}]
    play.write_text(yaml.safe_dump(tasks), encoding="utf-8")
    *before, stop = commands
    address = f"simulator=http://$(cat {tmp_path / 'cloud'})"
    twice = [f'ansible-playbook {play} -e "{address}"'] * 2
    script = tmp_path / "commands"
    script.write_text("\n".join([*before, *twice, stop]), encoding="utf-8")
    done = subprocess.run(
        ["bash", "-veuo", "pipefail", script],
        cwd=ROOT,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "HOME": str(tmp_path),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "XDG_DATA_HOME": str(tmp_path / "data"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    # The answer to the order was lost: it is found again, and bought once.
    changed = re.findall(r"localhost +: ok=3 +changed=(\d)", done.stdout)
    assert changed[-2:] == ["1", "0"], done.stdout
