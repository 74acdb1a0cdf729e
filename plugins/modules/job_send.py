# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_send
short_description: Copy the folder and the secrets of a job to its host
version_added: 0.1.0
description:
  - Sends what git knows of a folder or would add to it, without what C(.gpuopsignore) names, and never C(.git). Files that were deleted are
    left out, links that lead out of the folder are refused.
  - Two round trips - a list with hashes, and one archive of the content that the host lacks. The host believes each file only with its own hash.
    What was broken off goes on where it stopped. Neither side needs rsync.
  - Values of secrets come from the environment of the controller, and go through the connection into a file in memory that only root may read.
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
  source:
    description: Folder on the controller that is sent. Without it the job gets an empty one.
    type: path
  leave_out:
    description: Files and folders that are never sent, such as results that came home.
    type: list
    elements: path
    default: []
  max_mb:
    description: Most that is sent, in MB. A folder that is larger is refused, with its largest files.
    type: int
    default: 200
  command:
    description: Command of the job, a script in which may say what packages it needs.
    type: list
    elements: str
    default: []
  environment:
    description: V(auto), V(none), or the prefix of an environment on the host.
    type: str
    default: auto
  secrets:
    description: Names of environment variables of the controller that are secret, each of at least eight characters.
    type: list
    elements: str
    default: []
  program:
    description: Command of the host's program that takes files.
    type: list
    elements: str
    required: true
  only_look:
    description: Whether the folder is read and judged, and nothing is sent.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Reads and judges the folder, and sends nothing.
  diff_mode:
    support: none
    description: Files may be large.
  idempotent:
    support: full
    description: What is there is not sent again.
"""

EXAMPLES = r"""
- name: Send the folder of a job
  gpuops.cloud.job_send:
    name: tiny-sft
    folder: /srv/gpuops/jobs
    source: "{{ playbook_dir }}/train"
    program: [/usr/bin/python3, -I, /usr/local/lib/gpuops/gpuops_job_files.py]
  become: true
"""

RETURN = r"""
content: {type: str, description: Identity of the folder., returned: success, sample: 5d41402abc4b2a76b9719d911017c592ae3b1f6c1f0e4f9c8f1d2a3b4c5d6e7f}
files: {type: int, description: Files and links of the folder., returned: success, sample: 12}
bytes: {type: int, description: Their size., returned: success, sample: 51200}
sent_files: {type: int, description: Files that the host lacked., returned: success, sample: 2}
sent_bytes: {type: int, description: Their size., returned: success, sample: 4096}
environment:
  description: Which environment the folder asks for.
  returned: success
  type: dict
  sample: {kind: requirements, source: requirements.txt, key: 3f2a9c1b7d5e4a60}
"""
