# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several replicas: whose users are served is restarted while the others answer, one at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

import warm_ansible
from ansible_collections.gpuops.cloud.tests.unit.roles.programs import play
from ansible_collections.gpuops.cloud.tests.unit.roles.support import COLLECTIONS, HOST
from ansible_collections.gpuops.cloud.tests.unit.roles.tasks import all_tasks

MODEL = "tiny"
SET_FACT = "ansible.builtin.set_fact"
# Instead of the program that changes a server: it says what the test wants, and notes its words.
CANDIDATE = """
import json, sys
from pathlib import Path
action, folder = sys.argv[1], Path(sys.argv[2])
with (folder.parent / "happened").open("a") as file:
    file.write(f"{action} {folder.name}\\n")
print(json.dumps(json.loads((folder / "seen.json").read_text()).get(action, {})))
"""
SYSTEMCTL = """case "$*" in
  *show*) printf 'Id=vllm.service\\nLoadState=loaded\\nActiveState=active\\nSubState=running\\n'
          printf 'UnitFileState=enabled\\nNRestarts=0\\n';;
  *is-enabled*) echo enabled;;
esac"""
BOOK = """
- hosts: replicas
  gather_facts: false
  strategy: ansible.builtin.linear
  tasks:
    - ansible.builtin.include_role:
        name: gpuops.cloud.vllm
        tasks_from: service.yml
"""


class Server(ThreadingHTTPServer):
    """A replica that answers, or generates nothing; it notes that it was asked."""

    def __init__(self, name: str, happened: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.name, self.happened, self.tokens = name, happened, 1
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """Answers each question alike."""

    server: Server

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.happened.open("a", encoding="utf-8") as file:
            file.write(f"asked {self.server.name}\n")
        usage = {"completion_tokens": self.server.tokens}
        choices = [{"message": {"content": "yes"}}]
        text = json.dumps({"model": MODEL, "usage": usage, "choices": choices}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments: Any) -> None:
        """Stay quiet."""


class Fleet:
    """Hosts on this machine, each with a server and what it is said to have changed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.servers = (
            folder,
            {name: Server(name, folder / "happened") for name in "ab"},
        )
        for name in self.servers:
            (folder / name).mkdir()
            (folder / name / "vllm.env").write_text('VLLM_API_KEY="key"\n', encoding="utf-8")
            self.saw(name, serves=True)

    def saw(self, name: str, serves: bool, changed: tuple[str, ...] = ("config.yaml",)) -> None:
        """Let a host have this to say before anything is done."""
        seen = {"changed": changed, "no_trial": "no memory", "unproven": False, "serves": serves}
        text = json.dumps({"look": seen, "back": {"back": False}})
        (self.folder / name / "seen.json").write_text(text, encoding="utf-8")

    def converge(self, book: str = BOOK) -> subprocess.CompletedProcess[str]:
        """Run the phase of the role that restarts and proves, on all hosts."""
        common = {
            "ansible_connection": "local", "ansible_python_interpreter": sys.executable,
            "ansible_become": False, "vllm_model": MODEL, "vllm_device": "cpu",
            "_vllm_candidate_program": CANDIDATE, "_vllm_start_timeout": 1,
            "_vllm_probe": {**HOST, "restart_reason": "", "unit_exists": True},
        }  # fmt: skip
        hosts = {
            name: {"vllm_port": server.server_address[1], "_vllm_folder": str(self.folder / name)}
            for name, server in self.servers.items()
        }
        # These win over the variables of the role, which would lead to the real host.
        words = {**common, "_vllm_folder": "{{ fleet_folder }}/{{ inventory_hostname }}"}
        words["fleet_folder"] = str(self.folder)
        inventory = {"replicas": {"hosts": hosts}}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
        (self.folder / "play.yml").write_text(book, encoding="utf-8")
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_PIPELINING": "1",
        }
        given = ("-i", "hosts.yml", "play.yml", "-e", json.dumps(words))
        return warm_ansible.run("playbook", given, folder=self.folder, environment=environment)

    def happened(self) -> list[str]:
        """Return what was done and asked, in order, without the looks."""
        lines = (self.folder / "happened").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if not line.startswith("look")]


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """Provide two replicas that serve and are both to be changed."""
    programs = tmp_path / "programs"
    programs.mkdir()
    play(programs, monkeypatch, {"systemctl": SYSTEMCTL, "journalctl": "true"})
    made = Fleet(tmp_path)
    yield made
    for server in made.servers.values():
        server.shutdown()
        server.server_close()


def test_each_is_proved_before_the_next_one_is_restarted(fleet: Fleet) -> None:
    done = fleet.converge()
    assert done.returncode == 0, done.stdout + done.stderr
    happened = fleet.happened()
    assert sorted(happened[::2]) == ["switch a", "switch b"]
    assert happened[1::2] == [line.replace("switch", "asked") for line in happened[::2]]


def test_none_is_restarted_after_one_that_fails(fleet: Fleet) -> None:
    for server in fleet.servers.values():
        server.tokens = 0
    done = fleet.converge()
    assert done.returncode != 0
    happened = fleet.happened()
    first = happened[0].removeprefix("switch ")
    assert happened == [f"switch {first}", f"asked {first}", f"back {first}"]
    said = " ".join(done.stdout.split())
    assert f"it was not updated, because {first} does not serve the new configuration" in said


def test_those_that_serve_nobody_yet_start_at_once(fleet: Fleet) -> None:
    for name in fleet.servers:
        fleet.saw(name, serves=False)
    done = fleet.converge()
    assert done.returncode == 0, done.stdout + done.stderr
    happened = fleet.happened()
    assert sorted(happened[:2]) == ["switch a", "switch b"]
    assert sorted(happened[2:]) == ["asked a", "asked b"]


def test_one_that_is_new_and_fails_stops_the_others_too(fleet: Fleet) -> None:
    fleet.saw("a", serves=False)
    fleet.servers["a"].tokens = 0
    done = fleet.converge()
    assert done.returncode != 0
    switched = [line for line in fleet.happened() if line.startswith("switch")]
    # Whoever had its turn before was proved; nobody had one after it.
    assert switched[-1] == "switch a"


def test_what_one_deployment_saw_does_not_hold_back_the_next() -> None:
    tasks = [task for task in all_tasks() if task.place == "vllm/service.yml"]
    (noted,) = [task for task in tasks if "_vllm_unproved" in task.row.get(SET_FACT, {})]
    assert set(noted.arguments) == {"_vllm_restarts", "_vllm_unproved"}
    # For every host, in every run, and before anything looks at it.
    assert noted.says("when") is None
    used = [task for task in tasks if "_vllm_turns" in str(task.row)]
    assert tasks.index(noted) < tasks.index(used[0])
