# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_metrics
short_description: Write Prometheus metrics of an account
version_added: 0.1.0
description:
  - Writes balance, burn, runway, instances, leases, what the reaper did, and how the API answered as a text file for the textfile collector
    of node_exporter.
  - >-
    Counters live in the file: they are read from it and grow with each run. So let all that writes metrics of an account write the same file;
    runs at the same time wait for each other, and readers see the old or the new file, never a half of one.
  - When the API does not answer, the file says so (C(gpuops_api_up 0)) before the task fails.
  - >-
    Where the environment variable E(GPUOPS_API_LOG) names a file, every module of this collection adds its requests to it, and this one
    counts and empties it. Without, it counts its own requests.
author:
  - gpuops.cloud contributors (@gpuops)
requirements:
  - prometheus-client >= 0.20 (Python)
extends_documentation_fragment:
  - gpuops.cloud.attributes.info
  - gpuops.cloud.auth
  - gpuops.cloud.budget
  - gpuops.cloud.ledger
attributes:
  check_mode:
    support: full
    description: Asks, and returns the text that a real run would write.
  diff_mode:
    support: none
    description: Figures change with every run; a diff would say nothing.
  idempotent:
    support: none
    description: With O(dest), every run writes the figures of its time.
options:
  dest:
    description: >-
      File to write, on the host where the module runs, in the folder that node_exporter looks at (C(--collector.textfile.directory)).
      Must end in C(.prom). Without it the text is only returned.
    type: path
  mode:
    description: Permissions of the file, octal. The user of node_exporter must be able to read it.
    type: str
    default: "0644"
  reap:
    description: >-
      The registered result of M(gpuops.cloud.datacrunch_reap), also of one that failed. Without it, what the file says of the reaper stays.
    type: dict
"""

EXAMPLES = r"""
- name: Look at the metrics
  gpuops.cloud.datacrunch_metrics:
  register: metrics

- name: Tell of a budget
  gpuops.cloud.datacrunch_metrics:
    budget:
      per_hour: 20
      per_month: 3000
  register: metrics

- name: Write them where node_exporter finds them
  gpuops.cloud.datacrunch_metrics:
    dest: "{{ lookup('ansible.builtin.env', 'HOME') }}/gpuops.prom"
"""

RETURN = r"""
dest: {type: str, description: File that was written; null without one., returned: success or failure, sample: /var/lib/prometheus/node-exporter/gpuops.prom}
text: {type: str, description: The metrics., returned: success or failure, sample: "gpuops_balance{currency=\"usd\"} 482.5"}
actions: {type: list, elements: str, description: What was written., returned: success, sample: [write the metrics to /srv/gpuops.prom]}
error: {type: dict, description: What went wrong., returned: failure, sample: {code: unavailable}}
"""

from ..module_utils._core.argspecs import BUDGET_SPEC, LEDGER_SPEC
from ..module_utils._monitoring.resource import Metrics
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run

SPEC = {
    **BUDGET_SPEC,
    **LEDGER_SPEC,
    "dest": {"type": "path"},
    "mode": {"type": "str", "default": "0644"},
    "reap": {"type": "dict"},
}


def main() -> None:
    """Write metrics."""
    run(SPEC, Metrics(), CLOUD)


if __name__ == "__main__":
    main()
