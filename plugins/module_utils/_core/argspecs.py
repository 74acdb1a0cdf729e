# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several modules share, as the doc fragments document them (private, pure)."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import env_fallback

_SECRET = (env_fallback, ["DATACRUNCH_CLIENT_SECRET", "VERDA_CLIENT_SECRET"])

# Doc fragment: gpuops.cloud.auth. The client reads the environment, which keeps pairs together; the
# one fallback makes Ansible know, and mask, the secret that comes from there.
AUTH_SPEC: dict[str, Any] = {
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True, "fallback": _SECRET},
    "base_url": {"type": "str"},
    "profile": {"type": "str"},
    "timeout": {"type": "float", "default": 30},
}

# Doc fragment: gpuops.cloud.wait
WAIT_SPEC: dict[str, Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "float", "default": 900},
    "wait_interval": {"type": "float", "default": 5},
}

# Doc fragment: gpuops.cloud.selection
SELECTION_SPEC: dict[str, Any] = {
    "tier": {"type": "str"},
    "gpus": {"type": "list", "elements": "str"},
    "instance_type": {"type": "str"},
    "gpu_count": {"type": "int"},
    "min_gpu_count": {"type": "int"},
    "min_tier": {"type": "str"},
    "confidential": {"type": "bool", "default": False},
    "min_vram_gb": {"type": "float"},
    "min_vram_gb_each": {"type": "float"},
    "min_vcpu": {"type": "int"},
    "min_ram_gb": {"type": "float"},
    "locations": {"type": "list", "elements": "str"},
    "market": {
        "type": "str",
        "choices": ["on_demand", "spot", "spot_first", "any"],
        "default": "on_demand",
    },
    "max_price_per_hour": {"type": "float"},
    "objective": {"type": "str", "choices": ["best", "cheapest", "value"]},
    "exclude": {"type": "list", "elements": "str"},
    "model": {"type": "dict"},
    "image": {"type": "str"},
    "tiers": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "models": {"type": "list", "elements": "str", "required": True},
            "min_vram_gb": {"type": "float"},
            "max_vram_gb": {"type": "float"},
        },
    },
}

# Doc fragment: gpuops.cloud.ledger. A URL may hold a password; the rest of it is no secret.
LEDGER_SPEC: dict[str, Any] = {"ledger": {"type": "str", "no_log": True}}

# Doc fragment: gpuops.cloud.budget
BUDGET_SPEC: dict[str, Any] = {
    "budget": {
        "type": "dict",
        "options": {
            "per_hour": {"type": "float"},
            "per_day": {"type": "float"},
            "per_month": {"type": "float"},
            "total": {"type": "float"},
            "thresholds": {"type": "list", "elements": "float", "default": [80, 90, 100]},
            "growth": {"type": "float", "default": 1},
            "season": {"type": "float", "default": 1},
            "owners": {"type": "dict"},
            "projects": {"type": "dict"},
        },
    },
}
