# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that exist: looked at, stopped, started, tagged and ended."""

from __future__ import annotations

from typing import Any

import pytest

DATA = {"name": "data", "size": 100, "type": "NVMe"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def disks(api: Any) -> dict[str, str]:
    """Return the status of every volume that still exists, by name."""
    return {row["name"]: row["status"] for row in api.get("/volumes").data}


def trash(api: Any) -> list[str]:
    """Return the names in the trash."""
    return [row["name"] for row in api.get("/volumes/trash").data]


def test_an_instance_has_every_documented_field(api: Any) -> None:
    one = api.instance(api.buy())
    assert {
        "id", "hostname", "instance_type", "location", "created_at", "status", "description", "ip",
        "created_by_user_id", "cpu", "gpu", "gpu_memory", "memory", "storage", "price_per_hour",
        "is_spot", "image", "os_name", "startup_script_id", "ssh_key_ids", "os_volume_id",
        "volume_ids", "jupyter_token", "contract", "pricing", "tags",
    } <= one.keys()  # fmt: skip
    assert one["created_at"].endswith("Z")
    assert api.get("/instances").data == [one]


@pytest.mark.parametrize(("switch", "status"), [(404, 404), (400, 400)])
def test_an_unknown_id_is_refused(start: Any, switch: int, status: int) -> None:
    answer = start(unknown_id_status=switch).get(f"/instances/{UNKNOWN}")
    assert (answer.status, answer.message) == (status, "Invalid instance id")


def test_the_list_can_be_filtered(api: Any) -> None:
    tagged = api.buy(tags=[{"key": "Owner", "value": "Ann"}, {"key": "lab"}])
    plain = api.buy(hostname="two")
    api.act(plain, "shutdown")

    def found(query: str) -> list[str]:
        return [row["id"] for row in api.get(f"/instances?{query}").data]

    assert found("status=offline") == [plain]
    assert found("status=running") == [tagged]
    assert found(f"computeId={plain}") == [plain]
    assert found("tag=owner") == found("tag=owner=Ann") == found("tag=owner&tag=lab") == [tagged]
    assert found("tag=owner=Bob") == found("tag=lab&tag=other") == []
    assert api.get("/instances?status=asleep").status == 400


def test_tags_are_linked_once_and_unlinked(api: Any) -> None:
    path = f"/instances/{api.buy()}/tags"
    answer = api.post(path, {"key": "Lab", "value": "7"})
    assert (answer.status, answer.data["key"]) == (201, "lab")
    assert api.post(path, {"key": "lab", "value": "8"}).status == 409
    assert api.post(path, {"key": ""}).status == 400
    assert api.delete(f"{path}/{answer.data['id']}").status == 204
    assert api.delete(f"{path}/{answer.data['id']}").status == 404


def test_a_tag_has_one_id_in_the_whole_project(api: Any) -> None:
    tag = [{"key": "lab", "value": "7"}]
    first, second = (api.instance(api.buy(tags=tag))["tags"][0] for _unused in range(2))
    assert first == second
    assert first["id"].startswith("tag_")


def test_an_account_may_know_no_tags(start: Any) -> None:
    api = start(tags_supported=False)
    answer = api.order(tags=[{"key": "lab"}])
    assert (answer.status, answer.data["code"]) == (400, "invalid_request")
    instance_id = api.buy()
    assert "tags" not in api.instance(instance_id)
    assert api.post(f"/instances/{instance_id}/tags", {"key": "lab"}).status == 403


def test_stop_and_start_answer_204_when_there_is_nothing_to_do(api: Any) -> None:
    instance_id = api.buy()
    assert api.act(instance_id, "start").status == 204
    assert api.act(instance_id, "shutdown").status == 202
    assert api.instance(instance_id)["status"] == "offline"
    assert api.act([instance_id], "force_shutdown").status == 204
    answer = api.act(instance_id, "boot")
    assert answer.status == 202
    assert answer.data == [{"instanceId": instance_id, "action": "boot", "status": "success"}]
    assert api.instance(instance_id)["status"] == "running"


def test_one_bad_id_of_several_makes_a_207(api: Any) -> None:
    good = api.buy()
    answer = api.act([good, UNKNOWN], "delete")
    assert answer.status == 207
    assert answer.data == [
        {"instanceId": good, "action": "delete", "status": "success"},
        {
            "instanceId": UNKNOWN,
            "action": "delete",
            "status": "error",
            "error": "Invalid instance id",
            "statusCode": 404,
        },
    ]


def test_several_good_ids_make_a_202(api: Any) -> None:
    ids = [api.buy(), api.buy(hostname="two")]
    assert api.act(ids, "shutdown").status == 202
    assert api.get("/instances?status=running").data == []


@pytest.mark.parametrize("action", ["deploy", "transfer", "configure_spot", "dance"])
def test_actions_nobody_explains_are_refused(api: Any, action: str) -> None:
    assert api.act(api.buy(), action).status == 400


def test_a_machine_cannot_be_deleted_while_it_is_built(start: Any) -> None:
    api = start(provision_seconds=10)
    instance_id = api.buy()
    answer = api.act(instance_id, "delete")
    assert (answer.status, answer.data["code"]) == (403, "forbidden_action")
    assert answer.message == "Can't discontinue a provisioning instance"
    api.simulator.advance(11)
    assert api.act(instance_id, "delete").status == 202


def test_the_second_delete_is_refused(api: Any) -> None:
    instance_id = api.buy()
    assert api.act(instance_id, "discontinue").status == 202
    answer = api.act(instance_id, "discontinue")
    assert (answer.status, answer.message) == (403, "Can't discontinue a discontinued instance")


def test_an_ended_machine_leaves_the_list_and_is_forgotten_later(api: Any) -> None:
    instance_id = api.buy()
    api.act(instance_id, "delete")
    assert api.get("/instances").data == []
    assert [row["id"] for row in api.get("/instances?status=discontinued").data] == [instance_id]
    assert api.instance(instance_id)["status"] == "discontinued"
    api.simulator.advance(3601)
    assert api.get(f"/instances/{instance_id}").status == 404


def test_delete_without_a_volume_list_takes_the_system_and_keeps_the_data(api: Any) -> None:
    api.act(api.buy(volumes=[DATA]), "delete", volume_ids=None)
    assert disks(api) == {"data": "detached"}
    assert trash(api) == ["OS-one"]


def test_delete_with_an_empty_volume_list_keeps_everything(api: Any) -> None:
    api.act(api.buy(volumes=[DATA]), "delete", volume_ids=[])
    assert disks(api) == {"OS-one": "detached", "data": "detached"}
    assert trash(api) == []


def test_delete_with_a_volume_list_takes_exactly_that(api: Any) -> None:
    instance_id = api.buy(volumes=[DATA])
    _unused, data = api.instance(instance_id)["volume_ids"]
    assert api.act(instance_id, "delete", volume_ids=[UNKNOWN]).status == 400
    assert api.act(instance_id, "delete", volume_ids=[data]).status == 202
    assert disks(api) == {"OS-one": "detached"}
    assert trash(api) == ["data"]


def test_a_permanent_delete_skips_the_trash_and_stays_readable(api: Any) -> None:
    instance_id = api.buy()
    disk = api.instance(instance_id)["os_volume_id"]
    api.act(instance_id, "delete", volume_ids=[disk], delete_permanently=True)
    assert trash(api) == []
    gone = api.volume(disk)
    assert (gone["status"], gone["is_permanently_deleted"]) == ("deleted", True)


def test_the_record_goes_before_the_disk(start: Any) -> None:
    api = start(provision_seconds=10, delete_seconds=5, volume_seconds=5)
    instance_id = api.buy()
    api.simulator.advance(11)
    disk = api.instance(instance_id)["os_volume_id"]
    api.act(instance_id, "delete", volume_ids=[])
    assert api.instance(instance_id)["status"] == "deleting"
    assert api.act(instance_id, "delete").status == 204
    api.simulator.advance(6)
    assert api.get("/instances").data == []
    lagging = api.volume(disk)
    assert (lagging["status"], lagging["instance_id"]) == ("detaching", instance_id)
    assert api.delete(f"/volumes/{disk}").status == 403
    api.simulator.advance(5)
    free = api.volume(disk)
    assert (free["status"], free["instances"]) == ("detached", [])
    assert api.delete(f"/volumes/{disk}").status == 202


def test_hibernate_discontinues_and_keeps_every_volume(api: Any) -> None:
    instance_id = api.buy(volumes=[DATA])
    assert api.act(instance_id, "hibernate").status == 403
    api.act(instance_id, "shutdown")
    assert api.act(instance_id, "hibernate").status == 202
    assert disks(api) == {"OS-one": "detached", "data": "detached"}
    assert api.get("/instances").data == []


def test_the_old_action_path_works(api: Any) -> None:
    body = {"id": api.buy(), "action": "shutdown"}
    assert api.post("/instances/action", body).status == 202


@pytest.mark.parametrize(
    ("policy", "left", "thrown"),
    [
        (None, {"os": "detached"}, []),
        ("keep_detached", {"os": "detached"}, []),
        ("move_to_trash", {}, ["os"]),
        ("delete_permanently", {}, []),
    ],
)
def test_eviction_gives_no_warning_and_follows_the_policy(
    api: Any, policy: str | None, left: dict[str, str], thrown: list[str]
) -> None:
    root = {"name": "os", "size": 50, "on_spot_discontinue": policy}
    instance_id = api.buy(is_spot=True, os_volume=root)
    available = api.get("/instance-availability?is_spot=true").data
    api.simulator.evict(instance_id)
    assert api.instance(instance_id)["status"] == "discontinued"
    assert (disks(api), trash(api)) == (left, thrown)
    assert api.simulator.state()["instances"][0]["end_reason"] == "evicted_by_on_demand"
    assert api.get("/instance-availability?is_spot=true").data == available


def test_only_living_spot_machines_are_evicted(api: Any) -> None:
    with pytest.raises(ValueError, match="only spot"):
        api.simulator.evict(api.buy())
    with pytest.raises(ValueError, match="Invalid instance id"):
        api.simulator.evict(UNKNOWN)
    instance_id = api.buy(is_spot=True)
    api.simulator.evict(instance_id)
    with pytest.raises(ValueError, match="discontinued"):
        api.simulator.evict(instance_id)


def test_any_status_can_be_forced(api: Any) -> None:
    instance_id = api.buy()
    api.simulator.set_status(instance_id, "somewhere_new")
    assert api.instance(instance_id)["status"] == "somewhere_new"
    api.simulator.set_status(instance_id, "error")
    assert api.instance(instance_id)["status"] == "error"
    assert api.act(instance_id, "delete").status == 202
