# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role exporters sees, refuses and writes, and what the playbook tells Prometheus."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, Evaluate, load

probe = load("roles/exporters/files/probe.py")

PROBE = {
    "missing": ["haproxy"],
    "gpu": False,
    "gpu_installed": False,
    "gpu_package": False,
    "gpu_unit": "x.service",
}
GPU = {**PROBE, "gpu": True, "gpu_package": True}
WRONG = {
    "capitals": ({"exporters_servers": [{"name": "Big", "port": 1}]}, "small letters"),
    "taken": ({"exporters_servers": [{"name": "node", "port": 1}]}, "node and gpu are taken"),
    "twice": (
        {"exporters_servers": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]},
        "differ",
    ),
    "a name": ({"exporters_listen": "door.example"}, "must be an address"),
    "nothing": ({}, ""),
    "none": ({"exporters_servers": []}, ""),
}


def test_options_that_cannot_be_are_refused(exporters: Evaluate) -> None:
    words = "_exporters_option_checks | rejectattr('good') | map(attribute='otherwise') | list"
    found = exporters({name: given for name, (given, _words) in WRONG.items()}, words)
    for name, (_given, expected) in WRONG.items():
        assert len(found[name]) == bool(expected), (name, found[name])
        assert not expected or expected in found[name][0]


def test_gpus_are_told_of_only_where_they_and_the_package_are(exporters: Evaluate) -> None:
    cases = {
        "none": {"_exporters_probe": PROBE},
        "gpu": {"_exporters_probe": GPU},
        "there": {"_exporters_probe": {**GPU, "gpu_installed": True}},
        "no package": {"_exporters_probe": {**GPU, "gpu_package": False}},
        "unwanted": {"_exporters_probe": GPU, "exporters_gpu": False},
    }
    found = exporters(
        cases, "[_exporters_sources | map(attribute='name') | list, _exporters_packages]"
    )
    without = [["node", "vllm"], ["haproxy"]]
    assert found["none"] == found["no package"] == found["unwanted"] == without
    assert found["gpu"] == [["node", "gpu", "vllm"], ["haproxy", "datacenter-gpu-manager-exporter"]]
    assert found["there"] == [["node", "gpu", "vllm"], ["haproxy"]]


def rendered(file: str) -> str:
    """Return the expression that renders a template."""
    return f"lookup('ansible.builtin.template', '{ROOT}/{file}')"


def test_door_knows_one_path_for_each_source(exporters: Evaluate) -> None:
    case = {"_exporters_probe": GPU, "exporters_port": 1234, "exporters_listen": "192.0.2.1"}
    template = rendered("roles/exporters/templates/haproxy.cfg.j2")
    text = exporters({"door": case}, template)["door"]
    assert "deny deny_status 404 unless METH_GET { path /node /gpu /vllm }" in text
    (bind,) = re.findall(r"^ *bind (.*)$", text, re.MULTILINE)
    assert bind.startswith("192.0.2.1:1234 ssl ")
    assert bind.endswith(" verify required")
    backends = dict(re.findall(r"^backend (\w+)$.*?127\.0\.0\.1:(\d+)$", text, re.M | re.S))
    assert backends == {"node": "9100", "gpu": "9400", "vllm": "8000"}
    assert text.count("set-uri /metrics") == 3


def test_targets_are_named_by_what_was_bought(exporters: Evaluate) -> None:
    machine = {"name": "llm", "ip": "192.0.2.7", "deployment": "d", "tier": "h100"}
    machine |= {"gpu_model": "H100", "location": "FIN-01", "market": None}
    told = {
        "gpuops_machine": machine,
        "gpuops_exporters": {"port": 9443, "paths": ["node", "vllm"]},
    }
    template = rendered("playbooks/templates/targets.json.j2")
    found = exporters({"two": {"_told": [told]}, "none": {"_told": []}}, template)
    assert json.loads(found["none"]) == []
    first, second = json.loads(found["two"])
    assert first["targets"] == second["targets"] == ["192.0.2.7:9443"]
    labels = {"deployment": "d", "tier": "h100", "gpu_model": "H100", "location": "FIN-01"}
    labels |= {"instance": "llm"}
    assert first["labels"] == {**labels, "job": "node", "__metrics_path__": "/node"}
    assert second["labels"] == {**labels, "job": "vllm", "__metrics_path__": "/vllm"}


def test_scrape_asks_for_the_name_that_the_door_has(exporters: Evaluate) -> None:
    template = rendered("playbooks/templates/scrape.yml.j2")
    text = exporters({"it": {"_deployment": "d", "_folder": "/f"}}, template)["it"]
    (job,) = yaml.safe_load(text)["scrape_configs"]
    controller = (ROOT / "roles/gateway/files/controller.py").read_text(encoding="utf-8")
    assert f'REPLICA_NAME = "{job["tls_config"]["server_name"]}"' in controller
    assert job["file_sd_configs"] == [{"files": ["/f/targets.json"]}]
    assert job["scheme"] == "https"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("", False),
        ("x:\n  Installed: (none)\n  Candidate: (none)\n", False),
        ("x:\n  Installed: (none)\n  Candidate: 4.5.1-1\n", True),
    ],
)
def test_a_package_can_be_had_when_there_is_a_candidate(policy: str, expected: bool) -> None:
    assert probe.candidate(policy) is expected


def test_unit_is_the_one_that_the_package_brings() -> None:
    files = "/.\n/usr/bin/dcgm-exporter\n/usr/lib/systemd/system/some-exporter.service\n"
    assert probe.unit(files, "other.service") == "some-exporter.service"
    assert probe.unit("", "other.service") == "other.service"
