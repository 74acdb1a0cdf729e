# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: phases
type: aggregate
short_description: Measure how long each phase of a run took
version_added: 0.1.0
description:
  - Prints at the end how many seconds each phase took, and how many of its tasks changed something.
  - A phase of a role is named by the tag of its tasks that begins with the role's name and an underscore, such as C(vllm_install).
    Of several such tags that one counts which is called like the file of the task. A task outside of roles belongs to the phase of its first tag
    in the order of the alphabet, and without a tag to its play.
  - A second run can be compared with the first, because the runs are also added to a file. Of each phase it holds seconds, the number of tasks,
    and as C(changed) the names of those that changed something. A phase in which nothing changed was warm.
  - C(gpuops.cloud.bringup) names C(phases.json) in the deployment's folder as the file, by the fact C(gpuops_phases_file). Any play can set this fact.
  - Runs in check mode are shown and not stored. The folder of the file must exist, and the last 100 runs are kept.
author:
  - gpuops.cloud contributors (@gpuops)
requirements:
  - enabling, by C(callbacks_enabled = gpuops.cloud.phases) or E(ANSIBLE_CALLBACKS_ENABLED)
options:
  file:
    description: File to add the runs to, instead of the one that the run names.
    type: path
    ini:
      - section: callback_gpuops_phases
        key: file
    env:
      - name: GPUOPS_PHASES_FILE
  shortest:
    description: Runs that take fewer seconds print nothing.
    type: float
    default: 5
    ini:
      - section: callback_gpuops_phases
        key: shortest
    env:
      - name: GPUOPS_PHASES_SHORTEST
"""

import fcntl
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

FACT = "gpuops_phases_file"
KEPT_RUNS = 100


@dataclass
class Phase:
    """What one phase took (seconds), and did."""

    name: str
    role: str
    seconds: float = 0.0
    tasks: int = 0
    changed: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Return it as the file holds it."""
        return {**asdict(self), "seconds": round(self.seconds, 2)}


def _stem(place: str | None) -> str:
    """Return the bare name of a file that is given with the number of a line."""
    return Path(place.rpartition(":")[0]).stem if place else ""


def add_run(path: Path, run: dict[str, Any]) -> None:
    """Add a run to the file at once, whoever else does so too; raises OSError, ValueError."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        text = path.read_text(encoding="utf-8") if path.exists() else '{"runs": []}'
        runs = [*json.loads(text)["runs"], run][-KEPT_RUNS:]
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"runs": runs}, file, indent=1)
            file.write("\n")
        Path(temporary).replace(path)
    finally:
        os.close(folder)


class CallbackModule(CallbackBase):
    """A clock that is read when a task starts."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "gpuops.cloud.phases"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._began = datetime.now(timezone.utc)
        self._since = self._started = time.monotonic()
        self._playbook = ""
        self._play = Phase("", "")
        self._now = self._play
        self._phases: dict[str, Phase] = {}
        self._of_task: dict[str, Phase] = {}
        self._file = ""

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Note the name of the playbook."""
        self._playbook = Path(getattr(playbook, "_file_name", "")).name

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Note the play, to which all belongs that no phase claims."""
        name = play.get_name().strip()
        self._play = self._phases.get(name) or Phase(name, "")
        self._enter(self._play)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool = False) -> None:
        """Enter the phase of the task."""
        phase = self._phase_of(task)
        phase.tasks += 1
        self._of_task[task._uuid] = phase
        self._enter(phase)

    v2_playbook_on_handler_task_start = v2_playbook_on_task_start

    def _phase_of(self, task: Any) -> Phase:
        role = task._role.get_name(include_role_fqcn=False) if task._role else ""
        # Ansible keeps no order among the tags of a task.
        tags = sorted({*task.tags} - {"always", "never"})
        if role:
            tags = [tag for tag in tags if tag.startswith(f"{role}_")]
            # A handler has no tags of its own, and runs in the phase that called it.
            if not tags and self._now.role == role:
                return self._now
        if not tags and not role:
            return self._phases.setdefault(self._play.name, self._play)
        name = tags[0] if tags else role
        if len(tags) > 1 and (own := f"{role}_{_stem(task.get_path())}") in tags:
            name = own
        return self._phases.setdefault(name, Phase(name, role))

    def _enter(self, phase: Phase) -> None:
        """Give the time since the last call to the phase that it was spent in."""
        now = time.monotonic()
        self._now.seconds += now - self._since
        self._since, self._now = now, phase

    def v2_runner_on_ok(self, result: Any) -> None:
        """Note what changed, and the file that the run names."""
        found = result._result
        if found.get("changed"):
            task = result._task
            phase = self._of_task.get(task._uuid, self._now)
            if (name := task.get_name().split(" : ", 1)[-1].strip()) not in phase.changed:
                phase.changed.append(name)
        if FACT in (found.get("ansible_facts") or ()):
            self._file = str(found["ansible_facts"][FACT])

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the table, and add the run to the file."""
        self._enter(self._play)
        seconds = self._since - self._started
        phases = [phase for phase in self._phases.values() if phase.tasks]
        if phases and seconds >= float(self.get_option("shortest")):
            self._display.display(self._table(phases, seconds))
        file = self.get_option("file") or self._file
        if file and not context.CLIARGS.get("check"):
            self._store(Path(file).expanduser(), self._run(phases, seconds, stats))

    @staticmethod
    def _table(phases: list[Phase], seconds: float) -> str:
        """Return the table, without what took next to no time and changed nothing."""
        told = [phase for phase in phases if phase.seconds >= 0.5 or phase.changed]
        width = max(len(phase.name) for phase in told or phases)
        lines = [
            f"  {phase.name:<{width}}  {phase.seconds:7.1f}"
            + (f"  {len(phase.changed)} of {phase.tasks} tasks changed" if phase.changed else "")
            for phase in told
        ]
        return "\n".join(["Seconds by phase:", *lines, f"  {'in all':<{width}}  {seconds:7.1f}"])

    def _run(self, phases: list[Phase], seconds: float, stats: Any) -> dict[str, Any]:
        """Return this run as the file holds it."""
        # A failure that was rescued leaves a zero.
        failed = sorted(
            {host for kind in (stats.failures, stats.dark) for host in kind if kind[host]}
        )
        return {
            "began": self._began.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "playbook": self._playbook,
            "seconds": round(seconds, 2),
            "failed": failed,
            "phases": [phase.row() for phase in phases],
        }

    def _store(self, path: Path, run: dict[str, Any]) -> None:
        """Add the run to the file; where that cannot be, say so and go on."""
        # The run may have ended the deployment, and its folder with it.
        if not path.parent.is_dir():
            return
        try:
            add_run(path, run)
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._display.warning(f"the times of this run were not stored in {path}: {error}")
