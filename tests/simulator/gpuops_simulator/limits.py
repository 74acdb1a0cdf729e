# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits per project and per endpoint, counted in windows of real time."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING

from .wire import Response

if TYPE_CHECKING:
    from .scenario import RateLimits

LISTINGS = frozenset({"/instances", "/volumes"})


class Limits:
    """Counters of one project; each window starts with its first request."""

    def __init__(self, policy: RateLimits, real: Callable[[], float]) -> None:
        self._policy = policy
        self._real = real
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, method: str, path: str) -> tuple[dict[str, str], Response | None]:
        """Count one request; return the headers for its answer, and a 429 if it is one too many."""
        policy = self._policy
        if not policy.enforced:
            return {}, None
        endpoint = policy.listing if method == "GET" and path in LISTINGS else policy.endpoint
        project_left, project_wait = self._count("project", policy.project)
        endpoint_left, endpoint_wait = self._count(f"{method} {path}", endpoint)
        window = f"{policy.window_s:g}"
        headers = {
            "RateLimit-Policy": f'"project";q={policy.project};w={window}, '
            f'"endpoint";q={endpoint};w={window}',
            "RateLimit": f'"project";r={max(0, project_left)};t={project_wait}, '
            f'"endpoint";r={max(0, endpoint_left)};t={endpoint_wait}',
        }
        waits = [project_wait] * (project_left < 0) + [endpoint_wait] * (endpoint_left < 0)
        return headers, self._refusal(max(waits)) if waits else None

    def _count(self, key: str, quota: int) -> tuple[int, int]:
        now = self._real()
        start, used = self._windows.get(key, (now, 0))
        if now >= start + self._policy.window_s:
            start, used = now, 0
        self._windows[key] = (start, used + 1)
        return quota - used - 1, max(1, ceil(start + self._policy.window_s - now))

    def _refusal(self, wait: int) -> Response:
        headers = {"Retry-After": str(wait)}
        if self._policy.json:
            body = {"code": "rate_limit_exceeded", "message": "Too many requests"}
            return Response(429, body, headers=headers)
        return Response(429, "Rate limit.", "text/plain; charset=utf-8", headers)
