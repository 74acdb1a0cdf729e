# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From refusals of Lambda Cloud to our errors: by code alone, as the vendor asks (private, pure)."""

from __future__ import annotations

from ..._core import errors
from ..base.answers import Answer
from ..base.error_mapping import Codes, from_response

LAUNCH, TERMINATE = "/instance-operations/launch", "/instance-operations/terminate"
CODES: Codes = {
    "instance-operations/launch/insufficient-capacity": errors.NoCapacityError,
    "instance-operations/launch/file-system-in-wrong-region": errors.InvalidError,
    "filesystems/filesystem-in-use": errors.WrongStateError,
    "global/quota-exceeded": errors.QuotaError,
    "global/account-inactive": errors.ForbiddenError,
    "global/invalid-address": errors.ForbiddenError,
    "global/object-does-not-exist": errors.NotFoundError,
    "global/invalid-parameters": errors.InvalidError,
    "global/invalid-api-key": errors.AuthError,
    "global/duplicate": errors.ConflictError,
}
# Of what is behind the API: that may have done what was asked.
_BEHIND = "provider/"


def error_of(answer: Answer, request: str) -> errors.GpuopsError:
    """Return the error of an answer that is no success."""
    makes = True if request == f"POST {LAUNCH}" else None
    found = from_response(answer, request, CODES, makes=makes)
    if (found.api_code or "").startswith(_BEHIND):
        return _as(errors.UnavailableError, found, unclear=not request.startswith("GET "))
    is_end = request == f"POST {TERMINATE}" and found.api_code not in CODES
    if is_end and answer.status_code in (400, 409):
        # Its first seconds, or something else that is done to it just now: asked for again.
        return _as(errors.WrongStateError, found, unclear=False)
    return found


def _as(
    kind: type[errors.GpuopsError], found: errors.GpuopsError, *, unclear: bool
) -> errors.GpuopsError:
    """Return the same error as one of another kind."""
    return kind(
        found.message,
        status=found.status,
        request=found.request,
        api_code=found.api_code,
        unclear=unclear,
        words=found.words,
    )
