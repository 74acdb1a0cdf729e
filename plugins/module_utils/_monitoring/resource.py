# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text file of metrics: asked for, drawn up, and written at once (private)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypedDict, cast

from .._billing import running_costs
from .._billing.budget import GivenBudget, check_budget
from .._billing.pots import pots_of, rows_of_pots
from .._billing.spending_history import History, read_history
from .._core.errors import GpuopsError, InvalidError
from .._core.plan import Plan, Step
from .._core.resource import P_contra, Resource
from .._ledger.history import Thing
from .._ledger.reconcile import Shown, gone_or_there
from .._providers.base.client import Client
from .._providers.base.request_log import take_log
from .families import (
    Account,
    Budget,
    Reap,
    api_families,
    budget_families,
    machine_families,
    money_families,
    reaper_families,
)
from .textfile import Family, previous, render, replace

SUFFIX = ".prom"


class Want(TypedDict):
    """The options of the module."""

    budget: GivenBudget | None
    ledger: str | None
    dest: str | None
    mode: str
    reap: Reap | None


@dataclass
class Found:
    """What there is to tell, where it is written, and the text once it was."""

    path: Path | None
    mode: int
    warnings: list[str] = field(default_factory=list)
    error: GpuopsError | None = None
    families: list[Family] = field(default_factory=list)
    text: str = ""


class Result(TypedDict):
    """What the module tells."""

    dest: str | None
    text: str
    warnings: list[str]


class TextFile(Resource[P_contra, Want, Found, Result]):
    """What all resources that write such a file have in common: a step, and the text of it."""

    def plan(self, found: Found, _want: Want) -> Plan:
        """Return the one step: to write the file, where one is named."""
        path = found.path
        if path is None:
            return Plan()

        def write(_place: P_contra) -> None:
            found.text = replace(path, found.mode, lambda old: render(found.families, old))

        return Plan(None, {"dest": str(path)}, (Step(f"write the metrics to {path}", write),))

    def result(self, _place: P_contra, found: Found, _plan: Plan, *, applied: bool) -> Result:
        """Return the text; raises the error of the API, now that the file tells of it."""
        path = found.path
        dest = str(path) if path else None
        text = found.text if applied else render(found.families, previous(path) if path else {})
        if found.error:
            found.error.details.update(changed=applied, dest=dest, text=text)
            raise found.error
        return {"dest": dest, "text": text, "warnings": found.warnings}


class Metrics(TextFile[Client]):
    """The resource of the module: the account as it stands, and the file that tells of it."""

    def find(self, client: Client, want: Want) -> Found:
        """Ask for the account; an API that does not answer is a figure, too."""
        found = Found(path_of(want["dest"]), mode_of(want["mode"]))
        budget = check_budget(want["budget"])
        try:
            account, history = _ask(
                client, lambda: read_history(want["ledger"], budget, client.now())
            )
            found.warnings = history.warnings
            now = client.now()
            found.families = [*money_families(now, account), *machine_families(now, account)]
            things, known = _spent(client.name, account, history, now)
            rows = rows_of_pots(pots_of(budget, things, known, now))
            found.families += budget_families(cast(list[Budget], rows))
        except GpuopsError as error:
            found.error = error
        found.families += _always(client, want["reap"], up=not found.error)
        return found


def _ask(client: Client, read: Callable[[], History]) -> tuple[Account, History]:
    """Return the account, and what the budget needs of the ledger."""
    balance, instances, volumes, ended, history = client.together(
        client.balance,
        client.instances,
        client.volumes,
        client.ended_instances,
        read,
    )
    return Account(balance, instances, volumes, ended), history


def _spent(
    provider: str, account: Account, history: History, now: datetime
) -> tuple[list[running_costs.Live], list[Thing]]:
    """Return what costs now, and all that has cost something."""
    instances, volumes = account.instances, account.volumes
    known = gone_or_there(history.known, Shown(instances, volumes, providers=(provider,)), now)
    things = running_costs.living(instances, volumes, now, account.balance.currency)
    return things, known


def mode_of(text: str) -> int:
    """Return the permissions of a file. Raises InvalidError."""
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0o400 <= mode <= 0o777:
        raise InvalidError(f"mode must be octal, such as 0644 (got {text!r})")
    return mode


def path_of(dest: str | None) -> Path | None:
    """Return where to write, None for nowhere. Raises InvalidError."""
    if not dest:
        return None
    path = Path(dest).expanduser()
    if path.suffix != SUFFIX:
        raise InvalidError(f"dest {path} must end in {SUFFIX}: node_exporter reads no other file")
    if not path.parent.is_dir():
        raise InvalidError(f"dest {path}: there is no folder {path.parent}")
    return path


def _always(client: Client, reap: Reap | None, *, up: bool) -> list[Family]:
    """Return what can be told also when the API does not answer."""
    logged = take_log()
    calls = client.calls if logged is None else logged
    written = Family("gpuops_metrics_timestamp_seconds", "When these figures were written.")
    written.add(client.now().timestamp())
    return [written, *api_families(calls, up=up), *reaper_families(client.now(), reap)]
