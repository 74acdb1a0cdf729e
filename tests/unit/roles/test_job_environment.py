# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments of jobs: made once, by the lock where there is one, and refused in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

maker = load("roles/job/files/make_environment.py")
UV = """#!/bin/sh
echo "$PWD: $* ($VIRTUAL_ENV)" >> {0}/calls
[ "$1" = venv ] && mkdir -p "$4/bin"
[ "$1" = venv ] || [ ! -e {0}/fails ] || {{ cat {0}/fails >&2; exit 2; }}
"""


@dataclass
class Place:
    """A host with a job, whose uv writes down what it was asked."""

    folder: Path

    def make(self, kind: str, source: str, prefix: str = "env") -> bool:
        """Make an environment; tells whether it was made now."""
        uv = str(self.folder / "uv")
        return bool(maker.made(kind, source, self.folder / prefix, self.folder / "work", uv))

    def calls(self) -> list[str]:
        """Return what uv was asked for, after its environment."""
        text = (self.folder / "calls").read_text(encoding="utf-8")
        return text.replace(str(self.folder), "").splitlines()[1:]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Provide a host."""
    (tmp_path / "work").mkdir()
    (tmp_path / "uv").write_text(UV.format(tmp_path), encoding="utf-8")
    (tmp_path / "uv").chmod(0o755)
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("kind", "source", "there", "call"),
    [
        ("lock", "uv.lock", "uv.lock", "sync --quiet --locked"),
        ("script", "a.py", "a.py", "sync --quiet --script a.py --active"),
        ("script", "a.py", "a.py.lock", "sync --quiet --locked --script a.py --active"),
    ],
)
def test_what_is_locked_is_never_resolved_anew(
    place: Place, kind: str, source: str, there: str, call: str
) -> None:
    (place.folder / "work" / there).touch()
    assert place.make(kind, source)
    assert place.calls() == [f"/work: {call} (/env)"]
    assert not place.make(kind, source)
    assert len(place.calls()) == 1, "it was made before"


def test_one_that_was_broken_off_is_made_anew(place: Place) -> None:
    (place.folder / "fails").write_text("Killed\n", encoding="utf-8")
    with pytest.raises(maker.RefusedError, match="uv pip failed: Killed"):
        place.make("requirements", "requirements.txt")
    (place.folder / "fails").unlink()
    assert place.make("requirements", "requirements.txt")


@pytest.mark.parametrize(
    ("kind", "source", "words"),
    [
        ("lock", "uv.lock", "uv.lock is out of date: run 'uv lock'"),
        ("script", "a.py", "a.py.lock is out of date: run 'uv lock --script a.py'"),
    ],
)
def test_a_lock_that_is_out_of_date_is_one_sentence(
    place: Place, kind: str, source: str, words: str
) -> None:
    (place.folder / "work" / ("uv.lock" if kind == "lock" else "a.py.lock")).touch()
    (place.folder / "fails").write_text(
        "error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.\n",
        encoding="utf-8",
    )
    with pytest.raises(maker.RefusedError, match=words):
        place.make(kind, source)


def test_without_requirements_it_is_the_python_of_the_host(place: Place) -> None:
    assert place.make("none", "")
    settings = (place.folder / "env/pyvenv.cfg").read_text(encoding="utf-8")
    assert "include-system-site-packages = true" in settings
    assert not place.make("none", "")


def test_a_path_has_to_be_there(place: Place) -> None:
    (place.folder / "there/bin").mkdir(parents=True)
    assert not place.make("path", "", "there")
    with pytest.raises(maker.RefusedError, match="is not on the host"):
        place.make("path", "", "missing")
