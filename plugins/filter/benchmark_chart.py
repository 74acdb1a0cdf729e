# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: benchmark_chart
short_description: Compute the chart of a benchmark
version_added: 0.1.0
description:
  - Turns one or more results of M(gpuops.cloud.vllm_benchmark) into two panels which a template writes as SVG. Rates stand side by side in their
    order, because V(inf) has no place on an axis of numbers.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  _input:
    description: The results, each with C(runs), and C(label) where there are several.
    type: list
    elements: dict
    required: true
  width:
    description: Width of a panel in pixels.
    type: int
    default: 380
  height:
    description: Height of a panel in pixels.
    type: int
    default: 220
"""

EXAMPLES = r"""
- name: Say where the axis of the throughput ends
  ansible.builtin.debug:
    msg: "{{ ([measured] | gpuops.cloud.benchmark_chart).panels[0].ticks[-1].text }}"
"""

RETURN = r"""
_value:
  description: >-
    C(rates) with their C(x) and C(text), and C(panels), each with C(title), C(ticks) and C(lines): label, series (number of the result),
    dashed, and points with x, y and text.
  type: dict
"""

from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._charts.axes import nice_ticks, tick_text

PANELS = (
    ("Generated tokens per second", (("", lambda run: run["output_tokens_per_s"]),)),
    (
        "Milliseconds to the first token",
        (("p50", lambda run: run["ttft_ms"]["p50"]), ("p95", lambda run: run["ttft_ms"]["p95"])),
    ),
)


def _panel(
    results: list[dict[str, Any]], panel: Any, places: dict[str, float], height: int
) -> dict[str, Any]:
    """Return one panel; y grows downwards, as in SVG."""
    title, measures = panel
    lines = []
    for number, result in enumerate(results):
        for name, value in measures:
            rows = [(run["request_rate"], value(run)) for run in result["runs"]]
            points = [(rate, v) for rate, v in rows if v is not None]
            label = " ".join(filter(None, [str(result.get("label") or ""), name]))
            lines.append({"label": label, "series": number, "dashed": name == "p95", "at": points})
    ticks = nice_ticks(max((v for line in lines for _rate, v in line["at"]), default=0))
    for line in lines:
        line["points"] = [
            {"x": places[rate], "y": _y(value, ticks, height), "text": f"{value:,.1f} at {rate}/s"}
            for rate, value in line.pop("at")
        ]
    marks = [{"y": _y(tick, ticks, height), "text": tick_text(tick, ticks)} for tick in ticks]
    return {"title": title, "ticks": marks, "lines": lines}


def _y(value: float, ticks: list[float], height: int) -> float:
    return round(height - value / ticks[-1] * height, 1)


def benchmark_chart(
    results: list[dict[str, Any]], width: int = 380, height: int = 220
) -> dict[str, Any]:
    """Return the panels of a chart."""
    if not results or any(not result.get("runs") for result in results):
        raise AnsibleFilterError("benchmark_chart needs results of vllm_benchmark with runs")
    rates = list(dict.fromkeys(run["request_rate"] for r in results for run in r["runs"]))
    rates.sort(key=float)
    step = width / len(rates)
    places = {rate: round(step * (number + 0.5), 1) for number, rate in enumerate(rates)}
    return {
        "width": width,
        "height": height,
        "rates": [{"x": x, "text": "all at once" if r == "inf" else r} for r, x in places.items()],
        "panels": [_panel(results, panel, places, height) for panel in PANELS],
    }


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"benchmark_chart": benchmark_chart}
