# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job before its purchase: what it costs at most, and what is refused while nothing is spent."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.tests.unit.test_estates import Estate, estate, said

__all__ = ["estate"]
JOB = {
    "name": "tiny",
    "command": ["python", "train.py"],
    "gpu": {"tier": "any_a100"},
    "limits": {"time": "2h", "cost": 3},
}


def write(estate: Estate, **changes: Any) -> None:
    """Write a program and its job file, below a folder of its own."""
    folder = estate.home / "work"
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text("print(1)\n", encoding="utf-8")
    (folder / "train.job.yml").write_text(yaml.safe_dump({**JOB, **changes}), encoding="utf-8")


def test_check_mode_says_what_it_costs_at_most_and_buys_nothing(estate: Estate) -> None:
    write(estate)
    wish = {"job": "work/train.job.yml", "ledger": "none"}
    done = estate.run_installed("job", "--check", variables=wish)
    words = said(done)
    assert done.returncode == 0, words
    assert "1A100.22V (1 x A100) in FIN-01, on-demand" in words
    # The lease of 2.5 hours is cut to the money.
    assert "at most 2.9" in words
    assert "(limit of cost: 3.00, left: 3.00)" in words
    assert "sent 1 files" in words
    assert estate.orders() == []
    assert not (estate.home / ".config/gpuops/jobs").exists()


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"deployment": "llm"}, "a job has a deployment of its own"),
    ({"gpu": {"market": "spot"}}, {}, "without a data volume nothing of the job would be left"),
    ({"gpu": {"teir": "a100"}}, {}, "Did you mean gpu.tier"),
    ({"inputs": {"path": ".."}}, {}, "with the keys of all deployments"),
    ({"inputs": {"path": "none"}}, {}, "is not a folder"),
    ({"secrets": ["NO_SUCH_TOKEN"]}, {}, "has no variable NO_SUCH_TOKEN"),
    ({}, {"run": "python train.py"}, "are both given"),
]


@pytest.mark.parametrize(("changes", "given", "words"), REFUSED, ids=[row[2] for row in REFUSED])
def test_what_cannot_be_meant_costs_no_request(
    estate: Estate, changes: dict[str, Any], given: dict[str, Any], words: str
) -> None:
    write(estate, **changes)
    wish = {"job": "work/train.job.yml", "ledger": "none", **given}
    done = estate.run_installed("job", variables=wish)
    assert done.returncode == 2
    assert words in said(done)
    assert estate.cloud.log() == []


def test_a_job_that_nobody_knows_is_told(estate: Estate) -> None:
    done = estate.run_installed("job_status", variables={"job_name": "other"})
    assert done.returncode == 2
    assert "this controller knows no job other" in said(done)
