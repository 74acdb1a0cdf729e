# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role gateway refuses before it touches a host, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.gateway_support import variables
from ansible_collections.gpuops.cloud.tests.unit.roles.support import Evaluate

ACME = {"gateway_acme": {"email": "a@b.example"}}
# Variables, and a word of each complaint.
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "good": ({}, []),
    "acme": ({**ACME, "gateway_server_name": "llm.example.com"}, []),
    "nobody": ({"gateway_users": []}, ["is empty"]),
    "capitals": ({"gateway_users": [{"name": "Alice"}]}, ["small letters"]),
    "config in a name": ({"gateway_users": [{"name": "a; } x"}]}, ["small letters"]),
    "word of nginx": ({"gateway_users": [{"name": "volatile"}]}, ["mean something to nginx"]),
    "twice": ({"gateway_users": [{"name": "a"}, {"name": "a"}]}, ["duplicate names"]),
    "no rate": ({"gateway_users": [{"name": "a", "requests_per_minute": 0}]}, ["at least 1"]),
    "no place": ({"gateway_limits": {"concurrent": 0}}, ["at least 1"]),
    "open path": ({"gateway_paths": ["POST /invocations"]}, ["not POST /invocations"]),
    "health": ({"gateway_paths": ["GET /health", "POST /v1/responses"]}, []),
    "metrics": ({"gateway_paths": ["GET /metrics"]}, ["not GET /metrics"]),
    "all of v1": ({"gateway_paths": ["POST /v1/"]}, ["not POST /v1/"]),
    "pattern": ({"gateway_paths": ["POST /v1/.*"]}, ["not POST /v1/.*"]),
    "up": ({"gateway_paths": ["GET /v1/../metrics"]}, ["not GET /v1/../metrics"]),
    "adapter": ({"gateway_paths": ["POST /v1/load_lora_adapter"]}, ["lora"]),
    "other method": ({"gateway_paths": ["PUT /v1/models"]}, ["not PUT"]),
    "duplicate paths": (
        {"gateway_paths": ["GET /v1/models", "POST /v1/models"]},
        ["duplicate paths"],
    ),
    "half a certificate": ({"gateway_certificate": {"chain": __file__}}, ["two files"]),
    "whole certificate": ({"gateway_certificate": {"chain": __file__, "key": __file__}}, []),
    "acme without a name": (ACME, ["DNS name"]),
    "acme for an address": ({**ACME, "gateway_server_name": "192.0.2.1"}, ["DNS name"]),
    "config in the name of the server": (
        {"gateway_server_name": "a; b"},
        ["is not a valid host name"],
    ),
    "no upstream key": ({"gateway_upstream_key_file": "/nowhere/key"}, ["/nowhere/key"]),
}


@pytest.fixture(scope="module")
def complaints(gateway: Evaluate, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Evaluate the checks of every case."""
    folder = tmp_path_factory.mktemp("controller")
    cases = {name: variables(folder, **given) for name, (given, _unused) in CASES.items()}
    expression = "_gateway_option_checks | rejectattr('good') | map(attribute='otherwise') | list"
    return gateway(cases, expression)


@pytest.mark.parametrize("name", CASES)
def test_what_is_refused_and_how(complaints: dict[str, list[str]], name: str) -> None:
    words = CASES[name][1]
    found = complaints[name]
    assert len(found) == len(words), found
    assert [word for word, text in zip(words, found, strict=True) if word not in text] == []


def test_a_key_that_would_be_read_as_configuration_is_refused(
    gateway: Evaluate, tmp_path: Path
) -> None:
    given = variables(tmp_path)
    Path(given["gateway_upstream_key_file"]).write_text('a"; return 200; #$host', "utf-8")
    expression = "_gateway_option_checks | rejectattr('good') | map(attribute='otherwise') | list"
    found = gateway({"odd": given}, expression)["odd"]
    assert len(found) == 1
    assert "gateway_upstream_key_file" in found[0]
    assert "return" not in found[0]
