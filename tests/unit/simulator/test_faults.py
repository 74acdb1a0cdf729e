# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault on command, as a client meets it."""

from __future__ import annotations

import http.client
import threading
import time
from typing import Any

import pytest

POST = {"method": "POST", "path": "/v1/instances"}


def ended(api: Any, fate: str) -> str:
    """Order an instance that comes to a bad end, and return its id."""
    api.simulator.add_faults([{"match": POST, "do": fate}])
    return str(api.buy())


def test_a_status_fault_answers_instead_of_the_api(api: Any) -> None:
    html = "<html>Bad gateway</html>"
    api.simulator.add_faults([{"match": POST, "do": "status", "status": 502, "body": html}])
    answer = api.order()
    assert (answer.status, answer.text) == (502, html)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert api.get("/instances").data == []
    assert api.order().status == 202


def test_a_status_fault_may_bring_headers_and_json(api: Any) -> None:
    fault = {"do": "status", "status": 429, "body": {"code": "x"}, "headers": {"Retry-After": "7"}}
    api.simulator.add_faults([fault, {"do": "status", "status": 503, "content_type": "text/plain"}])
    answer = api.get("/balance")
    assert (answer.headers["Retry-After"], answer.data) == ("7", {"code": "x"})
    assert api.get("/balance").headers["Content-Type"] == "text/plain"


def test_a_fault_strikes_only_what_it_matches_and_as_often_as_told(api: Any) -> None:
    api.simulator.add_faults(
        [{"match": {"path": "/v1/volumes*"}, "times": 2, "do": "status", "status": 500}]
    )
    paths = ["/instances", "/volumes", "/volumes/trash", "/volumes"]
    assert [api.get(path).status for path in paths] == [200, 500, 500, 200]


def test_a_fault_without_end_strikes_until_it_is_cleared(api: Any) -> None:
    api.simulator.add_faults([{"times": None, "do": "status", "status": 500}])
    assert {api.get("/balance").status for _unused in range(5)} == {500}
    api.simulator.clear_faults()
    assert api.get("/balance").status == 200


def test_tokens_can_fail_too(api: Any) -> None:
    match = {"path": "/v1/oauth2/token"}
    api.simulator.add_faults([{"match": match, "do": "status", "status": 500}])
    assert api.login().status == 500


def test_latency_delays_and_then_serves(api: Any) -> None:
    api.simulator.add_faults([{"match": POST, "do": "latency", "seconds": 0.05}])
    before = time.monotonic()
    assert api.order().status == 202
    assert time.monotonic() - before >= 0.05


def test_reset_breaks_the_connection_before_anything_is_done(api: Any) -> None:
    api.simulator.add_faults([{"match": POST, "do": "reset"}])
    with pytest.raises(ConnectionResetError):
        api.order()
    api.wire.close()
    assert api.get("/instances").data == []
    assert api.simulator.log()[0]["status"] is None


@pytest.mark.parametrize("status", [None, 502])
def test_commit_then_500_leaves_an_orphan(api: Any, status: int | None) -> None:
    more = {"status": status} if status else {}
    api.simulator.add_faults([{"match": POST, "do": "commit_then_500", **more}])
    answer = api.order()
    assert (answer.status, "<html>" in answer.text) == (status or 500, True)
    assert len(api.get("/instances").data) == 1


def test_commit_then_reset_leaves_an_orphan(api: Any) -> None:
    api.simulator.add_faults([{"match": POST, "do": "commit_then_reset"}])
    with pytest.raises(ConnectionResetError):
        api.order()
    api.wire.close()
    assert len(api.get("/instances").data) == 1


@pytest.mark.parametrize(("do", "orphans"), [("hang", 0), ("commit_then_hang", 1)])
def test_a_hang_lasts_until_the_client_gives_up(api: Any, do: str, orphans: int) -> None:
    api.simulator.add_faults([{"match": POST, "do": do}])
    api.wire.sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        api.order()
    api.wire.close()
    assert len(api.get("/instances").data) == orphans


def test_a_hang_has_an_end_of_its_own(api: Any) -> None:
    api.simulator.add_faults([{"do": "hang", "seconds": 0.02}])
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        api.get("/balance")


def test_a_hanging_client_does_not_hold_up_the_end(start: Any) -> None:
    api = start()
    api.simulator.add_faults([{"do": "hang"}, {"do": "latency", "seconds": 60}])
    outcome: list[BaseException] = []

    def wait(path: str) -> None:
        wire = http.client.HTTPConnection(api.wire.host, api.wire.port, timeout=10)
        try:
            wire.request("GET", path)
            wire.getresponse()
        except (OSError, http.client.HTTPException) as error:
            outcome.append(error)

    clients = [threading.Thread(target=wait, args=(path,)) for path in ("/v1/a", "/v1/b")]
    for client in clients:
        client.start()
    while len(api.simulator.log()) < 2:
        time.sleep(0.001)
    before = time.monotonic()
    api.simulator.stop()
    for client in clients:
        client.join(5)
    assert time.monotonic() - before < 1
    assert len(outcome) == 2


def test_an_order_may_find_no_capacity_after_all(start: Any) -> None:
    api = start(provision_seconds=10)
    stock = api.get("/instance-availability").data
    instance_id = ended(api, "no_capacity_later")
    assert api.instance(instance_id)["status"] == "ordered"
    api.simulator.advance(11)
    assert api.instance(instance_id)["status"] == "no_capacity"
    assert api.get("/volumes").data == api.get("/volumes/trash").data == []
    assert api.balance() == 500
    assert api.get("/instance-availability").data == stock
    assert [row["id"] for row in api.get("/instances").data] == [instance_id]
    assert api.act(instance_id, "delete").status == 202
    api.simulator.advance(10)
    assert api.get("/instances").data == []


def test_an_existing_disk_survives_an_order_without_capacity(api: Any) -> None:
    body = {"type": "NVMe", "name": "data", "size": 10, "location_code": "FIN-01"}
    volume_id = api.post("/volumes", body).text
    api.simulator.add_faults([{"match": POST, "do": "no_capacity_later"}])
    api.buy(existing_volumes=[volume_id])
    assert [(row["id"], row["status"]) for row in api.get("/volumes").data] == [
        (volume_id, "detached")
    ]


@pytest.mark.parametrize(
    ("fate", "status"),
    [("error_later", "error"), ("installation_failed_later", "installation_failed")],
)
def test_an_order_may_fail_and_leave_its_disk(start: Any, fate: str, status: str) -> None:
    api = start(provision_seconds=10)
    instance_id = ended(api, fate)
    api.simulator.advance(5)
    assert api.instance(instance_id)["status"] == "provisioning"
    api.simulator.advance(6)
    one = api.instance(instance_id)
    assert one["status"] == status
    assert api.volume(one["os_volume_id"])["status"] == "attached"
    assert api.act(instance_id, "delete").status == 202
    api.simulator.advance(30)
    assert api.get("/volumes").data == []


def test_provisioning_may_never_end(start: Any) -> None:
    api = start(provision_seconds=10)
    instance_id = ended(api, "stuck_provisioning")
    api.simulator.advance(24 * 3600)
    one = api.instance(instance_id)
    assert (one["status"], one["ip"]) == ("provisioning", None)
    assert api.act(instance_id, "delete").status == 403
    assert api.act(instance_id, "delete_stuck").status == 202
    api.simulator.advance(10)
    assert api.get("/instances").data == []


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "explode"},
        {"do": "status"},
        {"do": "latency"},
        {"do": "hang", "match": {"body": "x"}},
    ],
)
def test_a_fault_that_could_never_strike_is_refused(api: Any, fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="fault"):
        api.simulator.add_faults([fault])
