# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page by symptom quotes what users see: every sentence of it is one of the collection's."""

from __future__ import annotations

import ast
import re
import textwrap
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/docsite/rst/guide_troubleshooting.rst"
# Of other programs.
FOREIGN = ("curl: ",)
GAP = "…"


def quoted() -> list[str]:
    """Return the sentences that the page tells to look for."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"code-block:: text\n\n((?:    .*\n)+)", text)
    return [textwrap.dedent(block).strip() for block in blocks]


@cache
def told() -> str:
    """Return all text of the collection's code, with single blanks."""
    parts = []
    for path in (ROOT / "plugins").rglob("*.py"):
        # Python joins the parts of a sentence; what stands for a value is a gap.
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts.append("".join(piece(value) for value in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                parts.append(node.value)
    for folder in ("playbooks", "roles"):
        parts += [path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.yml")]
    return " ".join("\n".join(parts).split())


def piece(value: ast.expr) -> str:
    """Return the text of a part of an f-string."""
    return str(value.value) if isinstance(value, ast.Constant) else GAP


@pytest.mark.parametrize("sentence", quoted())
def test_sentence_is_what_users_see(sentence: str) -> None:
    if sentence.startswith(FOREIGN):
        return
    parts = [part.strip(" .:") for part in sentence.split(GAP)]
    assert [part for part in parts if part not in told()] == []
    assert sum(map(len, parts)) > 15
