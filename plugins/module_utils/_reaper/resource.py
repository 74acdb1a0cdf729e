# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending what is over: looked at again right before, one failure does not keep the rest (private)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from .._billing import running_costs
from .._billing.budget import Budget, check_budget
from .._billing.pots import pots_of
from .._billing.spending_history import History, read_history
from .._core.apply import collected
from .._core.clock import refuse_strange_clock
from .._core.errors import GpuopsError, InvalidError, NotFoundError
from .._core.numbers import UnreadableError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._core.times import read_duration
from .._ledger import store
from .._ledger.reconcile import Shown, gone_or_there
from .._lifecycle.instance_states import known_instance
from .._lifecycle.power import Timing, shut_down
from .._lifecycle.proof import is_proven_gone
from .._lifecycle.termination import terminate_one
from .._models.ownership import check_name
from .._models.resources import Instance, SshKey, Volume
from .._models.status import OFF
from .._providers.base.client import Client
from .._providers.base.currency import DEFAULT, remembered
from .._ssh.idle_report import NEVER, read_idle_after, read_reports
from .._volumes.operations import VolumeWork
from .budget_limit import judge_budget
from .decision import BUDGET, Account, Rules, Verdict, verb_of
from .options import ReapOptions
from .orphans import judge_volume
from .record import SOURCE, keep_books, note_round
from .report import ReapReport, report
from .rules import judge, judge_machine
from .state import FoundReap


class ReapResult(ReapReport):
    """What the module tells; all amounts are in the currency."""

    currency: str


class ReapResource(Resource[Client, ReapOptions, FoundReap, ReapResult]):
    """Everything of a scope that has outlived its lease, or its instance."""

    # -- find ----------------------------------------------------------------------------------

    def find(self, client: Client, want: ReapOptions) -> FoundReap:
        rules, budget = rules_of(want, client.now()), check_budget(want["budget"])
        machines, volumes, keys, scripts, history = client.together(
            client.instances,
            client.volumes,
            client.ssh_keys,
            client.startup_scripts,
            lambda: read_history(want["ledger"], budget, client.now()),
        )
        if want["mode"] != "report":
            trusted, what = want["trust_cloud_clock"], "nothing is terminated or stopped by it"
            refuse_strange_clock(client.clock_skew(), what, trusted=trusted)
        uses, notes = read_reports(want["idle_reports"] or [], client.now())
        account = Account(machines, volumes, keys, scripts, uses, (client.name,))
        rules = replace(rules, now=client.now())
        found = FoundReap(account, rules, judge(account, rules), want, notes=notes)
        found.warnings += history.warnings
        if budget:
            hold(found, budget, history)
        return found

    # -- plan ----------------------------------------------------------------------------------

    def plan(self, found: FoundReap, want: ReapOptions) -> Plan:
        steps = tuple(step for verdict in found.judgement.over for step in _steps(found, verdict))
        before = _names(found.judgement.over)
        left = [v for v in found.judgement.over if v.row.id not in found.outcomes]
        gone = left if want["mode"] == "delete" else []
        after = _names([v for v in found.judgement.over if v not in gone])
        if want["mode"] == "stop":
            after = {**before, "stopped": [v.name for v in left if v.kind == "instance"]}
        return Plan(before, after if steps else before, steps, parallel=True)

    # -- result --------------------------------------------------------------------------------

    def result(self, client: Client, found: FoundReap, plan: Plan, *, applied: bool) -> ReapResult:
        told = told_of(client, found)
        told["warnings"] += found.warnings
        return told

    def record(
        self, client: Client, found: FoundReap, want: ReapOptions, *, applied: bool
    ) -> list[str]:
        return [*keep_books(client, found), *note_round(client, found)]

    def on_partial_failure(
        self,
        client: Client,
        found: FoundReap,
        want: ReapOptions,
        done: list[str],
        errors: list[GpuopsError],
    ) -> list[str]:
        """Raise one error that names everything that failed, with the whole result."""
        told = told_of(client, found)
        failed = [row for row in told["reaped"] if row["outcome"] == "failed"]
        named = "; ".join(f"{row['kind']} {row['name']}: {row['detail']}" for row in failed)
        number = f"{len(failed)} of {len(found.outcomes)}"
        first = errors[0]
        first.message = f"{number} could not be terminated or deleted: {named}"
        first.hint = (
            "The rest is gone. Run the same command again; what is left continues to cost money."
        )
        first.details = {key: value for key, value in told.items() if key != "warnings"}
        raise collected(done, errors)


def hold(found: FoundReap, budget: Budget, history: History) -> None:
    """Add what the budget does not allow; leases end though nobody can tell what burns."""
    account, now = found.account, found.rules.now
    try:
        living = running_costs.living(account.instances, account.volumes, now)
        shown = Shown(account.instances, account.volumes, providers=account.providers)
        past = gone_or_there(history.known, shown, now)
    except UnreadableError as error:
        found.warnings.append(f"The budget was not held in this round: {error}")
        return
    found.pots = pots_of(budget, living, past, now)
    for pot in found.pots:
        judge_budget(found.judgement, account, pot, found.saved)


def told_of(client: Client, found: FoundReap) -> ReapResult:
    """Return the result, with the currency of its amounts, which volumes tell and instances do not."""
    named = {row.price.currency for row in (*found.account.instances, *found.account.volumes)}
    told = [one for one in named if one]
    currency = told[0] if len(told) == 1 else remembered(client.account) or DEFAULT
    return {**report(found, client.clock_skew()), "currency": currency}


def rules_of(want: ReapOptions, now: datetime) -> Rules:
    """Return when something is over by module options. Raises InvalidError."""
    scope = _scope(want)
    grace = read_duration(want["grace"], "grace")
    orphan_age = read_duration(want["orphan_age"], "orphan_age")
    idle = read_idle_after(want["idle_after"] or NEVER)
    return Rules(now, grace, orphan_age, idle, scope, want["owner"])


def _scope(want: ReapOptions) -> frozenset[str] | None:
    """Return the deployments that are meant, None for all. Raises InvalidError without a scope."""
    if want["everything"] and (want["deployments"] or want["owner"]):
        raise InvalidError("everything is mutually exclusive with deployments and owner")
    if not want["everything"] and not want["deployments"] and not want["owner"]:
        raise InvalidError(
            "One of the following is required: deployments, owner, everything",
            hint="everything: true means all instances with tags of this collection.",
        )
    for name in want["deployments"] or []:
        check_name(name, "deployments")
    return frozenset(want["deployments"]) if want["deployments"] else None


def _names(verdicts: list[Verdict]) -> dict[str, list[str]]:
    return {
        f"{kind}s": sorted(verdict.name for verdict in verdicts if verdict.kind == kind)
        for kind in ("instance", "volume", "ssh_key", "startup_script")
    }


# -- steps -----------------------------------------------------------------------------------------


def _steps(found: FoundReap, verdict: Verdict) -> list[Step]:
    """Return the step that ends one thing, none when it is not to be; notes what is known of it."""
    key, mode = verdict.row.id, found.want["mode"]
    if verdict.protected:
        found.outcomes[key] = ("protected", verdict.detail)
        return []
    if isinstance(verdict.row, Volume) and found.policy(verdict.row) == "keep":
        found.outcomes[key] = (None, "volumes are kept, as was asked for")
        return []
    if mode == "report":
        found.outcomes[key] = ("would_end", verdict.detail)
        return []
    if mode == "stop":
        return _stop_steps(found, verdict)
    doing = {"instance": _end, "volume": _end_volume}.get(verdict.kind, _end_record)
    text = f"{verb_of(verdict.kind)} {_kind(verdict)} {verdict.name} ({key}): {verdict.detail}"
    return [Step(text, _noted(found, verdict, "ended", doing))]


def _stop_steps(found: FoundReap, verdict: Verdict) -> list[Step]:
    key = verdict.row.id
    if not isinstance(verdict.row, Instance) or verdict.reason in (
        "dead",
        BUDGET,
    ):  # off, it costs as much
        found.outcomes[key] = ("would_end", verdict.detail)
        return []
    if verdict.row.state == OFF:
        found.outcomes[key] = ("stopped", f"{verdict.detail}; it is off, and costs as much")
        return []
    text = f"stop {verdict.name} ({key}), which costs as much: {verdict.detail}"
    return [Step(text, _noted(found, verdict, "stopped", _stop))]


def _kind(verdict: Verdict) -> str:
    words = {"ssh_key": "SSH key", "startup_script": "startup script"}
    return words.get(verdict.kind, verdict.kind)


def _noted(
    found: FoundReap,
    verdict: Verdict,
    outcome: str,
    do: Callable[[FoundReap, Verdict, Client], str | None],
) -> Callable[[Client], str | None]:
    """Return a call that notes what became of one thing; ``do`` says why it was left after all."""

    def call(client: Client) -> str | None:
        key = verdict.row.id
        try:
            left = do(found, verdict, client)
        except GpuopsError as error:
            found.outcomes[key] = ("failed", error.message)
            error.message = f"{_kind(verdict)} {verdict.name} ({key}): {error.message}"
            raise
        found.outcomes[key] = (None, left) if left else (outcome, verdict.detail)
        return f"leave {_kind(verdict)} {verdict.name} ({key}): {left}" if left else None

    return call


def _look_again(found: FoundReap, verdict: Verdict, client: Client) -> tuple[Instance | None, str]:
    """Return the instance as it is now, or None and why it is not to be touched any more."""
    if not isinstance(verdict.row, Instance):
        raise AssertionError("only an instance is looked at again")
    try:
        row = known_instance(client, verdict.row.id)
    except NotFoundError:
        return verdict.row, ""  # gone; its volumes may not be
    marks = row.ownership
    if marks is None or marks.deployment != verdict.deployment:
        return None, "its tags have changed meanwhile"
    if marks.protected or row.is_bound:
        return None, "it was protected meanwhile"
    if not row.exists or verdict.reason == BUDGET:
        return row, ""
    use = found.account.uses.get(row.id)
    now = judge_machine(row, marks, found.rules, use)
    return (row, "") if now and now.reason else (None, "its lease was extended")


def _end(found: FoundReap, verdict: Verdict, client: Client) -> str | None:
    row, left = _look_again(found, verdict, client)
    if row is None:
        return left

    def wanted() -> bool:
        nonlocal left
        now, left = _look_again(found, verdict, client)
        return now is None

    how = replace(found.how_to_end(verdict), wanted=wanted)
    return None if terminate_one(client, row, how, found.ends) else left


def _stop(found: FoundReap, verdict: Verdict, client: Client) -> str | None:
    row, left = _look_again(found, verdict, client)
    if row is not None and row.exists:
        shut_down(client, row, Timing.of(found.want))
    return left or None


def _end_volume(found: FoundReap, verdict: Verdict, client: Client) -> str | None:
    row = verdict.row
    if not isinstance(row, Volume):
        raise AssertionError("only a volume is removed so")
    try:
        now = client.volume(row.id)
    except NotFoundError:
        now = Volume(row.id)  # no proof; the delete brings one
    pause = found.want["wait_interval"]
    gone = [one for one in now.holders if is_proven_gone(client, one, pause)]
    if now.is_attached and (not gone or gone != list(now.holders)):
        return "it is attached to an instance now"
    if verdict.deployment in found.inhabited(client):
        return "its deployment has an instance again"
    again = judge_volume(now, found.rules)
    free = now.status in ("detached", "attached")
    if free and (again is None or again.reason != "orphan"):
        return "its lease was extended"
    work = VolumeWork(Timing.of(found.want), row.id, verdict.name, row.is_shared)
    for machine_id in gone:
        work.let_go(client, machine_id)
    work.remove(client, for_good=found.policy(row) == "delete", wait=True)
    event = store.event_of("end", row, client.now(), source=SOURCE)
    found.events.append(event)
    return None


def _end_record(found: FoundReap, verdict: Verdict, client: Client) -> str | None:
    """Remove a key or a script."""
    if verdict.deployment in found.inhabited(client):
        return "its deployment has an instance again"
    is_key = isinstance(verdict.row, SshKey)
    remove = client.delete_ssh_key if is_key else client.delete_startup_script
    with contextlib.suppress(NotFoundError):  # gone is what was wanted
        remove(verdict.row.id)
    return None
