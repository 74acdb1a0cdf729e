# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend of dstack for this cloud, which is used on the real one, against the simulator.

What it does was written by others against the real API, so that it works here is evidence that the
simulator answers alike. It knows one address only, which is replaced before it is asked.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import pytest
import verda
from dstack._internal.core.backends.verda import compute as backend
from dstack._internal.core.backends.verda.models import VerdaAPIKeyCreds, VerdaConfig
from dstack._internal.core.errors import NoCapacityError, NotYetTerminated
from dstack._internal.core.models.backends.base import BackendType
from dstack._internal.core.models.instances import (
    Disk,
    Gpu,
    InstanceAvailability,
    InstanceConfiguration,
    InstanceOffer,
    InstanceOfferWithAvailability,
    InstanceType,
    Resources,
    SSHKey,
)

from gpuops_simulator import Simulator

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMY0RxzPV2QrBqfHrDq me@home"
LIMIT_S = 30


@pytest.fixture
def compute(cloud: Simulator, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return dstack's backend with the simulated cloud behind it."""
    there = functools.partial(verda.VerdaClient, base_url=f"{cloud.url}/v1")
    monkeypatch.setattr(backend, "VerdaClient", there)
    creds = VerdaAPIKeyCreds(client_id="me", client_secret="hush")
    config = VerdaConfig(type="verda", creds=creds)
    return backend.VerdaCompute(config, BackendType.VERDA)


def offer(name: str = "1A100.22V") -> Any:
    """Return what dstack would choose to buy."""
    gpu = Gpu(name="A100", memory_mib=80 * 1024)
    resources = Resources(
        cpus=22, memory_mib=120 * 1024, gpus=[gpu], spot=False, disk=Disk(size_mib=100 * 1024)
    )
    kind = InstanceType(name=name, resources=resources)
    return InstanceOffer(backend=BackendType.VERDA, instance=kind, region="FIN-01", price=1.29)


def order() -> Any:
    """Return who buys, and the key that is to open the instance."""
    return InstanceConfiguration(
        project_name="main", instance_name="job-0-0", user="me", ssh_keys=[SSHKey(public=KEY)]
    )


def until(ready: Callable[[], bool]) -> None:
    """Wait until something is so."""
    limit = time.monotonic() + LIMIT_S
    while not ready():
        assert time.monotonic() < limit
        time.sleep(0.1)


def test_stock_is_understood(compute: Any) -> None:
    found = {
        name: row.availability
        for name in ("1A100.22V", "1H100.80S.32V")
        for row in compute._get_offers_with_availability([offer(name)])
    }
    assert found == {
        "1A100.22V": InstanceAvailability.AVAILABLE,
        "1H100.80S.32V": InstanceAvailability.NOT_AVAILABLE,
    }


def test_life_of_an_instance(compute: Any, cloud: Simulator) -> None:
    wanted = offer().with_availability(availability=InstanceAvailability.AVAILABLE)
    assert isinstance(wanted, InstanceOfferWithAvailability)
    data = compute.create_instance(wanted, order(), None)
    with pytest.raises(NotYetTerminated):
        compute.terminate_instance(data.instance_id, "FIN-01", data.backend_data)

    def has_address() -> bool:
        compute.update_provisioning_data(data, "", "")
        return bool(data.hostname)

    until(has_address)
    compute.terminate_instance(data.instance_id, "FIN-01", data.backend_data)
    compute.terminate_instance(data.instance_id, "FIN-01", data.backend_data)  # once more is fine
    until(lambda: {row["status"] for row in cloud.state()["instances"]} <= {"discontinued"})
    until(lambda: not cloud.state()["volumes"])
    assert cloud.state()["ssh_keys"] == []


def test_what_is_sold_out_is_no_capacity_and_leaves_nothing(compute: Any, cloud: Simulator) -> None:
    sold_out = offer("1H100.80S.32V")
    wanted = sold_out.with_availability(availability=InstanceAvailability.AVAILABLE)
    with pytest.raises(NoCapacityError, match=r"Not enough resources|capacity"):
        compute.create_instance(wanted, order(), None)
    left = cloud.state()
    assert (left["instances"], left["ssh_keys"]) == ([], [])
