# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role reaper refuses, packs, and tells when a round fails."""

from __future__ import annotations

import json
import subprocess
import tarfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.names import FIRST, PROVIDERS
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.registry import (
    PROVIDERS as REGISTRY,
)
from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, Evaluate, load

notify = load("roles/reaper/files/notify.py")
packer = load("roles/reaper/files/pack_collection.py")
probe = load("roles/reaper/files/probe.py")

GOOD = {
    "reaper_client_id": "id",
    "reaper_client_secret": "secret",
    "reaper_deployments": ["llm"],
}
PROBE = {"python": "3.11", "systemd": True, "environment": "/x"}
BOTH = {"reaper_providers": ["verda", "lambda"], "reaper_deployments": ["llm"]}
OTHER = {"lambda": {"api_key": "key-of-lambda"}}
OWN = {"verda": {"client_id": "id", "client_secret": "secret"}}
WRONG = {
    "no credentials": ({"reaper_client_secret": ""}, "client_secret are needed"),
    "a line more": ({"reaper_client_secret": "a\nbase_url=b"}, "may not hold white space"),
    "no scope": ({"reaper_deployments": []}, "exactly one is required of reaper_deployments"),
    "two scopes": ({"reaper_everything": True}, "exactly one is required of reaper_deployments"),
    "unknown way": ({"reaper_notify": {"pager": 1}}, "reaper_notify accepts"),
    "no key": ({"reaper_ssh_private_key_file": "/nowhere"}, "there is no file /nowhere"),
    "no bundle": ({"reaper_ca_bundle": "/nowhere"}, "there is no file /nowhere"),
    "nothing": ({}, ""),
    "owner": ({"reaper_deployments": [], "reaper_owner": "me"}, ""),
}


def test_options_that_cannot_be_are_refused(reaper: Evaluate) -> None:
    words = "_reaper_option_checks | rejectattr('good') | map(attribute='otherwise') | list"
    cases = {name: {**GOOD, **given} for name, (given, _words) in WRONG.items()}
    found = reaper(cases, words)
    for name, (_given, expected) in WRONG.items():
        assert len(found[name]) == bool(expected), (name, found[name])
        assert not expected or expected in found[name][0]


@pytest.mark.parametrize(
    ("given", "without"),
    [
        ({}, "lambda, verda"),
        ({"reaper_accounts": OTHER}, "verda"),
        ({"reaper_accounts": {**OWN, "lambda": {"api_key": ""}}}, "lambda"),
        ({"reaper_accounts": {**OWN, "lambda": "key"}}, "lambda"),
        ({"reaper_accounts": {**OTHER, "verda": {"client_id": "id"}}}, "verda"),
        (
            {"reaper_accounts": {**OTHER, "verda": {"api_key": ""}}, "reaper_client_id": "id"},
            "verda",
        ),
        ({"reaper_accounts": {**OWN, **OTHER}}, ""),
        ({**GOOD, "reaper_accounts": OTHER}, ""),
        ({"reaper_providers": ["lambda"], "reaper_accounts": OTHER}, ""),
        ({"reaper_providers": ["lambda"], **GOOD}, "lambda"),
    ],
)
def test_a_provider_without_credentials_is_refused(
    reaper: Evaluate, given: dict[str, Any], without: str
) -> None:
    words = "_reaper_option_checks | rejectattr('good') | map(attribute='otherwise') | list"
    found = reaper({"one": {**BOTH, **given}}, words)["one"]
    wanted = [f"reaper_accounts has no credentials for {without}, and the service"]
    assert [text.partition(" finds")[0] for text in found] == (wanted if without else [])
    assert "key" not in str(found).replace("api_key", "")


def test_accounts_need_names_of_providers(reaper: Evaluate) -> None:
    words = "_reaper_option_checks | rejectattr('good') | map(attribute='otherwise') | list"
    (found,) = reaper({"one": {**GOOD, "reaper_accounts": OTHER}}, words)["one"]
    assert found.startswith("reaper_accounts needs reaper_providers")


def test_a_round_gets_the_accounts_of_those_that_are_named_alone(reaper: Evaluate) -> None:
    vast = {"vast": {"api_key": "key-of-vast"}}
    cases = {"one": GOOD, "both": {**BOTH, "reaper_accounts": {**OWN, **OTHER, **vast}}}
    found = reaper(cases, "_reaper_secrets")
    assert "gpuops_accounts" not in found["one"]["variables"]
    assert "providers" not in found["one"]["variables"]
    variables = json.loads(found["both"]["variables"])
    assert variables["providers"] == BOTH["reaper_providers"]
    assert variables["gpuops_accounts"] == {**OWN, **OTHER}
    assert "key-of-vast" not in json.dumps(found)


def test_providers_are_those_that_there_are_and_log_in_by_the_key_that_is_asked_for() -> None:
    specs = yaml.safe_load((ROOT / "roles/reaper/meta/argument_specs.yml").read_text("utf-8"))
    assert specs["argument_specs"]["main"]["options"]["reaper_providers"]["choices"] == [*PROVIDERS]
    keys = [name for name, kind in REGISTRY.items() if "api_key" in kind.options]
    assert sorted([*keys, FIRST]) == sorted(REGISTRY)


def test_hosts_that_will_not_do_are_refused(reaper: Evaluate) -> None:
    words = "_reaper_host_checks | rejectattr('good') | map(attribute='otherwise') | list"
    cases = {"good": PROBE, "old": {**PROBE, "python": "3.10"}, "none": {**PROBE, "systemd": False}}
    found = reaper({name: {**GOOD, "_reaper_probe": seen} for name, seen in cases.items()}, words)
    assert found["good"] == []
    assert ["3.10 is too old" in found["old"][0], "systemd" in found["none"][0]] == [True, True]


def test_settings_of_the_playbook_win_and_secrets_stay_together(reaper: Evaluate) -> None:
    settings = {"grace": "5m", "mode": "stop", "ledger": "postgresql://u:p@db/x"}
    cases = {"one": {**GOOD, "reaper_base_url": "http://a/v1", "reaper_settings": settings}}
    found = reaper(cases, "_reaper_secrets")["one"]
    assert found["credentials"].split("\n")[:4] == [
        "[default]",
        "client_id = id",
        "client_secret = secret",
        "base_url = http://a/v1",
    ]
    variables = json.loads(found["variables"])
    assert settings.items() <= variables.items()
    assert variables["deployments"] == ["llm"]


def test_role_needs_what_the_collection_needs(reaper: Evaluate) -> None:
    teams = {**GOOD, "reaper_settings": {"ledger": "postgresql://db/x"}}
    both = reaper({"one": GOOD, "teams": teams}, "_reaper_requirements")
    found = both["one"]
    assert both["teams"] == [*found, "psycopg[binary]>=3,<4"]
    pins = (ROOT / "requirements-test.txt").read_text(encoding="utf-8").splitlines()
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert found[0] in pins
    assert found[1] == "tzdata"
    assert found[2:] == [line for line in lines if line and not line.startswith("#")]


def test_units_hand_the_secrets_over_as_credentials_only() -> None:
    texts = {p.name: p.read_text("utf-8") for p in (ROOT / "roles/reaper/templates").iterdir()}
    secret = (
        "reaper_client",
        "reaper_accounts",
        "_reaper_secrets",
        "_reaper_variables",
        "reaper_notify",
    )
    assert [name for name, text in texts.items() if any(word in text for word in secret)] == []
    names = {"credentials", "variables", "notify", "ssh_key"}
    loaded = {f"LoadCredential={name}:{{{{ _reaper_etc }}}}/{name}" for name in names}
    assert loaded <= set("\n".join(texts.values()).splitlines())


def test_files_with_secrets_are_roots_and_never_shown() -> None:
    tasks = yaml.safe_load((ROOT / "roles/reaper/tasks/configure.yml").read_text("utf-8"))
    hidden = [task for task in tasks if task.get("no_log")]
    assert len(hidden) == 2
    for task in hidden:
        assert (task["diff"], task["ansible.builtin.copy"]["mode"]) == (False, "0600")


def test_archive_holds_what_runs_and_is_the_same_each_time(tmp_path: Path) -> None:
    first = packer.main(ROOT, tmp_path / "a", False)
    again = packer.main(ROOT, tmp_path / "b", False)
    assert Path(first["archive"]).read_bytes() == Path(again["archive"]).read_bytes()
    with tarfile.open(first["archive"]) as tar:
        names = tar.getnames()
    place = "ansible_collections/gpuops/cloud"
    assert {f"{place}/playbooks/reap.yml", f"{place}/meta/runtime.yml"} <= set(names)
    assert names[-1] == ".complete"
    assert [name for name in names if "pycache" in name or "/tests/" in name] == []


def test_archive_of_another_state_goes(tmp_path: Path) -> None:
    (tmp_path / "source/plugins/__pycache__").mkdir(parents=True)
    (tmp_path / "source/plugins/a.py").write_text("1", encoding="ascii")
    before = packer.main(tmp_path / "source", tmp_path, False)
    (tmp_path / "source/plugins/__pycache__/a.pyc").write_text("x", encoding="ascii")
    assert packer.main(tmp_path / "source", tmp_path, True) == before
    (tmp_path / "source/plugins/a.py").write_text("2", encoding="ascii")
    after = packer.main(tmp_path / "source", tmp_path, True)
    assert Path(before["archive"]).exists()
    assert not Path(after["archive"]).exists()
    packer.main(tmp_path / "source", tmp_path, False)
    assert [path.name for path in tmp_path.glob("*.tar")] == [Path(after["archive"]).name]


def test_only_what_is_complete_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "missing_packages", lambda names: names[1:])
    for name in ("collection-new", "collection-old", "python-0-3.9"):
        (tmp_path / name).mkdir()
    (tmp_path / "collection-old/.complete").touch()
    found = probe.main(tmp_path, "python-1", "collection-new", "a,b")
    assert (found["collection_ready"], found["environment_ready"]) == (False, False)
    assert found["missing_packages"] == ["b"]
    assert [Path(path).name for path in found["stale"]] == ["collection-old", "python-0-3.9"]
    (tmp_path / "collection-new/.complete").touch()
    assert probe.main(tmp_path, "python-1", "collection-new", "a")["collection_ready"] is True


@pytest.fixture
def tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[dict[str, Any]], tuple[int, list[str]]]:
    """Provide a failed round: tells these, returns the exit status and the lines printed."""
    monkeypatch.setattr(notify, "journal", lambda unit: f"last words of {unit}")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    def run(whom: dict[str, Any]) -> tuple[int, list[str]]:
        (tmp_path / "notify").write_text(json.dumps(whom), encoding="utf-8")
        return notify.main("x.service"), capsys.readouterr().out.splitlines()

    return run


def test_the_journal_is_told_with_priority_crit(tell: Callable[..., Any]) -> None:
    status, lines = tell({})
    assert status == 0
    assert len(lines) == 1
    assert lines[0].startswith("<2>x.service failed on ")


def test_a_command_gets_the_message(tell: Callable[..., Any], tmp_path: Path) -> None:
    assert tell({"command": ["tee", str(tmp_path / "said")]})[0] == 0
    text = (tmp_path / "said").read_text(encoding="utf-8")
    assert "may go on costing money" in text
    assert text.endswith("It said last:\nlast words of x.service\n")


def test_mail_goes_through_sendmail(
    tell: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sendmail").write_text(f"#!/bin/sh\ncat > {tmp_path}/mail\n", encoding="ascii")
    (tmp_path / "sendmail").chmod(0o755)
    monkeypatch.setattr(notify, "SENDMAIL", str(tmp_path / "sendmail"))
    assert tell({"mail": "ops@example.com"})[0] == 0
    mail = (tmp_path / "mail").read_text(encoding="utf-8")
    assert mail.startswith("To: ops@example.com\nSubject: x.service failed\n\nx.service failed on")


class Hook(BaseHTTPRequestHandler):
    """Keeps what it gets."""

    got: list[dict[str, Any]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        """Take a message."""
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


def test_a_webhook_gets_json(tell: Callable[..., Any]) -> None:
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert tell({"webhook": f"http://127.0.0.1:{server.server_address[1]}/secret"})[0] == 0
    assert "last words" in Hook.got[0]["text"]


def test_one_way_that_fails_does_not_keep_the_others_away(
    tell: Callable[..., Any], tmp_path: Path
) -> None:
    hook = "http://127.0.0.1:9/token-in-the-path"
    status, lines = tell({"command": ["/nowhere"], "webhook": hook, "mail": "a@example.com"})
    assert status == 1
    assert [line for line in lines if "token" in line] == []
    assert lines[1:3] == [
        "<2>the notification by command failed: FileNotFoundError",
        "<2>the notification by webhook failed: URLError",
    ]
    assert tell({"webhook": "file:///etc/passwd"})[1][1:] == [
        "<2>the notification by webhook failed: ValueError"
    ]


def test_the_command_of_a_round_is_a_shell_script_that_parses(reaper: Evaluate) -> None:
    template = ROOT / "roles/reaper/templates/gpuops-reap.j2"
    cases = {
        name: {**GOOD, "_reaper_probe": PROBE, "reaper_ssh_private_key_file": key}
        for name, key in (("without", ""), ("with", "/key"))
    }
    texts = reaper(cases, f"lookup('ansible.builtin.template', '{template}')")
    for text in texts.values():
        subprocess.run(["sh", "-n"], input=text, text=True, check=True)
    assert ["ssh_key" in texts["without"], "ssh_key" in texts["with"]] == [False, True]
