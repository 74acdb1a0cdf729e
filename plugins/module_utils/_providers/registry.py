# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which provider is meant: the one place that knows their names (private)."""

from __future__ import annotations

from typing import Any

from .base.client import Client
from .verda.client import Client as VerdaClient


def open_client(params: dict[str, Any]) -> Client:
    """Return a client for module options; it logs in unless a token of the run is cached."""
    return VerdaClient.from_params(params)
