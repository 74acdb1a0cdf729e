# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From refusals of Vast.ai to our errors: by their word, where there is one (private, pure)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ..._core import errors
from ..base.answers import Answer
from ..base.error_mapping import Codes, from_response
from ..base.row import whole_number

CODES: Codes = {
    "no_such_ask": errors.NoCapacityError,
    "invalid_args": errors.InvalidError,
    "invalid_price": errors.InvalidError,
    "no_ssh_key_for_vm": errors.InvalidError,
    "label_too_long": errors.InvalidError,
    "missing_billing": errors.NoFundsError,
    "insufficient_credit": errors.NoFundsError,
    "no_such_instance": errors.NotFoundError,
    "not_found": errors.NotFoundError,
    "deprecated_endpoint": errors.UnavailableError,
}
ORDER = "PUT /api/v0/asks/"
_NEW_KEY = "POST /api/v0/ssh/"
_HINTS = {
    "no_ssh_key_for_vm": "A VM takes the keys of the account as they are when it is ordered: "
    "register one first, with the module of SSH keys or in the console.",
}
# What an error tells of an order that was refused and executed all the same.
MADE = "made"


def error_of(answer: Answer, request: str) -> errors.GpuopsError:
    """Return the error of an answer that is no success, whatever its status.

    What the order has made although it was refused is in the details, by its id.
    """
    data = _object(answer)
    is_order = request.startswith(ORDER)
    found = from_response(
        _usual(answer, data), request, CODES, makes=is_order or request == _NEW_KEY
    )
    found.hint = _HINTS.get(found.api_code or "", found.hint)
    if answer.status_code < 400 and found.api_code not in CODES:
        found.unclear = not request.startswith("GET ")
    if is_order and isinstance(found, errors.RateLimitedError):
        found.unclear = True  # who counts may stand behind who orders
    made = whole_number(data.get("new_contract"))
    if is_order and made:
        found.details[MADE] = str(made)
    return found


def _object(answer: Answer) -> dict[str, Any]:
    try:
        data = answer.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _usual(answer: Answer, data: dict[str, Any]) -> Answer:
    """Return an answer in the words that are understood everywhere, and nothing but its words.

    What stands beside them may be a secret of the instance.
    """
    if not data:
        return answer
    words = [data[key] for key in ("msg", "message") if isinstance(data.get(key), str)]
    code = data.get("error")
    said = {"message": words[0] if words else "no reason is told"}
    if isinstance(code, str):
        said["code"] = code
    return replace(answer, content=json.dumps(said).encode())


def is_refusal(answer: Answer) -> bool:
    """Tell whether an answer with a status of success says that it is none."""
    data = _object(answer)
    return data.get("success") is False or "error" in data
