# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From refusals of TensorDock to our errors: by their words, since they bear no codes (private, pure).

A refusal comes with a status of its own, or inside an answer with status 200.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from ..._core import errors
from ..base.answers import Answer
from ..base.error_mapping import from_response

Kind = type[errors.GpuopsError]
# What an order is refused with, most telling first. Stock is told long after it is gone.
_WORDS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (
        re.compile(
            r"insufficient (funds|balance|credit)|balance (is )?(too low|of at least)", re.I
        ),
        errors.NoFundsError,
    ),
    (re.compile(r"quota|limit (reached|exceeded)|maximum (number|of)", re.I), errors.QuotaError),
    (
        re.compile(
            r"no (available |matching )?(nodes?|gpus?|public ips?|hostnodes?)\b|out of stock|sold out"
            r"|(insufficient|not enough|no|at) capacity|fully allocated|under maintenance"
            r"|\b(resource|gpu|location|region|nodes?)s? (is |are )?(temporarily )?(unavailable|not available)",
            re.I,
        ),
        errors.NoCapacityError,
    ),
)
# What says itself that nothing was made: a field is wrong.
_A_FIELD = re.compile(r"\bis required\b|\bmust (be|have)\b|^invalid\b", re.I)
_MISSING = re.compile(r"not found|does not exist", re.I)
# Of an order that was refused so, nothing is there; whatever else came back is looked up.
_SURE = (errors.NoCapacityError, errors.NoFundsError, errors.QuotaError)
_OF_ONE = re.compile(r"(GET|DELETE) /instances/[^/]+\Z")
_ORDER = "POST /instances"
_WRONG_STATE = frozenset({400, 409, 422})
_TOO_MANY = 429


@dataclass(frozen=True)
class Said:
    """What a refusal says: its status, its words, whether it names fields, whether something is in it."""

    status: int
    words: str
    of_fields: bool = False
    holds_data: bool = False


def said(answer: Answer) -> Said | None:
    """Return what a refusal says, in whatever shape; None for an answer that is none, or nobody's own."""
    try:
        data = answer.json()
    except ValueError:
        return None
    if isinstance(data, list) and data and all(_is_of_field(one) for one in data):
        status = answer.status_code if answer.status_code >= 300 else 400
        return Said(status, "; ".join(map(_of_field, data)), of_fields=True)
    if not isinstance(data, dict):
        return None
    listed, error = data.get("errors"), data.get("error")
    status = _status(data.get("status"))
    if "id" in data and status < 400:
        return None  # an instance that tells what is wrong with it
    if isinstance(listed, list) and listed and all(isinstance(one, dict) for one in listed):
        words = "; ".join(_of_listed(one) for one in listed)
        status = status or _status(listed[0].get("status"))
    elif error or listed or status >= 400 or data.get("success") is False:
        words = _text(error or listed or data.get("message") or data)
    else:
        return None
    if answer.status_code >= 300:
        status = answer.status_code
    return Said(status or 400, words, holds_data=bool(data.get("data")))


def error_of(answer: Answer, request: str) -> errors.GpuopsError:
    """Return the error of an answer that is no success."""
    told = said(answer)
    if told is None:
        error = from_response(answer, request)
        error.unclear = error.unclear or (request == _ORDER and answer.status_code != 401)
        return error
    words = (
        told.words if answer.status_code >= 300 else f"{told.words} (in an answer with status 200)"
    )
    kind = _kind(told, request)
    body = json.dumps({"message": words}).encode()
    shaped = replace(answer, status_code=told.status, content=body)
    # Refusals bear no code: what is under the empty one is meant.
    error = from_response(shaped, request, {"": kind} if kind else {})
    if request == _ORDER:
        error.unclear = told.holds_data or not _did_nothing(told, error)
    return error


def _did_nothing(told: Said, error: errors.GpuopsError) -> bool:
    """Tell whether an order that was refused so was surely not executed."""
    refused = told.status in (400, 422) and (told.of_fields or bool(_A_FIELD.search(told.words)))
    return refused or told.status in (401, 403) or isinstance(error, _SURE)


def _kind(told: Said, request: str) -> Kind | None:
    """Return which error a refusal is, None where its status says that."""
    if request == _ORDER:
        known = (kind for words, kind in _WORDS if words.search(told.words))
        return None if told.status == _TOO_MANY else next(known, None)
    if _OF_ONE.match(request) and _MISSING.search(told.words):
        return errors.NotFoundError
    if request.startswith("DELETE ") and told.status in _WRONG_STATE:
        return errors.WrongStateError
    # A list that is refused, and a read that is for another reason, say nothing of what is there.
    if request.startswith("GET ") and told.status not in (401, 403, _TOO_MANY):
        alone = told.status == 404 and _OF_ONE.match(request)
        return errors.NotFoundError if alone else errors.UnavailableError
    return None


def _status(value: Any) -> int:
    """Return a status that is a number, or text that is one; zero for a word such as running."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return int(text) if text.isdecimal() and len(text) == 3 else 0


def _is_of_field(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("message"), str)


def _of_field(one: dict[str, Any]) -> str:
    path = one.get("path")
    place = ".".join(map(str, path)) if isinstance(path, list) else ""
    return f"{place}: {one['message']}" if place else str(one["message"])


def _of_listed(one: dict[str, Any]) -> str:
    return _text(one.get("detail") or one.get("message") or one.get("title") or one)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("message") or value
    return str(value)[:300]
