# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens. They live on real time, because clients count their lifetime by their own clock."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import invalid, unauthorized
from .wire import Request, Response

if TYPE_CHECKING:
    from .cloud import Cloud

REFRESH_LIVES = 24  # a refresh token outlives its access token by this factor


class Tokens:
    """Access and refresh tokens that are good until a moment of real time."""

    def __init__(self, real: Callable[[], float]) -> None:
        self._real = real
        self._access: dict[str, float] = {}
        self._refresh: dict[str, float] = {}

    def issue(self, seconds: float) -> dict[str, Any]:
        """Return a new token answer."""
        now = self._real()
        self._access = {t: end for t, end in self._access.items() if end > now}
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._access[access] = now + seconds
        self._refresh[refresh] = now + seconds * REFRESH_LIVES
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(seconds),
            "refresh_token": refresh,
            "scope": "cloud-api-v1",
        }

    def refreshable(self, token: str) -> bool:
        """Return whether a refresh token is good."""
        return self._refresh.get(token, 0) > self._real()

    def check(self, header: str | None) -> None:
        """Raise a 401 unless the Authorization header carries a token that is good now."""
        kind, _unused, token = (header or "").partition(" ")
        if kind.lower() != "bearer" or self._access.get(token, 0) <= self._real():
            raise unauthorized("Invalid or expired access token")

    def revoke(self) -> None:
        """Make every token worthless."""
        self._access.clear()
        self._refresh.clear()


def post_token(cloud: Cloud, request: Request) -> Response:
    """Answer POST /oauth2/token for both grants."""
    form = request.form()
    grant = form.get("grant_type")
    if grant == "client_credentials":
        _check_client(cloud, form.get("client_id"), form.get("client_secret"))
    elif grant == "refresh_token":
        if not cloud.tokens.refreshable(str(form.get("refresh_token"))):
            raise unauthorized("Invalid refresh token")
    else:
        raise invalid("unsupported grant type")
    return Response(200, cloud.tokens.issue(cloud.scenario.token_seconds))


def _check_client(cloud: Cloud, client_id: Any, secret: Any) -> None:
    known = cloud.scenario.clients
    good = known.get(str(client_id)) == secret if known else bool(client_id)
    if not (good and secret):
        raise unauthorized("Invalid client id or client secret")
