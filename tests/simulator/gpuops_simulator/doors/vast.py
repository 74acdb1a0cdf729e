# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vast.ai by the vendor's API description.

The door refuses fields that it does not know, and counts requests by endpoint as the vendor does.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..clock import Clock
from .door import Door, Machine, Reply
from .vast_market import (
    BROKEN,
    FILTERS,
    GAPS,
    LIST,
    NAMES,
    OFFERED,
    OPERATORS,
    SEARCH,
    SECRET,
    V0,
    Dialect,
    matches,
    offer,
    refused,
    wrong_with,
)


class VastDoor(Door):
    """One account of Vast.ai."""

    title, base_path, step_s = "Vast.ai", "", 1
    list_path = LIST
    public = frozenset({NAMES})  # the vendor's own command asks for them so
    dialect = Dialect()

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.offers = {one["id"]: one for one in (offer(101), offer(102), offer(103, machine=4712))}
        self.asked: dict[str, float] = {}
        self.user: dict[str, Any] = {"id": 1, "balance": 0.0, "credit": 500.0, "api_key": SECRET}
        self.numbers = iter(range(9000, 99999))
        # What wins by now, where that is more than the offer has told.
        self.least_bids: dict[int, float] = {}
        self.total_is_off = 0
        self.is_switched_off = False
        self.sold: dict[str, dict[str, Any]] = {}

    def stranger(self) -> Reply:
        return refused(401, "auth_error")

    def sell(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if strange := row.keys() - offer(101).keys():
                raise ValueError(f"an offer has no {', '.join(sorted(strange))}")
        made = [offer(101 + number, 4711 + number, **row) for number, row in enumerate(rows)]
        self.offers = {one["id"]: one for one in made}

    def price_of(self, machine: Machine) -> float:
        facts, bid = machine.facts, machine.facts.get("price")
        gpu: float = 0.0 if facts.get("halted") else facts["dph_base"] if bid is None else bid
        return gpu + _disk_price(machine)

    # -- who may ask what ----------------------------------------------------------------------

    def _with_luck(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        if late := self._too_early(method, path):
            return late
        if path == self.list_path and self.is_switched_off:
            return refused(410, "deprecated_endpoint")
        if path == self.list_path and self.spoilt:
            return Reply(200, {"rows": None})
        is_order = method == "PUT" and path.startswith(f"{V0}/asks/")
        if is_order and self.luck[:1] == ["lose"]:
            self.luck.pop(0)
            self.answer(method, path, body)
            return Reply(502, "<html>Bad gateway</html>")
        if is_order and self.luck[:1] == ["refuse"]:
            self.luck.pop(0)
            return self._refused_but_made(path, body)
        if method == "DELETE" and self.luck[:1] == ["refuse_end"]:
            self.luck.pop(0)
            return self.refusal("end")
        return self.answer(method, path, body)

    def _too_early(self, method: str, path: str) -> Reply | None:
        request = f"{method} {path}"
        counted = next((key for key in GAPS if request.startswith(key)), request)
        gap, last = GAPS.get(counted, 0.0), self.asked.get(counted)
        self.asked[counted] = self.now()
        if last is not None and self.now() < last + gap - 0.01:
            words = f"API requests too frequent: endpoint threshold={gap}"
            return Reply(429, words)
        return None

    def _refused_but_made(self, path: str, body: dict[str, Any]) -> Reply:
        """Refuse an order, and make of it what stands still and costs."""
        made = self.answer("PUT", path, body).body
        machine = self.find(str(made["new_contract"]))
        assert machine
        machine.facts.update(is_bid=True, halted=True)
        return refused(self.dialect.refused_status, "bid_too_low", **_told(machine))

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        request = f"{method} {path}"
        if request == f"POST {SEARCH}":
            return self._search(body)
        if request == f"GET {LIST}":
            return self._list(body)
        if request.rstrip("/") == f"GET {V0}/users/current":
            return Reply(200, self.user)
        if request == f"GET {NAMES}":
            return Reply(200, {"gpu_names": [row["gpu_name"] for row in self.offers.values()]})
        if path == f"{V0}/instances/":
            return refused(410, "deprecated_endpoint")
        found = re.fullmatch(rf"{V0}/(asks|instances|ssh)/(?:(\d+)/)?", path)
        if not found:
            return Reply(404, {"success": False, "msg": "There is no such thing"})
        kind, item = found[1], found[2] or ""
        serve = {"asks": self._order, "instances": self._one, "ssh": self._key}[kind]
        return serve(method, item, body)

    # -- the market ----------------------------------------------------------------------------

    def _search(self, body: dict[str, Any]) -> Reply:
        asked = {key: value for key, value in body.items() if isinstance(value, dict)}
        strange = (asked.keys() - FILTERS) or {
            one for value in asked.values() for one in value.keys() - OPERATORS
        }
        if strange or body.get("type") not in ("on-demand", "ondemand", "bid"):
            return refused(400, "invalid_args")
        rows = [row for row in self.offers.values() if matches(row, asked)]
        if body.get("order") == [["dph_total", "asc"]]:
            rows.sort(key=lambda row: float(row["dph_total"] or 0))
        shown = [{"end_date": self.now() + (row["duration"] or 0), **row} for row in rows]
        return Reply(200, {"offers": shown[: int(body.get("limit") or 64)]})

    def _order(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        row, bid = self.offers.get(int(item)), body.get("price")
        if wrong := "invalid_args" if method != "PUT" else wrong_with(body):
            return refused(400, wrong, ask_id=int(item))
        if row is None:
            return refused(410, "no_such_ask", ask_id=int(item))
        if body.get("vm") and not self.keys:
            return refused(400, "no_ssh_key_for_vm")
        if body.get("vm") and not row["vms_enabled"]:
            return refused(400, "invalid_args", ask_id=int(item))
        made = self._sold(self.offers.pop(int(item)), body)
        if bid is not None and bid < self.least_bids.get(int(item), row["min_bid"]):
            made.facts.update(halted=True)
            return refused(self.dialect.refused_status, "bid_too_low", **_told(made))
        if body.get("vm"):
            keys = [key["text"] for key in self.keys.values()]
            self.bring_up(made, f"vm-{made.id}", keys)
        return Reply(200, {"success": True, **_told(made)})

    def _sold(self, row: dict[str, Any], body: dict[str, Any]) -> Machine:
        made = self.make(**{**row, **body, "is_bid": body.get("price") is not None})
        made.id = str(next(self.numbers))
        self.sold[made.id] = row
        return made

    def end(self, machine: Machine) -> None:
        """Terminate an instance; what it had is another offer, where anything is offered again."""
        super().end(machine)
        row = self.sold.pop(machine.id, None)
        if row and self.restocks:
            number = next(self.numbers)
            self.offers[number] = {**row, "id": number, "ask_contract_id": number}

    # -- instances -----------------------------------------------------------------------------

    def _list(self, query: dict[str, Any]) -> Reply:
        known = {"select_filters", "order_by", "limit", "after_token"}
        if query.keys() - known or json.loads(query.get("select_filters") or "{}"):
            return refused(400, "invalid_args")
        rows = sorted(self.living(), key=lambda one: int(one.id))
        begin = int(query.get("after_token") or 0)
        size = min(int(query.get("limit") or 25), self.dialect.page)
        body: dict[str, Any] = {
            "success": True,
            "instances": [self._shown(one) for one in rows[begin : begin + size]],
            "instances_found": len(rows),
            "total_instances": len(rows) + self.total_is_off,
            "label_counts": {},
        }
        if begin + size < len(rows):
            body["next_token"] = str(begin + size)
        return Reply(200, body)

    def _one(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        machine = self.find(item)
        if method == "GET":
            if machine is None and self.dialect.gone_status != 200:
                return refused(self.dialect.gone_status, "no_such_instance")
            return Reply(200, {"instances": self._shown(machine) if machine else None})
        if machine is None:
            return refused(404, "no_such_instance")
        if method == "DELETE":
            self.end(machine)
        elif set(body) == {"label"}:
            machine.facts["label"] = body["label"]
        else:
            return refused(400, "invalid_args")
        return Reply(200, {"success": True})

    def _status(self, machine: Machine) -> str | None:
        if machine.facts.get("halted"):
            return "exited" if machine.facts.get("ran") else None
        if machine.host == "failed":
            return "created"
        return "running" if machine.is_built(self.now()) else "loading"

    def _shown(self, machine: Machine) -> dict[str, Any]:
        facts, built = machine.facts, machine.is_built(self.now())
        wanted = "stopped" if facts.get("halted") else "running"
        bid = facts.get("price")
        gpu = facts["dph_base"] if bid is None else bid
        # A real host has an address of its own.
        port = "22" if machine.ip else "41022"
        numbers = self.dialect.ports_are_numbers
        mapped: Any = [8080, 22] if numbers else {"22/tcp": [{"HostIp": "", "HostPort": port}]}
        offered, address = {key: facts[key] for key in OFFERED}, f"{machine.ip or '192.0.2.9'}\n"
        return {
            **offered,
            "id": int(machine.id),
            "label": facts.get("label"),
            "actual_status": facts.get("told", self._status(machine)),
            "intended_status": wanted,
            "cur_state": wanted,
            "next_state": wanted,
            "status_msg": BROKEN if machine.host == "failed" else facts.get("status_msg"),
            "is_bid": facts["is_bid"],
            "dph_total": gpu + _disk_price(machine),
            "start_date": machine.created,
            "end_date": machine.created + (facts["duration"] or 0),
            "public_ipaddr": address if built and self.dialect.has_address else None,
            "ssh_host": "ssh5.example.com",
            "ssh_port": 10022,
            "ports": mapped if built else None,
            "extra_env": [],
            "image_uuid": facts.get("image"),
            "jupyter_token": SECRET,
        }

    def _key(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        called = self.dialect.keys_are_called
        if method == "GET":
            rows = [{**row, called: row["text"]} for row in self.keys.values()]
            return Reply(200, rows)
        if method == "POST":
            if set(body) != {"ssh_key"}:
                return refused(400, "invalid_args")
            number = next(self.numbers)
            self.keys[str(number)] = {"id": number, "text": body["ssh_key"], "deleted_at": None}
            row = {"id": number, "user_id": 1, "public_key": body["ssh_key"], "deleted_at": None}
            return Reply(200, {"success": True, "key": row})
        if method != "DELETE" or not self.keys.pop(item, None):
            return refused(404, "not_found")
        return Reply(200, {"success": True})

    def refusal(self, kind: str) -> Reply:
        if kind == "end":
            return refused(200, "try_again")
        return refused(400, "invalid_args")


def _disk_price(machine: Machine) -> float:
    price: float = machine.facts["storage_cost"]
    return float(machine.facts.get("disk") or 0) * price / 720


def _told(machine: Machine) -> dict[str, Any]:
    return {"new_contract": int(machine.id), "instance_api_key": SECRET}


class OtherVastDoor(VastDoor):
    """The same where sources contradict each other."""

    dialect = Dialect(
        ports_are_numbers=True,
        gone_status=404,
        refused_status=400,
        keys_are_called="key",
        page=1,
        has_address=False,
    )
