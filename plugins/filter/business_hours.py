# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: business_hours
short_description: Tell whether it is business hours, and until when
version_added: 0.1.0
description:
  - Reads a schedule as O(gpuops.cloud.datacrunch_instance#module:hours) takes it.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  _input:
    description: "Days, times and time zone, such as V(mon-fri 08:00-19:00 Europe/Helsinki); without a zone in UTC."
    type: str
    required: true
  at:
    description: The moment, as an ISO 8601 time with a zone; by default now.
    type: str
"""

EXAMPLES = r"""
- name: Say whether somebody works
  ansible.builtin.debug:
    msg: "{{ ('mon-fri 08:00-19:00 Europe/Helsinki' | gpuops.cloud.business_hours).open }}"
"""

RETURN = r"""
_value:
  description: >-
    C(open), whether the moment lies in the hours; C(until), their end in UTC, and C(lease), an hour later, both null outside them.
    Spans that meet count as one, up to a week.
  type: dict
  sample: {open: true, until: "2026-11-23T17:00:00Z", lease: "2026-11-23T18:00:00Z"}
"""

from datetime import datetime, timedelta, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._core.business_hours import read_hours
from ..module_utils._core.errors import GpuopsError
from ..module_utils._core.times import read_time

# The reaper terminates the instance when the hours are over and keeps its volumes; the lease only stands behind.
SPARE = timedelta(hours=1)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def business_hours(hours: str, at: str | None = None) -> dict[str, Any]:
    """Return whether a moment lies in the hours, and until when they last."""
    moment = read_time(at) if at else datetime.now(timezone.utc)
    if moment is None:
        raise AnsibleFilterError(f"business_hours: {at!r} is no ISO 8601 time")
    try:
        until = read_hours(hours).open_until(moment)
    except GpuopsError as error:
        raise AnsibleFilterError(f"business_hours: {error}") from error
    if until is None:
        return {"open": False, "until": None, "lease": None}
    return {"open": True, "until": _text(until), "lease": _text(until + SPARE)}


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"business_hours": business_hours}
