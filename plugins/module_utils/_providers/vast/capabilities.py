# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Vast.ai has, and how far apart its requests go (private, pure)."""

from __future__ import annotations

import re
from dataclasses import replace

from ..base.capabilities import Capabilities, Ownership, Ssh
from ..base.gap import Endpoint

# A label is all that says whose an instance is, and it can change. Stopping is left out on purpose: it
# gives the GPU away, and a stopped bid is one that was outbid.
CAPABILITIES = Capabilities(
    rents="vm",
    ownership=Ownership(tags="none", label="name", label_limit=60, relabel=True),
    ssh=Ssh(user="root", port="mapped"),
    spot="bid",
    least_boot_gb=8,
    keys=True,
    billing_step_s=1,
    balance=True,
    pace=1.0,
    is_market=True,
)
# Without systemd, reboot and a network of its own: who needs these asks what is rented.
CONTAINERS = replace(CAPABILITIES, rents="container")
SEARCH_GAP_S, ORDER_GAP_S, LIST_GAP_S = 6.0, 4.5, 1.0
LIST = "/api/v1/instances/"


def _endpoint(name: str, requests: str, seconds: float) -> Endpoint:
    return Endpoint(name, re.compile(requests), seconds)


# The vendor counts by endpoint, in seconds between two requests; searches as ten a minute.
ENDPOINTS = (
    _endpoint("search", r"POST /api/v0/bundles/", SEARCH_GAP_S),
    _endpoint("order", r"PUT /api/v0/asks/.+", ORDER_GAP_S),
    _endpoint("list", f"GET {LIST}", LIST_GAP_S),
    _endpoint("show", r"GET /api/v0/instances/.+", 2.0),
    _endpoint("label", r"PUT /api/v0/instances/.+", 1.0),
    _endpoint("end", r"DELETE /api/v0/instances/.+", 3.0),
    _endpoint("user", r"GET /api/v0/users/current/", 1.0),
    _endpoint("keys", r"GET /api/v0/ssh/", 1.0),
)
