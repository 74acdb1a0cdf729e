# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the first release wrote on instances and volumes, so that it is read for ever."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._models.ownership import Identity
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

REQUEST = "0123456789abcdef0123456789abcdef"
# Its accounts set no limit that its marker was over.
WITHOUT_LIMIT = {"description_limit": None}


def old_marker(marks: Identity) -> str:
    """Return the marker in ``description``."""
    more = {"p": marks.project, "x": "yes" if marks.protected else ""}
    more["h"] = marks.hours.replace(" ", "|")
    words = [f"{key}={value}" for key, value in more.items() if value]
    return (
        f"[gpuops d={marks.deployment} n={marks.name} o={marks.owner} l={marks.lease} "
        f"r={marks.request}]"
    ) + (f" [gpuops+ {' '.join(words)}]" if words else "")


def old_tags(marks: Identity) -> list[dict[str, str]]:
    """Return the tags: one for each mark."""
    found = {
        "deployment": marks.deployment,
        "name": marks.name,
        "owner": marks.owner,
        "lease": marks.lease,
        "request": marks.request,
        "project": marks.project,
        "protect": "yes" if marks.protected else "",
        "hours": marks.hours,
        "replaces": marks.replaces,
    }
    return [{"key": f"gpuops-{key}", "value": value} for key, value in found.items() if value]


def buy_as_of_old(cloud: Cloud, marks: Identity, *, tags: bool, text: str = "") -> dict[str, Any]:
    """Order an instance as the first release did, and return it as the simulator keeps it."""
    part = {"deployment": marks.deployment, "owner": marks.owner, "lease": marks.lease}
    disk: dict[str, Any] = {"name": f"gpuops.{marks.deployment}.{marks.name}.os", "size": 100}
    body: dict[str, Any] = {
        "instance_type": "1H200.141S.44V",
        "image": "24.04.cuda13.2",
        "hostname": marks.name,
        "description": f"{text} {old_marker(marks)}".strip(),
        "location_code": "FIN-03",
        "ssh_key_ids": [],
        "startup_script_id": None,
        "is_spot": False,
        "os_volume": disk,
    }
    if tags:
        body["tags"] = old_tags(marks)
        disk["tags"] = [{"key": f"gpuops-{key}", "value": value} for key, value in part.items()]
    cloud.sim.switch(dialect=WITHOUT_LIMIT)
    made = cloud.client().create("/instances", body)
    cloud.sim.switch(dialect={})
    cloud.sim.advance(60)
    return next(row for row in cloud.sim.state()["instances"] if row["id"] == made)
