# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract: the vendor's own SDK must find in the simulator what it finds in the cloud."""

from __future__ import annotations

from typing import Any

import pytest
import verda
from verda.exceptions import APIException

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMY0RxzPV2QrBqfHrDq me@home"


@pytest.fixture
def sdk(api: Any) -> Any:
    """The SDK's client, logged in."""
    return verda.VerdaClient("me", "hush", base_url=f"{api.simulator.url}/v1")


@pytest.fixture
def machine(sdk: Any) -> Any:
    """A running instance that was ordered through the SDK."""
    return order(sdk)


def order(sdk: Any, **changes: Any) -> Any:
    """Order an instance through the SDK."""
    wish = {
        "instance_type": "1A100.22V",
        "image": "ubuntu-24.04",
        "hostname": "one",
        "description": "from the SDK",
        "location": "FIN-01",
    }
    return sdk.instances.create(**{**wish, **changes})


def test_credentials_are_checked(start: Any) -> None:
    url = f"{start(clients={'me': 'right'}).simulator.url}/v1"
    with pytest.raises(APIException) as error:
        verda.VerdaClient("me", "wrong", base_url=url)
    assert error.value.code == "unauthorized_request"


def test_a_token_that_has_run_out_is_renewed(start: Any) -> None:
    api = start(token_seconds=0.9)  # the SDK hears of 0 seconds and renews before each call
    sdk = verda.VerdaClient("me", "hush", base_url=f"{api.simulator.url}/v1")
    assert sdk.balance.get().amount == 500
    api.simulator.revoke_tokens()
    assert sdk.balance.get().amount == 500
    tokens = [e["status"] for e in api.simulator.log() if e["path"].endswith("token")]
    assert tokens == [200, 200, 401, 200]


def test_balance(sdk: Any) -> None:
    assert (sdk.balance.get().amount, sdk.balance.get().currency) == (500.0, "usd")


def test_instance_types(sdk: Any) -> None:
    types = {one.instance_type: one for one in sdk.instance_types.get()}
    assert types["1H100.80S.30V"].price_per_hour == 3.555
    assert types["1H100.80S.30V"].spot_price_per_hour == 1.778
    assert sdk.instance_types.get("eur")[0].currency == "eur"


def test_availability(sdk: Any) -> None:
    assert sdk.instances.is_available("1A100.22V") is True
    assert sdk.instances.is_available("1A100.40S.22V") is False
    assert sdk.instances.is_available("1A100.40S.22V", is_spot=True, location_code="FIN-01") is True
    assert sdk.instances.get_availabilities()[0]["availabilities"] == ["1A100.22V"]
    spot = sdk.instances.get_availabilities(is_spot=True, location_code="FIN-03")
    assert [row["location_code"] for row in spot] == ["FIN-03"]
    assert "8B300.240V.CC" in spot[0]["availabilities"]


def test_locations_and_images(sdk: Any) -> None:
    assert [row["code"] for row in sdk.locations.get()] == ["FIN-01", "FIN-02", "FIN-03"]
    images = {image.image_type: image for image in sdk.images.get("1V100.6V")}
    assert isinstance(images["ubuntu-24.04-cuda-12.6-docker"].details, list)
    assert len(sdk.images.get()) > len(images)


def test_keys(sdk: Any) -> None:
    first, second = sdk.ssh_keys.create("a", KEY), sdk.ssh_keys.create("b", KEY)
    assert (first.name, first.public_key) == ("a", KEY)
    assert sdk.ssh_keys.get_by_id(second.id).name == "b"
    sdk.ssh_keys.delete([first.id])
    sdk.ssh_keys.delete_by_id(second.id)
    assert sdk.ssh_keys.get() == []


def test_scripts(sdk: Any) -> None:
    first, second = (sdk.startup_scripts.create(name, "#!/bin/sh") for name in ("a", "b"))
    assert sdk.startup_scripts.get_by_id(first.id).script == "#!/bin/sh"
    assert {script.name for script in sdk.startup_scripts.get()} == {"a", "b"}
    sdk.startup_scripts.delete([first.id])
    sdk.startup_scripts.delete_by_id(second.id)
    assert sdk.startup_scripts.get() == []


def test_create_an_instance(sdk: Any) -> None:
    key = sdk.ssh_keys.create("a", KEY)
    machine = order(sdk, ssh_key_ids=[key.id], os_volume={"name": "root", "size": 60})
    assert (machine.status, machine.description) == ("running", "from the SDK")
    assert (machine.location, machine.ssh_key_ids) == ("FIN-01", [key.id])
    assert machine.gpu_memory["size_in_gigabytes"] == 80
    assert sdk.volumes.get_by_id(machine.os_volume_id).name == "root"
    assert [one.id for one in sdk.instances.get()] == [machine.id]
    assert sdk.instances.get(status="offline") == []
    assert sdk.instances.get_by_id(machine.id).hostname == "one"


def test_create_waits_while_the_order_stands(start: Any) -> None:
    api = start(provision_seconds=10)
    sdk = verda.VerdaClient("me", "hush", base_url=f"{api.simulator.url}/v1")
    assert order(sdk, wait_for_status=None).status == "ordered"
    with pytest.raises(TimeoutError):
        order(sdk, max_wait_time=0)


def test_a_quoted_id_breaks_the_sdk_after_the_order(start: Any) -> None:
    api = start(quoted_ids=True)
    sdk = verda.VerdaClient("me", "hush", base_url=f"{api.simulator.url}/v1")
    with pytest.raises(ValueError, match="path"):
        order(sdk)
    assert len(api.get("/instances").data) == 1


def test_refusals_have_a_code(sdk: Any, api: Any) -> None:
    api.simulator.set_stock({})
    with pytest.raises(APIException) as error:
        order(sdk)
    assert (error.value.code, error.value.message) == (
        "service_unavailable",
        "No capacity available",
    )


@pytest.mark.parametrize("action", ["shutdown", "force_shutdown"])
def test_stop_start_and_delete(sdk: Any, machine: Any, action: str) -> None:
    sdk.instances.action(machine.id, action)
    assert sdk.instances.get_by_id(machine.id).status == "offline"
    sdk.instances.action([machine.id], sdk.constants.instance_actions.START)
    assert sdk.instances.get_by_id(machine.id).status == "running"
    sdk.instances.action(machine.id, "delete", [machine.os_volume_id], delete_permanently=True)
    assert sdk.instances.get() == sdk.volumes.get() == sdk.volumes.get_in_trash() == []


def test_hibernate(sdk: Any, machine: Any) -> None:
    sdk.instances.action(machine.id, "shutdown")
    with pytest.warns(DeprecationWarning, match="Hibernate"):
        sdk.instances.action(machine.id, "hibernate")
    assert [volume.status for volume in sdk.volumes.get()] == ["detached"]


def test_a_207_looks_like_success(sdk: Any, machine: Any) -> None:
    sdk.instances.action([machine.id, "nobody"], "delete")
    assert sdk.instances.get() == []


def test_volume_types(sdk: Any) -> None:
    prices = {kind.type: kind.price_per_month_per_gb for kind in sdk.volume_types.get()}
    assert prices["NVMe"] == 0.2


def test_volumes(sdk: Any, machine: Any) -> None:
    volume = sdk.volumes.create("NVMe", "data", 100, location="FIN-01")
    assert (volume.status, volume.size, volume.monthly_price) == ("detached", 100, 20.0)
    sdk.instances.action(machine.id, "shutdown")
    sdk.volumes.attach(volume.id, machine.id)
    assert sdk.volumes.get_by_id(volume.id).instance_id == machine.id
    sdk.volumes.detach([volume.id])
    sdk.volumes.rename(volume.id, "new")
    sdk.volumes.increase_size(volume.id, 200)
    changed = sdk.volumes.get_by_id(volume.id)
    assert (changed.name, changed.size, changed.status) == ("new", 200, "detached")
    assert [one.id for one in sdk.volumes.get(status="detached")] == [volume.id]


def test_volumes_for_a_machine(sdk: Any, machine: Any) -> None:
    with pytest.raises(APIException) as error:
        sdk.volumes.create("NVMe", "data", 100, machine.id, "FIN-01")
    assert error.value.code == "forbidden_action"
    sdk.instances.action(machine.id, "shutdown")
    volume = sdk.volumes.create("NVMe", "data", 100, machine.id, "FIN-01")
    assert volume.instances[0]["hostname"] == "one"


def test_clone_and_delete_volumes(sdk: Any) -> None:
    volume = sdk.volumes.create("NVMe", "data", 100, location="FIN-01")
    clone = sdk.volumes.clone(volume.id, name="copy")
    assert (clone.name, clone.size) == ("copy", 100)
    sdk.volumes.delete([volume.id])
    (thrown,) = sdk.volumes.get_in_trash()
    assert (thrown.id, bool(thrown.deleted_at)) == (volume.id, True)
    sdk.volumes.delete(volume.id, is_permanent=True)
    sdk.volumes.delete_by_id(clone.id, is_permanent=True)
    assert sdk.volumes.get_in_trash() == sdk.volumes.get() == []
    assert sdk.volumes.get_by_id(clone.id).status == "deleted"


def test_the_path_of_a_spot_machine(sdk: Any, api: Any) -> None:
    machine = order(sdk, is_spot=True)
    assert (machine.is_spot, machine.contract, machine.price_per_hour) == (True, "SPOT", 0.8985)
    api.simulator.evict(machine.id)
    assert sdk.instances.get_by_id(machine.id).status == "discontinued"
