# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where credentials come from, in which order, and that they show nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import (
    AuthError,
    InvalidError,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.credentials import (
    DEFAULT_BASE_URL,
    find_credentials,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, run_module

FILE = """
[default]
client_id = file-id
client_secret = file-secret

[work]
client_id = work-id
client_secret = work-secret
base_url = https://work.example/v1
"""
VERDA_FILE = """
[only]
verda_client_id = only-id
verda_client_secret = only-secret
verda_base_url = https://only.example/v1/
"""
OLD_FILE = "[DEFAULT]\nclient_id = old-id\napi_key = old-secret\n"
OPTIONS = {"client_id": "option-id", "client_secret": "option-secret"}
DATACRUNCH = {"DATACRUNCH_CLIENT_ID": "dc-id", "DATACRUNCH_CLIENT_SECRET": "dc-secret"}
VERDA = {"VERDA_CLIENT_ID": "verda-id", "VERDA_CLIENT_SECRET": "verda-secret"}
BOTH = {**DATACRUNCH, **VERDA}


def write(home: Path, name: str, text: str) -> None:
    """Write a credential file below the home."""
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def files(home: Path) -> Path:
    """Provide both credential files."""
    write(home, ".datacrunch/credentials", FILE)
    write(home, ".verda/credentials", VERDA_FILE)
    return home


@pytest.mark.parametrize(
    ("options", "environment", "found"),
    [
        (OPTIONS, BOTH, "option"),
        ({**OPTIONS, "profile": "work"}, BOTH, "option"),
        ({}, BOTH, "dc"),
        ({}, VERDA, "verda"),
        ({}, {}, "file"),
        ({"profile": "work"}, {}, "work"),
        ({"profile": "work"}, BOTH, "work"),
        ({"profile": "only"}, BOTH, "only"),
        ({"profile": "default"}, BOTH, "file"),
        ({}, {"DATACRUNCH_PROFILE": "work"}, "work"),
        ({}, {"VERDA_PROFILE": "only", **BOTH}, "only"),
        ({"profile": "work"}, {"DATACRUNCH_PROFILE": "only"}, "work"),
        # Halves of different pairs are never put together.
        ({}, {"DATACRUNCH_CLIENT_ID": "dc-id", **VERDA}, "verda"),
        ({}, {"DATACRUNCH_CLIENT_SECRET": "dc-secret", **VERDA}, "verda"),
        ({}, {"DATACRUNCH_CLIENT_ID": "dc-id", "VERDA_CLIENT_SECRET": "verda-secret"}, "file"),
        ({}, {"DATACRUNCH_CLIENT_ID": "", "DATACRUNCH_CLIENT_SECRET": ""}, "file"),
    ],
)
def test_order_of_sources(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    environment: dict[str, str],
    found: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    credentials = find_credentials(options)
    assert (credentials.client_id, credentials.client_secret) == (f"{found}-id", f"{found}-secret")


@pytest.mark.parametrize(
    ("options", "environment", "url"),
    [
        ({}, {}, DEFAULT_BASE_URL),
        ({"base_url": "https://a/v1/"}, {"DATACRUNCH_BASE_URL": "https://b/v1"}, "https://a/v1"),
        ({}, {"DATACRUNCH_BASE_URL": "https://b/v1/"}, "https://b/v1"),
        ({}, {"VERDA_BASE_URL": "https://c/v1"}, "https://c/v1"),
        ({"profile": "work"}, {}, "https://work.example/v1"),
        # A secret goes to the address that it belongs to.
        ({"profile": "work"}, {"DATACRUNCH_BASE_URL": "https://b/v1"}, "https://work.example/v1"),
        ({"profile": "work", "base_url": "https://a/v1"}, {}, "https://a/v1"),
        ({"profile": "only"}, {}, "https://only.example/v1"),
    ],
)
def test_address(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    environment: dict[str, str],
    url: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_credentials(options).base_url == url


def test_variable_of_the_address_beats_that_of_an_unnamed_section(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, ".verda/credentials", VERDA_FILE)
    assert find_credentials({}).base_url == "https://only.example/v1"
    monkeypatch.setenv("VERDA_BASE_URL", "https://c/v1")
    assert find_credentials({}).base_url == "https://c/v1"


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        (".datacrunch/credentials", FILE, "file"),
        (".verda/credentials", VERDA_FILE, "only"),
        (".datacrunch/credentials", OLD_FILE, "old"),
        (".datacrunch/credentials", "[Default]\nclient_id=x-id\nclient_secret=x-secret", "x"),
    ],
)
def test_files(home: Path, name: str, text: str, found: str) -> None:
    write(home, name, text)
    assert find_credentials({}).client_id == f"{found}-id"
    assert find_credentials({}).client_secret == f"{found}-secret"


@pytest.mark.parametrize("profile", ["default", "DEFAULT"])
def test_old_default_section_has_its_name(home: Path, profile: str) -> None:
    write(home, ".datacrunch/credentials", OLD_FILE)
    assert find_credentials({"profile": profile}).client_id == "old-id"


def test_signs_in_a_secret_are_no_interpolation(home: Path) -> None:
    write(home, ".datacrunch/credentials", "[default]\nclient_id=a\nclient_secret=50%%(x)s%")
    assert find_credentials({}).client_secret == "50%%(x)s%"


@pytest.mark.parametrize(
    "variable", ["DATACRUNCH_CREDENTIALS_FILE", "VERDA_SHARED_CREDENTIALS_FILE"]
)
def test_file_elsewhere(files: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    write(files, "elsewhere", "[default]\nclient_id=else-id\nclient_secret=x\n")
    monkeypatch.setenv(variable, "~/elsewhere")
    assert find_credentials({}).client_id == "else-id"


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("[default]\ndatacrunch_api_key=one-secret", "has no client_id"),
        ("[default]\nclient_id=x", "has no client_secret"),
    ],
)
def test_half_a_pair_says_which_half_is_missing(home: Path, text: str, lacks: str) -> None:
    write(home, ".datacrunch/credentials", text)
    with pytest.raises(AuthError, match=f"/credentials \\({lacks}\\)") as caught:
        find_credentials({})
    assert "one-secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "no section", "[a]\nclient_id=x\n[b]\nclient_id=y", "\0\xff"])
def test_file_without_a_pair_is_passed_over(home: Path, text: str) -> None:
    write(home, ".datacrunch/credentials", text)
    with pytest.raises(AuthError, match="no usable entry"):
        find_credentials({})


def test_none_names_every_place_looked_at(home: Path) -> None:
    with pytest.raises(AuthError) as caught:
        find_credentials({})
    text = str(caught.value)
    for place in (
        "options client_id and client_secret",
        "DATACRUNCH_CLIENT_ID and DATACRUNCH_CLIENT_SECRET",
        "VERDA_CLIENT_ID and VERDA_CLIENT_SECRET",
        f"{home}/.datacrunch/credentials (no such file)",
        f"{home}/.verda/credentials (no such file)",
    ):
        assert place in text


def test_profile_that_is_not_there_is_no_other(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in BOTH.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(AuthError, match="profile 'play' of"):
        find_credentials({"profile": "play"})


@pytest.mark.parametrize("url", ["api.verda.com/v1", "ftp://x", "file:///etc/passwd"])
def test_address_that_is_none(home: Path, url: str) -> None:
    with pytest.raises(InvalidError, match="is not an http or https address"):
        find_credentials({**OPTIONS, "base_url": url})


def test_secret_is_in_no_repr() -> None:
    assert "option-secret" not in repr(find_credentials(OPTIONS))


# -- through a module ------------------------------------------------------------------------------


def test_module_without_credentials_says_where_it_looked(home: Path) -> None:
    result, _output = run_module("datacrunch_balance", {})
    assert result["error"]["code"] == "auth"
    assert "DATACRUNCH_CLIENT_ID" in result["msg"]
    assert f"{home}/.verda/credentials (no such file)" in result["msg"]


def test_profile_beats_the_environment_in_a_module(
    cloud: Cloud, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.sim.switch(clients={"work-id": "work-secret"})
    for name, value in {**BOTH, "DATACRUNCH_BASE_URL": "http://127.0.0.1:9/v1"}.items():
        monkeypatch.setenv(name, value)
    text = FILE.replace("https://work.example", cloud.sim.url)
    write(files, ".datacrunch/credentials", text)
    result, output = run_module("datacrunch_balance", {"profile": "work"})
    assert result.get("amount") == 500, result
    assert "secret" not in output.replace("client_secret", "")


def test_environment_serves_a_module_and_is_masked(
    cloud: Cloud, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.sim.switch(clients={"dc-id": "dc-secret"})
    for name, value in {**DATACRUNCH, "DATACRUNCH_BASE_URL": f"{cloud.sim.url}/v1"}.items():
        monkeypatch.setenv(name, value)
    result, output = run_module("datacrunch_balance", {})
    assert result.get("amount") == 500, result
    assert "dc-secret" not in output
