# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases of a deployment that stands at two clouds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._core.times import read_time, write_time
from ansible_collections.gpuops.cloud.plugins.module_utils._models.label import read_label
from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds

MODULE = "gpu_lease"


def rented(clouds: Clouds) -> Clouds:
    """Buy ``one`` at Verda for two hours, and ``two`` at Lambda Cloud for three."""
    clouds.keep(name="one", providers=["verda"], lease="2h")
    clouds.keep(name="two", providers=["lambda"], lease="3h")
    return clouds


def lease(clouds: Clouds, **args: Any) -> dict[str, Any]:
    """Change the lease of the deployment ``llm``."""
    return clouds.ok(MODULE, **{"deployment": "llm", **args})


def refused(clouds: Clouds, **args: Any) -> dict[str, Any]:
    """Return what is told where nothing is changed anywhere, in check mode neither."""
    before = (clouds.writes(), clouds.ids())
    for check in (True, False):
        found = clouds.fails(MODULE, check=check, **{"deployment": "llm", **args})
        assert (clouds.writes(), clouds.ids()) == before
    return found


def leases(clouds: Clouds) -> dict[str, str]:
    """Return what stands on the instances, by the books of each cloud."""
    (row,) = clouds.verda.machines()
    (mine,) = clouds.door.living()
    label = read_label(mine.facts["name"])
    assert label
    tags = {tag["key"]: tag["value"] for tag in row["tags"]}
    return {"verda": tags["gpuops-lease"], "lambda": label.lease}


def later(text: str, hours: float) -> str:
    """Return a time so much later."""
    when = read_time(text)
    assert when
    return write_time(when + timedelta(hours=hours))
