# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sessions are measured, and how: coverage.py in each Python that they start.

A session's data are in .nox/coverage/<session>, so that sessions beside each other and clones do
not meet. scripts/coverage_report.py says what all of them saw together.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from workshop import COLLECTION, ROOT, WORK

FOLDER = WORK / "coverage"
# Measured, when the whole session is run: those of `make test`, and what .ci/run adds.
MAKE_TEST = ("unit-2.19", "e2e", "pages")
FURTHER = ("integration",)
# Where a Python that was started with a session's environment finds how to measure. The tests that
# make an environment of their own pass it on.
SWITCH = "COVERAGE_PROCESS_START"

# Files are named where they are traced: modules run from a zip file, below the collection's path.
# Nothing else is traced: not the simulator, not the tests, not Ansible. What coverage.py would warn
# of must not stand in the output of a program under test.
SETTINGS = """\
[run]
branch = true
parallel = true
concurrency = thread
data_file = {folder}/data
include =
    {root}/plugins/*
    {root}/roles/*/files/*
    */{collection}/plugins/*
    */{collection}/roles/*/files/*
disable_warnings =
    already-imported
    couldnt-parse
    include-ignored
    module-not-imported
    module-not-measured
    no-data-collected
    trace-changed

[paths]
collection =
    {root}/
    */{collection}/
"""


def is_measured(session: str) -> bool:
    """Tell whether a session is to be measured."""
    return session in (*MAKE_TEST, *FURTHER)


def data_file(session: str, folder: Path = FOLDER) -> Path:
    """Return where the data of a session are, after it."""
    return folder / session / "data"


def settings_file(session: str, folder: Path = FOLDER) -> Path:
    """Return where a session's settings of coverage.py are."""
    return folder / session / "settings.ini"


def forget(session: str, folder: Path = FOLDER) -> None:
    """Remove what an earlier run of a session left: old data would hide that none came."""
    shutil.rmtree(folder / session, ignore_errors=True)


def begin(session: str, folder: Path = FOLDER, root: Path = ROOT) -> dict[str, str]:
    """Prepare to measure a session; returns what its environment needs for it."""
    forget(session, folder)
    settings = settings_file(session, folder)
    settings.parent.mkdir(parents=True)
    text = SETTINGS.format(folder=settings.parent, root=root, collection=COLLECTION)
    settings.write_text(text, encoding="utf-8")
    return {SWITCH: str(settings)}


def add(session: str, files: Iterable[Path], folder: Path = FOLDER) -> None:
    """Take data that another program has measured, ansible-test, to a session's own."""
    for number, file in enumerate(sorted(files)):
        shutil.copyfile(file, data_file(session, folder).with_name(f"data.added.{number}"))


def combine(session: str, folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the words for coverage.py that join the data of a session's many processes."""
    return ("combine", "--quiet", f"--rcfile={settings_file(session, folder)}")
