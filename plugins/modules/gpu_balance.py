# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_balance
short_description: Gather information about balance and burn rate of accounts at several providers
version_added: 0.1.0
description:
  - Asks all providers at the same time what is left on the account, and what everything that runs there costs per hour.
  - A provider without credentials, and one that does not answer, is a row with its reason; one that does not answer is a warning, too.
  - Figures of two currencies are never added.
  - It fails only when no provider tells anything.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.several
  - gpuops.cloud.attributes.changes_nothing
  - gpuops.cloud.accounts
  - gpuops.cloud.ledger
options:
  config_dir:
    description:
      - Folder on the controller in which reapers note their rounds; without it E(GPUOPS_HOME), or C(~/.config/gpuops).
    type: path
notes:
  - Lambda Cloud was never tried on a real account. Its API does not say what is left on one.
seealso:
  - module: gpuops.cloud.datacrunch_balance
  - module: gpuops.cloud.gpu_offers
"""

EXAMPLES = r"""
- name: See what is left at all providers
  gpuops.cloud.gpu_balance:
  register: balance

- name: Fail where one of two accounts runs out of money within a day
  gpuops.cloud.gpu_balance:
    providers: [verda, lambda]
  register: balance
  failed_when: balance.accounts | selectattr('runway_hours') | selectattr('runway_hours', 'lt', 24) | length > 0
"""

RETURN = r"""
accounts:
  description: One account a provider, in the order of O(providers).
  returned: success, and on failure when no provider answered
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider., returned: success, sample: verda}
    amount: {type: float, description: What is left; null where nobody says it., returned: success, sample: 482.5}
    currency: {type: str, description: Currency of all figures of the row; null without an answer., returned: success, sample: usd}
    burn_per_hour: {type: float, description: Price per hour of everything that costs now; null without an answer., returned: success, sample: 3.58}
    runway_hours:
      description: Hours until the balance is used up; null when nothing costs or nobody says what is left.
      returned: success
      type: float
      sample: 134.7
    instances: {type: int, description: Instances that cost now; null without an answer., returned: success, sample: 1}
    volumes: {type: int, description: Volumes that cost now; null without an answer., returned: success, sample: 1}
    reason:
      description: >-
        Why figures are missing, for programs - V(no_credentials), V(no_answer), or V(not_told) of a provider that does not say what is left.
        Null where all are there.
      returned: success
      type: str
      sample: null
    detail: {type: str, description: The same for people; empty where all are there., returned: success, sample: ""}
burns:
  description: What runs at all providers that answered, one row a currency.
  returned: success
  type: list
  elements: dict
  contains:
    currency: {type: str, description: Currency., returned: success, sample: usd}
    per_hour: {type: float, description: Price per hour of everything that costs now in that currency., returned: success, sample: 4.87}
reapers:
  description:
    - Runs of M(gpuops.cloud.gpu_reap) and M(gpuops.cloud.datacrunch_reap) with C(mode=delete) that can be relied on to come back, by the notes of this
      controller, of the role P(gpuops.cloud.reaper#role) on it, and of O(ledger) where one is named. Each used the same account.
  returned: success
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider whose account it looked at., returned: success, sample: verda}
    at: {type: str, description: "When, in UTC.", returned: success, sample: "2026-11-22T11:55:00Z"}
    host: {type: str, description: Controller that it ran on., returned: success, sample: controller}
    deployments: {type: list, elements: str, description: Deployments that it looked at; null for all., returned: success, sample: null}
    owner: {type: str, description: Owner whose things it looked at; null for all., returned: success, sample: ada}
asked:
  description: Providers that answered.
  returned: success
  type: list
  elements: str
  sample: [verda, lambda]
"""

from ..module_utils._billing.balances import balances
from ..module_utils._core.argspecs import LEDGER_SPEC
from ..module_utils._runner.cloud import ACCOUNTS
from ..module_utils._runner.engine import run_info

SPEC = {**LEDGER_SPEC, "config_dir": {"type": "path"}}


def main() -> None:
    """Ask every account for its money."""
    run_info(SPEC, balances, ACCOUNTS)


if __name__ == "__main__":
    main()
