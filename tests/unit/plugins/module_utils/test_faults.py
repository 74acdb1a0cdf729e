# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer means, and whether a write was executed: unless the API itself has refused it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.error_mapping import (
    from_exception,
    from_response,
)

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


# -- what an answer means --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_line", "status", "text", "code", "unclear"),
    [
        ("GET /x", 400, '{"message": "bad"}', "invalid", False),
        ("GET /x", 400, '{"message": "Invalid instance id"}', "not_found", False),
        ("POST /x", 400, '{"message": "Storage limit exceeded"}', "quota", False),
        ("POST /x", 400, '{"message": "your quota"}', "quota", False),
        ("GET /x", 401, "", "auth", False),
        ("POST /instances", 402, '{"code": "insufficient_funds"}', "no_funds", False),
        ("GET /x", 403, '{"message": "no"}', "forbidden", False),
        ("GET /x", 403, '{"message": "Insufficient scope"}', "auth", False),
        ("GET /x", 404, "", "not_found", False),
        ("POST /x", 409, "", "conflict", True),
        ("GET /x", 418, "", "unavailable", False),
        ("POST /x", 429, "Rate limit.", "rate_limited", False),
        ("GET /x", 500, "", "unavailable", False),
        ("POST /x", 500, "", "unavailable", True),
        ("PUT /x", 502, "", "unavailable", True),
        ("DELETE /x", 504, "", "unavailable", True),
        ("POST /x", 408, "", "unavailable", True),
        ("POST /instances", 503, '{"message": "No capacity"}', "no_capacity", False),
        ("POST /volumes", 503, "", "unavailable", True),
        ("GET /instances", 503, "", "unavailable", False),
        ("POST /instances", 503, "<html>proxy</html>", "unavailable", True),
        ("GET /x", 302, "", "unavailable", False),
        ("GET /x", 400, "[1, 2]", "invalid", False),
        ("GET /x", 400, "null", "invalid", False),
        ("GET /x", 400, '{"message": null}', "invalid", False),
    ],
)
def test_answers(request_line: str, status: int, text: str, code: str, unclear: bool) -> None:
    answer = SimpleNamespace(status_code=status, text=text)
    error = from_response(answer, request_line)
    assert (error.code, error.unclear, error.status) == (code, unclear, status)
    assert error.message.startswith(f"{request_line}: the API answered {status}")


def test_page_is_read_as_words() -> None:
    page = "<html><style>p {}</style><script>x()</script><h1>Bad\n gateway</h1></html>"
    error = from_response(SimpleNamespace(status_code=502, text=page), "GET /x")
    assert str(error).startswith("GET /x: the API answered 502: Bad gateway. Check base_url")


def test_long_page_is_cut() -> None:
    answer = SimpleNamespace(status_code=502, text="word " * 5000)
    assert len(str(from_response(answer, "GET /x"))) < 500


@pytest.mark.parametrize(
    ("text", "words", "unclear"),
    [
        ("Read timed out.", "no answer in time", True),
        ("[Errno 111] Connection refused", "connection refused", False),
        ("certificate verify failed: CERTIFICATE_VERIFY_FAILED", "could not be verified", False),
        ("Failed to resolve 'x'", "could not be resolved", False),
        ("Connection aborted. RemoteDisconnected", "the connection broke", True),
    ],
)
def test_exceptions(text: str, words: str, unclear: bool) -> None:
    error = from_exception(OSError(text), "POST /x", "https://a/v1", unclear=True)
    assert words in str(error)
    assert error.unclear is unclear
