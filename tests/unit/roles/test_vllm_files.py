# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role vllm writes: settings, environment and unit, rendered by Ansible itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.modules import vllm_completion
from ansible_collections.gpuops.cloud.tests.unit.roles.support import Evaluate

BASE: dict[str, Any] = {
    "vllm_model": "Qwen/Qwen3-8B",
    "vllm_api_key": "the-key-of-the-tests",
    "ansible_managed": "Ansible managed",
}
OWN = {
    "model": "Qwen/Qwen3-8B",
    "served-model-name": "Qwen/Qwen3-8B",
    "host": "127.0.0.1",
    "port": 8000,
    "shutdown-timeout": 60,
    "uvicorn-log-level": "warning",
    "disable-access-log-for-endpoints": "/health,/metrics",
    "disable-fastapi-docs": True,
    "max-model-len": "auto",
    "max-num-queued-reqs": 2048,
}
# Variables, and how the settings differ from those without any; None: not there.
SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "value": ({"max_num_seqs": 64}, {"max-num-seqs": 64}),
    "true": ({"enforce-eager": True}, {"enforce-eager": True}),
    "false": ({"enable-chunked-prefill": False}, {"no-enable-chunked-prefill": True}),
    "underscores": ({"enable_chunked_prefill": False}, {"no-enable-chunked-prefill": True}),
    "negated": ({"no-enable-prefix-caching": True}, {"no-enable-prefix-caching": True}),
    "doubly negated": ({"no_enable_prefix_caching": False}, {"enable-prefix-caching": True}),
    "own overridden": ({"max_model_len": 4096}, {"max-model-len": 4096}),
    "own negated": (
        {"disable_fastapi_docs": False},
        {"disable-fastapi-docs": None, "no-disable-fastapi-docs": True},
    ),
    "own dropped": ({"max-model-len": None}, {"max-model-len": None}),
    "true as text": ({"enforce-eager": "True"}, {"enforce-eager": True}),
    "false as text": ({"enable_prefix_caching": "false"}, {"no-enable-prefix-caching": True}),
    "list": ({"allowed-origins": ["a", "b"]}, {"allowed-origins": ["a", "b"]}),
    "dictionary": (
        {"compilation-config": {"level": 3, "use_inductor": False}},
        {"compilation-config": {"level": 3, "use_inductor": False}},
    ),
    "adapters": (
        {"lora-modules": [{"name": "a", "path": "/srv/a"}], "enable-lora": True},
        {"lora-modules": ['{"name": "a", "path": "/srv/a"}'], "enable-lora": True},
    ),
    "adapters in short": ({"lora-modules": ["a=/srv/a"]}, {"lora-modules": ["a=/srv/a"]}),
    "empty": ({"lora-modules": [], "chat-template": ""}, {"lora-modules": [], "chat-template": ""}),
    "text like a number": ({"revision": "0123"}, {"revision": "0123"}),
    "text with quotes": ({"chat-template": 'a "b" {c}: #d'}, {"chat-template": 'a "b" {c}: #d'}),
}
KEYS = ["plain-key-0123456789", r"odd$key\with`all\"quotes'#=%n$$"]
LOOK = "lookup('ansible.builtin.template', role_path ~ '/templates/%s')"


@pytest.fixture(scope="module")
def settings(vllm: Evaluate) -> dict[str, Any]:
    """Render the settings of every case."""
    cases = {name: {**BASE, "vllm_settings": given} for name, (given, _unused) in SETTINGS.items()}
    return vllm(cases, LOOK % "config.yaml.j2")


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_mean_what_was_given(settings: dict[str, Any], name: str) -> None:
    wanted = {**OWN, **SETTINGS[name][1]}
    found = yaml.safe_load(settings[name])
    assert found == {key: value for key, value in wanted.items() if value is not None}


@pytest.mark.parametrize("name", SETTINGS)
def test_no_setting_is_false_because_vllm_drops_those(settings: dict[str, Any], name: str) -> None:
    assert False not in [value for value in yaml.safe_load(settings[name]).values() if value != 0]


def test_port_given_as_text_is_a_number(vllm: Evaluate) -> None:
    text = vllm({"text": {**BASE, "vllm_port": "8123"}}, LOOK % "config.yaml.j2")["text"]
    assert "\nport: 8123\n" in text


def test_a_model_by_path_is_served_by_its_last_part(vllm: Evaluate) -> None:
    cases = {
        "path": {**BASE, "vllm_model": "/srv/models/tiny"},
        "named": {**BASE, "vllm_model": "/srv/models/tiny", "vllm_served_model_name": "demo"},
    }
    found = vllm(cases, LOOK % "config.yaml.j2")
    names = {name: yaml.safe_load(text)["served-model-name"] for name, text in found.items()}
    assert names == {"path": "tiny", "named": "demo"}


def test_environment_is_read_back_as_it_was_given(vllm: Evaluate, tmp_path: Path) -> None:
    extra = {"A": "two words", "B": KEYS[1], "HF_HOME": "/data/hf", "VLLM_HOST_IP": None}
    cases = {
        str(number): {**BASE, "vllm_api_key": key, "vllm_hf_token": key, "vllm_environment": extra}
        for number, key in enumerate(KEYS)
    }
    for number, text in vllm(cases, LOOK % "vllm.env.j2").items():
        (tmp_path / "env").write_text(text, encoding="utf-8")
        key = KEYS[int(number)]
        found = vllm_completion.read_environment(str(tmp_path / "env"))
        assert found == {"VLLM_API_KEY": key, "HF_TOKEN": key}
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        assert [line for line in lines if not re.fullmatch(r'[A-Z0-9_]+="[^\n]*"', line)] == []
        assert 'HF_HOME="/data/hf"' in lines
        assert "VLLM_HOST_IP" not in text


def test_no_empty_token_is_written(vllm: Evaluate) -> None:
    text = vllm({"bare": BASE}, LOOK % "vllm.env.j2")["bare"]
    assert "HF_TOKEN" not in text
    assert "SSL_CERT_FILE" not in text


def test_a_second_server_shares_no_file_with_the_first(vllm: Evaluate) -> None:
    names = ["_vllm_config_file", "_vllm_env_file", "_vllm_unit_file", "_vllm_link"]
    cases = {"first": BASE, "second": {**BASE, "vllm_unit": {"name": "small"}}}
    found = vllm(cases, f"[{', '.join(names)}]")
    assert found["second"] == [
        "/etc/vllm/small/config.yaml",
        "/etc/vllm/small/vllm.env",
        "/etc/systemd/system/vllm-small.service",
        "/opt/vllm/current-small",
    ]
    assert set(found["first"]) & set(found["second"]) == set()
    unit = vllm(cases, LOOK % "vllm.service.j2")["second"]
    assert "RuntimeDirectory=vllm-small\n" in unit
    assert "/opt/vllm/current-small/bin/vllm serve --config /etc/vllm/small/config.yaml\n" in unit
    assert "EnvironmentFile=/etc/vllm/small/vllm.env\n" in unit
    assert "/run/vllm-small" in vllm(cases, LOOK % "vllm.env.j2")["second"]


def test_a_data_volume_keeps_what_took_long(vllm: Evaluate) -> None:
    places = {
        "path": "/data",
        "weights": "/data/w",
        "cache": "/data/c",
        "environments": "/data/e/x",
    }
    kept = {**BASE, "gpuops_storage": {**places, "mounted": True}}
    cases = {
        "kept": kept,
        "a folder only": {**BASE, "gpuops_storage": {**places, "mounted": False}},
        "not wanted": {**kept, "vllm_downloads": {"keep_on_volume": False}},
        "second": {**kept, "vllm_unit": {"name": "small"}},
    }
    names = "[_vllm_prefix, _vllm_uv_prefix, _vllm_wheels, _vllm_home, _vllm_cache, _vllm_link]"
    found = vllm(cases, names)
    assert found["kept"] == [
        "/data/e/x/vllm/0.33.0-cuda",
        "/data/e/x/vllm/uv-0.13.9",
        "/data/e/x/vllm/wheels",
        "/data/w/vllm",
        "/data/c/vllm",
        "/opt/vllm/current",
    ]
    usual = ["/opt/vllm/0.33.0-cuda", "/opt/vllm/uv-0.13.9", "/opt/vllm/wheels"]
    usual += ["/var/lib/vllm", "/var/cache/vllm", "/opt/vllm/current"]
    assert found["a folder only"] == found["not wanted"] == usual
    assert found["second"] == [*found["kept"][:-1], "/opt/vllm/current-small"]
    units = vllm(cases, LOOK % "vllm.service.j2")
    assert "RequiresMountsFor=/data\n" in units["kept"]
    assert "ReadWritePaths=/data/w/vllm /data/c/vllm\n" in units["kept"]
    assert "StateDirectory" not in units["kept"]
    assert "RequiresMountsFor" not in units["a folder only"]
    assert "StateDirectory=vllm\n" in units["not wanted"]
    assert 'HF_HOME="/data/w/vllm/hf"' in vllm(cases, LOOK % "vllm.env.j2")["kept"]


def test_unit_gives_requests_in_flight_their_time(vllm: Evaluate) -> None:
    cases = {
        "default": BASE,
        "longer": {**BASE, "vllm_settings": {"shutdown-timeout": 300}},
        "underscore": {**BASE, "vllm_settings": {"shutdown_timeout": 20}},
        "basic": {**BASE, "vllm_unit": {"hardening": "basic"}},
        "older": {**BASE, "vllm_hardening": "basic"},
        "cpu": {**BASE, "vllm_device": "cpu"},
    }
    units = vllm(cases, LOOK % "vllm.service.j2")
    stops = {name: re.findall(r"TimeoutStopSec=(\d+)", text) for name, text in units.items()}
    assert stops["default"] == ["90"]
    assert stops["longer"] == ["330"]
    assert stops["underscore"] == ["50"]
    assert "Restart=always" in units["default"]
    assert "DeviceAllow=char-nvidia rw" in units["default"]
    assert "DevicePolicy" not in units["basic"]
    assert units["older"] == units["basic"]
    assert "vllm-devices.service" not in units["cpu"]
    assert [text for text in units.values() if BASE["vllm_api_key"] in text] == []
