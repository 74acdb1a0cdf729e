# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ordering a machine: what is refused, what is accepted, and how it goes on."""

from __future__ import annotations

from typing import Any

import pytest


def test_an_order_answers_with_a_bare_id(api: Any) -> None:
    answer = api.order(description="mine")
    assert answer.status == 202
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    instance = api.instance(answer.text)
    assert (instance["status"], instance["description"]) == ("running", "mine")
    assert instance["price_per_hour"] == 1.797
    assert (instance["contract"], instance["is_spot"]) == ("PAY_AS_YOU_GO", False)


def test_ids_can_be_quoted(start: Any) -> None:
    api = start(quoted_ids=True)
    assert api.order().text.startswith('"')
    assert api.post("/volumes", volume_order()).data == api.get("/volumes").data[-1]["id"]


def volume_order() -> dict[str, Any]:
    return {"type": "NVMe", "name": "data", "size": 100, "location_code": "FIN-01"}


def test_an_order_becomes_a_machine_step_by_step(start: Any) -> None:
    api = start(provision_seconds=100)
    instance_id = api.buy()
    seen = []
    for seconds in (0, 30, 71):
        api.simulator.advance(seconds)
        one = api.instance(instance_id)
        seen.append((one["status"], bool(one["ip"]), bool(one["os_volume_id"])))
    assert seen == [
        ("ordered", False, False),
        ("provisioning", False, False),
        ("running", True, True),
    ]
    assert one["volume_ids"] == [one["os_volume_id"]]
    assert api.volume(one["os_volume_id"])["instance_id"] == instance_id


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"location_code": None}, "location_code must be"),
        ({"location_code": "MARS-1"}, "Invalid location code"),
        ({"instance_type": "1X9.1V"}, "Invalid instance type"),
        ({"hostname": None}, "hostname must be"),
        ({"hostname": "not a name"}, "hostname must contain only letters"),
        ({"hostname": "42"}, "at least one letter"),
        ({"hostname": "a.b"}, "hostname must contain only letters"),
        ({"hostname": "a-"}, "hostname must contain only letters"),
        ({"hostname": "a" * 64}, "hostname must contain only letters"),
        ({"description": "x" * 61}, "description must be shorter than or equal to 60 characters"),
        ({"os_volume": {"name": "os", "size": 49}}, "os_volume.size must be between 50 and 10240"),
        ({"image": "windows"}, "Invalid image"),
        ({"image": "24.04.cuda13.2.cc"}, "Operating system is not valid for this instance type"),
        ({"ssh_key_ids": ["nobody"]}, "Invalid ssh key id"),
        ({"startup_script_id": "nothing"}, "Invalid startup script id"),
        ({"existing_volumes": ["nothing"]}, "Invalid volume id"),
        ({"os_volume": {"name": "os"}}, "size must be"),
        ({"volumes": [{"name": "a", "size": 9, "type": "HDD"}]}, "HDD volumes are no longer"),
        ({"volumes": [{"name": "a", "size": 9, "type": "Tape"}]}, "Invalid volume type"),
        ({"contract": "SPOT"}, "Invalid contract"),
        ({"pricing": "DYNAMIC_PRICE"}, "Invalid pricing"),
        ({"tags": [{"key": f"k{n}"} for n in range(11)]}, "no more than 10"),
        ({"tags": [{"key": "x" * 64}]}, "1 to 63"),
        ({"tags": [{"key": "k", "value": "x" * 128}]}, "at most 127"),
        (
            {"os_volume": {"name": "os", "size": 50, "on_spot_discontinue": "move_to_trash"}},
            "only valid for spot",
        ),
    ],
)
def test_a_wrong_order_is_refused_and_costs_nothing(
    api: Any, changes: dict[str, Any], message: str
) -> None:
    answer = api.order(**changes)
    assert (answer.status, answer.data["code"]) == (400, "invalid_request")
    assert message in answer.message
    assert api.get("/instances").data == []
    assert api.get("/volumes").data == []
    assert api.balance() == 500


def test_an_image_may_be_named_by_id(api: Any) -> None:
    image = "2404f580-1300-1111-82b3-f199fb9b701b"
    instance = api.instance(api.buy(image=image))
    assert instance["image"] == image
    assert instance["os_name"] == "ubuntu-24.04-cuda-13.0-open-docker"


def test_a_body_that_is_not_json_is_refused(api: Any) -> None:
    assert api.post("/instances", "{").status == 400


def test_null_fields_are_as_good_as_none(api: Any) -> None:
    nulls = ("startup_script_id", "os_volume", "coupon", "tags", "volumes")
    order = {"instance_type": "1A100.22V", "image": "ubuntu-24.04", "hostname": "one"}
    body = {**order, "location_code": "FIN-01", **dict.fromkeys(nulls)}
    assert api.post("/instances", body).status == 202


def test_stock_goes_and_comes_back(api: Any) -> None:
    api.simulator.set_stock({"FIN-02": {"on_demand": {"1V100.6V": 1}}})
    available = "/instance-availability/1V100.6V"
    order = {"instance_type": "1V100.6V", "location_code": "FIN-02"}
    assert api.get(available).data is True
    instance_id = api.buy(**order)
    assert api.get(available).data is False
    answer = api.order(**order)
    assert (answer.status, answer.data["code"]) == (503, "service_unavailable")
    assert answer.message == "No capacity available"
    api.act(instance_id, "delete")
    assert api.get(available).data is True
    assert api.order(**order).status == 202


def test_spot_and_on_demand_do_not_share_stock(api: Any) -> None:
    api.simulator.set_stock({"FIN-01": {"spot": {"1V100.6V": 1}}})
    assert api.order(instance_type="1V100.6V").status == 503
    instance = api.instance(api.buy(instance_type="1V100.6V", is_spot=True))
    assert (instance["is_spot"], instance["contract"]) == (True, "SPOT")
    assert instance["price_per_hour"] == 0.095


@pytest.mark.parametrize("lie", ["1A100.22V", "1A100.22V@FIN-01"])
def test_a_type_that_is_listed_can_still_be_refused(start: Any, lie: str) -> None:
    api = start(availability_lies=[lie])
    assert api.get("/instance-availability/1A100.22V").data is True
    assert api.order().status == 503


def test_a_lie_about_one_place_leaves_the_others_alone(start: Any) -> None:
    stock = {code: {"on_demand": {"1V100.6V": 1}} for code in ("FIN-01", "FIN-02")}
    api = start(stock=stock, availability_lies=["1V100.6V@FIN-01"])
    assert api.order(instance_type="1V100.6V", location_code="FIN-01").status == 503
    assert api.order(instance_type="1V100.6V", location_code="FIN-02").status == 202


@pytest.mark.parametrize(
    ("quotas", "changes", "message"),
    [
        ({"gpus": 1}, {}, "GPU limit exceeded"),
        ({"spot_gpus": 0}, {"is_spot": True}, "Spot GPU limit exceeded"),
        ({"vcpus": 30}, {}, "vCPU limit exceeded"),
        ({"volumes": 1}, {}, "Volume limit exceeded"),
        ({"storage_gb": 90}, {}, "Storage limit exceeded"),
    ],
)
def test_quotas_are_enforced(
    start: Any, quotas: dict[str, int], changes: dict[str, Any], message: str
) -> None:
    api = start(quotas=quotas)
    api.buy()
    answer = api.order(**changes)
    assert (answer.status, answer.message) == (400, message)


def test_an_order_brings_its_volumes(api: Any) -> None:
    root = {"name": "root", "size": 80, "tags": [{"key": "Role", "value": "os"}]}
    data = {"name": "data", "size": 200, "type": "NVMe", "tags": [{"key": "role", "value": "data"}]}
    instance = api.instance(api.buy(os_volume=root, volumes=[data]))
    first, second = (api.volume(i) for i in instance["volume_ids"])
    assert first["id"] == instance["os_volume_id"]
    assert (first["name"], first["size"], first["is_os_volume"]) == ("root", 80, True)
    assert (first["target"], second["target"]) == ("vda", "vdb")
    assert [(t["key"], t["value"]) for t in first["tags"] + second["tags"]] == [
        ("role", "os"),
        ("role", "data"),
    ]
    assert second["location"] == instance["location"]


def test_an_existing_volume_must_be_free_and_near(api: Any) -> None:
    near = api.post("/volumes", volume_order()).text
    far = api.post("/volumes", {**volume_order(), "location_code": "FIN-02"}).text
    assert api.order(existing_volumes=[far]).status == 400
    instance = api.instance(api.buy(existing_volumes=[near]))
    assert near in instance["volume_ids"]
    assert api.order(existing_volumes=[near]).status == 400


def test_a_kept_disk_boots_again_without_new_keys(api: Any) -> None:
    instance_id = api.buy(os_volume={"name": "root", "size": 60})
    disk = api.instance(instance_id)["os_volume_id"]
    assert api.order(image=disk).status == 400  # attached
    api.act(instance_id, "delete", volume_ids=[])
    assert api.order(image=disk, location_code="FIN-03").status == 400  # elsewhere
    again = api.buy(image=disk)
    state = {i["id"]: i for i in api.simulator.state()["instances"]}
    assert state[again]["os_volume_id"] == disk
    assert state[again]["keys_injected"] is False
    assert state[instance_id]["keys_injected"] is True


def test_a_data_volume_is_no_boot_disk(api: Any) -> None:
    data = api.post("/volumes", volume_order()).text
    assert api.order(image=data).status == 400


def test_answers_carry_fields_nobody_knows_unless_switched_off(start: Any) -> None:
    api = start()
    instance_id = api.buy()
    assert "field_of_tomorrow" in api.instance(instance_id)
    api.simulator.switch(extra_fields=False)
    assert "field_of_tomorrow" not in api.instance(instance_id)
