# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_state
short_description: Determine the state of a job and its next step
version_added: 0.1.0
description:
  - Judges by what the cloud says of the instance, what a host says of the attempts, and what is home. An instance that cannot be reached is
    not gone - only the word of the cloud lets another attempt begin.
  - Remembers a job in C(jobs/NAME.json) below O(home), so that it is found again from any folder. A job of the same name that is another one is
    refused with the difference.
  - Runs on the controller, and asks nobody.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  job:
    description: The job, as M(gpuops.cloud.request) returns it, or O(name) alone. With neither, all jobs of the controller are told in RV(jobs).
    type: dict
  name:
    description: Name of a job that this controller knows.
    type: str
  home:
    description: Folder of this collection on the controller.
    type: path
    required: true
  folder_hash:
    description: Identity of the folder of the job.
    type: str
    default: ""
  instances:
    description: Instances of the job's deployment, as the cloud lists them.
    type: list
    elements: dict
    default: []
  attempts:
    description: The attempts as the host shows them; without them, as they were seen last.
    type: list
    elements: dict
  reachable:
    description: Whether the host could be reached.
    type: bool
    default: true
  bought:
    description: Id of the instance that the job has now.
    type: str
  own:
    description: Whether this controller has bought it. What another one has bought is never ended because it could not be reached from here.
    type: bool
    default: false
  again:
    description: Whether what is known of an earlier job of the name does not count.
    type: bool
    default: false
  spent:
    description: What the job has cost so far.
    type: float
    default: 0
  price_per_hour:
    description: Price of the instance that would be bought, for which the lease is cut to the limit of cost.
    type: float
    default: 0
attributes:
  check_mode:
    support: full
    description: Remembers nothing in check mode.
  diff_mode:
    support: N/A
    description: Changes nothing but what it remembers.
  idempotent:
    support: full
    description: Changes nothing but what it remembers.
"""

EXAMPLES = r"""
- name: See where the job stands
  gpuops.cloud.job_state:
    job: "{{ request.job }}"
    home: "{{ request.home }}"
    folder_hash: "{{ folder.content }}"
    instances: "{{ there.instances }}"
"""

RETURN = r"""
state:
  description: >-
    V(planned), V(buying), V(setting_up), V(running), V(stopping), V(evicted), V(fetching), V(lost), V(succeeded), V(failed), V(timed_out) or V(cancelled).
  returned: success
  type: str
  sample: running
next: {type: str, description: "V(buy), V(wait), V(start), V(follow), V(fetch), V(end) or V(nothing).", returned: success, sample: follow}
reason: {type: str, description: Why it is so., returned: success, sample: exit_code}
attempt: {type: int, description: Number of the last attempt., returned: success, sample: 1}
record: {type: dict, description: What is remembered., returned: success, sample: {name: tiny-sft, bought: 1}}
result: {type: dict, description: The result that is home; null before., returned: success, sample: {exit_code: 0}}
host: {type: str, description: Name of its instance; empty without one that can be reached., returned: success, sample: job-tiny-sft}
output: {type: dict, description: Bytes of output that are home by attempt., returned: success, sample: {"1": 5120}}
jobs:
  description: All jobs of the controller, as far as the cloud and what was last seen tell.
  returned: with neither O(job) nor O(name)
  type: list
  elements: dict
  contains:
    name: {type: str, description: Its name., returned: success, sample: tiny-sft}
    state: {type: str, description: Its state., returned: success, sample: running}
    reason: {type: str, description: Why it is so., returned: success, sample: ""}
    attempts: {type: int, description: How many attempts there were., returned: success, sample: 1}
    exit_code: {type: int, description: How it ended; null before., returned: success, sample: 0}
    cost: {type: float, description: What it has cost; null before its end., returned: success, sample: 4.25}
    price_per_hour: {type: float, description: What its instance costs now., returned: success, sample: 2.2}
    results: {type: str, description: Folder of its results., returned: success, sample: /home/ada/results/tiny-sft}
begun: {type: bool, description: Whether an attempt has begun., returned: success, sample: true}
lease_minutes: {type: int, description: Lease that an instance needs., returned: success, sample: 150}
money_left: {type: float, description: What is left of the limit of cost; null without one., returned: success, sample: 7.5}
"""
