# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One family of errors for everything that talks to the cloud (private to this collection)."""

from __future__ import annotations

from typing import Any, TypedDict


class Told(TypedDict):
    """The ``error`` of a module result."""

    code: str
    status: int | None
    api_code: str | None
    request: str | None
    hint: str


class GpuopsError(Exception):
    """A fault with a sentence for people and fields for programs.

    ``message`` says what was tried and what came back, ``hint`` what to do next. ``details`` are
    further keys of the module result, so that nothing known is lost with the error. ``words`` is what
    the API itself said.
    """

    code = "error"
    default_hint = ""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request: str | None = None,
        hint: str | None = None,
        api_code: str | None = None,
        unclear: bool = False,
        details: dict[str, Any] | None = None,
        words: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.request = request
        self.hint = self.default_hint if hint is None else hint
        self.api_code = api_code
        self.unclear = unclear
        self.details = details or {}
        self.words = words

    def __str__(self) -> str:
        text = self.message.rstrip()
        if text and text[-1] not in ".!?":
            text += "."
        return f"{text} {self.hint}".strip()

    def as_result(self) -> Told:
        """Return the ``error`` field of a module result."""
        return {
            "code": self.code,
            "status": self.status,
            "api_code": self.api_code,
            "request": self.request,
            "hint": self.hint,
        }


class AuthError(GpuopsError):
    """The credentials are missing, wrong or without the needed rights (401, 403 by scope)."""

    code = "auth"
    default_hint = "Check client id and secret, and that they belong to this API address."


class NoCredentialsError(AuthError):
    """No credentials were found at any of the places where they may be; nothing was asked."""


class InvalidError(GpuopsError):
    """The request or an option is wrong (400, or found before any request)."""

    code = "invalid"


class ForbiddenError(GpuopsError):
    """The state of the object forbids the action (403)."""

    code = "forbidden"


class WrongStateError(ForbiddenError):
    """What was asked for cannot be done in the present state (400, 403 or 409, known by its words)."""


class NotFoundError(GpuopsError):
    """The object does not exist (404, or 400 with the words of an unknown id)."""

    code = "not_found"


class ConflictError(GpuopsError):
    """Something of that identity exists already (409)."""

    code = "conflict"


class NoCapacityError(GpuopsError):
    """Nothing that fits is free (503 to an order, or an empty choice)."""

    code = "no_capacity"


class NoFundsError(GpuopsError):
    """The balance is too low (402)."""

    code = "no_funds"
    default_hint = "Top up the account, or choose a cheaper offer with max_price_per_hour."


class QuotaError(GpuopsError):
    """A quota of the project is used up (400 that speaks of a limit)."""

    code = "quota"
    default_hint = "End what is no longer needed (deleted volumes count until they leave the trash) or ask for more quota."


class UnavailableError(GpuopsError):
    """The API cannot be reached, or answers something that is not its own (5xx, HTML)."""

    code = "unavailable"
    default_hint = "Check base_url and the network, then run again: nothing is bought twice."


class RateLimitedError(UnavailableError):
    """The rate limit stayed exceeded after the allowed waits (429)."""

    code = "rate_limited"
    default_hint = "Run fewer calls at a time and try again in a minute."


class NeedsConfirmationError(GpuopsError):
    """Something is protected, or somebody else's, and nobody confirmed that it is to be ended."""

    code = "needs_confirmation"


class OwnershipError(GpuopsError):
    """The account does not show whose an instance is, so that nothing could find it again."""

    code = "ownership"


class WaitTimeoutError(GpuopsError):
    """A state was not reached in time."""

    code = "timeout"


class NotStartedError(WaitTimeoutError):
    """An order was accepted and its instance did not run in time."""

    code = "not_started"


class FailedStateError(GpuopsError):
    """An object ended in a state from which it does not recover."""

    code = "failed_state"
