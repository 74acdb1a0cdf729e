# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be meant ends every playbook before it asks the cloud or writes a file.

Three hundred names and three hundred values are looked at by test_variables.py and
test_request_values.py, without a playbook; here each playbook meets a few of either kind.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._request import specs
from ansible_collections.gpuops.cloud.tests.unit.plugins.module_utils.test_request_values import (
    slipped,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.module_utils.test_variables import mistake
from ansible_collections.gpuops.cloud.tests.unit.test_estates import Estate, said
from gpuops_simulator import Simulator

BOOKS = sorted({*specs.TAKES} - {"demo_job", "demo_stop"})  # which take nothing


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Return an estate in which nothing may be asked, and nothing written."""
    with Simulator({"provision_seconds": 0}) as cloud:
        yield Estate(cloud, tmp_path)
        assert cloud.log() == []
    written = [path.name for path in tmp_path.iterdir()]
    assert [name for name in written if name not in (".ansible", "tmp")] == []


def refused(estate: Estate, book: str, name: str, value: Any) -> str:
    """Run a playbook that its first step ends; returns what it said."""
    done = estate.run_installed(book, variables={name: value})
    assert done.returncode == 2, (name, value, said(done))
    assert said(done).count("TASK [") == 1, said(done)
    return said(done)


@pytest.mark.parametrize("book", BOOKS)
def test_name_that_is_a_letter_or_two_off(estate: Estate, book: str) -> None:
    dice = random.Random(book)
    names = [name for name in specs.TAKES[book] if len(name) > 4]
    slips = [mistake(dice, dice.choice(names)) for _each in range(9)]
    strange = [one for one in slips if one not in specs.VARIABLES and not one.startswith("_")][:3]
    assert strange
    for name in strange:
        assert f"Not known on the command line: {name}" in refused(estate, book, name, "1")


@pytest.mark.parametrize("book", [book for book in BOOKS if book != "observed"])
def test_value_outside_of_what_a_variable_can_have(estate: Estate, book: str) -> None:
    dice = random.Random(book)
    spec = specs.spec_of(book)
    for _each in range(3):
        found = {name: slipped(dice, name, one) for name, one in spec.items()}
        name = dice.choice(sorted(name for name, value in found.items() if value is not None))
        heard = refused(estate, book, name, found[name])
        assert "Nothing was done." in heard, json.dumps(found[name])
