# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can differ by release of ansible-core is marked, for other releases run nothing else.

Tests in some folders and tests of roles' expressions are marked by conftest.py. Of each module one
test at least is marked by hand, and says which module it runs; so are a bring-up and a teardown.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

UNIT = Path(__file__).resolve().parent
ROOT = UNIT.parents[1]
PACKAGE = "ansible_collections.gpuops.cloud.tests.unit"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
# The same on each release: no plugin that ansible-core loads, or seen by the one test of a module.
ON_ONE = ("plugins", "plugins/module_utils", "plugins/modules")
ON_EACH = (
    "plugins/action",
    "plugins/callback",
    "plugins/filter",
    "plugins/inventory",
    "plugins/lookup",
)


def marks(function: Any) -> Iterator[pytest.Mark]:
    """Yield the marks of a test and of its cases."""
    for mark in getattr(function, "pytestmark", ()):
        yield mark
        if mark.name == "parametrize":
            for case in mark.args[1]:
                yield from getattr(case, "marks", ())


def named(path: Path) -> set[str]:
    """Return the modules that the marks of a file name."""
    if "every_core(" not in path.read_text(encoding="utf-8"):
        return set()
    words = path.relative_to(UNIT).with_suffix("").parts
    tests = vars(importlib.import_module(".".join([PACKAGE, *words])))
    found = [
        mark for name, test in tests.items() if name.startswith("test") for mark in marks(test)
    ]
    return {name for mark in found if mark.name == "every_core" for name in mark.args}


def test_each_module_has_a_test_that_runs_on_every_core() -> None:
    files = [*UNIT.glob("plugins/*/test_*.py"), *UNIT.glob("roles/test_*.py")]
    covered: set[str] = set().union(*map(named, files))
    assert sorted(set(MODULES) - covered) == [], "no test is marked every_core(<its name>)"
    assert sorted(covered - set(MODULES)) == [], "marked for a module that is not there"


def test_tests_of_each_kind_of_plugin_are_on_every_core_or_on_one() -> None:
    folders = {path.parent for path in (UNIT / "plugins").rglob("test_*.py")}
    assert {str(path.relative_to(UNIT)) for path in folders} == {*ON_ONE, *ON_EACH}
    kinds = {path.name for path in (ROOT / "plugins").iterdir() if any(path.glob("[!_]*.py"))}
    no_plugins = {"doc_fragments", "plugin_utils"}
    assert kinds <= {Path(name).name for name in (*ON_ONE, *ON_EACH)} | no_plugins


def test_what_is_to_be_marked_is_marked(request: pytest.FixtureRequest) -> None:
    folders = [UNIT / name for name in ON_EACH]
    here = [
        item
        for item in request.session.items
        if any(folder in item.path.parents for folder in folders)
        or "expressions" in getattr(item, "fixturenames", ())
    ]
    assert [item.nodeid for item in here if not item.get_closest_marker("every_core")] == []
