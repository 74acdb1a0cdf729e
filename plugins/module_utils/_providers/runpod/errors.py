# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From refusals of RunPod, which are RFC 9457 problems, to our errors (private, pure)."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from ..._core import errors
from ..base.answers import Answer
from ..base.error_mapping import from_response

PODS, VOLUMES = "/pods", "/network-volumes"
_ORDER = f"POST {PODS}"
_MAKES = frozenset({_ORDER, f"POST {VOLUMES}"})
# No code tells a rule that was broken from capacity that is not there: these are words of rules.
_RULE = re.compile(
    r"\b(must|require[sd]?|invalid|unknown|mutually|not (allowed|supported|valid)|exactly one)\b",
    re.I,
)
_FUNDS = re.compile(r"\b(balance|credits?|funds)\b", re.I)
_LIMIT = re.compile(r"\b(quota|(spend(ing)?|account) limit)\b", re.I)
# A 403 that is about one kind of hardware, and not about what the key may do.
_POOL = re.compile(r"\b(pool|gpu|data ?cent(er|re)|machin)", re.I)
_CLUSTER = re.compile(r"\bcluster\b", re.I)
_NO_GPU = re.compile(r"\bfree gpus?\b|\bno gpus?\b|not enough", re.I)
_OF_A_STATE = frozenset({400, 409})


def error_of(answer: Answer, request: str) -> errors.GpuopsError:
    """Return the error of an answer that is no success."""
    words = _words(answer)
    told = answer if words is None else replace(answer, content=_as_message(words))
    found = from_response(told, request, makes=True if request in _MAKES else None)
    kind = None if words is None else _kind_of(request, answer.status_code, words)
    return found if kind is None else _as(kind, found)


def _words(answer: Answer) -> str | None:
    """Return what a problem says, None for an answer that is none: a proxy may have written it."""
    try:
        data = answer.json()
    except ValueError:
        return None
    if not isinstance(data, dict) or not isinstance(data.get("title"), str):
        return None
    each = data.get("errors")
    parts = [data.get("detail") or data["title"], *(each if isinstance(each, list) else [])]
    return answer.hide("; ".join(str(part).rstrip(".") for part in parts))


def _as_message(words: str) -> bytes:
    return json.dumps({"message": words}).encode()


def _kind_of(request: str, status: int, words: str) -> type[errors.GpuopsError] | None:
    """Return what a refusal in the API's own words means, None where its status says it."""
    if request == _ORDER:
        return _of_order(status, words)
    if request.startswith("DELETE ") and status in _OF_A_STATE:
        return errors.ConflictError if _CLUSTER.search(words) else errors.WrongStateError
    if request.endswith("/action") and status in _OF_A_STATE:
        return errors.NoCapacityError if _NO_GPU.search(words) else errors.WrongStateError
    return None


def _of_order(status: int, words: str) -> type[errors.GpuopsError] | None:
    """Return what the refusal of an order means: for this offer alone, or for any."""
    if status == 403 and _POOL.search(words):
        return errors.NoCapacityError
    if status != 400:
        return None
    if _FUNDS.search(words):
        return errors.NoFundsError
    if _LIMIT.search(words):
        return errors.QuotaError
    return errors.InvalidError if _RULE.search(words) else errors.NoCapacityError


def _as(kind: type[errors.GpuopsError], found: errors.GpuopsError) -> errors.GpuopsError:
    """Return an error as one of another kind, of which is known that nothing was done."""
    return kind(
        found.message, status=found.status, request=found.request, unclear=False, words=found.words
    )
