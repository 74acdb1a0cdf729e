# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever sits at a terminal is asked before money is spent; nobody else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.receivers import web_server
from ansible_collections.gpuops.cloud.tests.unit.terminal import converse
from ansible_collections.gpuops.cloud.tests.unit.test_estates import WISH, Estate, said
from gpuops_simulator import Simulator


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Return an estate, and a cloud that has a few GPUs."""
    stock = {"FIN-01": {"on_demand": {"1A100.22V": 4}, "spot": {}}}
    with Simulator({"stock": stock, "provision_seconds": 0}) as cloud:
        yield Estate(cloud, tmp_path)


def answered(estate: Estate, text: str, **variables: Any) -> tuple[int, str]:
    """Run a bring-up at a terminal, answer its question; returns status and words."""
    command, environment = estate.command("bringup", {**WISH, "ssh_ready_timeout": 1, **variables})
    answers = {"Type yes to go on:": text}
    status, heard = converse(command, environment, estate.home, answers, patience=120)
    return status, " ".join(heard.split())


def test_somebody_at_a_terminal_is_asked_before_money_is_spent(estate: Estate) -> None:
    status, heard = answered(estate, "no")
    assert status != 0
    assert "would buy gpuops-ada: 1A100.22V" in heard
    assert "usd per hour, 21." in heard  # until its lease ends
    assert "Nothing was bought or changed" in heard
    assert estate.cloud.writes() == []


@pytest.mark.parametrize("given", [{}, {"ask": "no"}])
def test_yes_buys_and_ask_no_asks_nobody(estate: Estate, given: dict[str, Any]) -> None:
    _status, heard = answered(estate, "yes", **given)
    assert len(estate.orders()) == 1
    assert ("Type yes to go on" in heard) is not bool(given)


def test_nobody_is_asked_without_a_terminal_and_it_costs_no_request_more(estate: Estate) -> None:
    with web_server() as hook:
        told = {"gpuops_notify": [hook.receiver]}
        done = estate.run("bringup", variables={**WISH, "ssh_ready_timeout": 1, **told})
        # Though nobody reaches the instance afterwards.
        assert hook.kinds == ["bought"]
    assert "Type yes" not in said(done)
    reads = [row["path"] for row in estate.cloud.log() if row["method"] == "GET"]
    assert len(estate.orders()) == 1
    assert reads.count("/v1/instance-types") == 1
    assert reads.count("/v1/instance-availability") == 1


def test_wizard_asks_for_all_that_a_purchase_needs(estate: Estate) -> None:
    command, environment = estate.command(
        "wizard", {"lease": "2h", "ledger": "none", "owner": "ada"}
    )
    answers = {
        "to work in? [serve]:": "shell",
        "[h100_or_less]:": "",
        "[4]:": "1.8",
        "Type yes to go on:": "no",
    }
    status, heard = converse(command, environment, estate.home, answers, patience=180)
    words = " ".join(heard.split())
    assert "bringup.yml -e purpose=shell -e tier=h100_or_less -e max_price_per_hour=1.8" in words
    assert "How long may it run" not in words
    assert "would buy gpuops-ada: 1A100.22V" in words
    assert "until the lease ends in 2 h" in words
    assert status != 0
    assert estate.cloud.writes() == []
