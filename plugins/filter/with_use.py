# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: with_use
short_description: Add idle reports to instances
version_added: 0.1.0
description:
  - Adds C(in_use), C(idle_since) and C(idle_after_hours) to instances, by reports as M(gpuops.cloud.idle_reports) reads them.
  - Without a report that is at most ten minutes old nothing is known of an instance, and all three are null.
author:
  - gpuops.cloud contributors (@gpuops)
positional: reports, now
options:
  _input:
    description: Instances as M(gpuops.cloud.datacrunch_instance_info) lists them.
    type: list
    elements: dict
    required: true
  reports:
    description: Their reports, each with the C(id) of its instance.
    type: list
    elements: dict
    required: true
  now:
    description: The time by the clock of the cloud.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Name the instances that nobody uses
  ansible.builtin.debug:
    msg: "{{ found.instances | gpuops.cloud.with_use(idle.reports, found.now) | selectattr('idle_since') | map(attribute='name') }}"
"""

RETURN = r"""
_value:
  description: The instances, each with the three keys.
  type: list
  elements: dict
"""

from datetime import timedelta
from typing import Any

from ..module_utils._core.times import read_time, write_time
from ..module_utils._ssh.idle_report import Use, read_reports


def _told(use: Use | None) -> dict[str, Any]:
    if use is None:
        return {"in_use": None, "idle_since": None, "idle_after_hours": None}
    since = use.idle_since and write_time(use.idle_since)
    hours = None if use.idle_after is None else use.idle_after / timedelta(hours=1)
    return {"in_use": since is None, "idle_since": since, "idle_after_hours": hours}


def with_use(
    instances: list[dict[str, Any]], reports: list[dict[str, Any]], now: str
) -> list[dict[str, Any]]:
    """Return instances with what is known of their use."""
    moment = read_time(now)
    uses, _notes = read_reports(reports, moment) if moment else ({}, [])
    return [{**row, **_told(uses.get(row["id"]))} for row in instances]


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"with_use": with_use}
