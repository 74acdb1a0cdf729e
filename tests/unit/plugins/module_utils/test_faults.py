# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a write may have been executed: unless the API itself has refused it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._faults import from_response

WORDS = '{"code": "a", "message": "b"}'
REFUSALS = (400, 401, 402, 403, 422, 429)


@pytest.mark.parametrize(
    "status", [301, 303, 404, 408, 409, 418, 451, 499, 500, 501, 507, 520, 524]
)
@pytest.mark.parametrize("text", [WORDS, "<html></html>", ""])
@pytest.mark.parametrize("path", ["instances", "volumes", "ssh-keys", "scripts"])
def test_anything_but_a_refusal_is_unclear(path: str, text: str, status: int) -> None:
    answer = SimpleNamespace(status_code=status, text=text)
    assert from_response(answer, f"POST /{path}").unclear
    assert not from_response(answer, f"GET /{path}").unclear


@pytest.mark.parametrize("status", REFUSALS)
def test_refusal_of_the_api_is_clear(status: int) -> None:
    answer = SimpleNamespace(status_code=status, text=WORDS)
    assert not from_response(answer, "POST /instances").unclear


@pytest.mark.parametrize(("status", "unclear"), [(400, True), (403, True), (401, False)])
@pytest.mark.parametrize("text", ["<html></html>", "", "[1]", "[" * 5000])
def test_refusal_in_the_words_of_nobody_is_unclear(text: str, status: int, unclear: bool) -> None:
    answer = SimpleNamespace(status_code=status, text=text)
    assert from_response(answer, "POST /instances").unclear is unclear
    assert not from_response(answer, "PUT /instances").unclear


@pytest.mark.parametrize("status", [404, 409])
def test_what_is_asked_for_by_id_says_what_it_is(status: int) -> None:
    answer = SimpleNamespace(status_code=status, text="")
    for request in ("PUT /instances", "POST /instances/1/tags", "DELETE /ssh-keys/1"):
        assert not from_response(answer, request).unclear


@pytest.mark.parametrize("words", ["No capacity available", "Not enough resources to deploy"])
def test_lack_of_capacity_is_a_refusal(words: str) -> None:
    answer = SimpleNamespace(status_code=503, text=words)
    error = from_response(answer, "POST /instances")
    assert (error.code, error.unclear) == ("no_capacity", False)
