# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one instance that is bought to be looked at: from its order to the proof of its end (private).

All of it is done as the collection does it anyway. Whatever goes wrong in between, what was bought
is terminated, and what could not be is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .._core.errors import GpuopsError, NoCapacityError, NotFoundError, UnavailableError
from .._core.run import Run
from .._core.wait import wait_until
from .._instances.lease import LeaseResource
from .._instances.options import InstanceOptions
from .._instances.resource import InstanceResource, InstanceResult
from .._instances.state import Found
from .._lifecycle.termination import terminate_one
from .._lifecycle.termination_policy import Ending
from .._models.resources import Volume
from .._providers.base.client import Client
from .._volumes.resource import VolumeResource
from .rows import Fact, ordered
from .trial_facts import facts_of
from .trial_log import TrialLog
from .trial_options import Want, end_of, extension_of, purchase_of, removal_of
from .trial_probes import Probes
from .trial_run import finish, keep, quietly

_READY = "running"
_EXTENSIONS = 2
# What takes longer would not be over within a billing step of ten minutes.
_LONGEST_START_S = 480


@dataclass
class Trial:
    """One instance: ``first`` is its purchase, ``others`` are types to take when there is none left."""

    client: Client
    want: Want
    log: TrialLog
    first: Run[Client, InstanceOptions, Found, InstanceResult]
    others: list[str]
    facts: list[Fact] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    instance_id: str | None = None
    _is_over: bool = False

    @property
    def name(self) -> str:
        """Return its host name, which is that of its deployment."""
        return str(self.want["deployment"])

    def rows(self) -> list[dict[str, str]]:
        """Return the report so far."""
        facts = ordered([*facts_of(self.log), *self.facts])
        return [fact.as_row(self.log.redaction) for fact in facts]

    def run(self) -> None:
        """Go through all of it. Raises the first error, with what is left and the report so far."""
        problem: GpuopsError | None = None
        try:
            self._buy()
            self._start()
            self._try()
            self._end()
            self._empty()
        except GpuopsError as error:
            problem = error
        finally:
            left = self._clean()
        if problem or left:
            raise self._told(problem, left)
        self._learn("trial", "went through", "")

    def _told(self, problem: GpuopsError | None, left: list[str]) -> GpuopsError:
        """Return the error of a trial, which names what still costs money."""
        ended = "What was bought for it is terminated" if self._bought else "Nothing was bought"
        end = f"Still there, and costs money: {'; '.join(left)}" if left else ended
        error = problem or GpuopsError("The trial went through, but not all of it could be removed")
        request, words = error.request or "", error.words or error.message
        self._learn("trial", f"failed: {error.code}", request, words)
        error.message = f"{error.message.rstrip('.')}. {end}"
        error.details.update(account=self.rows(), changed=self._bought, left=left)
        return error

    @property
    def _bought(self) -> bool:
        return bool(self.instance_id or self.log.instance_rows)

    @property
    def _ordered(self) -> bool:
        return bool(self.log.of("POST", "/instances"))

    def _learn(self, name: str, value: str, request: str, words: str = "") -> None:
        self.facts.append(Fact(name, value, "purchase", request, words))

    # -- buy -----------------------------------------------------------------------------------

    def _buy(self) -> None:
        run = self.first
        for other in [*self.others, None]:
            try:
                self.warnings += finish(self.client, run)
                break
            except NoCapacityError:
                if other is None:
                    raise
                run = Run.of(InstanceResource(), self.client, purchase_of(self.want, other))
            except GpuopsError as error:
                self.instance_id = error.details.get("instance_id")
                raise
        self.instance_id = next(iter(run.found.bought))

    def _start(self) -> None:
        """Wait until it runs and is listed; what the looks show stands in the log."""
        begin = self.client.clock.monotonic()
        wait_until(
            self._look,
            lambda seen: seen == _READY,
            failed=lambda _seen: self._is_over,
            what=f"{self.name} ({self.instance_id}) to run",
            timeout=min(self.want["wait_timeout"], _LONGEST_START_S),
            interval=self.want["wait_interval"],
            clock=self.client.clock,
        )
        passed = self.client.clock.monotonic() - begin
        self._learn("time_to_run", f"{passed:.0f} s", "GET /instances/{id}")

    def _look(self) -> str:
        try:
            seen = self.client.instance(str(self.instance_id))
            listed = any(row.id == self.instance_id for row in self.client.instances())
        except NotFoundError:
            return "unknown by its id"
        except UnavailableError as error:
            return f"not readable ({error.message})"
        self._is_over = not seen.is_alive
        return seen.status if listed else f"{seen.status}, not listed"

    # -- try -----------------------------------------------------------------------------------

    def _try(self) -> None:
        """Try on it what accounts are known to differ in; none of it is a failure of the trial."""
        probes = Probes(self.client, self.log)
        self.facts += probes.tags(str(self.instance_id))
        self._extend()
        volume = next(iter(self._volumes()), None)
        if volume:
            self.facts.append(probes.volume_refusal(volume.id))

    def _extend(self) -> None:
        done = 0
        error = None
        while done < _EXTENSIONS and error is None:
            error = quietly(keep, self.client, LeaseResource(), extension_of(self.want))
            done += error is None
        value = f"{done} times" if error is None else f"refused after {done} times"
        words = (error.words or error.message) if error else ""
        self._learn("extend_lease", value, "POST /instances/{id}/tags", words)

    # -- end -----------------------------------------------------------------------------------

    def _end(self) -> None:
        """Terminate it by its tags or label, and see how a second time is refused."""
        begin = self.client.clock.monotonic()
        self.warnings += keep(self.client, InstanceResource(), end_of(self.want))
        self._terminate()  # where neither is shown
        passed = self.client.clock.monotonic() - begin
        self._learn("time_to_end", f"{passed:.0f} s, proven", "GET /instances/{id}")
        refusal = Probes(self.client, self.log).instance_refusal(str(self.instance_id))
        self.facts.append(refusal)

    def _empty(self) -> None:
        """Move what outlived it to the trash, see when it is there, and remove it for good."""
        for volume in self._volumes():
            self._remove(volume.id, "trash", wait=False)
            self.facts.append(Probes(self.client, self.log).trash(volume.id))
            self._remove(volume.id, "delete", wait=True)

    def _remove(self, volume_id: str, policy: str, *, wait: bool) -> None:
        want = removal_of(self.want, volume_id, policy, wait=wait)
        self.warnings += keep(self.client, VolumeResource(), want)

    def _volumes(self) -> list[Volume]:
        """Return its volumes, the data volume first."""
        rows = [
            row for row in self.client.volumes() if row.deployment == self.name and row.is_alive
        ]
        return sorted(rows, key=lambda row: row.is_boot)

    # -- whatever happened ---------------------------------------------------------------------

    def _clean(self) -> list[str]:
        """Remove all that is left; return in words what could not be. Raises nothing of it."""
        if not self._ordered:
            return []
        left: list[str] = []
        for what in (self._terminate, self._clean_volumes):
            error = quietly(what)
            left += [str(error)] if error else []
        self._learn("left_over", "something" if left else "nothing", "GET /volumes")
        return left

    def _terminate(self) -> None:
        """Terminate every instance of its name, which nobody else has."""
        rows = [row for row in self.client.instances() if row.name == self.name]
        if self.instance_id and self.instance_id not in [row.id for row in rows]:
            error = quietly(lambda: rows.append(self.client.instance(str(self.instance_id))))
            if error and not isinstance(error, NotFoundError):
                raise error
        how = Ending("delete", "delete", self.want["wait_timeout"], self.want["wait_interval"])
        for row in rows:
            if row.exists and row.name == self.name:
                terminate_one(self.client, row, how, [])

    def _clean_volumes(self) -> None:
        for volume in self._volumes():
            error = quietly(self._remove, volume.id, "delete", wait=True)
            if error:
                price = f"{volume.rate:.4f} per hour"
                raise GpuopsError(f"volume {volume.name} ({volume.id}, {price}): {error}")
        for row in self.client.trashed_volumes():
            if row.deployment == self.name and not row.is_permanently_deleted:
                self._remove(row.id, "delete", wait=True)
