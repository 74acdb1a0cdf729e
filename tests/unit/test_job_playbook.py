# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job before its purchase: what it costs at most, and what is refused while nothing is spent."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs import record
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.folder import read_folder
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
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


def test_what_runs_of_ours_write_is_no_part_of_the_job(estate: Estate) -> None:
    write(estate)
    folder = estate.home / "work"
    for name in ("ledger.sqlite3", "ledger.sqlite3-journal", "requests"):
        (folder / name).touch()
    wish = {"job": "work/train.job.yml", "ledger": f"sqlite:///{folder}/ledger.sqlite3"}
    log = {"GPUOPS_API_LOG": str(folder / "requests")}
    words = said(estate.run_installed("job", "--check", variables=wish, **log))
    assert "sent 1 files" in words, words


def test_an_instance_that_cannot_be_reached_is_told_and_terminated(estate: Estate) -> None:
    write(estate)
    wish = {"job": "work/train.job.yml", "ledger": "none", "ask": False, "ssh_ready_timeout": 1}
    done = estate.run_installed("job", variables=wish)
    assert done.returncode == 2
    assert "Wait until the instance is reachable over SSH" in said(done)
    assert [order["status"] for order in estate.orders()][:1] == [202]
    assert {row["status"] for row in estate.cloud.state()["instances"]} == {"discontinued"}
    assert not (estate.home / ".config/gpuops/job-tiny").exists()


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


def test_all_jobs_are_listed_where_none_is_named(estate: Estate) -> None:
    job = {"name": "old", "results": str(estate.home / "results"), "time_s": 60, "evictions": 0}
    kept = estate.home / ".config/gpuops"
    record.write_record(kept, record.Record({**job, "data_volume_gb": 0}, "content", bought=1))
    done = estate.run_installed("job_status", variables={})
    assert done.returncode == 0, said(done)
    assert "old failed evicted" in said(done)


def test_a_job_without_an_instance_is_told(estate: Estate) -> None:
    job = {"name": "old", "results": str(estate.home / "results"), "time_s": 60, "evictions": 0}
    job |= {"data_volume_gb": 0, "cost": None}
    record.write_record(estate.home / ".config/gpuops", record.Record(job, "content", bought=1))
    done = estate.run_installed("job_status", variables={"job_name": "old"})
    assert done.returncode == 0, said(done)
    assert "job old is failed (evicted)" in said(done)
    assert "instance none" in said(done)


def test_output_that_is_home_is_shown_without_secrets(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_OF_THE_JOB", "hf_abcdef0123456789")
    results = estate.home / "results"
    job = {"name": "old", "results": str(results), "time_s": 60, "evictions": 0}
    job |= {"data_volume_gb": 0, "cost": None, "secrets": ["TOKEN_OF_THE_JOB"]}
    record.write_record(estate.home / ".config/gpuops", record.Record(job, "content", bought=1))
    path = record.output_file(str(results), 1)
    path.parent.mkdir()
    path.write_text("logged in with hf_abcdef0123456789\nepoch 1\n", encoding="utf-8")
    done = estate.run_installed("job_logs", variables={"job_name": "old"})
    assert done.returncode == 0, said(done)
    assert "logged in with ******** epoch 1" in said(done)
    assert "hf_abcdef" not in said(done)


def test_a_job_that_nobody_knows_is_told(estate: Estate) -> None:
    done = estate.run_installed("job_status", variables={"job_name": "other"})
    assert done.returncode == 2
    assert "this controller knows no job other" in said(done)


def instance(estate: Estate, **more: Any) -> None:
    """Keep an instance of the job, as another controller would."""
    auth = {"base_url": f"{estate.cloud.url}/v1", "client_id": "other", "client_secret": "x" * 20}
    wish = {**auth, "deployment": "job-tiny", "tier": "any_a100", "ledger": "none"}
    run_module("datacrunch_instance", {**wish, **more})


def test_what_earlier_attempts_have_cost_counts(estate: Estate) -> None:
    write(estate)
    ledger = {"ledger": f"sqlite:///{estate.home}/books.sqlite3"}
    instance(estate, **ledger)
    estate.cloud.advance(1800)
    instance(estate, state="absent", **ledger)
    work = estate.home / "work"
    job = {"name": "tiny", "command": JOB["command"], "environment": "auto"}
    content = read_folder(work, 1, [work / "train.job.yml"]).identity
    record.write_record(estate.home / ".config/gpuops", record.Record(job, content, bought=1))
    wish = {"job": "work/train.job.yml", **ledger}
    words = said(estate.run_installed("job", "--check", variables=wish))
    left = re.search(r"limit of cost: 3.00, left: ([\d.]+)", words)
    assert left, words
    spent = sum(row["cost"] for row in estate.cloud.state()["bill"])
    assert spent > 0.5
    assert float(left[1]) == pytest.approx(3 - spent, abs=0.05)


def test_what_another_controller_has_bought_is_left_alone(estate: Estate) -> None:
    write(estate)
    instance(estate)
    before = estate.cloud.state()["instances"]
    done = estate.run_installed("job", variables={"job": "work/train.job.yml", "ledger": "none"})
    assert done.returncode == 2
    assert "was bought by another controller, and this one cannot open it" in said(done)
    assert len(before) == len(estate.orders()) == 1
    assert [row["status"] for row in estate.cloud.state()["instances"]] == ["running"]
