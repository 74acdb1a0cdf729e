# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dashboard and the alerts of serving, against what vLLM and node_exporter really tell."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from test_monitoring import FILES, Prometheus, free_port, panels_of, program, running, until

DASHBOARD = FILES / "dashboard-serving.json"
RULES = FILES / "gpuops-serving.rules.yml"
# What a server told of itself; its first line says which and when.
PAGE = Path(__file__).with_name("vllm-metrics.txt")
MACHINE = {"deployment": "chat", "instance": "chat-1"}
STANDS_FOR = {"deployment": "chat", "machine": "chat-1", "model": "demo", "__interval": "1m"}
STANDS_FOR |= {"__rate_interval": "1m"}
# Nothing was refused and no request ended in the seconds that the test looks at.
SILENT = "> 0"
COLLECTORS = ("cpu", "meminfo", "filesystem")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Start a node_exporter and a Prometheus that scrapes it and the page of a server."""
    folder = tmp_path_factory.mktemp("serving")
    (folder / "metrics.txt").write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    node, page, server = (free_port() for _number in range(3))
    scrapes = [
        {"job_name": "node", "static_configs": [_target(node)]},
        {"job_name": "vllm", "static_configs": [_target(page)], "metrics_path": "/metrics.txt"},
    ]
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": scrapes}
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    exporter = [program("prometheus-node-exporter"), "--collector.disable-defaults"]
    exporter += [f"--collector.{name}" for name in COLLECTORS]
    exporter += [f"--web.listen-address=127.0.0.1:{node}"]
    exporter += ["--collector.filesystem.fs-types-exclude=^$"]
    website = (sys.executable, "-m", "http.server", str(page), "--bind", "127.0.0.1")
    asked = (
        program("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{server}",
    )
    with ExitStack() as stack:
        stack.enter_context(running(*exporter, log=folder / "exporter.log"))
        page_of = (*website, "--directory", str(folder))
        stack.enter_context(running(*page_of, log=folder / "website.log"))
        stack.enter_context(running(*asked, log=folder / "prometheus.log"))
        found = Prometheus(f"http://127.0.0.1:{server}")
        # Rates need two answers of each.
        enough = "sum_over_time(up[1m]) > 2"
        until(lambda: len(found.value(enough)) == len(scrapes), seconds=90)
        yield found


def _target(port: int) -> dict[str, object]:
    return {"targets": [f"127.0.0.1:{port}"], "labels": MACHINE}


def queries() -> list[tuple[str, str]]:
    """Return the queries of the dashboard with the titles of their panels."""
    panels = panels_of(DASHBOARD)
    return [(panel["title"], one["expr"]) for panel in panels for one in panel["targets"]]


def filled(query: str) -> str:
    """Return a query with values for the dashboard's variables."""
    query = re.sub(r"[$](\w+)", lambda found: STANDS_FOR[found[1]], query)
    # A container may have no disk but an overlay.
    return query.replace('fstype!~"tmpfs|ramfs|overlay|squashfs|vfat"', 'fstype!=""')


def named(text: str) -> set[str]:
    """Return the metrics of vLLM that a text names."""
    return set(re.findall(r"\bvllm:\w+", text))


@pytest.mark.parametrize("file", [DASHBOARD, RULES], ids=lambda file: file.stem)
def test_vllm_tells_everything_that_is_asked_for(file: Path) -> None:
    told = named(PAGE.read_text(encoding="utf-8"))
    asked = named(file.read_text(encoding="utf-8"))
    assert len(asked) >= 4
    assert asked <= told


def test_every_query_over_real_figures_has_an_answer(prometheus: Prometheus) -> None:
    asked = [(title, query) for title, query in queries() if "DCGM" not in query]
    assert len(asked) >= 20
    for title, query in asked:
        rows = prometheus.value(filled(query))
        assert rows or query.endswith(SILENT), (title, query)


def test_figures_are_those_of_the_page(prometheus: Prometheus) -> None:
    (running_now,) = [query for title, query in queries() if title == "Running"]
    told = re.search(r"^vllm:num_requests_running{.*} (.*)$", PAGE.read_text(), re.MULTILINE)
    assert told is not None
    assert (
        [value for _labels, value in prometheus.value(filled(running_now))]
        == [float(told[1])]
        != [0]
    )
