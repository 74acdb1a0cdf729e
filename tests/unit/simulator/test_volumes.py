# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: made, moved, grown, copied, thrown away and brought back."""

from __future__ import annotations

from typing import Any

import pytest


def make(api: Any, **changes: Any) -> str:
    """Create a volume and return its id."""
    body = {"type": "NVMe", "name": "data", "size": 100, "location_code": "FIN-01", **changes}
    answer = api.post("/volumes", body)
    assert answer.status == 202, answer.text
    return str(answer.text)


def stopped(api: Any, **changes: Any) -> str:
    """Buy an instance, shut it down and return its id."""
    instance_id = str(api.buy(**changes))
    api.act(instance_id, "shutdown")
    return instance_id


def test_a_volume_is_ordered_then_detached(start: Any) -> None:
    api = start(volume_seconds=5)
    volume_id = make(api, tags=[{"key": "lab", "value": "7"}])
    assert api.volume(volume_id)["status"] == "ordered"
    api.simulator.advance(6)
    volume = api.volume(volume_id)
    assert (volume["status"], volume["instances"], volume["instance_id"]) == ("detached", [], None)
    assert volume["monthly_price"] == 20.0
    assert volume["base_hourly_cost"] == pytest.approx(20 / 730)
    assert volume["tags"][0]["value"] == "7"


@pytest.mark.parametrize(
    "change",
    [{"type": "HDD"}, {"type": "Tape"}, {"size": 0}, {"size": "9"}, {"name": ""},
     {"location_code": "MARS-1"}, {"tags": "lab"}],
)  # fmt: skip
def test_a_wrong_volume_is_refused(api: Any, change: dict[str, Any]) -> None:
    body = {"type": "NVMe", "name": "data", "size": 100, "location_code": "FIN-01", **change}
    assert api.post("/volumes", body).status == 400


def test_unknown_ids_are_refused(api: Any) -> None:
    assert (api.get("/volumes/x").status, api.get("/volumes/x").message) == (
        404,
        "Invalid volume id",
    )
    assert api.act_on_volume("x", "rename", name="y").status == 404


def test_the_list_can_be_filtered(api: Any) -> None:
    volume_id = make(api)
    api.buy()
    assert [row["id"] for row in api.get("/volumes?status=detached").data] == [volume_id]


def test_a_volume_is_attached_only_to_a_stopped_machine(api: Any) -> None:
    volume_id, running = make(api), api.buy()
    assert api.act_on_volume(volume_id, "attach", instance_id=running).status == 403
    assert api.post("/volumes", {"type": "NVMe", "name": "x", "size": 1, "location_code": "FIN-01",
                                 "instance_id": running}).status == 403  # fmt: skip
    api.act(running, "shutdown")
    assert api.act_on_volume(volume_id, "attach", instance_id=running).status == 202
    attached = api.volume(volume_id)
    assert (attached["status"], attached["target"]) == ("attached", "vdb")
    assert attached["instances"][0]["hostname"] == "one"
    assert volume_id in api.instance(running)["volume_ids"]
    assert api.act_on_volume(volume_id, "attach", instance_id=running).status == 403


def test_a_volume_can_be_made_for_a_stopped_machine(api: Any) -> None:
    instance_id = stopped(api)
    volume_id = make(api, instance_id=instance_id)
    assert api.volume(volume_id)["instance_id"] == instance_id


def test_a_volume_is_not_attached_across_locations(api: Any) -> None:
    volume_id = make(api, location_code="FIN-02")
    assert api.act_on_volume(volume_id, "attach", instance_id=stopped(api)).status == 400


def test_a_volume_is_detached_only_from_a_stopped_machine(api: Any) -> None:
    instance_id = stopped(api)
    volume_id = make(api, instance_id=instance_id)
    api.act(instance_id, "start")
    assert api.act_on_volume(volume_id, "detach").status == 403
    api.act(instance_id, "shutdown")
    assert api.act_on_volume(volume_id, "detach").status == 202
    assert api.volume(volume_id)["status"] == "detached"
    assert api.act_on_volume(volume_id, "detach").status == 403
    assert api.act_on_volume(api.instance(instance_id)["os_volume_id"], "detach").status == 403


def test_a_shared_filesystem_serves_several_machines(api: Any) -> None:
    first, second = stopped(api), stopped(api, hostname="two")
    volume_id = make(api, type="NVMe_Shared", instance_ids=[first, second])
    volume = api.volume(volume_id)
    assert {row["id"] for row in volume["instances"]} == {first, second}
    assert "nconnect=16" in volume["mount_command"]
    api.act_on_volume(volume_id, "detach", instance_id=first)
    volume = api.volume(volume_id)
    assert (volume["status"], volume["instance_id"]) == ("attached", second)
    api.act(second, "delete")
    assert api.volume(volume_id)["status"] == "detached"


def test_an_ordinary_volume_serves_one_machine(api: Any) -> None:
    ids = [stopped(api), stopped(api, hostname="two")]
    assert api.act_on_volume(make(api), "attach", instance_ids=ids).status == 400


def test_a_volume_only_grows(api: Any) -> None:
    volume_id = make(api)
    assert api.act_on_volume(volume_id, "resize", size=100).status == 400
    assert api.act_on_volume(volume_id, "resize", size=200).status == 202
    assert (api.volume(volume_id)["size"], api.volume(volume_id)["monthly_price"]) == (200, 40.0)


def test_volumes_are_renamed_together(api: Any) -> None:
    ids = [make(api), make(api)]
    assert api.act_on_volume(ids, "rename", name="new").status == 202
    assert {row["name"] for row in api.get("/volumes").data} == {"new"}
    assert api.act_on_volume(ids, "polish").status == 400
    assert api.put("/volumes", {"action": "rename", "name": "x"}).status == 400


def test_a_clone_is_a_new_volume(start: Any) -> None:
    api = start(volume_seconds=5)
    source = make(api)
    api.simulator.advance(6)
    (clone,) = api.act_on_volume(source, "clone", name="copy").data
    assert (api.volume(clone)["status"], api.volume(clone)["name"]) == ("cloning", "copy")
    api.simulator.advance(6)
    assert api.volume(clone)["status"] == "detached"
    assert api.act_on_volume(clone, "cancel").status == 403
    api.simulator.switch(clone_answer="object")
    other = api.act_on_volume(source, "clone", location_code="FIN-02").data["id"]
    assert api.volume(other)["location"] == "FIN-02"
    assert api.act_on_volume(other, "cancel").status == 202
    assert api.volume(other)["status"] == "deleted"


def test_a_disk_in_use_is_not_cloned(api: Any) -> None:
    disk = api.instance(api.buy())["os_volume_id"]
    assert api.act_on_volume(disk, "clone").status == 403
    assert api.delete(f"/volumes/{disk}").status == 403


def test_delete_puts_a_volume_into_the_trash(api: Any) -> None:
    volume_id = make(api)
    assert api.delete(f"/volumes/{volume_id}", {"is_permanent": False}).status == 202
    assert api.get("/volumes").data == []
    (row,) = api.get("/volumes/trash").data
    assert (row["id"], row["is_permanently_deleted"]) == (volume_id, False)
    assert row["deleted_at"]
    assert api.delete(f"/volumes/{volume_id}").status == 204


def test_the_trash_is_emptied_after_four_days(api: Any) -> None:
    volume_id = make(api)
    api.act_on_volume(volume_id, "delete")
    api.simulator.advance(95 * 3600)
    assert len(api.get("/volumes/trash").data) == 1
    api.simulator.advance(2 * 3600)
    assert api.get("/volumes/trash").data == []
    assert api.volume(volume_id)["is_permanently_deleted"] is True
    assert api.act_on_volume(volume_id, "restore").status == 403


@pytest.mark.parametrize("first", [True, False])
def test_a_permanent_delete_leaves_nothing_in_the_trash(api: Any, first: bool) -> None:
    volume_id = make(api)
    api.delete(f"/volumes/{volume_id}", {"is_permanent": first})
    status = api.delete(f"/volumes/{volume_id}", {"is_permanent": True}).status
    assert status == (204 if first else 202)
    assert api.get("/volumes/trash").data == []
    assert api.volume(volume_id)["status"] == "deleted"


def test_the_trash_counts_against_the_quota(start: Any) -> None:
    api = start(quotas={"volumes": 1})
    volume_id = make(api)
    api.delete(f"/volumes/{volume_id}")
    body = {"type": "NVMe", "name": "data", "size": 100, "location_code": "FIN-01"}
    answer = api.post("/volumes", body)
    assert (answer.status, answer.message) == (400, "Volume limit exceeded")
    api.delete(f"/volumes/{volume_id}", {"is_permanent": True})
    assert api.post("/volumes", body).status == 202


def test_what_comes_back_from_the_trash_is_charged_for_its_time_there(api: Any) -> None:
    volume_id = make(api, size=730)  # 0.20 USD an hour
    api.delete(f"/volumes/{volume_id}")
    before = api.balance()
    api.simulator.advance(10 * 3600)
    assert api.balance() == before
    assert api.act_on_volume(volume_id, "restore").status == 202
    assert api.volume(volume_id)["status"] == "detached"
    (bill,) = api.simulator.state()["bill"]
    assert bill["charged"] - bill["refunded"] == pytest.approx(2.0 + 0.2 / 6)


def test_tags_are_linked_and_unlinked(api: Any) -> None:
    path = f"/volumes/{make(api)}/tags"
    tag = api.post(path, {"key": "lab"}).data
    assert tag["value"] == ""
    assert api.post(path, {"key": "lab"}).status == 409
    assert api.delete(f"{path}/{tag['id']}").status == 204
