# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of an account at TensorDock (private)."""

from __future__ import annotations

from typing import Any

from ..base.answers import Answer
from ..base.key_http import KeyHttp
from .errors import error_of, said


class Http(KeyHttp):
    """As of any account with a key; but an answer with status 200 may be a refusal here."""

    def request(
        self,
        method: str,
        url: str,
        json: Any = None,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
        once: bool = False,
    ) -> Answer:
        """Return an answer of success; raises GpuopsError for every other, whatever its status.

        No source says that what a rate limit refused was not made: what makes something is sent once.
        """
        once = once or method == "POST"
        answer = super().request(method, url, json, params, path_params, once)
        if said(answer) is not None:
            raise error_of(answer, f"{method} {url.format(**path_params or {})}")
        return answer
