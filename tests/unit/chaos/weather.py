# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on the way: faults of every call, and a cloud that changes meanwhile."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.chaos.books import Books
from gpuops_simulator import Simulator
from gpuops_simulator.wire import Response

HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad gateway</h1></body></html>"
OOPS = {"code": "server_error", "message": "oops"}
TOKEN, INSTANCES, ORDER = "/v1/oauth2/token", "/v1/instances", ("POST", "/v1/instances")
Fault = dict[str, Any]


def refusal(status: int, body: Any, **headers: str) -> Fault:
    """Return the fault that answers with a status and does nothing."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"do": "status", "status": status, "body": body, "headers": names}


def coded(status: int, code: str, message: str) -> Fault:
    """Return a refusal in the API's own form."""
    return refusal(status, {"code": code, "message": message})


ANYWHERE: tuple[Fault, ...] = (
    {"do": "refused"},
    {"do": "reset"},
    {"do": "hang"},
    {"do": "late"},
    refusal(500, OOPS),
    refusal(502, HTML),
    refusal(504, ""),
    refusal(429, "Rate limit.", Retry_After="1"),
    refusal(429, "Rate limit.", Retry_After="45"),
)
READS: tuple[Fault, ...] = (refusal(503, HTML), refusal(200, HTML))
# The order or the terminate of an instance was taken, although the answer does not say so.
TAKEN: tuple[Fault, ...] = (
    {"do": "commit_then_500"},
    {"do": "commit_then_500", "status": 502, "body": HTML},
    {"do": "commit_then_500", "status": 504, "body": ""},
    {"do": "commit_then_500", "status": 520, "body": HTML},
    {"do": "commit_then_500", "status": 200, "body": HTML},
    {"do": "commit_then_500", "status": 202, "body": ""},
    {"do": "commit_then_reset"},
    {"do": "commit_then_hang"},
)
# And here it was, but nothing comes of it.
FATES: tuple[Fault, ...] = (
    {"do": "no_capacity_later"},
    {"do": "error_later"},
    {"do": "installation_failed_later"},
    {"do": "stuck_provisioning"},
)
NO_TAGS = coded(400, "invalid_request", "property tags should not exist")
REFUSED: tuple[Fault, ...] = (
    coded(503, "service_unavailable", "No capacity available"),
    coded(402, "insufficient_funds", "Insufficient funds"),
    coded(400, "invalid_request", "GPU limit exceeded"),
    NO_TAGS,
)
NOT_NOW: tuple[Fault, ...] = (
    coded(403, "forbidden_action", "Can't discontinue a provisioning instance"),
    {"do": "207"},
)


# Faults come evenly, or mostly at some kinds of calls, because one that fails early hides the rest.
KINDS = ("token", "market", "list", "order", "poll", "end", "volumes", "keys")
TARGETS = (
    (),
    KINDS,
    ("order",),
    ("order",),
    ("order", "list"),
    ("order", "poll"),
    ("list",),
    ("end",),
    ("end", "volumes", "poll"),
    ("token",),
    ("market",),
    ("poll",),
)
AIMED = 0.35
# Who waits 30 s for an answer and then looks for 15 s cannot know of an order that is taken later.
LONGEST_LOOK_S = 45


class Weather:
    """Strikes requests at random; what happens at the n-th request hangs on seed and n alone.

    Where tags alone say whose an instance is, ``needs_tags``, no order is refused for them. It is
    mostly ``gentle`` where runs are to end well, so that they meet each other.
    """

    def __init__(
        self,
        sim: Simulator,
        books: Books,
        seed: int,
        calm: frozenset[int],
        trace: list[str],
        *,
        needs_tags: bool = False,
        gentle: bool = False,
    ) -> None:
        dice = Random(f"weather {seed}")
        self.trace = trace
        self.mishaps: list[int] = []
        self.settled = False
        self.losses = 0
        self.late = False
        self._sim, self._books, self._seed, self._calm = sim, books, seed, calm
        self._needs_tags = needs_tags
        self._usual = dice.choice([0.0, 0.01, 0.04])
        self._targets = dice.choice(TARGETS) if not gentle or dice.random() < 0.3 else ()
        self._turmoil = dice.choice([0.0, 0.0, 0.02, 0.06])
        self._requests = 0

    def before(self, method: str, path: str, body: bytes) -> str | None:
        """Let something happen at this request, or not."""
        self._requests += 1
        if self.settled:
            return None
        dice = Random(f"{self._seed} {self._requests}")
        rate = AIMED if _kind(method, path) in self._targets else self._usual
        changes, strikes = dice.random() < self._turmoil, dice.random() < rate
        if not (changes or strikes):
            return None
        self.mishaps.append(self._requests)
        if self._requests in self._calm:
            return None
        if changes:
            self._change(dice)
        return self._strike(dice, method, path, body) if strikes else None

    def done(self, sender: object, method: str, path: str) -> None:
        """Take down what an order has made."""
        if (method, path) == ORDER:
            self._books.note(sender)

    def after(self, method: str, path: str, response: Response | None) -> None:
        """Take down what was answered."""
        status = response.status if response else "no answer"
        self.trace.append(f"    #{self._requests} {method} {path.removeprefix('/v1')} {status}")

    def _tell(self, text: str) -> None:
        self.trace.append(f"    #{self._requests} {text}")

    def _strike(self, dice: Random, method: str, path: str, body: bytes) -> str | None:
        kinds = _kinds(dice, method, path)
        if self._needs_tags:
            kinds = tuple(kind for kind in kinds if kind is not NO_TAGS)
        fault = dict(dice.choice(kinds))
        if fault["do"] == "207":
            fault = _partly(json.loads(body))
        fault.setdefault("times", dice.choice([1, 1, 1, 1, 2, 4]))
        self._tell(f"{fault['do']} {fault.get('status', '')} x{fault['times']}")
        if fault["do"] == "refused":
            return "refused"
        late = fault["do"] == "late"
        if late:
            self.late = True
            fault.update(do="latency", seconds=dice.choice([0.5, 5, 29, 31, 38, 80]), times=1)
            if fault["seconds"] > LONGEST_LOOK_S and (method, path) == ORDER:
                self._books.excuse(json.loads(body))
        self._sim.add_faults([{**fault, "match": {"method": method, "path": path}}])
        return "late" if late else None

    def _change(self, dice: Random) -> None:
        """Change the cloud: stock, tokens, or an instance of ours that is lost."""
        change = dice.choice([self._move_stock, self._revoke, self._evict, self._break])
        self._tell(change(dice))

    def _move_stock(self, dice: Random) -> str:
        stock = self._sim.cloud.account.stock
        shelf = stock[dice.choice(sorted(stock))][dice.choice(["on_demand", "spot"])]
        for name in sorted(shelf):
            shelf[name] = dice.choice([0, 0, 1, 3])
        return "stock moves"

    def _revoke(self, _dice: Random) -> str:
        self._sim.revoke_tokens()
        return "tokens expire"

    def _evict(self, dice: Random) -> str:
        spots = [row["id"] for row in self._books.living() if row["is_spot"]]
        if not spots:
            return "nobody to evict"
        victim = dice.choice(spots)
        self._sim.evict(victim)
        self.losses += 1
        return f"evicted {victim[:8]}"

    def _break(self, dice: Random) -> str:
        rows = [row["id"] for row in self._books.living() if row["status"] == "running"]
        if not rows:
            return "nobody to break"
        victim = dice.choice(rows)
        self._sim.set_status(victim, "error")
        self.losses += 1
        return f"broke {victim[:8]}"


def _kind(method: str, path: str) -> str:
    """Return which kind of call this is."""
    if (method, path) == ORDER:
        return "order"
    first, _slash, rest = path.removeprefix("/v1/").partition("/")
    if first == "instances":
        return "end" if method == "PUT" else "poll" if rest else "list"
    return {"oauth2": "token", "volumes": "volumes", "ssh-keys": "keys"}.get(first, "market")


def _kinds(dice: Random, method: str, path: str) -> tuple[Fault, ...]:
    """Return what can happen to this request; orders and ends get what only they can have."""
    if (method, path) == ORDER:
        return dice.choice([ANYWHERE, TAKEN, TAKEN, FATES, REFUSED])
    if method == "PUT":
        return dice.choice([ANYWHERE, TAKEN, NOT_NOW])
    return ANYWHERE + READS if method == "GET" else ANYWHERE


def _partly(body: dict[str, Any]) -> Fault:
    """Return the answer that an action did not work on its instance, in the form for several."""
    ids = body["id"] if isinstance(body["id"], list) else [body["id"]]
    row = {"action": body["action"], "status": "error", "error": "busy", "statusCode": 500}
    return refusal(207, [{"instanceId": name, **row} for name in ids])
