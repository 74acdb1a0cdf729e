# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide for tests without an account: its commands and its play, as they are written."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path

from installed import run, user
from whole_path import ROOT

PAGE = ROOT / "docs/docsite/rst/guide_simulator.rst"


def blocks(language: str) -> list[str]:
    """Return the blocks of this language on the page."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(rf"code-block:: {language}\n\n((?:    .*\n|\n)+)", text)
    return [textwrap.dedent(block) for block in found]


def test_the_guide_works_as_it_is_written(tmp_path: Path, tarball: Path) -> None:
    shutil.copy(tarball, tmp_path)
    (play,) = blocks("yaml")
    (tmp_path / "lost.yml").write_text(play, encoding="utf-8")
    lines = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]
    # What lies in /tmp has a place of its own here.
    script = tmp_path / "commands"
    script.write_text("\n".join(lines).replace("/tmp/cloud", str(tmp_path / "cloud")), "utf-8")
    command = ("bash", "-veuo", "pipefail", script)
    output = run(*command, cwd=tmp_path, environment=user(tmp_path / "home"))
    # The answer to the order was lost: it is found again, and bought once.
    changed = re.findall(r"localhost +: ok=3 +changed=(\d)", output)
    assert changed[-2:] == ["1", "0"]
    assert "leftovers: none" in output
