# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role gateway writes: nginx's configuration, keys, units."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.gateway_support import (
    LOOK,
    UPSTREAM_KEY,
    make,
    variables,
)
from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, Evaluate, load

# Installed, or unpacked by the set-up of the tests.
PLACES = [os.environ["PATH"], "/usr/sbin", str(ROOT / ".venv/unpacked/usr/sbin")]
NGINX = shutil.which("nginx", path=os.pathsep.join(PLACES))
USERS = [
    {"name": "alice"},
    {"name": "bob", "requests_per_minute": 6, "burst": 2, "concurrent": 1},
    {"name": "carol"},
]
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "users": {"gateway_users": USERS},
    "health": {"gateway_paths": ["GET /health", "GET /v1/models"], "gateway_port": 8080},
    "acme": {"gateway_acme": {"email": "a@b.example"}, "gateway_server_name": "llm.example.com"},
    "old address": {"_gateway_probe": {"ipv6": False, "file": False, "missing_packages": []}},
}


FILES = {
    "proxy": "nginx.conf",
    "keys": "keys.conf",
    "own": "upstream_key.conf",
    "link": "link.conf",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide a folder for both ends: what the controller makes, and what hosts are told."""
    return tmp_path_factory.mktemp("gateway")


@pytest.fixture(scope="module")
def rendered(gateway: Evaluate, folder: Path) -> dict[str, dict[str, str]]:
    """Render all files of every case, for one folder instead of those of a host."""
    places = {
        **dict.fromkeys(("_gateway_etc", "_gateway_link_etc", "_gateway_run"), str(folder)),
        "_gateway_balancing": str(folder / "replicas.conf"),
        "_gateway_user": getpass.getuser(),
        "_gateway_certificate": [str(folder / "link/gateway.pem")] * 2,
        "_gateway_digests": make(folder, "alice", "bob", "carol")["digests"],
    }
    cases = {name: variables(folder, **{**given, **places}) for name, given in CASES.items()}
    parts = ", ".join(f"{name}={LOOK % f'{file}.j2'}" for name, file in FILES.items())
    return gateway(cases, f"dict({parts})")


@pytest.fixture(scope="module")
def proxies(rendered: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the proxy's configuration of every case."""
    return {name: files["proxy"] for name, files in rendered.items()}


def locations(text: str) -> dict[str, str]:
    """Return what each location does."""
    return dict(re.findall(r"^ {8}location (\S+(?: \S+)?) \{\n(.*?)^ {8}\}", text, re.M | re.S))


@pytest.mark.parametrize("name", CASES)
def test_only_exact_paths_lead_to_the_servers(proxies: dict[str, str], name: str) -> None:
    found = locations(proxies[name])
    asking = [place for place, does in found.items() if "proxy_pass" in does]
    others = [place for place in asking if not re.fullmatch(r"= /[a-z0-9/_]+|@again_\d", place)]
    assert others == []
    assert "return 404" in found["/"]
    for place in asking:
        if place.startswith("= "):
            path = place.removeprefix("= ")
            assert f"proxy_pass https://gpuops_replicas{path};" in found[place]
            assert re.search(rf'"~\^(GET|POST) {path}\$" (keyed|open);', proxies[name])
            assert found[place].index("return 401") < found[place].index("proxy_pass")


@pytest.mark.parametrize("name", CASES)
def test_a_request_that_may_have_run_is_never_repeated(proxies: dict[str, str], name: str) -> None:
    rules = re.findall(r"proxy_next_upstream ([^;]+);", proxies[name])
    assert rules == ["error timeout"]
    # A replica's own errors are shown as they are; only 530 goes to another one.
    again = re.findall(r"error_page (\d+) = @again", proxies[name])
    assert set(again) == {"530"}


def test_headers_of_users_end_at_the_gateway(proxies: dict[str, str]) -> None:
    text = proxies["plain"]
    assert "proxy_pass_request_headers off;" in text
    sent = re.findall(r"proxy_set_header (\S+) (\S+);", text)
    assert "$http_authorization" not in dict(sent).values()
    assert {name for name, _unused in sent} == {
        "Host", "Connection", "Content-Type", "Accept", "X-Request-Id",
    }  # fmt: skip


def test_no_secret_and_no_prompt_is_in_what_everybody_reads(proxies: dict[str, str]) -> None:
    text = proxies["users"]
    assert UPSTREAM_KEY not in text
    assert "digest" not in re.sub(r"\$gateway_digest", "", text)
    logged = re.search(r"log_format gateway (.*?);", text, re.S)
    assert logged is not None
    assert not re.search(r"\$(request_body|http_|args|query|request\b|request_uri)", logged[1])


def test_parts_of_an_answer_go_on_at_once(proxies: dict[str, str]) -> None:
    text = proxies["plain"]
    assert "proxy_buffering off;" in text
    assert "proxy_read_timeout 3600s;" in text
    assert "gzip" not in text


def test_each_user_has_a_count_of_their_own(proxies: dict[str, str]) -> None:
    text = proxies["users"]
    assert re.findall(r"limit_req_zone \S+ zone=(\S+):1m rate=(\S+);", text) == [
        ("rate_120_30_16", "120r/m"),
        ("rate_6_2_1", "6r/m"),
    ]
    assert re.search(r"alice alice;\s+carol carol;", text)
    assert "limit_req zone=rate_6_2_1 burst=2 nodelay;" in text
    assert "limit_conn busy_6_2_1 1;" in text


def test_health_needs_no_key_and_only_if_wanted(proxies: dict[str, str]) -> None:
    assert '"~^GET /health$" open;' in proxies["health"]
    assert "/health" not in proxies["plain"]


def test_port_80_serves_proofs_only_and_only_for_acme(proxies: dict[str, str]) -> None:
    assert "listen 80 " not in proxies["plain"]
    plain = proxies["acme"].split("listen 80 ", 1)[1].split(" ssl ", 1)[0]
    assert "acme-challenge" in plain
    assert "return 404;" in plain
    assert "proxy_pass" not in plain


def test_no_address_of_the_new_kind_where_there_is_none(proxies: dict[str, str]) -> None:
    assert "[::]" not in proxies["old address"]
    assert "[::]:8080 ssl" in proxies["health"]


def test_replicas_are_named_with_their_addresses(gateway: Evaluate, folder: Path) -> None:
    named = ["front", "gpu2.example", {"name": "gpu3", "address": "10.0.0.3"}]
    cases = {
        "alone": variables(folder),
        "three": variables(folder, gateway_replicas=named),
        "apart": variables(folder, gateway_replicas=["gpu2.example"]),
    }
    found = gateway(cases, LOOK % "replicas.json.j2")
    # Text that is JSON may come back as what it means.
    told = {name: json.loads(t) if isinstance(t, str) else t for name, t in found.items()}
    addresses = {name: [one["address"] for one in all_["replicas"]] for name, all_ in told.items()}
    assert addresses == {
        "alone": ["127.0.0.1"],
        "three": ["127.0.0.1", "gpu2.example", "10.0.0.3"],
        "apart": ["gpu2.example"],
    }


def test_link_listens_for_others_only_where_they_are(gateway: Evaluate, folder: Path) -> None:
    cases = {
        "front": variables(folder, gateway_front="front"),
        "other": variables(folder, gateway_front="elsewhere", vllm_port=8123),
    }
    found = gateway(cases, LOOK % "link.conf.j2")
    assert "listen 127.0.0.1:8443 ssl;" in found["front"]
    assert "listen 0.0.0.0:8443 ssl;" in found["other"]
    assert set(re.findall(r"proxy_pass (\S+);", found["other"])) == {"http://127.0.0.1:8123"}
    assert all("ssl_verify_client on;" in text for text in found.values())


def test_the_link_hears_of_the_end_of_the_server_that_it_leads_to(
    gateway: Evaluate, folder: Path
) -> None:
    cases = {
        "usual": variables(folder),
        "small": variables(folder, vllm_unit={"name": "small"}, vllm_port=8001),
    }
    found = gateway(cases, f"[_gateway_dropin, _gateway_draining, {LOOK % 'link.conf.j2'}]")
    for case, name in {"usual": "vllm", "small": "vllm-small"}.items():
        dropin, draining, link = found[case]
        assert dropin == f"/etc/systemd/system/{name}.service.d/gpuops-link.conf"
        assert draining == f"/run/{name}/draining"
        assert f"if (-f {draining}) {{" in link


@pytest.mark.skipif(NGINX is None, reason="no nginx: python3 scripts/setup.py test unpacks one")
@pytest.mark.parametrize("name", CASES)
def test_nginx_takes_the_configuration(
    rendered: dict[str, dict[str, str]], folder: Path, name: str
) -> None:
    program = load("roles/gateway/files/gpuops_gateway.py")
    two = [
        program.Replica({"name": one, "address": f"192.0.2.{n}", "port": 8443}, {})
        for n, one in enumerate(("a", "b"), 1)
    ]
    (folder / "replicas.conf").write_text(program.balancing(two), "utf-8")
    for part, file in FILES.items():
        (folder / file).write_text(rendered[name][part], "utf-8")
    for file in ("nginx.conf", "link.conf"):
        command = [str(NGINX), "-t", "-q", "-c", str(folder / file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
