# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller that brings a job to its end, in a process of its own that may be killed anywhere.

It takes the steps of playbooks/job.yml in their order, by the same modules, action plugins and
programs of the host. What the playbook itself makes of them, only hosts and Ansible can show:
tests/e2e/test_job_kills.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.gpuops.cloud.plugins.action import (
    job_fetch,
    job_follow,
    job_send,
    job_state,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda import client
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.roles.job_host import FILES_PROGRAM

# Runs on the host, and dies with it.
KEEP = """\
import json, subprocess, sys
from ansible_collections.gpuops.cloud.tests.unit.roles.job_host import run
from ansible_collections.gpuops.cloud.tests.unit.roles.kept import kept
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.host import HostJob
from pathlib import Path
want, root, dry = json.loads(sys.argv[1])
print(json.dumps(kept(HostJob(Path(root)), run, want, dry=dry)))
"""


@dataclass(frozen=True)
class Place:
    """Where everything is: the cloud, the folders of controller and host, the wish for the job."""

    url: str
    home: str
    host: str
    programs: str
    job: dict[str, Any]
    want: dict[str, Any]


class UnreachableError(Exception):
    """The host does not answer."""


class HurriedClock:
    """A clock by which nobody waits for long."""

    monotonic = staticmethod(time.monotonic)

    @staticmethod
    def sleep(seconds: float) -> None:
        """Wait a little."""
        time.sleep(min(seconds, 0.01))


def act(module: Any, host: str, **args: Any) -> dict[str, Any]:
    """Run an action plugin as a task of the playbook does; raises UnreachableError."""
    plugin = module.ActionModule.__new__(module.ActionModule)
    plugin._task = mock.Mock(args=args, check_mode=False, become=False)
    options = {"host": host}
    plugin._connection = mock.Mock(transport="ssh", get_option=options.get)

    def validated(argument_spec: Any, **_rules: Any) -> Any:
        found = ArgumentSpecValidator(argument_spec).validate(args)
        return found, found.validated_parameters

    plugin.validate_argument_spec = validated
    found = dict(plugin.run(task_vars={"inventory_hostname": host}))
    if found.get("failed"):
        raise (AssertionError if host == "localhost" else UnreachableError)(found["msg"])
    return found


def converge(at: Place) -> None:
    """Do what is to be done next, to the end where that can be reached."""
    os.environ["PATH"] = f"{at.programs}:{os.environ['PATH']}"
    os.environ["HOME"] = at.home
    # For good, since this process is nothing else.
    mock.patch.object(client, "SystemClock", HurriedClock).start()
    mock.patch.object(job_follow.display, "display").start()
    mock.patch.object(ActionBase, "run", return_value={}).start()
    Controller(at).run()


class Controller:
    """One run of the playbook."""

    def __init__(self, at: Place) -> None:
        self.at = at
        self.deployment = f"job-{at.job['name']}"
        self.there = {"name": at.job["name"], "folder": f"{at.host}/jobs"}
        self.there["program"] = list(FILES_PROGRAM)

    def run(self) -> None:
        """Take the steps of the playbook."""
        state = self.state()
        if state["next"] == "nothing":
            return
        now: dict[str, Any] = {}
        is_home = False
        if state["next"] != "end":
            machine = self.buy()
            sets_up = not state["begun"] or state["record"]["instance"] != machine["id"]
            self.state(bought=machine["id"])
            with suppress(UnreachableError):
                now, is_home = self.on_host(machine["id"], sets_up=sets_up)
        self.close(now, is_home=is_home)

    def module(self, name: str, **args: Any) -> dict[str, Any]:
        """Run a module of the cloud."""
        auth = {"client_id": "me", "client_secret": "secret", "base_url": f"{self.at.url}/v1"}
        result, said = run_module(name, {**auth, "deployment": self.deployment, **args})
        if result.get("failed"):
            raise AssertionError(said)
        return result

    def state(self, **more: Any) -> dict[str, Any]:
        """Look where the job stands, and remember it."""
        rows = self.module("datacrunch_instance_info")["instances"]
        ask = {"job": self.at.job, "home": self.at.home, "folder_hash": "content"}
        return act(job_state, "localhost", **ask, instances=rows, **more)

    def buy(self) -> dict[str, Any]:
        """Find or buy the instance, which boots."""
        wish = {"tier": "h100_or_less", "market": "spot", "data_volume_gb": 10, "owner": "me"}
        more = {"ledger": f"sqlite:///{self.at.home}/ledger.sqlite3", "lease": "2h"}
        found = self.module("datacrunch_instance", state="running", **wish, **more)
        Path(self.at.host, "up", found["instance"]["id"]).touch()
        return dict(found["instance"])

    def keep(self, machine: str, *, dry: bool, **more: Any) -> dict[str, Any]:
        """Run the module gpu_job on the host."""
        words = json.dumps([{**self.at.want, **more}, self.at.host, dry])
        command = ["ssh", machine, f"exec {sys.executable} -c '{KEEP}' '{words}'"]
        path = os.pathsep.join(sys.path)
        done = subprocess.run(
            command, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        if done.returncode:
            raise UnreachableError(done.stderr)
        return dict(json.loads(done.stdout))

    def on_host(self, machine: str, *, sets_up: bool) -> tuple[dict[str, Any], bool]:
        """Bring the job to its end; returns how it is then, and if all is home."""
        if sets_up:
            source = f"{self.at.home}/project"
            act(job_send, machine, **self.there, source=source, command=self.at.want["command"])
            self.keep(machine, dry=False)
        now = self.keep(machine, dry=True, state="stopped")
        if now["next"] == "follow":
            if not self.follow(machine, now["attempt"]):
                return now, False
            now = self.keep(machine, dry=True, state="stopped")
        if now["next"] == "start":
            return self.on_host(machine, sets_up=True)
        if now["next"] == "fetch":
            self.fetch(machine, now)
        return now, now["next"] == "fetch"

    def fetch(self, machine: str, now: dict[str, Any]) -> None:
        """Bring home what there is."""
        for row in now["attempts"]:
            if row["started"] is not None:
                self.follow(machine, row["number"])
        act(job_fetch, machine, **self.there, to=self.at.job["results"])

    def follow(self, machine: str, number: int) -> bool:
        """Take the output of an attempt; returns whether its last byte is here."""
        file = f"{self.at.job['results']}/output-{number:04d}.log"
        words = {"attempt": number, "file": file, "patience": 0.0}
        return bool(act(job_follow, machine, **self.there, **words)["ended"])

    def close(self, now: dict[str, Any], *, is_home: bool) -> None:
        """Write the result of what is over, terminate its instance, and say that it is done."""
        end = self.state(**({"attempts": now["attempts"]} if now else {}))
        if not (is_home or end["next"] == "end"):
            return
        last = ([*(now or end["record"])["attempts"]] or [{}])[-1]
        found = {"exit_code": 125, "reason": end["reason"] or "machine_error", "signal": ""}
        found |= {key: value for key, value in (last.get("exit") or {}).items() if key in found}
        result = end["result"] or {**found, "same": end["record"]["same"], "closed": False}
        self.write(result)
        self.terminate(data="delete" if result["reason"] == "succeeded" else "keep")
        self.write({**result, "closed": True})

    def terminate(self, data: str) -> None:
        """End all that was bought, as playbooks/teardown.yml does."""
        ledger = {"ledger": f"sqlite:///{self.at.home}/ledger.sqlite3", "owner": "me"}
        policy = {"os_volume": "delete", "data_volumes": data}
        self.module("datacrunch_instance", state="absent", **ledger, **policy)
        if data == "keep":
            return
        for row in self.module("datacrunch_volume_info", status="detached")["volumes"]:
            self.module("datacrunch_volume", state="absent", policy="delete", id=row["id"])

    def write(self, result: dict[str, Any]) -> None:
        """Put the result in place."""
        place = Path(self.at.job["results"], "result.json")
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_suffix(".new")
        fresh.write_text(json.dumps(result), encoding="utf-8")
        fresh.replace(place)
