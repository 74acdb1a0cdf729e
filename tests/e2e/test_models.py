# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Naming a model chooses the instance, in the playbooks as a user starts them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from published import LARGE, SMALL, Hub, config_of, running_hub
from whole_path import ROOT

from gpuops_simulator import Simulator

TOKEN = "a-token-of-the-tests"
H100, TWO_H100 = "1H100.80S.32V", "2H100.80S.80V"


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    """Run a simulated cloud with one and with two H100 in stock."""
    simulator = Simulator()
    simulator.start()
    shelf = dict.fromkeys((H100, TWO_H100, "1V100.6V"), 4)
    simulator.set_stock({"FIN-03": {"on_demand": shelf, "spot": {}}})
    yield simulator
    simulator.stop()


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Run a hub with two models."""
    with running_hub() as found:
        found.publish(SMALL, {"model.safetensors": 16_381_517_208})
        found.publish(LARGE, {"model.safetensors": 141_107_412_992})
        yield found


class Controller:
    """A user's machine: playbooks run on it against a cloud and a hub."""

    def __init__(self, home: Path, cloud: Simulator, hub: Hub) -> None:
        self.home, self.cloud, self.hub = home, cloud, hub

    def play(self, name: str, *more: str, fails: bool = False, **given: Any) -> str:
        """Run a playbook and return what it says; the token is not in it."""
        kept = ("PATH", "LANG", "COVERAGE_PROCESS_START")
        environment = {key: os.environ[key] for key in kept if key in os.environ}
        environment |= {
            "HOME": str(self.home),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "DATACRUNCH_BASE_URL": f"{self.cloud.url}/v1",
            "DATACRUNCH_CLIENT_ID": "models",
            "DATACRUNCH_CLIENT_SECRET": "hunter2-the-client-secret",
            "HF_ENDPOINT": self.hub.url,
            "HF_TOKEN": TOKEN,
        }
        command = [
            "ansible-playbook",
            f"playbooks/{name}.yml",
            "-vv",
            "-e",
            json.dumps(given),
            *more,
        ]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        assert TOKEN not in done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def controller(tmp_path: Path, cloud: Simulator, hub: Hub) -> Controller:
    """Return a controller that knows nothing yet."""
    return Controller(tmp_path, cloud, hub)


def would(said: str) -> str:
    """Return what a check run says that it would order."""
    return next(line for line in said.splitlines() if line.startswith("would: "))


def test_a_model_alone_chooses_the_machine(controller: Controller) -> None:
    said = controller.play("bringup", "--check", vllm_model=LARGE)
    assert TWO_H100 in would(said)
    assert "model does not fit: needs 2 x H100 80 GB (it would hold 131.4 GiB" in said
    assert "the last version that did is 0.19.1" in said
    assert len(controller.hub.asked) == 2
    assert H100 in would(controller.play("bringup", "--check", vllm_model=SMALL))


def test_a_tier_on_which_it_does_not_fit_is_refused_unless_switched_off(
    controller: Controller,
) -> None:
    said = controller.play("bringup", "--check", fails=True, tier="h100", vllm_model=LARGE)
    assert "model too large: 1H100.80S.32V" in said
    asked = len(controller.hub.asked)
    given = {"tier": "h100", "vllm_model": LARGE, "model_fit": False}
    assert H100 in would(controller.play("bringup", "--check", **given))
    assert len(controller.hub.asked) == asked


def test_a_hub_that_does_not_answer_stops_nothing_but_a_choice_by_the_model(
    controller: Controller,
) -> None:
    controller.hub.answers[f"/{LARGE}/resolve/main/config.json"] = (503, {})
    assert H100 in would(controller.play("bringup", "--check", tier="h100", vllm_model=LARGE))
    said = controller.play("bringup", "--check", fails=True, vllm_model=LARGE)
    assert "nothing says what to buy" in said
    assert f"The model {LARGE} could not be read" in said


def test_a_model_that_there_is_not_buys_nothing(controller: Controller) -> None:
    said = controller.play("bringup", "--check", fails=True, tier="h100", vllm_model="Qwen/Qwen9")
    assert "/Qwen/Qwen9/resolve/main/config.json does not exist" in said
    assert "would: " not in said


def test_a_given_configuration_is_enough_and_settings_count(controller: Controller) -> None:
    file = controller.home / "config.json"
    file.write_text(json.dumps(config_of(LARGE)), encoding="utf-8")
    given = {"vllm_model": LARGE, "model_config": str(file), "format": "json"}
    lines = controller.play("capacity", **given).splitlines()
    answer = json.loads(next(line for line in lines if line.startswith('{"offers"')))
    assert [row["instance_type"] for row in answer["offers"]] == [TWO_H100]
    settings = {"max-model-len": "64K"}
    said = controller.play("capacity", **given, vllm_settings=settings)
    assert "needs 4 x H100 80 GB" in said
    assert controller.hub.asked == []
