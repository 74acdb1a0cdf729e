# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading metrics as Prometheus does."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

MODULE = "datacrunch_metrics"
REAP = {
    "reaped": [
        {
            "kind": "instance",
            "id": "a",
            "reason": "expired",
            "outcome": "ended",
            "price_per_hour": 7.11,
        },
        {
            "kind": "instance",
            "id": "b",
            "reason": "expired",
            "outcome": "stopped",
            "price_per_hour": 2,
        },
        {"kind": "volume", "id": "c", "reason": "orphan", "outcome": "failed"},
        {"kind": "instance", "id": "d", "reason": "expired", "outcome": "protected"},
        {"kind": "instance", "id": "e", "reason": "idle", "outcome": "would_end"},
    ],
    "unclear": [{"kind": "instance", "id": "f"}],
    "saved_per_hour": 9.11,
}


def values(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the samples of a text, as Prometheus reads it, by name and values of labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for _name, value in sorted(sample.labels.items()))
            assert labels not in found.setdefault(sample.name, {}), "twice"
            found[sample.name][labels] = sample.value
    return found


def ask(cloud: Cloud, **args: Any) -> dict[str, dict[tuple[str, ...], float]]:
    """Run the module and return its samples."""
    return values(cloud.ok(MODULE, **args)["text"])
