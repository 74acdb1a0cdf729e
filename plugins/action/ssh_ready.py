# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module ssh_ready: one wait for all hosts."""

from __future__ import annotations

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._ssh.readiness import Found, Probe, Target, probe_until_ready

display = Display()
_SPEC = {
    "timeout": {"type": "float", "default": 600},
    "interval": {"type": "float", "default": 3},
    "first_boot": {"type": "bool", "default": True},
    "package_lock": {"type": "bool", "default": True},
}
_MAX_PARALLEL = 50
_SPEAK_EVERY_S = 10


class ActionModule(ActionBase):
    """Waits for all hosts of the play at once."""

    BYPASS_HOST_LOOP = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return for each host whether it is ready."""
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=_SPEC)
        if self._task.check_mode:
            return {**result, "changed": False, "hosts": {}, "msg": "not waiting in check mode"}
        variables = task_vars or {}
        names = variables["ansible_play_hosts"]
        targets = [self._target(name, variables["hostvars"][name]) for name in names]
        questions = (args["first_boot"], args["package_lock"])
        found = wait_for_all(targets, args["timeout"], args["interval"], questions)
        return {**result, "changed": False, "hosts": found}

    def _target(self, name: str, of_host: Any) -> Target:
        def value(key: str, default: str = "") -> str:
            found = of_host.get(key)
            return default if found is None else str(self._templar.template(found))

        extra = f"{value('ansible_ssh_common_args')} {value('ansible_ssh_extra_args')}"
        return Target(
            name=name,
            address=value("ansible_host", name),
            port=value("ansible_port"),
            user=value("ansible_user"),
            key_file=value("ansible_ssh_private_key_file"),
            args=extra.strip(),
            local=value("ansible_connection") == "local",
        )


def wait_for_all(
    targets: list[Target], timeout: float, interval: float, questions: tuple[bool, bool]
) -> dict[str, Found]:
    """Return by name whether each host is ready; all are asked at the same time. Times in seconds."""
    states = {target.name: Probe(target.name) for target in targets}
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=min(len(targets), _MAX_PARALLEL) or 1) as pool:
        jobs = [
            pool.submit(
                probe_until_ready,
                target,
                states[target.name],
                timeout=timeout,
                interval=interval,
                questions=questions,
                run=subprocess.run,
                now=time.monotonic,
                pause=stop.wait,
            )
            for target in targets
        ]
        try:
            while wait(jobs, timeout=_SPEAK_EVERY_S).not_done:
                for state in states.values():
                    if not state.ended:
                        display.display(f"  {state.name}: {state.last_seen}")
        finally:
            stop.set()
    for job in jobs:
        job.result()
    return {name: state.as_dict() for name, state in states.items()}
