# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to terminate instances: the delete is sent, and its effect proved (private)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from .._core.errors import (
    ConflictError,
    ForbiddenError,
    GpuopsError,
    InvalidError,
    NotFoundError,
    UnavailableError,
    WaitTimeoutError,
    WrongStateError,
)
from .._core.times import write_time
from .._core.wait import wait_until
from .._models.offer import SPOT
from .._models.ownership import ENDED_TAG, MOST_TAGS
from .._models.rates import BillRow
from .._models.resources import Instance, Tag
from .._models.status import BUILDING, FAILED, OVER
from .._providers.base.client import Client
from .proof import PROVEN, Proof
from .settling import mark_kept, settle_volumes
from .tagging import untag
from .termination_policy import Ending, Outcome, disposal_of

_ACCEPTED, _WANTED = "accepted", "wanted after all"
# What a refusal can be that did nothing. None of them says that an instance is gone.
_REFUSALS = (ConflictError, ForbiddenError, InvalidError, NotFoundError)
# A delete that was accepted shows at once. After so many looks at an instance that lives on, once more.
_PATIENCE = 5


def terminate(
    client: Client, instances: Iterable[Instance], policy: Ending | Callable[[Instance], Ending]
) -> list[Outcome]:
    """Terminate instances, all at the same time, and return what came of each; raises nothing of it.

    An instance counts as gone when it says so itself several times and the list does not show it:
    neither a 404 nor any other refusal of the delete is a proof. The error of one that is not
    proven gone names it with its price per hour.
    """
    outcomes = [
        Outcome(row, policy if isinstance(policy, Ending) else policy(row)) for row in instances
    ]
    client.for_each(lambda outcome: _End(client, outcome).run(), outcomes)
    return outcomes


def terminate_one(client: Client, instance: Instance, policy: Ending, ends: list[Outcome]) -> bool:
    """Terminate one instance and add what came of it to ``ends``; raises its error.

    Returns False for one that was wanted after all, and stays.
    """
    (outcome,) = terminate(client, [instance], policy)
    if outcome.stays:
        return False
    ends.append(outcome)
    if outcome.error:
        raise outcome.error
    return True


def bill_of(outcomes: Iterable[Outcome]) -> list[BillRow]:
    """Return the bill of some ends; a volume that several instances had stands there once."""
    rows = {(row["kind"], row["id"]): row for outcome in outcomes for row in outcome.bill()}
    return sorted(rows.values(), key=lambda row: (row["kind"], row["name"] or ""))


class _End:
    """One instance on its way out."""

    def __init__(self, client: Client, outcome: Outcome) -> None:
        self._client = client
        self._outcome = outcome
        self._id, self._how = outcome.row.id, outcome.how
        self._proof = Proof(client, self._id)
        self._alive = 0
        self._refused = self._unclear = False

    def run(self) -> None:
        """Terminate it; what came of it stands in the outcome."""
        try:
            try:
                self._ask_until_accepted()
                if self._outcome.stays:
                    return
                self._outcome.at = self._client.now()
                self._watch_until_gone()
            except GpuopsError as error:
                self._outcome.at = None
                self._name(error)
                raise
            self._outcome.left = frozenset(settle_volumes(self._client, self._outcome))
            self._outcome.volumes_at = self._client.now()
        except GpuopsError as error:
            error.details.setdefault("instance_id", self._id)
            self._outcome.error = error

    def _name(self, error: GpuopsError) -> None:
        price = self._outcome.row.price.amount
        costs = f"{price} per hour" if price else "money; its price is not known"
        error.hint = (
            f"{error.hint} The instance {self._id} may still cost {costs}: "
            "run the same again, or terminate it in the console."
        ).strip()

    def _wait(self, look: Callable[[], str], what: str) -> str:
        return wait_until(
            look,
            lambda seen: seen in (_ACCEPTED, _WANTED, PROVEN),
            what=what,
            timeout=self._how.timeout,
            interval=self._how.interval,
            clock=self._client.clock,
        )

    # -- the delete ----------------------------------------------------------------------------

    def _ask_until_accepted(self) -> None:
        """Send the delete until it is accepted, or the instance is proven gone without it."""
        try:  # Refused while provisioning: ask again until it is through.
            self._wait(self._ask, f"the end of {self._id} to be accepted")
        except WaitTimeoutError:
            if self._proof.state != BUILDING:
                raise
            self._send(stuck=True)  # It will never be through: there is a way for those.

    def _ask(self) -> str:
        """Ask once; return what came of it."""
        try:
            if self._is_wanted():
                return _WANTED
            self._prepare()
            self._send()
            return _ACCEPTED
        except UnavailableError as error:
            return self._after_unclear(error)
        except _REFUSALS as error:
            self._refused = True
            return self._after(error)

    def _is_wanted(self) -> bool:
        """Tell whether it stays after all; not once a delete may have been executed."""
        wanted, end = self._how.wanted, self._outcome
        if not wanted or self._unclear or not self._refused or not wanted():
            return False
        end.stays = True
        if ENDED_TAG in end.row.tag_values:
            with contextlib.suppress(GpuopsError):
                untag(self._client, "instances", self._id, Tag(ENDED_TAG))
        return True

    def _after_unclear(self, problem: GpuopsError) -> str:
        """Return what an instance is like whose delete may have been executed; it may be repeated."""
        seen = self._proof.look()
        if seen == PROVEN:
            return seen
        if self._proof.state in OVER and not self._proof.is_missing:  # a record may only lag
            self._proof.accepted = True
            return _ACCEPTED
        return f"{seen}, unclear ({problem.message})"

    def _after(self, refusal: GpuopsError) -> str:
        """Return what an instance is like whose delete was refused; raises a refusal for good."""
        seen = self._proof.look()
        state = self._proof.state
        if seen == PROVEN:
            return seen
        if state == FAILED or (self._how.stuck and state == BUILDING):
            try:
                self._send(stuck=True)
                return _ACCEPTED
            except UnavailableError as error:
                return f"{seen}, unclear ({error.message})"
            except _REFUSALS as error:
                refusal = error
        known = isinstance(refusal, (WrongStateError, NotFoundError))
        if known or state in {BUILDING, *OVER} or self._proof.is_unread:
            return f"{seen}, refused ({refusal.message})"
        raise refusal

    def _prepare(self) -> None:
        """Complete the record, and write what is to be read after the end."""
        client, end = self._client, self._outcome
        if not end.row.boot_volume_id:
            with contextlib.suppress(NotFoundError):  # it may lag behind its order
                found = client.instance(self._id)
                price = found.price if found.price.is_told else end.row.price
                end.row = replace(found, price=price)
        end.complete(client.volumes())
        mark_kept(client, end)
        _mark_ended(client, end)

    def _send(self, *, stuck: bool = False) -> None:
        try:
            self._client.terminate(self._id, disposal_of(self._outcome), stuck=stuck)
        except UnavailableError:
            self._unclear = True
            raise
        self._proof.accepted = True

    # -- the proof -----------------------------------------------------------------------------

    def _watch_until_gone(self) -> None:
        self._wait(self._watch, f"{self._outcome.row.name} ({self._id}) to be gone")

    def _watch(self) -> str:
        """Look once; an instance that goes on living is asked to go once more."""
        seen = self._proof.look(listed_first=self._client.is_crowded)
        lives = self._proof.state not in OVER and not self._proof.is_unread
        self._alive = self._alive + 1 if lives else 0
        if self._alive and self._alive % _PATIENCE == 0:
            with contextlib.suppress(UnavailableError, *_REFUSALS):
                self._send()
        return seen


def _mark_ended(client: Client, end: Outcome) -> None:
    """Write on a spot instance that its end is ours, so that it does not look evicted later.

    Where tags are refused an instance that we ended counts as evicted, which costs a detour only.
    """
    row, tags = end.row, end.row.tag_values
    room = len([key for key in tags if key.startswith("gpuops-")]) < MOST_TAGS
    if row.market == SPOT and room and ENDED_TAG not in tags:
        with contextlib.suppress(GpuopsError):
            client.tag("instances", row.id, ENDED_TAG, write_time(client.now()))
            end.row = replace(row, tags=(*row.tags, Tag(ENDED_TAG)))
