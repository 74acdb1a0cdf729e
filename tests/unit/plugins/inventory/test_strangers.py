# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What strangers write on instances is data: no template, no settings of others, no secret told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.tests.unit.plugins.hostile import (
    TOKEN,
    Hostile,
    hostile_server,
    instance,
    our_tags,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import CLIENT_ID, SECRET

ROOT = Path(__file__).resolve().parents[4]
Done = subprocess.CompletedProcess[str]
Ansible = Callable[..., Done]
ID = "5f3b0c9e-5a7e-4d8e-9c64-00000000000"


@pytest.fixture
def hostile(home: Path) -> Iterator[Hostile]:
    """Start a cloud in which anybody may have named anything."""
    with hostile_server() as server:
        yield server


@pytest.fixture
def ansible(hostile: Hostile, home: Path) -> Ansible:
    """Run a program of Ansible with sources, the cloud's among them, in their order."""

    def run(
        program: str, *words: str, sources: tuple[str, ...] = ("datacrunch.yml",), **options: Any
    ) -> Done:
        auth = {"client_id": CLIENT_ID, "client_secret": SECRET, "base_url": hostile.url}
        text = {"plugin": "gpuops.cloud.datacrunch", **auth, "timeout": 30, **options}
        (home / "datacrunch.yml").write_text(yaml.safe_dump(text), encoding="utf-8")
        installed = [path for path in ROOT.parents if path.name == "ansible_collections"]
        kept = ("PATH", "LANG", "HOME", "XDG_CACHE_HOME", "ANSIBLE_REMOTE_TMP", "GPUOPS_WORKSPACE")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        found = installed[0].parent if installed else ROOT / ".collections"
        environment |= {
            "ANSIBLE_COLLECTIONS_PATH": str(found),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_LOG_PATH": str(home / "ansible.log"),
            "DATACRUNCH_CLIENT_ID": CLIENT_ID,
            "DATACRUNCH_CLIENT_SECRET": SECRET,
            "DATACRUNCH_BASE_URL": hostile.url,
        }
        given = [part for source in sources for part in ("-i", str(home / source))]
        command = [sys.executable, "-m", "ansible", program, *given, *words]
        done = subprocess.run(
            command, cwd=home, env=environment, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run


def listed(done: Done) -> dict[str, Any]:
    """Return the inventory as data."""
    assert done.returncode == 0, done.stderr
    text = done.stdout[done.stdout.index("\n{") if done.stdout[0] != "{" else 0 :]
    return dict(json.loads(text, object_hook=lambda row: row.get("__ansible_unsafe", row)))


def variables(done: Done) -> dict[str, dict[str, Any]]:
    """Return the variables of each host."""
    return dict(listed(done)["_meta"]["hostvars"])


def said(done: Done) -> str:
    """Return what was said beside the inventory, on one line."""
    return " ".join(done.stderr.split())


# -- strings of strangers are no templates -------------------------------------------------------


def poisoned(home: Path) -> dict[str, Any]:
    """Return an instance with a command in every field that may hold words."""
    count = iter(range(1000))

    def poison() -> str:
        return f"{{{{ lookup('pipe', 'touch {home}/ran-{next(count)}') }}}}"

    marks = {key: poison() for key in ("project", "hours", "protect", "ended", "replaces")}
    tags = [*our_tags(**marks), {"id": "u1", "key": "note", "value": poison()}]
    tags.append({"id": "u2", "key": poison(), "value": "x"})
    fields = ("description", "instance_type", "location", "image", "created_at", "contract")
    rows = {name: poison() for name in fields}
    return instance(hostname=poison(), price_per_hour=1.99, tags=tags, **rows)


PLAYS = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Use all of it
      ansible.builtin.debug:
        msg: "{{ hostvars[inventory_hostname] | to_json }}"
    - name: Use each of it
      ansible.builtin.debug:
        msg: "{{ item }} {{ lookup('ansible.builtin.vars', item, default='') }}"
      loop: "{{ hostvars[inventory_hostname] | select('match', 'datacrunch_|label|ansible_host') }}"
    - name: Make it the fact of a host
      ansible.builtin.set_fact:
        again: "{{ datacrunch_tags }}"
        whole: "{{ datacrunch_name }} {{ datacrunch_tags.note }} {{ label }}"
    - name: Use the fact
      ansible.builtin.debug:
        msg: "{{ again }} {{ whole }}"
    - name: Use it as words of a command
      ansible.builtin.command:
        argv: [echo, "{{ datacrunch_tags.note }}", "{{ datacrunch_project }}", "{{ label }}"]
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - gpuops.cloud.datacrunch_instance_info:
      register: found
    - ansible.builtin.add_host:
        name: "{{ item.id }}"
        groups: [taken]
        instance: "{{ item }}"
        words: "{{ item.tags.note }} {{ item.project }}"
      loop: "{{ found.instances }}"
    - ansible.builtin.set_fact:
        kept: "{{ found.instances | first }}"
    - ansible.builtin.debug:
        msg: "{{ kept }} {{ kept.tags.note }}"
- hosts: taken
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "{{ instance }} {{ instance.tags.note }} {{ words }} {{ instance.location }}"
"""


@pytest.mark.parametrize("cached", [False, True], ids=["asked", "cached"])
def test_no_string_of_the_cloud_is_run(
    hostile: Hostile, ansible: Ansible, home: Path, cached: bool
) -> None:
    hostile.say("GET /instances", [poisoned(home)])
    (home / "play.yml").write_text(PLAYS, encoding="utf-8")
    extras: dict[str, Any] = {
        "compose": {"label": "datacrunch_tags.note"},
        "groups": {"noted": "datacrunch_tags.note is defined"},
        "keyed_groups": [{"key": "datacrunch_tags.note", "prefix": "note"}],
    }
    if cached:
        kept = {"cache_plugin": "jsonfile", "cache_connection": str(home / "kept")}
        extras |= {"cache": True, **kept}
        ansible("inventory", "--list", **extras)
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    done = ansible("playbook", "play.yml", "-e", json.dumps(local), **extras)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lookup('pipe'" in done.stdout.replace('\\"', "'")
    assert sorted(home.glob("ran-*")) == []


def test_an_address_that_is_none(hostile: Hostile, ansible: Ansible, home: Path) -> None:
    payload = f"{{{{ lookup('pipe', 'touch {home}/ran-1') }}}}"
    hostile.say("GET /instances", [instance(ip=payload, tags=our_tags())])
    done = ansible("adhoc", "all", "-m", "debug")
    assert "the field ip" in said(done)
    assert sorted(home.glob("ran-*")) == []


# -- whose instances, and under which names -------------------------------------------------------


def test_only_ours_unless_all_are_wanted(hostile: Hostile, ansible: Ansible) -> None:
    ours = instance(id=f"{ID}2", hostname="llm", tags=our_tags())
    hostile.say("GET /instances", [instance(), ours])
    assert sorted(variables(ansible("inventory", "--list"))) == ["llm"]
    assert sorted(variables(ansible("inventory", "--list", foreign=True))) == ["llm", "web1"]


STATIC = """
all:
  hosts:
    web1: {ansible_host: 10.0.0.5, ansible_user: admin}
    llm: {ansible_host: 10.0.0.6, role_of_it: theirs}
  children:
    db: {hosts: {web1: {}}}
"""


def test_a_host_of_an_earlier_source_is_left_alone(
    hostile: Hostile, ansible: Ansible, home: Path
) -> None:
    (home / "static.yml").write_text(STATIC, encoding="utf-8")
    ours = instance(id=f"{ID}2", hostname="llm", tags=our_tags())
    hostile.say("GET /instances", [instance(), ours])
    done = ansible("inventory", "--list", sources=("static.yml", "datacrunch.yml"), foreign=True)
    found = variables(done)
    assert found["web1"] == {"ansible_host": "10.0.0.5", "ansible_user": "admin"}
    assert found["llm"] == {"ansible_host": "10.0.0.6", "role_of_it": "theirs"}
    assert found[f"web1-{ID}1"]["ansible_host"] == "203.0.113.9"
    assert found[f"llm-{ID}2"]["datacrunch_name"] == "llm"
    assert f"web1 is taken by another host or group; the instance {ID}1 is web1-{ID}1" in said(done)
    assert "web1" not in listed(done)["gpu_h100"]["hosts"]


def test_a_later_source_adds_to_a_host_of_ours_and_wins(
    hostile: Hostile, ansible: Ansible, home: Path
) -> None:
    (home / "static.yml").write_text(STATIC, encoding="utf-8")
    hostile.say("GET /instances", [instance(hostname="llm", tags=our_tags())])
    both = ("datacrunch.yml", "static.yml")
    done = ansible("inventory", "--list", sources=both)
    found = variables(done)
    assert found["llm"]["ansible_host"] == "10.0.0.6"
    assert found["llm"]["datacrunch_id"] == f"{ID}1"
    apart = variables(ansible("inventory", "--list", sources=both, host_prefix="gpu-"))
    assert apart["llm"]["ansible_host"] == "10.0.0.6"
    assert apart["gpu-llm"]["ansible_host"] == "203.0.113.9"


def test_names_that_mean_something_else(hostile: Hostile, ansible: Ansible, home: Path) -> None:
    (home / "static.yml").write_text(STATIC, encoding="utf-8")
    names = [
        *("all", "ungrouped", "localhost", "127.0.0.1", "datacrunch", "gpuops_machines", "db"),
        *("status_running", "market_on_demand", "location_fin_01"),
    ]
    rows = [instance(id=f"m{n}", hostname=name) for n, name in enumerate(names)]
    hostile.say("GET /instances", rows)
    done = ansible("inventory", "--list", sources=("static.yml", "datacrunch.yml"), foreign=True)
    wanted = [f"{name}-m{n}" for n, name in enumerate(names)]
    assert sorted(variables(done)) == sorted(["llm", "web1", *wanted])
    for name in names:
        assert f"{name} is taken by another host or group" in said(done)


def test_names_that_are_none(hostile: Hostile, ansible: Ansible) -> None:
    names = ["a\nb", "-x", "a b", "{{ x }}", "*", "a,b", "a[1:9]", None, ""]
    rows = [instance(id=f"m{n}", hostname=name) for n, name in enumerate(names)]
    hostile.say("GET /instances", [*rows, instance(hostname="a\nb", tags=our_tags("db"))])
    found = variables(ansible("inventory", "--list", foreign=True))
    assert sorted(found) == ["db", *(f"m{n}" for n in range(len(names)))]


def test_names_are_made_as_is_wanted(hostile: Hostile, ansible: Ansible) -> None:
    ours = instance(id=f"{ID}2", hostname="llm", tags=our_tags(deployment="chat", note="a b"))
    hostile.say("GET /instances", [ours])
    name = "datacrunch_deployment ~ '.' ~ datacrunch_name"
    done = ansible("inventory", "--list", host_name=name, host_prefix="gpu-")
    assert sorted(variables(done)) == ["gpu-chat.llm"]
    for wrong in ("datacrunch_tags.note", "datacrunch_nothing"):
        done = ansible("inventory", "--list", host_name=wrong)
        assert sorted(variables(done)) == ["llm"]
        assert "host_name" in said(done)
    done = ansible("inventory", "--list", host_prefix="- ")
    assert variables(done) == {}
    assert "is left out" in said(done)


# -- what must not be told -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "status"),
    [("POST /oauth2/token", 400), ("GET /instances", 500), ("GET /instances", 200)],
)
def test_no_secret_in_errors_and_logs(
    hostile: Hostile, ansible: Ansible, home: Path, request_: str, status: int
) -> None:
    words = f"you sent {SECRET} with Bearer {TOKEN}"
    hostile.say(request_, words, status=status, headers={"Content-Type": "text/plain"})
    done = ansible("inventory", "--list", "-vvvv")
    told = done.stdout + done.stderr + (home / "ansible.log").read_text()
    assert "you sent" in told
    assert SECRET not in told
    assert TOKEN not in told


@pytest.mark.parametrize(
    "body", ['{"data": []}', "[null]", "[" * 99999], ids=["data", "null", "deep"]
)
def test_an_answer_that_nobody_can_read_is_an_error(
    hostile: Hostile, ansible: Ansible, body: str
) -> None:
    hostile.say("GET /instances", body)
    assert "GET /instances: " in said(ansible("inventory", "--list"))
