# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control side under /_sim/: what a test or a user may do to the imitated cloud."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .wire import Request, Response

if TYPE_CHECKING:
    from .simulator import Simulator

Call = Callable[["Simulator", Any, str], Any]
ONE = re.compile(r"/_sim/instances/([^/]+)/(evict|status)")


def answer(simulator: Simulator, request: Request) -> Response:
    """Answer a control call; whatever is wrong with it is a 400 that says so."""
    match = ONE.fullmatch(request.path)
    name = f"{request.method} {match.group(2) if match else request.path.removeprefix('/_sim/')}"
    call = CALLS.get(name)
    if call is None:
        known = ", ".join(sorted(CALLS))
        return Response(404, {"error": f"unknown control call; known: {known}"})
    try:
        body = json.loads(request.raw) if request.raw else None
        result = call(simulator, body, match.group(1) if match else "")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return Response(400, {"error": str(error) or type(error).__name__})
    return Response(200, {"ok": True} if result is None else result)


def _faults(simulator: Simulator, body: Any, _unused: str) -> None:
    if isinstance(body, dict):
        body = body.get("faults", [body])
    simulator.add_faults(body)


def _switch(simulator: Simulator, body: Any, _unused: str) -> None:
    simulator.switch(**body)


CALLS: dict[str, Call] = {
    "GET state": lambda sim, body, _: sim.state(),
    "POST reset": lambda sim, body, _: sim.reset(body),
    "PUT stock": lambda sim, body, _: sim.set_stock(body),
    "PUT balance": lambda sim, body, _: sim.set_balance(body["amount"]),
    "PUT switches": _switch,
    "POST faults": _faults,
    "DELETE faults": lambda sim, body, _: sim.clear_faults(),
    "POST clock": lambda sim, body, _: sim.advance(body["advance_s"]),
    "POST evict": lambda sim, body, instance_id: sim.evict(instance_id),
    "PUT status": lambda sim, body, instance_id: sim.set_status(instance_id, body["status"]),
    "DELETE tokens": lambda sim, body, _: sim.revoke_tokens(),
    "GET log": lambda sim, body, _: sim.log(),
    "DELETE log": lambda sim, body, _: sim.clear_log(),
    "POST stop": lambda sim, body, _: sim.want_stop(),
}
