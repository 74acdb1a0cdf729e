# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_job
short_description: Start, stop or remove a job on its host
version_added: 0.1.0
description:
  - Runs on the host where P(gpuops.cloud.job#role) has put the unit and the programs of jobs, and knows no cloud.
  - A job is begun once. While it runs, and after it has ended, V(started) changes nothing. An attempt that was lost because the host booted, or
    because another host has taken over its disk, is followed by the next one, O(retries) times at most; two attempts without a newer checkpoint
    end the job.
  - What an attempt was and how it ended stands in files in O(folder), on the data volume where there is one; its output is a file that only grows.
  - A job of the same name with another command, environment or content is refused with the difference.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  name:
    description: Name of the job.
    type: str
    required: true
  state:
    description:
      - V(started) wants a job that was begun, V(stopped) one that does not run, V(absent) one of which nothing is left.
      - V(stopped) tells the program to end (SIGTERM), waits as long as it was given for that, and then kills it with all that it has started.
    type: str
    choices: [started, stopped, absent]
    default: started
  folder:
    description: Folder of all jobs on the host.
    type: path
    default: /srv/gpuops/jobs
  command:
    description: Words of the command. It is run without a shell.
    type: list
    elements: str
    default: []
  folder_hash:
    description: Identity of the folder that was sent, so that another one is noticed.
    type: str
    default: ""
  environment:
    description: Prefix of the Python environment whose C(bin) comes first in C(PATH).
    type: path
  environment_wish:
    description: What the environment was asked to be, so that another wish is noticed.
    type: str
    default: none
  image:
    description:
      - Image of the container that the program runs in, by podman, instead of an environment. It is pulled by the role; nothing is pulled here.
      - It is an environment and no fence - the program runs as O(user), with the network of the host, and sees the folder of the job.
    type: str
    default: ""
  podman:
    description: Command of podman, with its storage.
    type: list
    elements: str
    default: [podman]
  env:
    description: Environment variables. They are written to the disk.
    type: dict
    default: {}
  credential_names:
    description:
      - Names of environment variables that are secret. Their values have been put into C(/run/gpuops-jobs/NAME/secrets) before, in memory alone,
        and reach the program as a credential of its unit.
    type: list
    elements: str
    default: []
  tasks:
    description:
      - Tasks of an array, each with C(number) and C(parameters). The command is run for each, with C({NAME}) in it replaced by the value of the name.
      - A task has the variables C(GPUOPS_TASK), C(GPUOPS_TASKS) and one for each value, and folders for output and checkpoints of its own. One that
        has ended is never begun again, and one that fails does not end the others. The job fails when a task has.
    type: list
    elements: dict
    default: []
  at_once:
    description: How many tasks run at a time, each with its share of the GPUs in C(CUDA_VISIBLE_DEVICES). V(0) runs one on each GPU.
    type: int
    default: 0
  nodes:
    description: What this host is among several that run the command together, by torchrun, which has to be in the environment.
    type: dict
    suboptions:
      count: {type: int, required: true, description: How many they are.}
      rank: {type: int, required: true, description: "Which one this is, from 0."}
      head_address: {type: str, required: true, description: Address of the one of rank 0.}
      interface: {type: str, required: true, description: Interface that they talk over.}
      processes: {type: int, default: 1, description: "Processes that it starts, one for each GPU."}
  seconds:
    description: Limit of all attempts together.
    type: float
    default: 43200
  grace:
    description: Seconds between the signal that announces the end and the end. They belong to O(seconds).
    type: float
    default: 120
  lease_end:
    description: End of the lease of the host in UTC, as V(2026-11-22T20:00:00Z). The program ends O(fetch_time) before it. Without it nothing does.
    type: str
  fetch_time:
    description: Seconds that are kept before O(lease_end) for results to be fetched.
    type: float
    default: 600
  done_after:
    description:
      - Seconds after the end of the program at which C(gpuops-done) is run, by which whoever ends hosts that are not needed ends this one too,
        where the role P(gpuops.cloud.idle_guard#role) has installed it. V(0) never runs it.
    type: float
    default: 0
  retries:
    description: How often an attempt that was lost is followed by another.
    type: int
    default: 0
  reason:
    description: Why it is stopped, as it is written down before any signal.
    type: str
    choices: [cancelled, lease, cost_limit, peer_failed]
    default: cancelled
  waiting:
    description: With O(state=stopped), whether only those tasks are cancelled that have not begun.
    type: bool
    default: false
  user:
    description: User that the program runs as.
    type: str
    default: gpuops-job
  program:
    description: Command of the host's program that tells what there is.
    type: list
    elements: str
    default: [/usr/bin/python3, -I, /usr/local/lib/gpuops/gpuops_job.py]
attributes:
  check_mode:
    support: full
    description: Looks at everything and says in RV(actions) what it would do.
  diff_mode:
    support: none
    description: What changes is told in RV(actions).
  idempotent:
    support: full
    description: A second run changes nothing.
"""

EXAMPLES = r"""
- name: Train
  gpuops.cloud.gpu_job:
    name: tiny-sft
    command: [python, train.py, --epochs, "3"]
    seconds: 21600
  become: true

- name: Stop training, and let it write a checkpoint
  gpuops.cloud.gpu_job:
    name: tiny-sft
    state: stopped
  become: true
"""

RETURN = r"""
state: {type: str, description: "State of the job - V(setting_up), V(running), V(stopping), V(evicted) or V(fetching).", returned: success, sample: running}
next: {type: str, description: What has to be done next., returned: success, sample: follow}
reason: {type: str, description: Why it ended or will., returned: success, sample: exit_code}
attempt: {type: int, description: Number of the last attempt., returned: success, sample: 1}
attempts:
  description: The attempts, the first one first.
  returned: success
  type: list
  elements: dict
  contains:
    number: {type: int, description: Its number., returned: success, sample: 1}
    started: {type: float, description: When it began by the host's clock. Null where it did not., returned: success, sample: 1764500000.0}
    this_boot: {type: bool, description: Whether the host has not booted since., returned: success, sample: true}
    active: {type: bool, description: Whether its unit runs., returned: success, sample: true}
    stop: {type: str, description: Why it was told to stop., returned: success, sample: ""}
    checkpoint: {type: bool, description: Whether a checkpoint was written since it began., returned: success, sample: true}
    size: {type: int, description: Bytes of its output., returned: success, sample: 5120}
    last_output: {type: float, description: When it last wrote any., returned: success, sample: 1764500100.0}
    exit: {type: dict, description: How it ended; null before., returned: success, sample: {exit_code: 3, reason: exit_code, signal: "", size: 5120}}
tasks:
  description: The tasks of an array; none for a job that is none.
  returned: success
  type: list
  elements: dict
  contains:
    number: {type: int, description: Its number., returned: success, sample: 0}
    parameters: {type: dict, description: What tells it from the others., returned: success, sample: {lr: "0.1"}}
    state: {type: str, description: "V(waiting), V(running), V(succeeded), V(failed) or V(cancelled).", returned: success, sample: succeeded}
    exit_code: {type: int, description: How it ended; null before., returned: success, sample: 0}
    signal: {type: str, description: By which signal it ended., returned: success, sample: ""}
    seconds: {type: float, description: How long it took; null before., returned: success, sample: 61.5}
folder: {type: str, description: Folder of the job on the host., returned: success, sample: /srv/gpuops/jobs/tiny-sft}
gpus:
  description: The GPUs of the host, as the role P(gpuops.cloud.idle_guard#role) saw them last; none without it.
  returned: success
  type: list
  elements: dict
  contains:
    index: {type: int, description: Its index., returned: success, sample: 0}
    utilization_percent: {type: int, description: How busy it was., returned: success, sample: 97}
    memory_used_mb: {type: int, description: Memory in use in MB., returned: success, sample: 70112}
actions: {type: list, elements: str, description: What was done or would be., returned: success, sample: ["start attempt 1 of tiny-sft, for 21600 s at most"]}
"""

from typing import Any

from ..module_utils._jobs.host import HostJob
from ..module_utils._runner.engine import run
from ..module_utils._runner.on_host import HOST

SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"},
    "folder": {"type": "path", "default": "/srv/gpuops/jobs"},
    "command": {"type": "list", "elements": "str", "default": []},
    "folder_hash": {"type": "str", "default": ""},
    "environment": {"type": "path"},
    "environment_wish": {"type": "str", "default": "none"},
    "image": {"type": "str", "default": ""},
    "podman": {"type": "list", "elements": "str", "default": ["podman"]},
    "env": {"type": "dict", "default": {}},
    "credential_names": {"type": "list", "elements": "str", "default": []},
    "tasks": {"type": "list", "elements": "dict", "default": []},
    "at_once": {"type": "int", "default": 0},
    "nodes": {
        "type": "dict",
        "options": {
            "count": {"type": "int", "required": True},
            "rank": {"type": "int", "required": True},
            "head_address": {"type": "str", "required": True},
            "interface": {"type": "str", "required": True},
            "processes": {"type": "int", "default": 1},
        },
    },
    "seconds": {"type": "float", "default": 43200.0},
    "grace": {"type": "float", "default": 120.0},
    "lease_end": {"type": "str"},
    "fetch_time": {"type": "float", "default": 600.0},
    "done_after": {"type": "float", "default": 0.0},
    "retries": {"type": "int", "default": 0},
    "reason": {
        "type": "str",
        "choices": ["cancelled", "lease", "cost_limit", "peer_failed"],
        "default": "cancelled",
    },
    "waiting": {"type": "bool", "default": False},
    "user": {"type": "str", "default": "gpuops-job"},
    "program": {
        "type": "list",
        "elements": "str",
        "default": ["/usr/bin/python3", "-I", "/usr/local/lib/gpuops/gpuops_job.py"],
    },
}


def main() -> None:
    """Keep the job."""
    run(SPEC, HostJob(), HOST, required_if=[("state", "started", ["command"])])


if __name__ == "__main__":
    main()
