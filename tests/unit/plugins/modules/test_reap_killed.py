# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller that dies after any single request, and only the reaper that is left."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base import transport
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, Cloud, stock

TYPE = "1H200.141S.44V"
LEASE_H, GRACE_H = 1, 0.25


class Killed(BaseException):
    """The controller is gone."""


def up(cloud: Cloud, **how: Any) -> None:
    """Do what a bring-up asks of the cloud."""
    key = cloud.ok("datacrunch_ssh_key", deployment="llm", public_key=KEY)["ssh_key"]["id"]
    wish = {"tier": "h200_or_less", "lease": f"{LEASE_H}h", "data_volume_gb": 50}
    cloud.buy(**wish, ssh_keys=[key], ledger="none", **how)


def down(cloud: Cloud, **how: Any) -> None:
    """Do what a teardown asks of the cloud."""
    cloud.end(ledger="none", **how)
    cloud.ok("datacrunch_ssh_key", deployment="llm", state="absent")


def killed_after(monkeypatch: pytest.MonkeyPatch, requests: int, work: Any) -> bool:
    """Do something with a controller that dies after so many requests; False when it was done."""
    send, left = transport.Transport.send, [requests]

    def guarded(self: Any, *args: Any, **more: Any) -> Any:
        if "Authorization" not in more["headers"]:
            return send(self, *args, **more)  # a login
        if left[0] <= 0:
            raise Killed
        left[0] -= 1
        answer = send(self, *args, **more)
        if left[0] <= 0:
            raise Killed
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(transport.Transport, "send", guarded)
        try:
            work()
        except Killed:
            return True
    return False


def reaped(cloud: Cloud, hours: float) -> dict[str, Any]:
    """Let hours pass, and let the reaper run twice, as its timer does."""
    cloud.sim.advance(hours * 3600)
    for _run in range(2):
        result = cloud.ok("datacrunch_reap", everything=True, mode="delete", ledger="none")
        cloud.sim.advance(300)
    return result


def costs(cloud: Cloud) -> list[str]:
    """Return what goes on costing, by the simulator's own account."""
    trash = {row["id"] for row in cloud.sim.state()["trash"]}
    disks = [row for row in cloud.sim.state()["volumes"] if row["id"] not in trash]
    return [row["hostname"] for row in cloud.machines()] + [row["name"] for row in disks]


@pytest.mark.parametrize("how", [{}, {"market": "spot"}, {"no_tags": True}], ids=str)
def test_bring_up(start: Start, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]) -> None:
    requests, died = 0, True
    more = {key: value for key, value in how.items() if key != "no_tags"}
    while died:
        requests += 1
        cloud = start(provision_seconds=30, tags_supported=not how.get("no_tags"))
        cloud.sim.set_stock(stock(TYPE, spot=[TYPE]))
        died = killed_after(monkeypatch, requests, lambda cloud=cloud: up(cloud, **more))
        reaped(cloud, LEASE_H + GRACE_H)
        assert costs(cloud) == [], requests
        reaped(cloud, 25)
        assert cloud.sim.state()["ssh_keys"] == [], requests
    assert requests > 10


@pytest.mark.parametrize(
    "how", [{}, {"os_volume": "delete", "data_volumes": "delete"}, {"os_volume": "keep"}], ids=str
)
def test_teardown(start: Start, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]) -> None:
    requests, died = 0, True
    while died:
        requests += 1
        cloud = start(provision_seconds=30)
        up(cloud)
        died = killed_after(monkeypatch, requests, lambda cloud=cloud: down(cloud, **how))
        result = reaped(cloud, LEASE_H + GRACE_H)
        assert costs(cloud) == [row["name"] for row in result["kept"]], requests
        assert len(costs(cloud)) <= (1 if how.get("os_volume") == "keep" else 0)
    assert requests > 5
