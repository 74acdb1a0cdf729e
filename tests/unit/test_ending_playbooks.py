# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks that terminate instances or change their leases, as a user runs them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import warm_ansible
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.client import Client
from ansible_collections.gpuops.cloud.tests.unit.terminal import converse
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
AUTH = {"client_id": "playbooks", "client_secret": "the-secret-of-the-playbooks"}
TYPE = "1A100.22V"
MARKS = {"deployment": "llm", "name": "llm", "owner": "me", "lease": "2999-01-01T00:00:00Z"}


@dataclass
class Controller:
    """A user with a home, and a cloud that has an instance of the deployment ``llm``."""

    sim: Simulator
    home: Path

    def command(self, playbook: str, **variables: Any) -> tuple[list[str], dict[str, str]]:
        """Return the command that runs a playbook, and its environment."""
        kept = ("PATH", "LANG", "COVERAGE_PROCESS_START")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {
            "HOME": str(self.home),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "DATACRUNCH_BASE_URL": f"{self.sim.url}/v1",
            "DATACRUNCH_CLIENT_ID": AUTH["client_id"],
            "DATACRUNCH_CLIENT_SECRET": AUTH["client_secret"],
        }
        values = json.dumps({"deployment": "llm", "ledger": "none", **variables})
        path = str(ROOT / "playbooks" / playbook)
        return [sys.executable, "-m", "ansible", "playbook", path, "-e", values], environment

    def play(self, playbook: str, *, ok: bool = True, **variables: Any) -> str:
        """Run a playbook where nobody can be asked; return its words, however they are broken."""
        command, environment = self.command(playbook, **variables)
        done = warm_ansible.run("playbook", command[4:], folder=ROOT, environment=environment)
        said = done.stdout + done.stderr
        assert (done.returncode == 0) is ok, said
        assert AUTH["client_secret"] not in said
        return " ".join(said.split())

    def answer(self, text: str, playbook: str, **variables: Any) -> tuple[int, str]:
        """Run a playbook in a terminal, answer its question, and return its status and words."""
        command, environment = self.command(playbook, **variables)
        return converse(command, environment, ROOT, {"Type yes to terminate:": text})

    def machines(self) -> list[str]:
        """Return the names of the instances that exist."""
        gone = ("discontinued", "deleting")
        rows = self.sim.state()["instances"]
        return [row["hostname"] for row in rows if row["status"] not in gone]

    def rent(self, **marks: str) -> None:
        """Rent an instance with marks of ours."""
        tags = {**MARKS, "request": "0" * 32, **marks}
        rows = [{"key": f"gpuops-{key}", "value": value} for key, value in tags.items()]
        disk = {"name": "gpuops.llm.llm.os", "size": 50, "tags": rows[:1]}
        body = {"hostname": "llm", "image": "24.04.cuda13.2", "location_code": "FIN-01"}
        self.create("/instances", {**body, "instance_type": TYPE, "tags": rows, "os_volume": disk})

    def create(self, path: str, body: dict[str, Any]) -> str:
        """Create something in the cloud."""
        client = Client.from_params({**AUTH, "base_url": f"{self.sim.url}/v1"})
        return client.create(path, body)


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[Controller]:
    """Return a controller, and end its cloud afterwards."""
    with Simulator(scenario={"volume_seconds": 0, "delete_seconds": 0}) as sim:
        yield Controller(sim, tmp_path)


def test_protected_machine_lives_when_nobody_can_be_asked(controller: Controller) -> None:
    controller.rent(protect="yes")
    for more in ({}, {"confirm": "no"}):
        said = controller.play("teardown.yml", ok=False, owner="me", **more)
        assert "Not terminated without confirmation: llm (" in said
        assert "1.797 per hour; protected" in said
        assert "-e confirm=yes" in said
    assert controller.machines() == ["llm"]


@pytest.mark.every_core
def test_teardown_is_a_proof_with_everything_gone(controller: Controller) -> None:
    controller.rent(protect="yes")
    folder = controller.home / ".config/gpuops/llm"
    folder.mkdir(parents=True)
    (folder / "known_hosts").write_text("x", encoding="utf-8")
    said = controller.play("teardown.yml", owner="me", confirm="yes", purge_trash=True)
    assert "leftovers: none" in said
    assert "in the trash: gpuops" not in said
    assert controller.machines() == controller.sim.state()["trash"] == []
    assert not folder.exists()
    assert not (controller.home / ".cache/gpuops.cloud/tokens").exists()
    again = controller.play("teardown.yml", owner="me", purge_trash=True)
    assert "changed=0" in again


@pytest.mark.parametrize(("text", "ended"), [("yes", True), ("no", False)])
def test_machine_of_somebody_else_is_asked_for(
    controller: Controller, text: str, ended: bool
) -> None:
    controller.rent()
    status, said = controller.answer(text, "teardown.yml", owner="them")
    assert "it belongs to me, not to them" in said
    assert (status == 0) is ended
    assert controller.machines() == ([] if ended else ["llm"])


def test_yes_is_said_of_one_deployment_alone(controller: Controller) -> None:
    controller.rent()
    controller.rent(deployment="web")
    called = str(ROOT / "playbooks/teardown.yml")
    second = {"deployment": "web", "confirm": "no"}
    plays = [
        {"import_playbook": called, "vars": {"deployment": "llm"}},
        {"import_playbook": called, "vars": second},
    ]
    site = controller.home / "site.yml"
    site.write_text(json.dumps(plays), encoding="utf-8")
    status, said = controller.answer("yes", str(site), owner="them", deployment=None)
    assert status != 0
    assert "Not terminated without confirmation" in said
    assert len(controller.machines()) == 1


def test_what_is_left_fails_at_the_end_and_what_is_kept_does_not(controller: Controller) -> None:
    controller.rent()
    place = {"size": 50, "type": "NVMe", "location_code": "FIN-01"}
    controller.create("/volumes", {"name": "gpuops.llm.models", **place})
    controller.create("/volumes", {"name": "gpuops.llm.llm.data", **place})
    folder = controller.home / ".config/gpuops/llm"
    folder.mkdir(parents=True)
    said = controller.play("teardown.yml", ok=False, owner="me")
    assert "Leftovers: data_volume gpuops.llm.llm.data." in said
    assert "retained (keep): data_volume gpuops.llm.models: 0.0137 per hour" in said
    assert "in the trash: gpuops.llm.llm.os" in said
    assert controller.machines() == []
    assert folder.exists()
    assert "leftovers: none" in controller.play("teardown.yml", data_volumes="keep")


def test_lease_is_extended_and_ended(controller: Controller) -> None:
    controller.rent()
    day = f"{datetime.now(timezone.utc) + timedelta(days=3):%Y-%m-%d}"  # the balance lasts longer
    said = controller.play("lease.yml", lease=f"{day}T00:00:00Z")
    assert f"1.797 per hour): until {day}T00:00:00Z" in said
    assert f"until {day}T02:00:00Z" in controller.play("lease.yml", extend="2h")
    assert "protected" in controller.play("lease.yml", protect=True)
    said = controller.play("lease.yml", ok=False, done=True, owner="me")
    assert "Not terminated without confirmation" in said
    said = controller.play("lease.yml", done=True, owner="me", confirm="yes")
    assert "total" in said
    assert controller.machines() == []


def test_name_that_is_known_nowhere_fails_with_the_nearest(controller: Controller) -> None:
    controller.rent()
    said = controller.play("teardown.yml", ok=False, deployment="lllm", owner="me")
    assert "Unknown deployment lllm" in said
    assert "Did you mean llm?" in said
    assert "Still billed: llm at 1.8107." in said
    assert controller.machines() == ["llm"]
    assert "leftovers: none" in controller.play(
        "teardown.yml", deployment="lllm", owner="me", missing_ok=True
    )


def test_name_that_was_ended_before_is_nothing_to_do(controller: Controller) -> None:
    controller.rent()
    for _again in range(2):
        said = controller.play("teardown.yml", owner="me", os_volume="delete")
        assert "leftovers: none" in said
    assert controller.machines() == []
