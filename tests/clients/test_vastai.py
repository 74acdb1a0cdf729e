# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own command for Vast.ai against the door that our client is tested with.

What it sends was written by those who know the real API, so that the door takes it is evidence that
it answers alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / ".collections"))

from gpuops_simulator.clock import Clock
from gpuops_simulator.doors.vast import VastDoor

COMMAND = Path(sys.executable).with_name("vastai")
IMAGE = "docker.io/vastai/kvm:ubuntu_terminal"


@pytest.fixture
def door() -> Iterator[VastDoor]:
    """Return an account with one key, whose clock runs so fast that no request comes too early."""
    found = VastDoor(Clock(1000.0))
    found.keys["1"] = {"id": 1, "text": "ssh-ed25519 AAAA mine", "deleted_at": None}
    found.start()
    yield found
    found.stop()


@pytest.fixture
def vastai(door: VastDoor, tmp_path: Path) -> Callable[..., Any]:
    """Return the command, which answers what it prints as JSON."""
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "VAST_API_KEY": "abcdef"}

    def run(*args: str) -> Any:
        done = subprocess.run(
            [str(COMMAND), *args, "--raw"],
            env={**env, "VAST_URL": door.url},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return json.loads(done.stdout or "null")

    return run


def test_instance_from_the_market_to_its_end(door: VastDoor, vastai: Callable[..., Any]) -> None:
    offers = vastai("search", "offers", "num_gpus=1 vms_enabled=true datacenter=true")
    assert {row["id"] for row in offers} == {101, 102, 103}
    order = ("--image", IMAGE, "--disk", "20", "--label", "hello", "--ssh", "--direct")
    made = vastai("create", "instance", "103", *order)["new_contract"]
    (listed,) = vastai("show", "instances")
    assert (listed["id"], listed["label"], listed["machine_id"]) == (made, "hello", 4712)
    assert vastai("show", "instance", str(made))["actual_status"] == "running"
    vastai("destroy", "instance", str(made), "-y")
    assert vastai("show", "instances") == []
    assert vastai("show", "instance", str(made)) == {"instances": None}
    assert {row.status for row in door.log} == {200}


def test_bid_that_is_too_low_is_refused_and_executed(
    door: VastDoor, vastai: Callable[..., Any]
) -> None:
    told = vastai(
        "create", "instance", "101", "--image", IMAGE, "--disk", "20", "--bid_price", "0.1", "--ssh"
    )
    assert told["success"] is False
    assert [one.id for one in door.living()] == [str(told["new_contract"])]


def test_account_and_its_keys(vastai: Callable[..., Any]) -> None:
    assert vastai("show", "user")["credit"] == 500
    assert [row["id"] for row in vastai("show", "ssh-keys")] == [1]
