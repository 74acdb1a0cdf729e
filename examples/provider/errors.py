# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From refusals of this provider to our errors: by its own codes first (private, pure)."""

from __future__ import annotations

from ..._core import errors
from ..base.answers import Answer
from ..base.error_mapping import Codes, from_response

# What is not named here is judged by its status. A write is unclear unless it was surely refused.
# Where refusals bear no codes, judge them by their words and give the class under the empty code.
CODES: Codes = {
    "out_of_capacity": errors.NoCapacityError,  # the next offer may be had
    "no_money": errors.NoFundsError,
    "over_quota": errors.QuotaError,
    "busy": errors.WrongStateError,  # the same may be asked for later
}


def error_of(answer: Answer, request: str) -> errors.GpuopsError:
    """Return the error of an answer that is no success."""
    return from_response(answer, request, CODES)
