# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give tests a clean environment, and make the collection importable as Ansible imports it.

Whoever starts pytest, and from where: nothing of their home, settings or credentials is seen or
changed. This runs before anything of Ansible is imported, for Ansible reads its settings then.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from coverage import Coverage

ROOT = Path(__file__).resolve().parents[2]
# What is left of the caller's environment; all else could be a setting or a credential of theirs.
KEPT = frozenset(
    {
        "CI", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "TERM", "TMPDIR",
        "USER", "VIRTUAL_ENV",
        # How long and how often, asked for by name; and by which a session finds its processes.
        "GPUOPS_CHAOS_KILLS", "GPUOPS_CHAOS_RUNS", "GPUOPS_CHAOS_SEED", "GPUOPS_MATRIX_TRIPLES",
        "GPUOPS_MONTH_DAYS", "GPUOPS_WATCH_PID", "GPUOPS_WORKSPACE",
    }
)  # fmt: skip
KEPT_PREFIXES = ("ANSIBLE_TEST_", "COV_", "COVERAGE_", "PYTEST_", "PYTHON")
# Their calls of the collection, if any, are those of other tests, in random order.
UNMEASURED = (
    "chaos", "matrix", "simulator", "test_code.py", "test_coverage.py", "test_every_core.py",
    "test_isolation.py", "test_repository.py", "test_sessions.py", "test_sessions_environment.py",
    "test_tools.py",
)  # fmt: skip


def _leave_the_user() -> Path:
    """Drop what the environment says of the user; return the home that stands for theirs."""
    for name in [*os.environ]:
        if name not in KEPT and not name.startswith(KEPT_PREFIXES):
            del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="gpuops-unit-"))
    settings = home / "ansible.cfg"
    settings.touch()
    os.environ["HOME"] = str(home)
    # An empty file, else Ansible takes the one of the folder in which pytest was started.
    os.environ["ANSIBLE_CONFIG"] = str(settings)
    # With ~, its default, it is in the home of the password database, whatever HOME is.
    os.environ["ANSIBLE_REMOTE_TMP"] = "$HOME/.ansible/tmp"
    os.environ["ANSIBLE_LOCALHOST_WARNING"] = "false"
    return home


HOME = _leave_the_user()


def _find_collections() -> None:
    """Let Ansible's own finder import collections, as it does where users run them."""
    from ansible.plugins.loader import init_plugin_loader
    from ansible.utils.collection_loader import AnsibleCollectionConfig

    if AnsibleCollectionConfig.collection_finder is None:  # ansible-test has its own in place
        link = ROOT / ".collections"
        place = str(link if link.exists() else ROOT.parents[2])
        init_plugin_loader([place])
        # For the processes that tests start with our path: nobody puts a finder into them.
        sys.path.insert(0, place)


_find_collections()
sys.path[:0] = [str(ROOT / name) for name in ("tests/simulator", "tests/unit/programs", "cli")]


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give every test an empty home, which goes with it."""
    home = Path(tempfile.mkdtemp(dir=HOME))
    monkeypatch.setenv("HOME", str(home))
    yield home
    shutil.rmtree(home, ignore_errors=True)


# What meets a release of ansible-core by its kind: its plugins, and expressions that it evaluates.
EVERY_CORE_FOLDERS = (
    "plugins/action",
    "plugins/callback",
    "plugins/filter",
    "plugins/inventory",
    "plugins/lookup",
)
EVERY_CORE_FIXTURES = frozenset({"expressions"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what can differ by release of ansible-core, and begin with the longest: playbooks."""
    folders = [ROOT / "tests/unit" / name for name in EVERY_CORE_FOLDERS]
    for item in items:
        placed = any(folder in item.path.parents for folder in folders)
        if placed or EVERY_CORE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("every_core")
    items.sort(key=lambda item: item.path.parent != ROOT / "tests/unit")


def pytest_unconfigure() -> None:
    """Remove the home in which the tests had theirs."""
    shutil.rmtree(HOME, ignore_errors=True)


def _measuring() -> Coverage | None:
    """Return what measures the coverage of this process, if anything does."""
    program = sys.modules.get("coverage")
    return None if program is None else program.Coverage.current()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure no test that has nothing to add, for tracing costs half of its time again."""
    place = item.path.relative_to(Path(__file__).parent).parts[0]
    measuring = _measuring() if place in UNMEASURED else None
    if measuring:
        measuring.stop()
    yield
    if measuring:
        measuring.start()


def pytest_sessionfinish() -> None:
    """Save what was measured: a worker that takes long to end is killed."""
    measuring = _measuring()
    if measuring:
        measuring.stop()
        measuring.save()
