# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text file of metrics: asked for, drawn up, and written at once (private)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from .._billing import running_costs
from .._billing.budget import check_budget
from .._billing.pots import pots_of, rows_of_pots
from .._billing.spending_history import History, read_history
from .._core.errors import GpuopsError, InvalidError
from .._core.plan import Plan, Step
from .._ledger.reconcile import Shown, gone_or_there
from .._providers.base.client import Client
from .._providers.base.request_log import take_log
from .families import (
    api_families,
    budget_families,
    machine_families,
    money_families,
    reaper_families,
)
from .textfile import Before, Family, previous, render, replace

SUFFIX = ".prom"


class Metrics:
    """The resource of the module: the account as it stands, and the file that tells of it."""

    def find(self, client: Client, want: dict[str, Any]) -> dict[str, Any]:
        """Ask for the account; an API that does not answer is a figure, too."""
        found: dict[str, Any] = {"path": _path(want), "mode": _mode(want["mode"]), "warnings": []}
        found.update(error=None, families=[])
        budget = check_budget(want["budget"])
        try:
            account, history = _ask(client, want["ledger"], budget)
            found["warnings"] = history.warnings
            now = client.now()
            found["families"] = [*money_families(now, account), *machine_families(now, account)]
            found["families"] += budget_families(_budgets(budget, account, history, now))
        except GpuopsError as error:
            found["error"] = error
        found["families"] += _always(client, want, up=not found["error"])
        return found

    def plan(self, found: dict[str, Any], _want: dict[str, Any]) -> Plan:
        """Return the one step: to write the file, where one is named."""
        path = found["path"]
        if path is None:
            return Plan()

        def write(_client: Client) -> None:
            found["text"] = replace(path, found["mode"], lambda old: _text(found, old))

        return Plan(None, {"dest": str(path)}, (Step(f"write the metrics to {path}", write),))

    def result(
        self, _client: Client, found: dict[str, Any], _plan: Plan, *, applied: bool
    ) -> dict[str, Any]:
        """Return the text; raises the error of the API, now that the file tells of it."""
        path = found["path"]
        text = found["text"] if applied else _text(found, previous(path) if path else {})
        result = {"dest": str(path) if path else None, "text": text}
        if found["error"]:
            found["error"].details.update(changed=applied, **result)
            raise found["error"]
        return {**result, "warnings": found["warnings"]}


def _ask(
    client: Client, ledger: str | None, budget: dict[str, Any]
) -> tuple[dict[str, Any], History]:
    """Return the account, and what the budget needs of the ledger."""
    balance, instances, volumes, ended, history = client.together(
        client.balance,
        client.instances,
        client.volumes,
        client.ended_instances,
        lambda: read_history(ledger, budget, client.now()),
    )
    account = {"balance": balance, "instances": instances, "volumes": volumes, "ended": ended}
    account["providers"] = (client.name,)
    return account, history


def _budgets(
    budget: dict[str, Any], account: dict[str, Any], history: History, now: datetime
) -> list[dict[str, Any]]:
    instances, volumes = account["instances"], account["volumes"]
    known = gone_or_there(
        history.known, Shown(instances, volumes, providers=account["providers"]), now
    )
    things = running_costs.living(instances, volumes, now, account["balance"].currency)
    return rows_of_pots(pots_of(budget, things, known, now))


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0o400 <= mode <= 0o777:
        raise InvalidError(f"mode must be octal, such as 0644 (got {text!r})")
    return mode


def _path(want: dict[str, Any]) -> Path | None:
    if not want["dest"]:
        return None
    path = Path(want["dest"]).expanduser()
    if path.suffix != SUFFIX:
        raise InvalidError(f"dest {path} must end in {SUFFIX}: node_exporter reads no other file")
    if not path.parent.is_dir():
        raise InvalidError(f"dest {path}: there is no folder {path.parent}")
    return path


def _always(client: Client, want: dict[str, Any], *, up: bool) -> list[Family]:
    """Return what can be told also when the API does not answer."""
    logged = take_log()
    calls = client.calls if logged is None else logged
    written = Family("gpuops_metrics_timestamp_seconds", "When these figures were written.")
    written.add(client.now().timestamp())
    return [written, *api_families(calls, up=up), *reaper_families(client.now(), want["reap"])]


def _text(found: dict[str, Any], before: Before) -> str:
    return render(found["families"], before)
