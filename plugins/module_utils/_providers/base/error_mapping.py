# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From answers and exceptions of the transport to our errors (private)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..._core import errors

Codes = Mapping[str, type[errors.GpuopsError]]
_BY_STATUS: dict[int, type[errors.GpuopsError]] = {
    400: errors.InvalidError,
    401: errors.AuthError,
    402: errors.NoFundsError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.InvalidError,
    429: errors.RateLimitedError,
}
_UNKNOWN_ID = re.compile(r"invalid (instance|volume|ssh.?key|script) id|not found", re.I)
# "Can't discontinue a provisioning instance", "Volume must be detached": documented as a 400, seen as
# a 403. Only the words are the same everywhere.
_STATE = re.compile(
    r"\b(can(no|['\u2019])?t|can not) [\w-]+ (an?|the) |\bmust be (shut ?down|stopped|off|detached|running)"
    r"|\bis not (attached|in the trash|being)\b",
    re.I,
)
_STATE_STATUSES = frozenset({400, 403, 409})
_LIMIT = re.compile(r"quota|limit exceeded", re.I)
_SOLD_OUT = re.compile(r"capacity|not enough resources", re.I)
# Statuses with which the API itself refuses, and has done nothing.
_REFUSED = frozenset({400, 401, 402, 403, 422, 429})
# What is asked for by id exists or does not: there these two say something as well.
_OF_A_STATE = frozenset({404, 409})
_BY_ANYBODY = frozenset({401, 429})
# Requests that make something, so that a repeated one makes it twice.
_MAKES = re.compile(r"POST /[a-z-]+\Z")


def _words(answer: Any) -> tuple[str, str | None, bool]:
    """Return what an error body says, its code, and whether it is an error object of the API.

    Bodies may be HTML, bare text or lists.
    """
    text = (answer.text or "").strip()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        plain = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", text)
        return " ".join(plain.split())[:300], None, False
    if not isinstance(data, dict):
        return str(data)[:300], None, False
    within = data.get("error")
    data = within if isinstance(within, dict) else data
    message = data.get("message")
    if isinstance(message, list):
        message = "; ".join(str(part) for part in message)
    code = data.get("code")
    code = str(code)[:60] if isinstance(code, (str, int)) else None
    return str(message or data)[:1000], code, True


def _class_of(request: str, status: int, words: str, code: str | None) -> type[errors.GpuopsError]:
    if request.startswith("PUT ") and status in _STATE_STATUSES and _STATE.search(words):
        return errors.WrongStateError
    if status == 400 and _LIMIT.search(words):
        return errors.QuotaError
    if status == 400 and _UNKNOWN_ID.search(words):
        return errors.NotFoundError
    if status == 403 and "scope" in words.lower():
        return errors.AuthError
    # Only the API itself can say that there is no capacity; a gateway answers 503 as well.
    if status == 503 and request == "POST /instances" and (code or _SOLD_OUT.search(words)):
        return errors.NoCapacityError
    return _BY_STATUS.get(status, errors.UnavailableError)


def from_response(
    answer: Any, request: str, codes: Codes = MappingProxyType({}), *, makes: bool | None = None
) -> errors.GpuopsError:
    """Return the error of an answer with a status of 400 or more (or a redirect).

    ``codes`` says what codes of the API mean, and the empty one what a refusal without any does; what
    is not among them is judged by its status.
    ``makes`` tells whether the request makes something, where its path does not.
    """
    status = answer.status_code
    words, code, readable = _words(answer)
    kind = codes.get(code or "") or _class_of(request, status, words, code)
    message = f"{request}: the API answered {status}"
    if code:
        message += f" {code}"
    if words:
        message += f": {words}"
    makes = bool(_MAKES.match(request)) if makes is None else makes
    unclear = _is_unclear(request, status, kind, readable, makes)
    return kind(
        message, status=status, request=request, api_code=code, unclear=unclear, words=words
    )


def _is_unclear(
    request: str, status: int, kind: type[errors.GpuopsError], readable: bool, makes: bool
) -> bool:
    """Tell whether a write may have been executed: unless it is known that it was not.

    Proxies answer with any status, also after the API has done what was asked; ``readable`` is an
    answer in the words of the API. Only with 401 and 429 nobody writes one.
    """
    if request.startswith("GET ") or kind is errors.NoCapacityError:
        return False
    if status in _OF_A_STATE:
        return makes
    if status not in _REFUSED:
        return True
    return makes and not readable and status not in _BY_ANYBODY


def from_row(row: dict[str, Any], request: str, what: str) -> errors.GpuopsError:
    """Return the error of a refusal inside an answer that is a success as a whole (207)."""
    words, status = str(row.get("error") or "refused"), row.get("statusCode")
    status = status if isinstance(status, int) else 403
    kind = _class_of(request, status, words, None)
    unclear = _is_unclear(request, status, kind, readable=True, makes=False)
    return kind(f"{what}: {words}", status=status, request=request, unclear=unclear, words=words)


def from_exception(
    error: Exception, request: str, base_url: str, *, unclear: bool = False
) -> errors.GpuopsError:
    """Return the error of a request that got no answer. ``error`` comes from ``requests``."""
    kind = type(error).__name__
    text = str(error)
    if "timed out" in text.lower() or "Timeout" in kind:
        came_back = "no answer in time"
    elif "refused" in text.lower():
        came_back = "connection refused"
        unclear = False  # nothing was sent
    elif "CERTIFICATE" in text.upper():
        came_back = "the certificate could not be verified"
        unclear = False
    elif "resolve" in text.lower() or "Name or service" in text:
        came_back = "the host name could not be resolved"
        unclear = False
    else:
        came_back = "the connection broke"
    return errors.UnavailableError(
        f"{request} at {base_url}: {came_back}", request=request, unclear=unclear
    )
