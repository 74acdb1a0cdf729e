# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A schedule for long times, in which requests do not interleave."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.chaos.schedule import Schedule


class Calendar(Schedule):
    """Time in which requests take none, and what one controller does at a time it does in turn."""

    def travel(self) -> None:
        """Arrive at once."""

    def pool(self, max_workers: int | None = None) -> InTurn:  # type: ignore[override]
        """Return what stands in for a ThreadPoolExecutor."""
        return InTurn()


class InTurn:
    """An executor that does its work at once."""

    def submit(self, work: Callable[..., Any], *args: Any) -> Future[Any]:
        """Do it, and return how it ended."""
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args))
        except Exception as problem:  # noqa: BLE001 - whoever asks for the result gets it
            done.set_exception(problem)
        return done

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """Return the results in order."""
        return [work(item) for item in items]

    def __enter__(self) -> InTurn:
        return self

    def __exit__(self, *_exc: object) -> None:
        """Leave nothing to wait for."""
