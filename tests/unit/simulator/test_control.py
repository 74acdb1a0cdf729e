# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control side, the request log, the state file and the scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gpuops_simulator import Simulator
from gpuops_simulator.clock import Clock


def test_answers_carry_the_name_of_the_simulator_and_its_time(api: Any) -> None:
    before = api.get("/balance").headers
    assert before["Server"].startswith("gpuops-simulator/")
    api.simulator.advance(24 * 3600)
    assert api.get("/balance").headers["Date"] != before["Date"]
    assert api.simulator.now().utcoffset() is not None


def test_time_passes_by_itself_at_the_speed_asked_for() -> None:
    real = [0.0]
    clock = Clock(speed=10, real=lambda: real[0], wall=lambda: 1_000_000.0)
    real[0] = 6.0
    clock.advance(5)
    assert clock.now() == 1_000_065.0
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_the_log_knows_every_request_and_no_secret(api: Any) -> None:
    api.get("/instance-availability?isSpot=true&location_code=FIN-01&access_token=abc")
    api.order()
    api.login("me", "my-own-secret")
    read, write, token = api.simulator.log()
    assert read == {
        "time": read["time"],
        "method": "GET",
        "path": "/v1/instance-availability",
        "query": {"isSpot": "true", "location_code": "FIN-01", "access_token": "***"},
        "status": 200,
        "write": False,
        "fault": None,
    }
    assert (write["method"], write["status"], write["write"]) == ("POST", 202, True)
    assert (token["path"], token["write"]) == ("/v1/oauth2/token", False)
    assert api.simulator.writes() == [write]
    everything = json.dumps([api.simulator.log(), api.simulator.state()])
    assert "my-own-secret" not in everything
    assert api.headers["Authorization"].split()[1] not in everything
    api.simulator.clear_log()
    assert api.simulator.log() == []


def test_refused_writes_are_writes_too(api: Any) -> None:
    api.order(image="nothing")
    assert [entry["status"] for entry in api.simulator.writes()] == [400]


def test_the_control_side_speaks_http(api: Any) -> None:
    api.headers.clear()  # it needs no token
    instances = "/_sim/instances"
    stock = {"FIN-02": {"spot": {"1V100.6V": 1}}}
    assert api.put("/_sim/stock", stock).data == {"ok": True}
    fault = {"match": {"path": "/v1/balance"}, "do": "status", "status": 418}
    assert api.post("/_sim/faults", fault).status == 200
    assert api.post("/_sim/faults", {"faults": [fault]}).status == 200
    assert api.put("/_sim/switches", {"quoted_ids": True}).status == 200
    assert api.put("/_sim/balance", {"amount": 7}).status == 200
    state = api.get("/_sim/state").data
    assert state["stock"]["FIN-02"] == {"on_demand": {}, "spot": {"1V100.6V": 1}}
    assert (len(state["faults"]), state["balance"]["amount"]) == (2, 7.0)
    api.login()
    assert [api.get("/balance").status for _unused in range(3)] == [418, 418, 200]
    instance_id = api.order(instance_type="1V100.6V", is_spot=True, location_code="FIN-02").data
    assert api.post("/_sim/clock", {"advance_s": 3600}).status == 200
    assert api.put(f"{instances}/{instance_id}/status", {"status": "unknown"}).status == 200
    assert api.post(f"{instances}/{instance_id}/evict").status == 200
    assert api.post(f"{instances}/{instance_id}/evict").status == 400
    assert api.delete("/_sim/faults").status == 200
    assert len(api.get("/_sim/log").data) == 5
    assert api.delete("/_sim/log").status == 200
    assert api.delete("/_sim/tokens").status == 200
    assert api.get("/balance").status == 401
    assert api.post("/_sim/reset").status == 200
    assert api.get("/_sim/state").data["instances"] == []
    assert api.post("/_sim/stop").status == 200
    api.simulator.wait()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("GET", "/_sim/nothing", None, 404, "GET state"),
        ("PUT", "/_sim/stock", {"MARS-1": {}}, 400, "unknown location"),
        ("PUT", "/_sim/stock", {"FIN-01": {"cheap": {}}}, 400, "unknown market"),
        ("PUT", "/_sim/stock", {"FIN-01": {"spot": {"1X9": 1}}}, 400, "unknown instance types"),
        ("POST", "/_sim/faults", {"do": "dance"}, 400, "unknown fault"),
        ("POST", "/_sim/clock", {"advance_s": -1}, 400, "forward"),
        ("POST", "/_sim/clock", "{", 400, ""),
        ("PUT", "/_sim/switches", {"balance": 1}, 400, "not a switch"),
        ("PUT", "/_sim/switches", {"colour": 1}, 400, "unknown scenario keys"),
    ],
)
def test_wrong_control_calls_say_what_is_wrong(
    api: Any, method: str, path: str, body: Any, status: int, text: str
) -> None:
    answer = api.call(method, path, body)
    assert answer.status == status
    assert text in answer.data["error"]


def test_reset_goes_back_to_the_scenario(start: Any) -> None:
    fault = {"match": {"path": "/v1/images"}, "do": "status", "status": 500}
    api = start(balance=50, faults=[fault])
    begin = api.simulator.now()
    assert [api.get("/images").status for _unused in range(2)] == [500, 200]
    api.buy()
    api.simulator.switch(quoted_ids=True)
    api.simulator.advance(1e6)
    api.simulator.reset()
    assert (api.simulator.now() - begin).total_seconds() < 60
    assert api.simulator.log() == api.get("/instances").data == []
    assert (api.balance(), api.get("/images").status) == (50.0, 500)
    assert not api.order().text.startswith('"')


def test_reset_may_bring_another_scenario(api: Any) -> None:
    api.simulator.reset({"balance": 3})
    assert api.balance() == 3.0


@pytest.mark.parametrize(
    "scenario", [{"colour": "red"}, {"quotas": {"cats": 1}}, {"faults": [{"do": "dance"}]}]
)
def test_a_scenario_with_a_slip_is_refused(scenario: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown"):
        Simulator(scenario)


def test_what_state_returns_is_a_copy(api: Any) -> None:
    api.buy()
    api.simulator.state()["instances"][0]["tags"].append("x")
    assert api.get("/instances").data[0]["tags"] == []


def test_a_fault_of_the_simulator_itself_is_seen(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.delattr(api.simulator.cloud, "catalogue")
        assert api.get("/locations").status == 500
    assert "AttributeError" in api.simulator.state()["notes"][0]


def test_the_account_survives_in_its_file(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    data = {"name": "data", "size": 10, "type": "NVMe"}
    first = start(state_file=path)
    first.simulator.add_faults([{"match": {"path": "/v1/images"}, "do": "reset"}])
    first.buy(tags=[{"key": "lab", "value": "7"}], volumes=[data])
    first.delete(f"/volumes/{first.post('/volumes', {**data, 'location_code': 'FIN-01'}).text}")
    first.simulator.advance(24 * 3600)
    before, then = first.simulator.state(), first.simulator.now()
    first.simulator.stop()
    assert path.stat().st_mode & 0o777 == 0o600
    second = start(state_file=path)
    after = second.simulator.state()
    assert {**after, "time": None} == {**before, "time": None}
    assert abs((second.simulator.now() - then).total_seconds()) < 30
    second.simulator.advance(3600)
    assert second.balance() < after["balance"]["amount"]


def test_the_account_is_in_its_file_after_every_write(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    api = start(state_file=path)
    instance_id = api.buy()
    assert instance_id in json.loads(path.read_text())["account"]["instances"]
