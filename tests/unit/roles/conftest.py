# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles whose expressions tests may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.expressions import Way, evaluate
from ansible_collections.gpuops.cloud.tests.unit.roles.support import Evaluate

ROLES: set[str] = set()


def expressions_of(role: str) -> Any:
    """Return the fixture that evaluates expressions of a role."""
    ROLES.add(role)

    @pytest.fixture(scope="module", name=role)
    def provide(expressions: Way, tmp_path_factory: pytest.TempPathFactory) -> Evaluate:
        return lambda cases, expression: expressions(
            tmp_path_factory.mktemp(role), role, cases, expression
        )

    return provide


@pytest.fixture(scope="session")
def expressions() -> Way:
    """Return how expressions are evaluated; tests that ask for it run on every release."""
    return evaluate


vllm = expressions_of("vllm")
cuda = expressions_of("cuda")
cluster = expressions_of("cluster")
gateway = expressions_of("gateway")
reaper = expressions_of("reaper")
exporters = expressions_of("exporters")
job = expressions_of("job")
