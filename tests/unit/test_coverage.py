# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of coverage count what ran, wherever it ran, and what did not run lowers them."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import coverage_report
import measuring

# So many lines ask not to be counted. Raise this only for a line that no test can reach.
NO_COVER = 0

MODULE = """\
def sign(number):
    if number < 0:
        return "negative"
    return "positive"


if __name__ == "__main__":
    print(sign(1))
"""
PROGRAM = """\
import threading


def work():
    print("worked")


thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
UNTESTED = """

def nobody_calls_this():
    first = 1
    second = first + 1
    return first + second
"""
STRANGER = "print('not of the collection')\n"


class Tree:
    """A small collection whose programs are measured as those of the real one."""

    def __init__(self, folder: Path) -> None:
        """Write it."""
        self.root, self.data = folder / "clone", folder / "coverage"
        self.module = self.root / "plugins/modules/sign.py"
        self.program = self.root / "roles/some/files/work.py"
        self.stranger = self.root / "tests/stranger.py"
        texts = {self.module: MODULE, self.program: PROGRAM, self.stranger: STRANGER}
        for path, text in texts.items():
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")

    def zipped(self) -> str:
        """Pack the module as Ansible does to run it; returns the code that runs it."""
        packed = self.root / "payload.zip"
        place = Path("ansible_collections/gpuops/cloud/plugins/modules/sign.py")
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(self.module, place)
            for folder in list(place.parents)[:-1]:
                archive.writestr(f"{folder}/__init__.py", "")
        name = ".".join(place.with_suffix("").parts)
        return (
            f"import runpy, sys; sys.path.insert(0, {str(packed)!r});"
            f"runpy.run_module({name!r}, run_name='__main__')"
        )

    def measure(self, session: str, *commands: list[str]) -> None:
        """Run Python programs, each in a process of its own, as a measured session."""
        switch = measuring.begin(session, self.data, self.root)
        words = measuring.combine(session, self.data)
        for command in (*commands, ["-m", "coverage", *words]):
            environment = {**os.environ, **switch}
            subprocess.run([sys.executable, *command], env=environment, check=True)

    def lines(self, *sessions: str) -> dict[str, tuple[int, int]]:
        """Return file -> lines that ran and lines that there are."""
        counted = coverage_report.count(sessions, self.data, self.root)
        rows = {name: one for files in counted.values() for name, one in files.items()}
        return {name: (one.lines_run, one.lines) for name, one in rows.items()}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Provide a small collection."""
    return Tree(tmp_path)


def test_an_untested_function_lowers_the_figure(tree: Tree) -> None:
    """Everything is measured anew, and the part that it is in is below the floor."""
    tree.measure("one", [str(tree.program)], ["-c", tree.zipped()])
    before = coverage_report.count(["one"], tree.data, tree.root)
    assert coverage_report.total(before["roles/*/files"]).percent == 100
    assert coverage_report.too_low({"roles/*/files": before["roles/*/files"]}) == []
    for path in (tree.program, tree.module):
        path.write_text(path.read_text(encoding="utf-8") + UNTESTED, encoding="utf-8")
    tree.measure("one", [str(tree.program)], ["-c", tree.zipped()])
    after = coverage_report.count(["one"], tree.data, tree.root)
    for part in ("plugins", "roles/*/files"):
        lower, higher = (coverage_report.total(one[part]) for one in (after, before))
        assert lower.lines_run == higher.lines_run + 1  # the line with def
        assert lower.lines == higher.lines + 4
        assert lower.percent < higher.percent
    assert "of the lines of roles/*/files are covered" in coverage_report.too_low(after)[1]


def test_modules_in_zip_files_subprocesses_and_threads_count(tree: Tree) -> None:
    """Sessions add up, and what is not of the collection is not traced at all."""
    tree.measure("module", ["-c", tree.zipped()], [str(tree.stranger)])
    tree.measure("program", [str(tree.program)])
    module, program = "plugins/modules/sign.py", "roles/some/files/work.py"
    assert tree.lines("module") == {module: (5, 6), program: (0, 6)}
    assert tree.lines("module", "program") == {module: (5, 6), program: (6, 6)}
    counted = coverage_report.count(["module"], tree.data, tree.root)["plugins"][module]
    assert (counted.branches_run, counted.branches) == (2, 4)


def test_a_program_counts_where_it_is_sent_to(tree: Tree, tmp_path: Path) -> None:
    """Beside those of other roles, as on a host, and with the places of the host's replaced."""
    copy = tmp_path / "ansible_collections/gpuops/cloud/roles/some/files/work.py"
    copy.parent.mkdir(parents=True)
    copy.write_text(PROGRAM.replace("worked", "has worked"), encoding="utf-8")
    sent = tmp_path / "lib/work.py"
    sent.parent.mkdir()
    sent.symlink_to(copy)
    tree.measure("host", [str(sent)])
    assert tree.lines("host")["roles/some/files/work.py"] == (6, 6)


def test_data_that_did_not_come_is_an_error(
    tree: Tree, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not less to count: a session that broke off left none, one before it may have."""
    tree.measure("one", [str(tree.program)])
    measuring.begin("broken", tree.data, tree.root)
    with pytest.raises(coverage_report.NoDataError, match="no coverage data of broken, never"):
        tree.lines("one", "broken", "never")
    measuring.forget("one", tree.data)
    with pytest.raises(coverage_report.NoDataError, match="no coverage data of one"):
        tree.lines("one")
    monkeypatch.setattr(measuring, "FOLDER", tree.data)
    assert coverage_report.main(["never"], []) == 1
    assert "COVERAGE: no coverage data of never" in capsys.readouterr().out


def test_marks_that_exclude_are_counted(tree: Tree) -> None:
    """Their places are told, wherever they stand."""
    text = "if unlikely:  # pragma: no cover\n    pass\nif sure:  # pragma: no branch\n    pass\n"
    tree.program.write_text(text, encoding="utf-8")
    found = [f"roles/some/files/work.py:{line}" for line in (1, 3)]
    assert coverage_report.marks(tree.root) == found


def test_few_lines_ask_not_to_be_counted() -> None:
    """Whoever adds such a mark raises the number above, and whoever removes one lowers it."""
    assert len(coverage_report.marks()) == NO_COVER
