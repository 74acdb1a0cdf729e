# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_follow
short_description: Follow the output of a job
version_added: 0.1.0
description:
  - Writes the output of an attempt to a file on the controller, each byte once. The size of the file is where it goes on, so that a lost
    connection, a controller that slept, or one that was killed costs nothing but time.
  - Shows whole lines as they come. Of a progress bar that returns to the begin of its line, the last state is shown. The file has every byte.
  - Ends when the attempt has ended and its last byte is written.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  name:
    description: Name of the job.
    type: str
    required: true
  folder:
    description: Folder of all jobs on the host.
    type: path
    required: true
  attempt:
    description: Number of the attempt. It or O(task) is needed.
    type: int
  task:
    description: Number of a task of an array, whose output is meant instead.
    type: int
  file:
    description: File on the controller that the output goes into.
    type: path
    required: true
  patience:
    description: Seconds for which the host may be out of reach.
    type: float
    default: 1200
  wait:
    description: Whether to go on until the attempt has ended; otherwise to the last byte that there is now.
    type: bool
    default: true
  show:
    description: Whether what comes is shown, too.
    type: bool
    default: true
  marker:
    description:
      - File on the controller, the same for all nodes of a job. It comes with the first one that fails, and lets those who follow the others return.
    type: path
  secrets:
    description: Names of environment variables of the controller whose values are masked in what is shown. The file has what the program wrote.
    type: list
    elements: str
    default: []
  program:
    description: Command of the host's program that gives files.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    support: full
    description: Does nothing in check mode.
  diff_mode:
    support: none
    description: Output is shown as it comes.
  idempotent:
    support: full
    description: Output that is home changes nothing.
"""

EXAMPLES = r"""
- name: Follow a job
  gpuops.cloud.job_follow:
    name: tiny-sft
    folder: /srv/gpuops/jobs
    attempt: 1
    file: results/tiny-sft/output-0001.log
    program: [/usr/bin/python3, -I, /usr/local/lib/gpuops/gpuops_job_files.py]
  become: true
"""

RETURN = r"""
ended: {type: bool, description: "Whether the attempt has ended; else the host was out of reach for too long.", returned: success, sample: true}
size: {type: int, description: Bytes of output that are home., returned: success, sample: 5120}
peer: {type: str, description: "Node that has failed, so that this one is not followed any more; empty for none.", returned: success, sample: ""}
lost: {type: int, description: Connections that were lost., returned: success, sample: 0}
"""
