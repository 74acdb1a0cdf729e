# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the requests of every account have in common (private)."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Any

from ..._core.errors import InvalidError
from .answers import Answer
from .paths import build_path


class AccountHttp(ABC):
    """The requests of one account; how one is sent is the business of its login."""

    @abstractmethod
    def request(
        self,
        method: str,
        url: str,
        json: Any = None,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
    ) -> Answer:
        """Return an answer of success; raises GpuopsError for every other.

        A GET is repeated when it fails; what writes never is, when it may have been executed.
        """


def path_of(method: str, url: str, values: dict[str, Any] | None) -> str:
    """Return the path of a request. Raises InvalidError for a value that is no segment of it."""
    try:
        return build_path(url, values)
    except ValueError as error:
        raise InvalidError(f"{method} {url}: {error}") from None


def account_key(*parts: str) -> str:
    """Return what an account is called where things of it are kept: it tells no credentials."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
