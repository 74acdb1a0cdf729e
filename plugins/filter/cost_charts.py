# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cost_charts
short_description: Compute the charts of the cost report
version_added: 0.1.0
description:
  - Turns the result of M(gpuops.cloud.datacrunch_cost_info) into the geometry and the words of charts, which a template writes as SVG.
  - Places along the time are in percent of the width, heights in pixels. Texts are plain and must be escaped where they are written.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  _input:
    description: The result of M(gpuops.cloud.datacrunch_cost_info).
    type: dict
    required: true
  by:
    description: What the spend and the burn are grouped by.
    type: str
    choices: [deployment, job, owner, project, gpu_model]
    default: deployment
  thresholds:
    description: Where budgets are marked, in percent.
    type: list
    elements: float
    default: [80, 90, 100]
  now:
    description: The present time, where the costs end in the past; otherwise their end is the present.
    type: str
"""

EXAMPLES = r"""
- name: Say what was spent
  ansible.builtin.debug:
    msg: "{{ (cost | gpuops.cloud.cost_charts).figures.spent }} since {{ (cost | gpuops.cloud.cost_charts).figures.since }}"
"""

RETURN = r"""
_value:
  description: >-
    C(figures) for the head of the page, C(spend) over time or null, C(burn) now, C(budgets) and C(leases).
  type: dict
"""

from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._charts.axes import moment_text
from ..module_utils._charts.costs import budget_bars, burn_bars, figures, spend_chart, time_of
from ..module_utils._charts.facts import Cost
from ..module_utils._charts.lease_timeline import lease_lanes

GROUPS = ("deployment", "job", "owner", "project", "gpu_model")


def cost_charts(
    cost: Cost,
    by: str = "deployment",
    thresholds: list[float] | None = None,
    now: str | None = None,
) -> dict[str, Any]:
    """Return everything that the page draws."""
    if not isinstance(cost, dict) or "things" not in cost:
        raise AnsibleFilterError("cost_charts needs the result of datacrunch_cost_info")
    if by not in GROUPS:
        raise AnsibleFilterError(f"by {by!r} is not one of {', '.join(GROUPS)}")
    present = time_of(now or cost["until"], datetime.now(timezone.utc))
    marks = tuple(thresholds or (80, 90, 100))
    return {
        "by": by.replace("gpu_model", "GPU model"),
        "now": moment_text(present),
        "figures": figures(cost, present),
        "spend": spend_chart(cost, by, present),
        "burn": burn_bars(cost, by),
        "budgets": budget_bars(cost.get("budgets") or [], marks),
        "leases": lease_lanes(cost, present),
    }


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"cost_charts": cost_charts}
