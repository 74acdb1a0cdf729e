# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Days of many deployments in the simulator, and what datacrunch_metrics tells of them."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from random import Random
from typing import Any, Self
from unittest import mock

from prometheus_client.parser import text_string_to_metric_families
from samples import Samples

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / ".collections"), str(ROOT / "tests/simulator")]

from ansible_collections.gpuops.cloud.plugins.module_utils._monitoring import families
from ansible_collections.gpuops.cloud.plugins.modules import datacrunch_metrics
from ansible_collections.gpuops.cloud.tests.unit.chaos import month, stage
from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import Controller
from ansible_collections.gpuops.cloud.tests.unit.chaos.schedule import BEGIN
from ansible_collections.gpuops.cloud.tests.unit.chaos.turns import Calendar
from gpuops_simulator import Simulator

DAYS, EVERY, SCRAPE = 5, 300, 60
NAMES = ("llm-prod", "llm-staging", "embed", "rag-eval", "finetune", "ocr", "voice", "ci-nightly")
NAMES += ("demo", "notebook-ada", "notebook-max", "batch-1", "batch-2", "batch-3")
BUDGET = {"per_hour": 40, "per_day": 600, "per_month": 6000}
TARGET = {"instance": "reaper:9100", "job": "node"}


class Slow(Calendar):
    """A calendar in which requests take a while."""

    def __init__(self, dice: Random) -> None:
        super().__init__(dice)
        self._way = Random(7)

    def travel(self) -> None:
        """Take about a tenth of a second."""
        self.pause(self._way.lognormvariate(-2.3, 0.5))


class Week(month.Month):
    """Deployments, and a reaper that writes metrics each time."""

    def __init__(self, file: Path) -> None:
        super().__init__(3, 7, len(NAMES))
        self.schedule = Slow(Random("schedule 3"))
        self._names = list(NAMES)
        self._file = file
        self.texts: list[tuple[float, str]] = []

    def begin(self, sim: Simulator, **scenario: Any) -> None:
        """Start with money for a few weeks."""
        super().begin(sim, **{"balance": 4200, **scenario})

    def _want(self, dice: Random, name: str) -> dict[str, Any]:
        want = super()._want(dice, name)
        if name == "llm-prod":
            want.update(lease="3d", count=2, tier="h100_or_less", market="on_demand")
        return want

    def _reap(self, keeper: Controller) -> None:
        while self.schedule.now < BEGIN + (DAYS + 0.1) * month.DAY:
            reaped = keeper.run("datacrunch_reap", **month.REAP, deployments=self._names)
            wanted = {"dest": str(self._file), "reap": reaped, "budget": BUDGET}
            told = keeper.run("datacrunch_metrics", **wanted)
            self.texts.append((float(self.sim.cloud.now()), told["text"]))
            self.schedule.pause(EVERY - (self.schedule.now - BEGIN) % EVERY)


@contextmanager
def _clock_of(week: Week) -> Iterator[None]:
    """Let the clock of the controller be a little ahead of the simulator's."""
    noise = Random(5)

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(week.sim.cloud.now() + noise.gauss(0.4, 0.15), tz)

    with mock.patch.object(families, "datetime", Ahead):
        yield


def _play(folder: Path) -> list[tuple[float, str]]:
    """Return what was written, and when."""
    week = Week(folder / "gpuops.prom")
    told = {"GPUOPS_LEDGER": f"sqlite:///{folder}/ledger.sqlite3"}
    told["GPUOPS_API_LOG"] = str(folder / "requests")
    modules = (*stage.UNDER_TEST, datacrunch_metrics)
    with (
        stage.stage(folder) as theatre,
        mock.patch.object(stage, "UNDER_TEST", modules),
        mock.patch.object(month, "LONGEST", 0.4 * month.DAY),
        mock.patch.dict(os.environ, told),
        _clock_of(week),
    ):
        theatre.perform(week)
    return week.texts


def samples() -> Samples:
    """Return what a Prometheus would have scraped: each minute what was written last."""
    with tempfile.TemporaryDirectory() as folder:
        texts = _play(Path(folder))
    found = Samples()
    for number, (written, text) in enumerate(texts[:-1]):
        rows = [row for family in text_string_to_metric_families(text) for row in family.samples]
        first = int(written) - int(written) % SCRAPE + SCRAPE
        for moment in range(first, int(texts[number + 1][0]) + 1, SCRAPE):
            for row in rows:
                found.add(row.name, {**row.labels, **TARGET}, moment, row.value)
    found.end = BEGIN + DAYS * month.DAY + 600
    return found
