# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Estates as they are: their settings, keys and limits, and nothing bought that nobody can use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import warm_ansible
from ansible_collections.gpuops.cloud.tests.unit.in_process import run_playbook
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
WISH = {
    "tier": "any_a100",
    "vllm_device": "cpu",
    "vllm_model": "/models/none",
    "ledger": "none",
    "owner": "ada",
}


@dataclass
class Estate:
    """Somebody's controller, and a cloud with some GPUs in it."""

    cloud: Simulator
    home: Path

    def command(
        self, book: str, variables: dict[str, Any], **environment: str
    ) -> tuple[list[str], dict[str, str]]:
        """Return the command that runs a playbook, of ours or by its path, and its environment."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        kept |= {
            "HOME": str(self.home),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_REMOTE_TMP": str(self.home / "tmp"),
            "DATACRUNCH_BASE_URL": f"{self.cloud.url}/v1",
            "DATACRUNCH_CLIENT_ID": "estate",
            "DATACRUNCH_CLIENT_SECRET": "the-secret-of-the-estate",
        }
        path = str(ROOT / "playbooks" / f"{book}.yml")
        command = [sys.executable, "-m", "ansible", "playbook", path, "-e", json.dumps(variables)]
        return command, {**kept, **environment}

    def run(self, book: str, *words: str, variables: dict[str, Any], **environment: str) -> Any:
        """Run a playbook where nobody can be asked, and return what came of it."""
        command, around = self.command(book, variables, **environment)
        return warm_ansible.run(
            "playbook", [*command[4:], *words], folder=self.home, environment=around
        )

    def run_installed(
        self, book: str, *words: str, variables: dict[str, Any], **environment: str
    ) -> Any:
        """Run a playbook in this process, by the name that it has once it is installed."""
        _command, around = self.command(book, variables, **environment)
        given = (f"gpuops.cloud.{book}", "-e", json.dumps(variables), *words)
        return run_playbook(*given, folder=self.home, environment=around)

    def key(self, passphrase: str = "") -> Path:
        """Make a key of the user's own."""
        path = self.home / "own key"
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)]
        subprocess.run(command, check=True)
        return path

    def orders(self) -> list[Any]:
        """Return the orders of instances so far."""
        return [row for row in self.cloud.writes() if row["path"] == "/v1/instances"]


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Return an estate whose paths have blanks in them."""
    home = tmp_path / "my home"
    home.mkdir()
    stock = {"FIN-01": {"on_demand": {"1A100.22V": 4}, "spot": {}}}
    with Simulator({"stock": stock}) as cloud:
        yield Estate(cloud, home)


def said(done: Any) -> str:
    """Return the words of a run, however they are broken."""
    return " ".join((done.stdout + done.stderr).split())


def test_public_half_of_a_key_is_derived(estate: Estate) -> None:
    key = estate.key()
    key.with_name("own key.pub").unlink()
    wish = {**WISH, "ssh_private_key_file": str(key), "ssh_ready_timeout": 1}
    estate.run("bringup", variables=wish)
    (order,) = estate.orders()
    (registered,) = estate.cloud.state()["ssh_keys"]
    assert order["status"] == 202
    machine = estate.cloud.state()["instances"][0]
    assert machine["ssh_key_ids"] == [registered["id"]]
    derived = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(key)], capture_output=True, text=True, check=True
    )
    assert registered["key"].split()[:2] == derived.stdout.split()[:2]


@pytest.mark.parametrize("what", ["missing", "open to all", "passphrase"])
def test_key_that_opens_nothing_buys_nothing(estate: Estate, what: str) -> None:
    key = estate.key("swordfish" if what == "passphrase" else "")
    if what == "missing":
        key.unlink()
    if what == "open to all":
        key.chmod(0o644)
    if what == "passphrase":
        key.with_name("own key.pub").unlink()
    done = estate.run("bringup", variables={**WISH, "ssh_private_key_file": str(key)})
    words = {"missing": "does not exist", "open to all": "mode 0600", "passphrase": "passphrase"}
    assert done.returncode != 0
    assert words[what] in said(done)
    assert estate.cloud.log() == []


@pytest.mark.parametrize("limit", ["localhost", "localhost,127.0.0.1"])
def test_limit_that_leaves_the_machines_out_buys_nothing(estate: Estate, limit: str) -> None:
    done = estate.run("bringup", "--limit", limit, variables=WISH)
    assert "leaves out gpuops_machines" in said(done)
    assert estate.cloud.log() == []


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_strategy_of_the_estate_does_not_reach_our_plays(estate: Estate, strategy: str) -> None:
    done = estate.run(
        "bringup", variables={**WISH, "ssh_ready_timeout": 1}, ANSIBLE_STRATEGY=strategy
    )
    assert len(estate.orders()) == 1
    assert "bypasses the host loop" not in said(done)
    assert "The instance still costs" in said(done)  # nobody answers at its address
    ended = estate.run(
        "teardown", variables={"ledger": "none", "owner": "ada"}, ANSIBLE_STRATEGY=strategy
    )
    assert ended.returncode == 0, said(ended)
    assert "leftovers: none" in said(ended)


def test_every_play_names_its_strategy() -> None:
    plays = [
        (path.name, play.get("strategy"))
        for path in (ROOT / "playbooks").glob("*.yml")
        for play in yaml.safe_load(path.read_text(encoding="utf-8"))
        if "hosts" in play
    ]
    assert [name for name, strategy in plays if strategy != "ansible.builtin.linear"] == []
    assert len(plays) > 20


def test_connection_variables_of_the_estate_do_not_reach_the_machines(estate: Estate) -> None:
    inventory = estate.home / "estate"
    (inventory / "group_vars").mkdir(parents=True)
    (inventory / "hosts").write_text("web1 ansible_host=203.0.113.7\n", encoding="utf-8")
    odd = {"ansible_port": 2222, "ansible_become_method": "doas", "ansible_become_user": "ops"}
    odd["ansible_python_interpreter"] = "/opt/estate/bin/python"
    (inventory / "group_vars/all.yml").write_text(json.dumps(odd), encoding="utf-8")
    done = estate.run(
        "bringup",
        *("-i", str(inventory / "hosts"), "-vvv"),
        variables={
            **WISH,
            "ssh_ready_timeout": 1,
            "ansible_playbook_python": sys.executable,
        },
    )
    assert "2222" not in done.stdout + done.stderr
    settings = estate.home / ".config/gpuops/gpuops-ada/ssh_config"
    assert settings.is_file()
    assert len(estate.orders()) == 1


def test_a_jump_host_is_used_where_the_command_line_names_one(estate: Estate) -> None:
    """As README writes it; a program stands for the jump host, and leaves a file."""
    passed = estate.home / "passed"
    through = f"-o ProxyCommand='touch \"{passed}\"'"
    estate.run(
        "bringup",
        variables={**WISH, "ssh_ready_timeout": 1, "ansible_ssh_extra_args": through},
    )
    assert passed.is_file()


def test_settings_of_ssh_hold_paths_with_blanks(estate: Estate) -> None:
    estate.run("bringup", variables={**WISH, "ssh_ready_timeout": 1})
    settings = estate.home / ".config/gpuops/gpuops-ada/ssh_config"
    command = [shutil.which("ssh") or "ssh", "-G", "-F", str(settings), "gpuops-ada"]
    read = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f'identityfile "{settings.parent}/id_ed25519"' in read or (
        f"identityfile {settings.parent}/id_ed25519" in read
    )
    assert f"{settings.parent}/known_hosts" in read


def test_format_that_nobody_knows_is_refused(estate: Estate) -> None:
    done = estate.run("capacity", variables={"tier": "any_a100", "format": "xml"})
    assert 'format "xml" is not one of table, json, html' in said(done)
    assert estate.cloud.log() == []
