# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control side of a simulator that runs as a program of its own."""

from __future__ import annotations

import json
import urllib.request
from typing import Any


def control(address: str, method: str, what: str) -> Any:
    """Ask or tell a simulator something, by its address."""
    request = urllib.request.Request(f"{address}/_sim/{what}", method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None
