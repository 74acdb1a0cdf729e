# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real hosts for instances, started and ended in the background, one worker per instance."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

Job = Callable[[], None]
Disk = tuple[str, int]
CLOSE_SECONDS = 60.0


class Housed(Protocol):
    """An instance that a host may be behind; ``host`` tells what that is like."""

    id: str
    hostname: str
    authorized_keys: list[str]
    host: str


One = TypeVar("One", bound=Housed)


class Hosts(Generic[One]):
    """Drives a host backend; without one every call does nothing and instances are records only."""

    def __init__(
        self,
        backend: Any,
        changed: Callable[[str, str, str | None], None],
        note: Callable[[str], None],
        disks: Callable[[One], list[Disk]],
        user: str = "root",
    ) -> None:
        self.real = backend is not None
        self._backend = backend
        self._changed = changed
        self._note = note
        self._disks = disks
        self._user = user
        self._queues: dict[str, queue.Queue[Job | None]] = {}
        self._workers: list[threading.Thread] = []

    def start(self, instance: One) -> None:
        """Begin to start the host of an instance."""
        name, keys, disks = instance.hostname, list(instance.authorized_keys), self._disks(instance)
        more = (keys, disks, self._user)
        self._bring_up(instance, lambda: self._backend.start(instance.id, name, *more))

    def boot(self, instance: One) -> None:
        """Begin to boot a stopped host; one that never was is started."""
        if instance.host == "none":
            self.start(instance)
        else:
            disks = self._disks(instance)
            self._bring_up(instance, lambda: self._backend.boot(instance.id, disks))

    def stop(self, instance: One) -> None:
        """Begin to stop a host."""
        if self.real:
            instance.host = "stopped"
            self._put(instance.id, lambda: self._try(instance.id, self._backend.stop))

    def remove(self, instance_id: str) -> None:
        """Begin to remove a host, after whatever is under way for it."""
        jobs = self._queues.pop(instance_id, None)
        if jobs is not None:
            jobs.put(lambda: self._try(instance_id, self._backend.remove))
            jobs.put(None)

    def remove_all(self) -> None:
        """Begin to remove every host."""
        for instance_id in list(self._queues):
            self.remove(instance_id)

    def close(self) -> None:
        """Remove every host and wait for it."""
        if not self.real:
            return
        self.remove_all()
        self.wait()
        self._backend.close()

    def wait(self) -> None:
        """Return when all that was begun to be removed is."""
        for worker in self._workers:
            worker.join(CLOSE_SECONDS)

    def _bring_up(self, instance: One, job: Callable[[], str]) -> None:
        if not self.real:
            return
        instance.host = "starting"
        instance_id = instance.id

        def bring_up() -> None:
            try:
                self._changed(instance_id, "up", job())
            except Exception as reason:  # noqa: BLE001 - whatever it is ends this one order
                self._note(f"host of instance {instance_id} failed to start: {reason}")
                self._changed(instance_id, "failed", None)

        self._put(instance_id, bring_up)

    def _try(self, instance_id: str, call: Callable[[str], None]) -> None:
        try:
            call(instance_id)
        except Exception as reason:  # noqa: BLE001 - the account goes on without it
            self._note(f"host of instance {instance_id}: {reason}")

    def _put(self, instance_id: str, job: Job) -> None:
        if instance_id not in self._queues:
            jobs: queue.Queue[Job | None] = queue.Queue()
            worker = threading.Thread(target=_work, args=(jobs,), daemon=True)
            self._queues[instance_id] = jobs
            self._workers = [w for w in self._workers if w.is_alive()] + [worker]
            worker.start()
        self._queues[instance_id].put(job)


def _work(jobs: queue.Queue[Job | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
