# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials from variables: what is given, and nothing for what is not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleLookupError

from ansible_collections.gpuops.cloud.plugins.lookup.credentials import LookupModule


class Templar:
    """Answers templates as Ansible would."""

    @staticmethod
    def template(value: Any) -> Any:
        return "me" if value == "{{ who }}" else value


@pytest.mark.every_core
@pytest.mark.parametrize(
    ("variables", "found"),
    [
        (None, {}),
        ({"client_id": "of somebody else"}, {}),
        ({"datacrunch_client_id": "", "datacrunch_profile": None}, {}),
        (
            {"datacrunch_client_id": "{{ who }}", "datacrunch_client_secret": "x"},
            {"client_id": "me", "client_secret": "x"},
        ),
        ({"datacrunch_timeout": 0, "datacrunch_base_url": "u"}, {"timeout": 0, "base_url": "u"}),
    ],
)
def test_what_variables_give(variables: dict[str, Any] | None, found: dict[str, Any]) -> None:
    lookup = LookupModule.__new__(LookupModule)
    lookup._templar = Templar()
    assert lookup.run([], variables=variables) == [found]


@pytest.mark.every_core
def test_whole_credentials_are_those_of_the_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    lookup = LookupModule.__new__(LookupModule)
    lookup._templar = Templar()
    with pytest.raises(AnsibleLookupError, match="No credentials"):
        lookup.run([], variables={}, complete=True)
    monkeypatch.setenv("VERDA_CLIENT_ID", "me")
    monkeypatch.setenv("VERDA_CLIENT_SECRET", "x")
    (found,) = lookup.run([], variables={"datacrunch_base_url": "https://u/v1/"}, complete=True)
    assert found == {"client_id": "me", "client_secret": "x", "base_url": "https://u/v1"}


@pytest.mark.every_core
def test_accounts_of_several_providers_are_whole_for_a_host_without_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lookup = LookupModule.__new__(LookupModule)
    lookup._templar = Templar()
    monkeypatch.setenv("VERDA_CLIENT_ID", "me")
    monkeypatch.setenv("VERDA_CLIENT_SECRET", "x")
    monkeypatch.setenv("LAMBDA_API_KEY", "of-the-environment")
    address = {"base_url": "http://127.0.0.1:1"}
    given = {
        "gpuops_accounts": {
            "lambda": {"base_url": "http://127.0.0.1:1/v1/"},
            "vast": {**address, "api_key": "of-the-variable", "rents": "container"},
        },
        "datacrunch_base_url": "https://u/v1/",
    }
    more: Any = {"several": True, "complete": True}
    (found,) = lookup.run([], variables=given, providers=["verda", "lambda", "vast"], **more)
    assert found["accounts"] == {
        "verda": {"client_id": "me", "client_secret": "x", "base_url": "https://u/v1"},
        "lambda": {"api_key": "of-the-environment", "base_url": "http://127.0.0.1:1/v1"},
        "vast": {**address, "api_key": "of-the-variable", "rents": "container"},
    }
    with pytest.raises(AnsibleLookupError, match="No credentials for RunPod"):
        lookup.run([], variables=given, providers=["verda", "runpod"], **more)
