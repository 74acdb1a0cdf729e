# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals, as the API words them."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal with its HTTP status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def body(self) -> dict[str, str]:
        """Return the error object that the API sends."""
        return {"code": self.code, "message": self.message}


def invalid(message: str) -> ApiError:
    """Return a 400: a bad field, an unknown reference, or a quota."""
    return ApiError(400, "invalid_request", message)


def unauthorized(message: str) -> ApiError:
    """Return a 401: token or credentials."""
    return ApiError(401, "unauthorized_request", message)


def forbidden(message: str) -> ApiError:
    """Return a 403: the state of the thing forbids it."""
    return ApiError(403, "forbidden_action", message)


def refused(error: ApiError, status: int) -> ApiError:
    """Return a refusal because of a state with another status; any other error stays as it is."""
    codes = {400: "invalid_request", 403: "forbidden_action", 409: "conflict"}
    if error.code != "forbidden_action" or status not in codes:
        return error
    return ApiError(status, codes[status], error.message)


def missing(message: str) -> ApiError:
    """Return a 404."""
    return ApiError(404, "not_found", message)


def no_funds() -> ApiError:
    """Return a 402: the prepaid balance does not cover the first billing step."""
    return ApiError(402, "insufficient_funds", "Insufficient funds to deploy")


def no_capacity() -> ApiError:
    """Return the 503 of an order that no instance can serve."""
    return ApiError(503, "service_unavailable", "No capacity available")
