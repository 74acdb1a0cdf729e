# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the collection and the simulator importable, whoever starts pytest and from where."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from coverage import Coverage

ROOT = Path(__file__).resolve().parents[2]
# Their calls of the collection, if any, are those of other tests, in random order.
UNMEASURED = ("chaos", "simulator", "test_code.py", "test_coverage.py", "test_repository.py")


def _importable(name: str) -> bool:
    """Tell whether a dotted module name can be found; a missing parent package counts as no."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


if not _importable("ansible_collections.gpuops.cloud"):
    sys.path.insert(0, str(ROOT / ".collections"))
sys.path.insert(0, str(ROOT / "tests" / "simulator"))


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
