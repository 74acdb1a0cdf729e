# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module job_state."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._core.errors import GpuopsError
from ..module_utils._jobs.answers import attempts_from
from ..module_utils._jobs.record import (
    Record,
    ResultRow,
    all_known,
    begin,
    cloud_of,
    cut_lease,
    forget_result,
    host_of,
    judge,
    known,
    lease_minutes,
    listed,
    output_at_home,
    read_result,
    write_record,
)
from ..module_utils._jobs.state import Cloud

SPEC: dict[str, Any] = {
    "job": {"type": "dict"},
    "name": {"type": "str"},
    "home": {"type": "path", "required": True},
    "folder_hash": {"type": "str", "default": ""},
    "instances": {"type": "list", "elements": "dict", "default": []},
    "attempts": {"type": "list", "elements": "dict"},
    "reachable": {"type": "bool", "default": True},
    "bought": {"type": "str"},
    "own": {"type": "bool", "default": False},
    "again": {"type": "bool", "default": False},
    "spent": {"type": "float", "default": 0.0},
    "price_per_hour": {"type": "float", "default": 0.0},
}


class ActionModule(ActionBase):
    """Tells where a job stands, and remembers it."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the state of a job, and what has to be done next."""
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(
            argument_spec=SPEC,
            mutually_exclusive=[("job", "name")],
        )
        try:
            return {**result, "changed": False, **self._judged(args)}
        except GpuopsError as error:
            fault = {"msg": str(error), "error": error.as_result()}
            return {**result, "failed": True, **fault}

    def _judged(self, args: dict[str, Any]) -> dict[str, Any]:
        home, observed = Path(args["home"]), args["attempts"]
        if not (args["job"] or args["name"]):
            return {"jobs": listed(all_known(home), args["instances"], time.time())}
        record, result = self._known(home, args)
        if observed is not None:
            record = replace(record, attempts=attempts_from(observed))
        if args["bought"] and args["bought"] != record.instance:
            record = replace(record, bought=record.bought + 1, instance=args["bought"], own=False)
        if args["bought"] and args["own"]:
            record = replace(record, own=True)
        if not self._task.check_mode and (observed is not None or args["bought"]):
            if args["again"]:
                forget_result(record.job["results"])
            write_record(home, record)
        cloud, now = cloud_of(args["instances"], record.job.get("nodes", 1)), time.time()
        state = judge(record, result, cloud, now, reachable=args["reachable"])
        cost = record.job["cost"]
        money = None if cost is None else cost - args["spent"]
        lease = lease_minutes(record.seconds_left(None if cloud is Cloud.NONE else now))
        return {
            "state": state.name,
            "next": state.step.value,
            "reason": state.reason,
            "attempt": state.attempt,
            "record": {**asdict(record), "same": record.same},
            "result": result,
            "host": host_of(args["instances"]),
            "output": {} if args["again"] else output_at_home(record.job["results"]),
            "lease_minutes": cut_lease(lease, args["price_per_hour"], money),
            "money_left": money,
            "begun": any(row["started"] is not None for row in record.attempts),
        }

    @staticmethod
    def _known(home: Path, args: dict[str, Any]) -> tuple[Record, ResultRow | None]:
        if args["job"]:
            return begin(home, args["job"], args["folder_hash"], again=args["again"])
        record = known(home, args["name"])
        return record, read_result(record.job["results"])
