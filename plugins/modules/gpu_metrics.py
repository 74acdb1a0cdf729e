# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_metrics
short_description: Write Prometheus metrics of accounts at several providers
version_added: 0.1.0
description:
  - Writes what M(gpuops.cloud.datacrunch_metrics) writes of one account, for the accounts at several providers, which are asked at the same time.
    It is one file, and everything that belongs to an account bears the label C(provider).
  - >-
    Counters live in the file: they are read from it and grow with each run. So let all that writes metrics write the same file, for the same
    providers; runs at the same time wait for each other, and readers see the old or the new file, never a half of one.
  - When a provider does not answer, the file says so (C(gpuops_api_up 0) of that provider) with the figures of the others before the task fails.
    One without credentials is left out, unless O(providers) names it.
  - O(budget) is one over all accounts. Of it nothing is told while one of them does not answer, or where they are in two currencies.
  - >-
    Where the environment variable E(GPUOPS_API_LOG) names a file, every module of this collection adds its requests to it, and this one
    counts and empties it. Without, it counts its own requests.
author:
  - gpuops.cloud contributors (@gpuops)
requirements:
  - prometheus-client >= 0.20 (Python)
extends_documentation_fragment:
  - gpuops.cloud.attributes.several
  - gpuops.cloud.accounts
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
      The registered result of M(gpuops.cloud.gpu_reap), also of one that failed. Without it, what the file says of the reaper stays.
    type: dict
notes:
  - Providers but V(verda) were tried against imitations alone. Of one that does not say what is left on an account there is no balance and no runway.
seealso:
  - module: gpuops.cloud.datacrunch_metrics
  - module: gpuops.cloud.gpu_reap
"""

EXAMPLES = r"""
- name: Look at the metrics
  gpuops.cloud.gpu_metrics:
  register: metrics

- name: Write them where node_exporter finds them, with one budget over two accounts
  gpuops.cloud.gpu_metrics:
    providers: [verda, lambda]
    dest: "{{ lookup('ansible.builtin.env', 'HOME') }}/gpuops.prom"
    budget:
      per_hour: 20
"""

RETURN = r"""
dest: {type: str, description: File that was written; null without one., returned: success or failure, sample: /var/lib/prometheus/node-exporter/gpuops.prom}
text: {type: str, description: The metrics., returned: success or failure, sample: "gpuops_burn_per_hour{currency=\"usd\",provider=\"verda\"} 3.5"}
actions: {type: list, elements: str, description: What was written., returned: success, sample: [write the metrics to /srv/gpuops.prom]}
error: {type: dict, description: What went wrong., returned: failure, sample: {code: unavailable}}
"""

from ..module_utils._core.argspecs import BUDGET_SPEC, LEDGER_SPEC
from ..module_utils._monitoring.several import SeveralMetrics
from ..module_utils._runner.cloud import ACCOUNTS
from ..module_utils._runner.engine import run

SPEC = {
    **BUDGET_SPEC,
    **LEDGER_SPEC,
    "dest": {"type": "path"},
    "mode": {"type": "str", "default": "0644"},
    "reap": {"type": "dict"},
}


def main() -> None:
    """Write metrics of several accounts."""
    run(SPEC, SeveralMetrics(), ACCOUNTS)


if __name__ == "__main__":
    main()
