# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of the tools: each is said in one place, or compared with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tomllib
import yaml

ROOT = Path(__file__).resolve().parents[2]
LISTS = sorted(ROOT.glob("requirements-*.txt"))
EXACT = re.compile(r"([\w.-]+)(\[[\w,]+\])?==[\w.]+")


def pins(path: Path) -> list[str]:
    """Return the lines of a list of tools that are no comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def hooks() -> list[dict[str, Any]]:
    """Return the hooks that run before a commit."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    return [{"repo": repo["repo"], **hook} for repo in config["repos"] for hook in repo["hooks"]]


def test_tools_are_pinned_exactly() -> None:
    assert [line for path in LISTS for line in pins(path) if not EXACT.fullmatch(line)] == []


def test_no_tool_has_two_versions() -> None:
    named = [line.split("==")[0] for path in LISTS for line in pins(path)]
    assert sorted(named) == sorted(set(named))


def test_group_for_editors_holds_the_pinned_tools() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    assert groups == {"dev": pins(ROOT / "requirements-test.txt")}


def test_hooks_are_local_and_use_the_pinned_tools() -> None:
    assert {hook["repo"] for hook in hooks()} == {"local"}
    used = {name for hook in hooks() for name in hook["additional_dependencies"]}
    assert used - set(pins(ROOT / "requirements-test.txt")) == set()


@pytest.mark.parametrize("name", ["ruff check", "ruff format", "yamllint --strict"])
def test_hooks_run_what_the_session_lint_runs(name: str) -> None:
    assert [hook for hook in hooks() if hook["entry"].startswith(name)]
    words = [f'"{word}"' for word in name.split()]
    assert ", ".join(words) in (ROOT / "noxfile.py").read_text(encoding="utf-8")
