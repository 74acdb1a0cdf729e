# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_fetch
short_description: Fetch and verify the results of a job
version_added: 0.1.0
description:
  - Fetches the files of a job that patterns mean, those alone that are not home yet with the same content, in one archive, and compares
    each with the hash that the host has told.
  - Links are not followed, and nothing is written outside O(to), whatever the host says.
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
  patterns:
    description: Patterns of paths in the folder of the job; C(**) means all folders.
    type: list
    elements: str
    default: [out/**]
  to:
    description: Folder on the controller.
    type: path
    required: true
  max_gb:
    description: Most that is fetched, in GB.
    type: float
    default: 10
  within:
    description: Whether results of the program are meant, or C(tasks), what the tasks of an array have printed.
    type: str
    choices: [work, tasks]
    default: work
  patience:
    description: Seconds for which it is tried again, whatever stands in the way.
    type: float
    default: 0
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
    description: Files may be large.
  idempotent:
    support: full
    description: What is home is not fetched again.
"""

EXAMPLES = r"""
- name: Fetch the model
  gpuops.cloud.job_fetch:
    name: tiny-sft
    folder: /srv/gpuops/jobs
    patterns: ["out/**"]
    to: results/tiny-sft
    program: [/usr/bin/python3, -I, /usr/local/lib/gpuops/gpuops_job_files.py]
  become: true
"""

RETURN = r"""
files: {type: list, elements: str, description: "The results, all of which are home.", returned: success, sample: [out/model.bin]}
bytes: {type: int, description: Their size., returned: success, sample: 4096}
fetched: {type: int, description: How many were fetched., returned: success, sample: 1}
"""
