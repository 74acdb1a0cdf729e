# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing by one look-up per candidate, the way that kdevops documents, to compare with.

Each candidate of a tier group is looked up by itself, best first, until one is free. A look-up is a
program of its own there: it logs in, reads catalogue and locations, then the stock. Here it is a
function with a session of its own, so what starting a program costs is not counted.
"""

from __future__ import annotations

from typing import Any

import requests

# Best first, with the names that the cloud has now.
CANDIDATES = (
    ("b300", "1B300.30V"),
    ("b200", "1B200.30V"),
    ("h100", "1H100.80S.30V"),
    ("h100", "1H100.80S.32V"),
    ("a100_80", "1A100.22V"),
    ("a100_40", "1A100.40S.22V"),
    ("rtx_pro_6000", "1RTXPRO6000.30V"),
    ("rtx_6000_ada", "1RTX6000ADA.10V"),
    ("l40s", "1L40S.20V"),
    ("a6000", "1A6000.10V"),
    ("v100", "1V100.6V"),
)
TIMEOUT_S = 30


def choose(base_url: str, client_id: str, secret: str, tier: str) -> tuple[str, str] | None:
    """Return type and location of the best that is free in a tier or below, or None."""
    tiers = [name for name, _type in CANDIDATES]
    for _tier, instance_type in CANDIDATES[tiers.index(tier) :]:
        location = look_up(base_url, client_id, secret, instance_type)
        if location:
            return instance_type, location
    return None


def look_up(base_url: str, client_id: str, secret: str, instance_type: str) -> str | None:
    """Return a location where a type is free, or None."""
    with requests.Session() as session:
        body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        token = session.post(f"{base_url}/oauth2/token", json=body, timeout=TIMEOUT_S).json()
        session.headers["Authorization"] = f"Bearer {token['access_token']}"

        def read(path: str) -> Any:
            return session.get(f"{base_url}/{path}", timeout=TIMEOUT_S).json()

        known = {row["instance_type"] for row in read("instance-types")}
        codes = [row["code"] for row in read("locations")]
        stock = {
            row["location_code"]: row["availabilities"] for row in read("instance-availability")
        }
    if instance_type not in known:
        return None
    return next((code for code in codes if instance_type in stock.get(code, [])), None)
