# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: availability_by_hour
short_description: Summarize GPU stock by location and hour of the day
version_added: 0.1.0
description:
  - Reads the observation log that O(gpuops.cloud.datacrunch_capacity#module:observation_log) writes, and counts for each GPU model, location
    and market in which share of the looks of an hour any instance with it was in stock.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  _input:
    description: The log, a look on each line. Lines that cannot be read are left out.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Name the GPUs that were seen in stock
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'stock.jsonl') | gpuops.cloud.availability_by_hour | map(attribute='gpu_model') | unique }}"
"""

RETURN = r"""
_value:
  description: >-
    A row for each GPU model, location and market that was seen, with C(hours), 24 shares from 0 to 1 in UTC; null for an hour without a look.
  type: list
  elements: dict
  sample: [{gpu_model: H100, location: FIN-03, market: on_demand, share: 0.5, hours: [0.5, null]}]
"""

import json
from collections import Counter
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._core.times import read_time
from ..module_utils._hardware.gpus import MODELS, model_of

Place = tuple[str, str, str]


def _looks(text: str) -> list[tuple[int, str, dict[str, list[str]]]]:
    """Return hour, market and stock of every line that can be read."""
    found = []
    for line in text.splitlines():
        try:
            row = json.loads(line)
            when, market, stock = read_time(row["time"]), str(row["market"]), dict(row["stock"])
        except (ValueError, KeyError, TypeError):
            continue  # a line that a killed run has not finished
        if when:
            found.append((when.hour, market, stock))
    return found


def availability_by_hour(text: str) -> list[dict[str, Any]]:
    """Return the share of looks in which a GPU was in stock, by place and hour."""
    if not isinstance(text, str):
        raise AnsibleFilterError(f"availability_by_hour needs text, not {type(text).__name__}")
    looks: Counter[tuple[int, str]] = Counter()
    hits: Counter[tuple[int, Place]] = Counter()
    for hour, market, stock in _looks(text):
        looks[hour, market] += 1
        for location, types in stock.items():
            for model in {model_of(name) for name in types}:
                hits[hour, (model, location, market)] += 1
    order = [model.key for model in MODELS]
    places = sorted(
        {place for _hour, place in hits},
        key=lambda p: (order.index(p[0]) if p[0] in order else len(order), p),
    )
    return [_row(place, looks, hits) for place in places]


def _row(
    place: Place, looks: Counter[tuple[int, str]], hits: Counter[tuple[int, Place]]
) -> dict[str, Any]:
    model, location, market = place
    asked = [looks[hour, market] for hour in range(24)]
    found = [hits[hour, place] for hour in range(24)]
    shares = [
        round(hit / look, 3) if look else None for hit, look in zip(found, asked, strict=True)
    ]
    share = round(sum(found) / sum(asked), 3)
    names = {"gpu_model": model, "location": location, "market": market}
    return {**names, "share": share, "hours": shares}


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"availability_by_hour": availability_by_hour}
