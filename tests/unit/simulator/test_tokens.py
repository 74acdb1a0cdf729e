# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens, as clients take, renew and lose them."""

from __future__ import annotations

from typing import Any

import pytest

TOKEN_FIELDS = {"access_token", "token_type", "expires_in", "refresh_token", "scope"}


def test_a_token_has_every_field_and_opens_the_api(api: Any) -> None:
    answer = api.login()
    assert answer.data.keys() == TOKEN_FIELDS
    assert (answer.data["token_type"], answer.data["expires_in"]) == ("Bearer", 3600)
    assert answer.data["scope"] == "cloud-api-v1"
    assert api.get("/balance").status == 200


def test_a_token_may_be_asked_for_by_form(api: Any) -> None:
    form = "grant_type=client_credentials&client_id=me&client_secret=hush"
    kind = {"Content-type": "application/x-www-form-urlencoded"}
    assert api.call("POST", "/oauth2/token", form, **kind).data["expires_in"] == 3600


@pytest.mark.parametrize("clients", [{}, {"known": "right"}])
def test_wrong_credentials_are_refused(start: Any, clients: dict[str, str]) -> None:
    api = start(clients=clients)
    answer = api.login("known", "wrong" if clients else "")
    assert (answer.status, answer.data["code"]) == (401, "unauthorized_request")
    assert answer.message == "Invalid client id or client secret"


def test_named_clients_are_let_in(start: Any) -> None:
    assert start(clients={"known": "right"}).login("known", "right").status == 200


def test_another_grant_is_refused(api: Any) -> None:
    answer = api.post("/oauth2/token", {"grant_type": "password"})
    assert (answer.status, answer.message) == (400, "unsupported grant type")


def test_a_token_runs_out_and_can_be_renewed(start: Any) -> None:
    api = start(token_seconds=60)
    refresh = api.login().data["refresh_token"]
    api.watch.seconds += 61
    assert api.get("/balance").status == 401
    renewed = api.post("/oauth2/token", {"grant_type": "refresh_token", "refresh_token": refresh})
    assert renewed.data.keys() == TOKEN_FIELDS
    api.headers["Authorization"] = f"Bearer {renewed.data['access_token']}"
    assert api.get("/balance").status == 200


def test_a_refresh_token_that_is_not_known_is_refused(api: Any) -> None:
    body = {"grant_type": "refresh_token", "refresh_token": "x"}
    assert api.post("/oauth2/token", body).status == 401


def test_advancing_simulated_time_leaves_tokens_alone(api: Any) -> None:
    api.simulator.advance(1e6)
    assert api.get("/locations").status == 200


def test_revoked_tokens_are_refused(api: Any) -> None:
    api.simulator.revoke_tokens()
    assert api.get("/balance").status == 401


@pytest.mark.parametrize("path", ["/instance-types", "/volume-types", "/instance-types/1V100.6V"])
def test_the_catalogue_is_open(api: Any, path: str) -> None:
    api.headers.clear()
    assert api.get(path).status == 200


@pytest.mark.parametrize("path", ["/instance-availability", "/locations", "/images", "/instances"])
def test_the_rest_is_not_open(api: Any, path: str) -> None:
    api.headers.clear()
    assert api.get(path).status == 401


def test_an_unknown_path_is_out_of_scope(api: Any) -> None:
    answer = api.get("/no-such-thing")
    assert (answer.status, answer.message) == (403, "Insufficient scope")
    assert api.call("PATCH", "/instances").status == 403


def test_what_is_left_out_says_so(api: Any) -> None:
    assert (api.get("/clusters").status, api.get("/clusters").data["code"]) == (501, "not_imitated")


def test_outside_of_v1_there_is_nothing(api: Any) -> None:
    api.wire.request("GET", "/balance")
    response = api.wire.getresponse()
    assert (response.status, b"/v1" in response.read()) == (404, True)
