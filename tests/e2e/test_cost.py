# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook of the costs, from a purchase to a page that a browser shows."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser import chromium
from test_pages import ansible, play

from gpuops_simulator import Simulator

BUDGET = {"per_hour": 10, "per_day": 130, "total": 100}


@dataclass
class Account:
    """An account with a past, and the costs of it as JSON."""

    simulator: Simulator
    folder: Path
    costs: dict[str, Any]

    def show(self, **variables: Any) -> str:
        """Run the playbook and return what it prints."""
        return play(self.simulator, self.folder, "cost", **variables)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Rent two instances over two days, from six in the morning on, and end one of them.

    From the evening on, the second day would be long enough to come close to its budget.
    """
    folder = tmp_path_factory.mktemp("costs")
    with Simulator() as simulator:
        simulator.advance((6 * 3600 - time.time()) % 86400)
        for name, hours in (
            ("chat tier=h200 owner=ada project=web", 20),
            ("train tier=a100_80", 5),
        ):
            rent = f"deployment={name} lease=30h"
            ansible(simulator, folder, "datacrunch_instance", rent)
            simulator.advance(hours * 3600)
        end = "deployment=train state=absent os_volume=delete confirm=true"
        ansible(simulator, folder, "datacrunch_instance", end)
        simulator.advance(4 * 3600)
        file = folder / "costs.json"
        play(simulator, folder, "cost", format="json", file=str(file))
        yield Account(simulator, folder, json.loads(file.read_text(encoding="utf-8")))


def test_costs_are_those_of_the_cloud(account: Account) -> None:
    things = account.costs["things"]
    assert {row["deployment"] for row in things} == {"chat", "train"}
    assert len(things) == 4
    spent = 500 - account.simulator.state()["balance"]["amount"]
    # The cloud takes ten minutes in advance.
    assert account.costs["total"] == pytest.approx(spent, abs=4.7 / 6)
    assert sum(row["cost"] for row in things) == pytest.approx(account.costs["total"], abs=0.01)


def test_tables_hold_every_grouping(account: Account) -> None:
    output = account.show()
    for title in ("deployment", "owner", "project", "GPU", "month"):
        assert f"  {title} " in output
    (total,) = re.findall(r"^spent from .*: ([0-9.]+) usd$", output, re.MULTILINE)
    assert float(total) == pytest.approx(account.costs["total"], abs=0.3)


def test_lines_for_a_spreadsheet_are_all_things(account: Account) -> None:
    file = account.folder / "costs.csv"
    account.show(format="csv", file=str(file))
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert [row["id"] for row in rows] == [row["id"] for row in account.costs["things"]]
    assert sum(float(row["cost"]) for row in rows) == pytest.approx(account.costs["total"], abs=0.3)
    assert "kind,id,name,deployment" in account.show(format="csv")


def test_page_shows_the_costs_of_the_cloud(account: Account) -> None:
    file = account.folder / "costs.html"
    account.show(format="html", file=str(file), budget=BUDGET)
    columns = """return [...document.querySelectorAll('#spend .column')].map(column =>
        parseFloat(column.querySelector('title').textContent.split(': ')[1]))"""
    with chromium() as browser:
        browser.open(file)
        assert browser.complaints() == []
        drawn = browser.ask(columns)
        spent = float(browser.texts("#spent")[0].split()[0])
        burn = float(browser.texts("#burning")[0].split()[0])
        legend = browser.texts("#spend .legend .name")
        lanes = browser.texts("#leases .who .name")
        states = browser.texts("#budgets .state")
    assert spent == pytest.approx(account.costs["total"], abs=0.3)
    daily = [row["cost"] for row in account.costs["daily"]][-len(drawn) :]
    assert drawn == pytest.approx(daily, abs=0.3)
    assert burn == pytest.approx(account.costs["now"]["burn_per_hour"], abs=0.01)
    assert (legend, lanes) == (["chat", "train"], ["chat"])
    assert [state.split(" · ")[1] for state in states] == ["within", "within", "exceeded"]


def test_unknown_format_is_refused(account: Account) -> None:
    with pytest.raises(AssertionError, match="is not one of table, json, csv, html"):
        account.show(format="pdf")
