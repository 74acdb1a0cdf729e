# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: idle_reports
short_description: Read the idle reports of instances
version_added: 0.1.0
description:
  - Reads over SSH what the role P(gpuops.cloud.idle_guard#role) writes on instances, from the controller and from all instances at the same time.
  - The round ends after O(timeout) seconds, whatever hangs. An instance that cannot be read is no idle one; it is named in RV(unread).
  - An instance of a deployment that this controller has brought up is reached with the settings that were written for that deployment.
    Any other is reached with O(private_key_file), which needs no right on the instance but to read the report.
  - Host keys are pinned by the id of the instance. An instance whose key is not known yet is pinned at the first contact and its report is not used;
    it counts from the second contact on, so that who only once answers in a instance's place cannot have it ended.
    A controller that keeps nothing between runs thus never uses such reports. Another key than the pinned one is told and not believed.
  - Reports are checked before they are returned, because anything may be written on an instance.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  machines:
    description:
      - Instances as RV(gpuops.cloud.datacrunch_instance_info#module:instances) lists them; C(id), C(name), C(ip) and C(deployment) are used.
    type: list
    elements: dict
    required: true
  config_dir:
    description: Folder on the controller where bring-up keeps the SSH settings of deployments; host keys of other instances are pinned there, too.
    type: path
    default: ~/.config/gpuops
  private_key_file:
    description: Private SSH key for instances that this controller has not brought up.
    type: path
  user:
    description: User that O(private_key_file) logs in as.
    type: str
    default: gpuops-guard
  timeout:
    description: Seconds until the round ends.
    type: float
    default: 30
attributes:
  check_mode:
    support: full
    description: Reads as well, but only instances whose host keys are known.
  diff_mode:
    support: N/A
    description: Changes nothing on instances.
  idempotent:
    support: full
    description: Changes nothing on instances.
seealso:
  - module: gpuops.cloud.datacrunch_reap
"""

EXAMPLES = r"""
- name: List the instances
  gpuops.cloud.datacrunch_instance_info:
    deployment: llm
  register: instances

- name: Ask them whether anybody uses them
  gpuops.cloud.idle_reports:
    instances: "{{ instances.instances }}"
  register: idle
"""

RETURN = r"""
reports:
  description: Reports as O(gpuops.cloud.datacrunch_reap#module:idle_reports) takes them, each with the id of its instance.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11
      version: 1
      at: "2026-11-22T12:00:00+00:00"
      idle_since: "2026-11-22T11:20:00+00:00"
      done: false
      gpus: [{index: 0, utilization_percent: 0, memory_used_mb: 70112}]
      vllm_running: 0
      vllm_waiting: 0
      users: 0
      load1: 0.02
      why_busy: []
      servers: [{port: 8000, down_since: null, why: ""}]
unread:
  description: Instances without a report that can be used, with C(id), C(name) and the C(problem).
  returned: success
  type: list
  elements: dict
  sample: [{id: 0c41a7d2-55ad-4a36-a2a7-b1c5b8e8a001, name: llm-2, problem: no answer within 30 s}]
lines:
  description: The same in sentences.
  returned: success
  type: list
  elements: str
  sample: [Read the idle reports of 1 of 2 instances., "No idle report of llm-2: no answer within 30 s."]
"""
