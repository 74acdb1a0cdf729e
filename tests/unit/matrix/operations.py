# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done in every dialect, in this order, and the effect that each operation must have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.matrix.books import Facts

Row = dict[str, Any]
Effect = Callable[[Facts, Facts, Row], bool]
DEPLOYMENT, VOLUME, PLACE = "llm", "data", "FIN-03"
SIZE, BIGGER = 50, 60
CHOICE = {"tier": "gb300_or_less", "locations": [PLACE], "owner": "me", "state": "running"}
# The end takes everything along, so that nothing of the deployment may be left.
GONE = {"state": "absent", "owner": "me", "os_volume": "delete", "data_volumes": "delete"}


@dataclass(frozen=True)
class Operation:
    """One call of a module, and what must be true after it, by what was there before and after.

    ``needs`` is what must have worked, so that there is something that it can be done to.
    """

    name: str
    module: str
    args: Row
    effect: Effect
    needs: tuple[str, ...] = ()

    def options(self) -> Row:
        """Return the options of the module."""
        given = {"deployment": DEPLOYMENT, **self.args}
        return {key: value for key, value in given.items() if value is not None}


def _instance(name: str, effect: Effect, *needs: str, **args: Any) -> Operation:
    return Operation(name, "datacrunch_instance", args, effect, needs)


def _lease(name: str, effect: Effect, **args: Any) -> Operation:
    return Operation(name, "datacrunch_lease", args, effect, ("buy",))


def _volume(name: str, effect: Effect, *needs: str, **args: Any) -> Operation:
    options = {"name": VOLUME, **args}
    return Operation(name, "datacrunch_volume", options, effect, ("buy", *needs))


def _is_bought(before: Facts, after: Facts, result: Row) -> bool:
    return (len(after.living), after.ordered, after.status) == (1, 1, "running")


def _is_same(before: Facts, after: Facts, result: Row) -> bool:
    return after == before and result["changed"] is False


def _is_longer(before: Facts, after: Facts, result: Row) -> bool:
    return after.lease > before.lease and result["instances"][0]["lease"] == after.lease


def _shows_no_protection(before: Facts, after: Facts, result: Row) -> bool:
    # Where tags are not shown, one that cannot be seen cannot be taken away either.
    return result["instances"][0]["protected"] is False


def _reaps_nothing(before: Facts, after: Facts, result: Row) -> bool:
    return after == before and result["reaped"] == []


def _is_over(before: Facts, after: Facts, result: Row) -> bool:
    return (after.living, after.costing) == ((), ())


def _is_proof(before: Facts, after: Facts, result: Row) -> bool:
    return after.costing == () and result["leftovers"] == []


BUY = _instance("buy", _is_bought, **CHOICE, lease="12h", data_volume_gb=SIZE)
AGAIN = _instance("second run", _is_same, **CHOICE, data_volume_gb=SIZE)
MAKE = _volume(
    "make a volume",
    lambda _before, after, _result: after.size == SIZE,
    size_gb=SIZE,
    location=PLACE,
)
REMOVE = _volume(
    "remove the volume",
    lambda _before, after, _result: after.size is None,
    MAKE.name,
    state="absent",
    policy="delete",
)
END = _instance("end", _is_over, **GONE)
PROOF = Operation("teardown proof", "datacrunch_deployment_info", {}, _is_proof)

OPERATIONS: tuple[Operation, ...] = (
    BUY,
    AGAIN,
    MAKE,
    _lease("extend", _is_longer, extend="1h"),
    _lease("extend again", _is_longer, extend="1h"),
    _lease("protect", lambda _before, after, _result: after.protected, protect=True),
    _lease("unprotect", _shows_no_protection, protect=False),
    _instance(
        "stop",
        lambda _before, after, _result: after.status == "offline",
        "buy",
        state="stopped",
        owner="me",
    ),
    _instance(
        "start",
        lambda _before, after, _result: after.status == "running",
        "buy",
        state="running",
        owner="me",
    ),
    _volume(
        "grow",
        lambda _before, after, _result: after.size == BIGGER,
        MAKE.name,
        size_gb=BIGGER,
    ),
    _volume(
        "attach",
        lambda _before, after, _result: after.attached and after.status == "running",
        MAKE.name,
        instance=DEPLOYMENT,
        power_cycle=True,
    ),
    _volume(
        "detach",
        lambda _before, after, _result: not after.attached and after.status == "running",
        MAKE.name,
        attached=False,
        power_cycle=True,
    ),
    REMOVE,
    Operation(
        "reap",
        "datacrunch_reap",
        {"deployment": None, "deployments": [DEPLOYMENT], "mode": "delete", "grace": "1m"},
        _reaps_nothing,
        ("buy",),
    ),
    END,
    PROOF,
)
