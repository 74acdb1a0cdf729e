# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts and the dashboard, by what reads them: Prometheus, node_exporter, Grafana's library."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from test_pages import ansible, play
from whole_path import ROOT, free_port

from gpuops_simulator import Simulator

FILES = ROOT / "playbooks/files/monitoring"
RULES = FILES / "gpuops.rules.yml"
ALL_RULES = sorted(FILES.glob("*.rules.yml"))
DASHBOARDS = sorted(FILES.glob("dashboard*.json"))
of_each = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda file: file.stem)
of_all = pytest.mark.parametrize("rules", ALL_RULES, ids=lambda file: file.stem)
UNPACKED = ROOT / ".venv/unpacked/usr/bin"


def program(name: str) -> str:
    """Return the path of a program of Debian's packages, installed or unpacked by the set-up."""
    found = shutil.which(name) or shutil.which(name, path=str(UNPACKED))
    assert found, f"{name} is missing: python3 scripts/setup.py test"
    return found


def promtool(*arguments: str, cwd: Path = ROOT) -> str:
    """Run promtool, which must be content."""
    command = [program("promtool"), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# -- rules -------------------------------------------------------------------------------------


def cases_of(rules: Path) -> Path:
    """Return the file that tests a file of rules."""
    return ROOT / f"tests/e2e/{rules.stem}.test.yml"


@of_all
def test_rules_are_sound(rules: Path) -> None:
    assert "SUCCESS" in promtool("check", "rules", str(rules))


@of_all
def test_alerts_speak_when_they_should(rules: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", str(cases_of(rules)))


@of_all
def test_every_alert_is_tested(rules: Path) -> None:
    groups = yaml.safe_load(rules.read_text(encoding="utf-8"))["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    tests = yaml.safe_load(cases_of(rules).read_text(encoding="utf-8"))
    cases = [case for test in tests["tests"] for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == alerts


def test_example_configuration_is_sound(tmp_path: Path) -> None:
    text = (FILES / "prometheus.yml").read_text(encoding="utf-8")
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/", f"{FILES}/"))
    assert "SUCCESS" in promtool("check", "config", str(tmp_path / "prometheus.yml"))


def test_drop_in_is_sound(tmp_path: Path) -> None:
    lines = (FILES / "node-exporter-textfile.conf").read_text(encoding="utf-8").splitlines()
    section, first, second = [line for line in lines if not line.startswith("#")]
    assert (section, first) == ("[Service]", "ExecStart=")
    start = second.removeprefix("ExecStart=").replace("$ARGS", "--version").split()
    command = [program(Path(start[0]).name), *start[1:]]
    subprocess.run(command, check=True, capture_output=True)


# -- dashboard ---------------------------------------------------------------------------------


def panels_of(dashboard: Path) -> list[dict[str, Any]]:
    """Return the panels of a dashboard."""
    return list(json.loads(dashboard.read_text(encoding="utf-8"))["panels"])


@of_each
def test_dashboard_is_what_its_program_writes(dashboard: Path, tmp_path: Path) -> None:
    file = tmp_path / "dashboard.json"
    program = ROOT / f"scripts/{dashboard.stem.replace('-', '_')}.py"
    subprocess.run([sys.executable, program, file], check=True)
    assert file.read_bytes() == dashboard.read_bytes(), ".venv/bin/nox -s dashboard"


@of_each
def test_dashboard_survives_the_schema_of_grafana(dashboard: Path) -> None:
    register_default_plugins()
    given = json.loads(dashboard.read_text(encoding="utf-8"))
    known = json.loads(json.dumps(Dashboard.from_json(given), cls=JSONEncoder))
    assert known == given


@of_each
def test_panels_lie_beside_each_other(dashboard: Path) -> None:
    panels = panels_of(dashboard)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, panel["title"]
                taken.add((x, y))
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and panel["description"] for panel in panels)


# -- the whole chain ---------------------------------------------------------------------------


@contextmanager
def running(*command: str, log: Path) -> Iterator[None]:
    """Run a server for a while."""
    with log.open("w") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as server:
        try:
            yield
        finally:
            server.terminate()


def until(what: Callable[[], Any], seconds: float = 30) -> Any:
    """Return what becomes true in time."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = what()
        except urllib.error.URLError:
            found = None
        if found or time.monotonic() > end:
            assert found, "not in time"
            return found
        time.sleep(0.2)


class Prometheus:
    """A server that scrapes a node_exporter that reads a folder."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: str) -> Any:
        """Ask the API of the server."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Return what a query finds."""
        rows = self.get("query", query=query)["result"]
        return [(row["metric"], float(row["value"][1])) for row in rows]

    def alerts(self) -> dict[str, str]:
        """Return the state of each alert that is not silent."""
        rows = self.get("alerts")["alerts"]
        return {row["labels"]["alertname"]: row["state"] for row in rows}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Prometheus]]:
    """Start node_exporter and Prometheus with our rules."""
    folder = tmp_path_factory.mktemp("chain")
    textfiles = folder / "textfiles"
    textfiles.mkdir()
    node, server = (f"127.0.0.1:{free_port()}" for _n in range(2))
    scrape = {"job_name": "node", "static_configs": [{"targets": [node]}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [scrape],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    exporter = (
        program("prometheus-node-exporter"),
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={textfiles}",
        f"--web.listen-address={node}",
    )
    prometheus = (
        program("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={server}",
    )
    with ExitStack() as stack:
        stack.enter_context(running(*exporter, log=folder / "exporter.log"))
        stack.enter_context(running(*prometheus, log=folder / "prometheus.log"))
        yield textfiles, Prometheus(f"http://{server}")


def test_what_the_playbook_writes_is_read_and_alerts(
    chain: tuple[Path, Prometheus], tmp_path: Path
) -> None:
    textfiles, prometheus = chain
    with Simulator() as simulator:
        play(simulator, tmp_path, "status")
        rent = "deployment=late tier=h200 lease=1h"
        ansible(simulator, tmp_path, "datacrunch_instance", rent)
        simulator.advance(2 * 3600)
        play(simulator, tmp_path, "metrics", file=str(textfiles / "gpuops.prom"))
        ((labels, left),) = until(lambda: prometheus.value("gpuops_lease_remaining_seconds"))
        assert (labels["deployment"], labels["protected"]) == ("late", "no")
        assert left == pytest.approx(-3600, abs=120)
        assert prometheus.value("node_textfile_scrape_error")[0][1] == 0
        until(lambda: prometheus.alerts().get("GpuopsLeaseExpired") == "firing")
        # Groups of rules are looked at one after the other.
        until(lambda: prometheus.alerts().get("GpuopsReaperSilent") == "pending")
        until(lambda: "GpuopsMetricsMissing" not in prometheus.alerts())
        state = simulator.state()
    ((labels, balance),) = prometheus.value("gpuops_balance")
    assert labels["currency"] == "usd"
    assert balance == pytest.approx(float(state["balance"]["amount"]), abs=5)


def test_the_reaper_tells_what_it_did_and_that_it_could_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gpuops.prom"
    monkeypatch.setenv("GPUOPS_API_LOG", str(tmp_path / "requests"))
    reap = {"everything": True, "mode": "delete", "metrics_file": str(file)}
    with Simulator() as simulator:
        ansible(simulator, tmp_path, "datacrunch_instance", "deployment=late tier=h200 lease=1h")
        simulator.advance(2 * 3600)
        play(simulator, tmp_path, "reap", **reap)
        asked = len(simulator.log())
    good = file.read_text(encoding="utf-8")
    assert 'gpuops_reaped_total{kind="instance",reason="expired"} 1.0' in good
    counts = re.findall(r"^gpuops_api_requests_total{.*} (.*)$", good, re.MULTILINE)
    assert sum(map(float, counts)) == asked
    # The simulator is gone: the figures say so, and that no reaper succeeded since.
    with pytest.raises(AssertionError, match="unavailable"):
        play(simulator, tmp_path, "reap", **reap)
    bad = file.read_text(encoding="utf-8")
    assert "gpuops_api_up 0.0" in bad
    assert 'gpuops_reaper_runs_total{result="failed"} 1.0' in bad
    last = re.compile(r"^gpuops_reaper_last_success_timestamp_seconds .*$", re.MULTILINE)
    assert last.findall(good) == last.findall(bad) != []


@of_each
def test_every_query_of_the_dashboard_can_be_asked(
    dashboard: Path, chain: tuple[Path, Prometheus]
) -> None:
    _textfiles, prometheus = chain
    until(lambda: prometheus.get("targets"))
    queries = [target["expr"] for panel in panels_of(dashboard) for target in panel["targets"]]
    assert len(queries) >= 20
    stands_for = {"__range": "7d", "__interval": "3h", "__rate_interval": "5m"}
    variables = json.loads(dashboard.read_text(encoding="utf-8"))["templating"]["list"]
    stands_for |= {one["name"]: one["allValue"] for one in variables if one["type"] == "query"}
    for query in queries:
        query = re.sub(r"[$](\w+)", lambda found: stands_for[found[1]], query)
        prometheus.get("query", query=query)  # an error would be raised as status 400
