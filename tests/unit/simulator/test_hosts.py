# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real hosts behind instances, here with a backend that only pretends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMY0RxzPV2QrBqfHrDq me@home"


class FakeHosts:
    """Remembers what it was told; a start waits for `gate` and may fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False
        self.closed = False
        self.disks: list[tuple[str, int]] = []
        self.users: list[str] = []

    def start(
        self,
        instance_id: str,
        hostname: str,
        authorized_keys: list[str],
        disks: list[tuple[str, int]],
        user: str,
    ) -> str:
        self.gate.wait(5)
        if self.broken:
            raise RuntimeError("no room for another host")
        self.calls.append(("start", hostname, tuple(authorized_keys)))
        self.users.append(user)
        self.disks = disks
        return "10.88.0.7"

    def boot(self, instance_id: str, disks: list[tuple[str, int]]) -> str:
        self.calls.append(("boot",))
        self.disks = disks
        return "10.88.0.8"

    def stop(self, instance_id: str) -> None:
        self.calls.append(("stop",))

    def remove(self, instance_id: str) -> None:
        self.calls.append(("remove",))

    def close(self) -> None:
        self.closed = True

    def names(self) -> list[str]:
        """Return what was called, in order."""
        return [call[0] for call in self.calls]


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for a background thread, a second at most."""
    deadline = time.monotonic() + 1
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.001)


def runs(api: Any, instance_id: str) -> bool:
    """Tell whether an instance is running."""
    return bool(api.instance(instance_id)["status"] == "running")


def test_a_machine_runs_when_its_host_is_up(start: Any) -> None:
    backend = FakeHosts()
    backend.gate.clear()
    api = start(hosts=backend)
    key_id = api.post("/ssh-keys", {"name": "mine", "key": KEY}).text
    instance_id = api.buy(ssh_key_ids=[key_id])
    assert api.instance(instance_id)["status"] == "provisioning"
    backend.gate.set()
    eventually(lambda: runs(api, instance_id))
    assert api.instance(instance_id)["ip"] == "10.88.0.7"
    assert backend.calls == [("start", "one", (KEY,))]


def test_a_machine_does_not_run_before_its_time(start: Any) -> None:
    api = start(hosts=FakeHosts(), provision_seconds=60)
    instance_id = api.buy()
    eventually(lambda: api.simulator.state()["instances"][0]["host"] == "up")
    assert api.instance(instance_id)["status"] == "ordered"
    api.simulator.advance(61)
    assert api.instance(instance_id)["status"] == "running"


def test_a_host_that_does_not_start_is_a_failed_installation(start: Any) -> None:
    backend = FakeHosts()
    backend.broken = True
    api = start(hosts=backend)
    instance_id = api.buy()
    eventually(lambda: api.instance(instance_id)["status"] == "installation_failed")
    assert "no room for another host" in api.simulator.state()["notes"][0]
    assert api.act(instance_id, "delete").status == 202


def test_stop_and_start_reach_the_host(start: Any) -> None:
    backend = FakeHosts()
    api = start(hosts=backend)
    instance_id = api.buy()
    eventually(lambda: runs(api, instance_id))
    api.act(instance_id, "shutdown")
    eventually(lambda: backend.names() == ["start", "stop"])
    api.act(instance_id, "start")
    eventually(lambda: runs(api, instance_id))
    assert api.instance(instance_id)["ip"] == "10.88.0.8"


def test_the_host_goes_with_the_machine(start: Any) -> None:
    backend = FakeHosts()
    api = start(hosts=backend)
    for end in (lambda i: api.act(i, "delete"), api.simulator.evict):
        instance_id = api.buy(is_spot=True)
        eventually(partial(runs, api, instance_id))
        backend.calls.clear()
        end(instance_id)
        eventually(lambda: backend.names() == ["remove"])


def test_a_host_still_starting_is_removed_after_its_start(start: Any) -> None:
    backend = FakeHosts()
    backend.gate.clear()
    api = start(hosts=backend)
    api.act(api.buy(), "delete_stuck")
    backend.gate.set()
    eventually(lambda: backend.names() == ["start", "remove"])


def test_no_host_is_started_for_an_order_without_capacity(start: Any) -> None:
    backend = FakeHosts()
    api = start(hosts=backend, faults=[{"match": {"method": "POST", "path": "/v1/instances"},
                                        "do": "no_capacity_later"}])  # fmt: skip
    assert api.instance(api.buy())["status"] == "no_capacity"
    assert backend.calls == []


def test_a_disk_that_boots_again_keeps_its_old_keys(start: Any) -> None:
    backend = FakeHosts()
    api = start(hosts=backend)
    key_id = api.post("/ssh-keys", {"name": "mine", "key": KEY}).text
    other = api.post("/ssh-keys", {"name": "other", "key": KEY.replace("home", "work")}).text
    first = api.buy(ssh_key_ids=[key_id])
    eventually(lambda: api.instance(first)["status"] == "running")
    disk = api.instance(first)["os_volume_id"]
    api.act(first, "delete", volume_ids=[])
    again = api.buy(image=disk, ssh_key_ids=[other], hostname="two")
    eventually(lambda: api.instance(again)["status"] == "running")
    assert ("start", "two", (KEY,)) in backend.calls


def test_every_host_is_removed_at_the_end_and_at_a_reset(start: Any) -> None:
    backend = FakeHosts()
    api = start(hosts=backend)
    api.buy()
    eventually(lambda: backend.names() == ["start"])
    api.simulator.reset()
    eventually(lambda: backend.names() == ["start", "remove"])
    api.buy()
    api.simulator.stop()
    assert backend.names()[2:] == ["start", "remove"]
    assert backend.closed


def test_machines_from_the_state_file_get_new_hosts(start: Any, tmp_path: Path) -> None:
    first = start(state_file=tmp_path / "state", hosts=FakeHosts())
    running, stopped, gone = (first.buy(hostname=name) for name in ("one", "two", "three"))
    for instance_id in (running, stopped, gone):
        eventually(partial(runs, first, instance_id))
    first.act(stopped, "shutdown")
    first.act(gone, "delete")
    first.simulator.stop()
    backend = FakeHosts()
    second = start(state_file=tmp_path / "state", hosts=backend)
    eventually(partial(runs, second, running))
    assert backend.calls == [("start", "one", ())]
    second.act(stopped, "start")
    eventually(partial(runs, second, stopped))
    assert backend.calls[1:] == [("start", "two", ())]


def test_a_host_sees_its_data_volumes_as_disks(start: Any) -> None:
    backend = FakeHosts()
    api = start(hosts=backend)
    wish = [{"name": "models", "size": 100, "type": "NVMe"}]
    instance_id = api.buy(volumes=wish)
    eventually(lambda: runs(api, instance_id))
    mine = [v for v in api.get("/volumes").data if not v["is_os_volume"]]
    assert backend.disks == [(mine[0]["id"], 100)]
    api.act(instance_id, "shutdown")
    api.put("/volumes", {"action": "resize", "id": mine[0]["id"], "size": 200})
    api.act(instance_id, "start")
    eventually(lambda: runs(api, instance_id))
    assert backend.disks == [(mine[0]["id"], 200)]
