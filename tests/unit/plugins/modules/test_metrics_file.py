# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of metrics: counters grow in it, and readers see no half of one."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._monitoring import textfile
from ansible_collections.gpuops.cloud.plugins.module_utils._monitoring.textfile import Family
from ansible_collections.gpuops.cloud.tests.unit.plugins.exposition import (
    MODULE,
    REAP,
    ask,
    values,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

BALANCE = {"method": "GET", "path": "/v1/balance"}


def test_counters_grow_in_the_file(cloud: Cloud, home: Path) -> None:
    path = home / "x.prom"
    for count in (1, 2, 3):
        found = ask(cloud, dest=str(path), reap=REAP)
        assert values(path.read_text()) == found
        assert found["gpuops_api_requests_total"][("200", "GET", "/balance")] == count
        assert found["gpuops_reaped_total"][("instance", "expired")] == 2 * count
    assert found["gpuops_reaped_total"][("instance", "idle")] == 0
    assert found["gpuops_reap_failures_total"][("volume",)] == 3
    assert found["gpuops_reaper_runs_total"] == {("failed",): 0, ("ok",): 3}


def test_what_the_reaper_did_last_stays(cloud: Cloud, home: Path) -> None:
    path = home / "x.prom"
    first = ask(cloud, dest=str(path), reap=REAP)
    cloud.sim.advance(600)
    second = ask(cloud, dest=str(path))
    for name in first:
        if name.startswith(("gpuops_reap", "gpuops_reaper")):
            assert second[name] == first[name], name
    last = first["gpuops_reaper_last_run_timestamp_seconds"][()]
    assert second["gpuops_metrics_timestamp_seconds"][()] == pytest.approx(last + 600, abs=5)
    assert second["gpuops_reaper_saved_per_hour"] == {(): 7.11}


def test_reaper_that_failed_has_run_without_success(cloud: Cloud, home: Path) -> None:
    path = home / "x.prom"
    good = ask(cloud, dest=str(path), reap=REAP)
    cloud.sim.advance(600)
    bad = ask(cloud, dest=str(path), reap={"failed": True, "msg": "no"})
    name = "gpuops_reaper_last_{}_timestamp_seconds"
    assert bad[name.format("success")] == good[name.format("success")]
    assert bad[name.format("run")][()] > good[name.format("run")][()] + 500
    assert bad["gpuops_reaper_runs_total"] == {("failed",): 1, ("ok",): 1}


def test_api_that_does_not_answer_is_written_down_and_fails(cloud: Cloud, home: Path) -> None:
    path = home / "x.prom"
    ask(cloud, dest=str(path), reap=REAP)
    cloud.fault("status", BALANCE, status=500, times=None)
    result = cloud.fails(MODULE, dest=str(path))
    assert (result["error"]["code"], result["changed"]) == ("unavailable", True)
    found = values(path.read_text())
    assert found["gpuops_api_up"] == {(): 0}
    assert found["gpuops_api_errors_total"][("server",)] == 1
    assert found["gpuops_reaped_total"][("instance", "expired")] == 2
    assert "gpuops_balance" not in found
    assert result["text"] == path.read_text()


def test_check_mode_leaves_the_file_alone(cloud: Cloud, home: Path) -> None:
    path = home / "x.prom"
    foretold = cloud.run(MODULE, check=True, dest=str(path))
    assert not path.exists()
    done = cloud.ok(MODULE, dest=str(path))
    assert foretold["actions"] == done["actions"] == [f"write the metrics to {path}"]
    assert foretold["changed"] is done["changed"] is True
    assert values(foretold["text"]).keys() == values(done["text"]).keys()


@pytest.mark.parametrize(("mode", "bits"), [("0644", 0o644), ("640", 0o640)])
def test_file_has_the_mode_and_nothing_lies_beside_it(
    cloud: Cloud, home: Path, mode: str, bits: int
) -> None:
    folder = home / "collector"
    folder.mkdir()
    umask = os.umask(0o077)
    try:
        cloud.ok(MODULE, dest=str(folder / "x.prom"), mode=mode)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((folder / "x.prom").stat().st_mode) == bits
    assert [path.name for path in folder.iterdir()] == ["x.prom"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dest": "x.txt"}, "must end in .prom"),
        ({"dest": "none/x.prom"}, "there is no folder"),
        ({"mode": "rw"}, "mode must be octal, such as 0644 (got 'rw')"),
        ({"mode": "7777"}, "mode must be octal, such as 0644 (got '7777')"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_asked(
    cloud: Cloud, home: Path, options: dict[str, str], words: str
) -> None:
    if "dest" in options:
        options = {"dest": str(home / options["dest"])}
    assert words in cloud.fails(MODULE, **options)["msg"]
    assert cloud.calls() == []


def test_file_that_cannot_be_written_is_told(cloud: Cloud, home: Path) -> None:
    (home / "x.prom").mkdir()
    assert "cannot be" in cloud.fails(MODULE, dest=str(home / "x.prom"))["msg"]
    assert [path.name for path in home.glob(".x*")] == []


@pytest.mark.parametrize("text", ["", "nonsense {", "gpuops_reaped_total{kind=\n", "\x00"])
def test_broken_file_is_replaced(cloud: Cloud, home: Path, text: str) -> None:
    path = home / "x.prom"
    path.write_text(text)
    assert (
        ask(cloud, dest=str(path), reap=REAP)["gpuops_reaped_total"][("instance", "expired")] == 2
    )


def test_runs_at_the_same_time_lose_no_count(tmp_path: Path) -> None:
    path = tmp_path / "x.prom"

    def once(old: Any) -> str:
        family = Family("gpuops_x", "X.", "counter")
        family.add(1)
        return textfile.render([family], old)

    threads = [
        threading.Thread(target=lambda: textfile.replace(path, 0o644, once)) for _n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values(path.read_text())["gpuops_x_total"] == {(): 20}


def test_missing_library_is_named(cloud: Cloud) -> None:
    with mock.patch.dict(sys.modules, {"prometheus_client": None}):
        assert "pip install prometheus-client" in cloud.fails(MODULE)["msg"]
