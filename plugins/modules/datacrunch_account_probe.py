# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_account_probe
short_description: Test an account by buying and terminating the cheapest instance once
version_added: 0.1.0
description:
  - Buys the cheapest type that is in stock on demand, with a small system disk and a small data volume, and goes through the life of an instance
    with it. It is tagged, its lease is extended twice, it is terminated, and its end is proved.
  - The rows that come back tell which tags are accepted, how long descriptions may be, what answers show, how far lists lag behind, how refusals look, and
    when volumes reach the trash. They hold structure alone, as those of M(gpuops.cloud.datacrunch_account_info).
  - It costs at most one billing step of ten minutes of that type and its disks, and nothing without O(spend).
  - Budgets, limits and the ledger count as for any other purchase.
  - Whatever goes wrong in between, the instance is terminated and its volumes are removed for good; what could not be is named, and a failure.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes
  - gpuops.cloud.auth
  - gpuops.cloud.budget
  - gpuops.cloud.ledger
attributes:
  diff_mode:
    support: full
    description: Shows what would be bought, although nothing of it is left in the end.
  idempotent:
    support: N/A
    description: Each run buys once.
options:
  spend:
    description:
      - Whether money may be spent. Without it, the module refuses to do anything.
    type: bool
    default: false
  deployment:
    description:
      - Name of the instance, and of the deployment that it is bought for, which must begin with V(verify-account). Everything that bears it is removed
        at the end, so nothing of that name may be there before.
    type: str
    required: true
  max_price_per_hour:
    description:
      - Ceiling of the price per hour. Dearer types are not bought.
    type: float
  locations:
    description:
      - Only types that are in stock at these locations.
    type: list
    elements: str
  ssh_keys:
    description:
      - SSH keys of the instance, by name or id. Nobody logs in to it, so none is needed.
    type: list
    elements: str
  owner:
    description:
      - Who asks for it.
      - Without it, E(GPUOPS_OWNER) is read, then C(owner) in C(~/.config/gpuops/settings.ini) and C(/etc/gpuops/settings.ini), section C([defaults]);
        at last it is the user who runs the play.
    type: str
  project:
    description:
      - Project that it is paid for by.
    type: str
  wait_timeout:
    description:
      - Seconds until a wait for one state gives up; it is terminated then. A start gets 480 seconds at most.
    type: float
    default: 420
  wait_interval:
    description:
      - Seconds between two looks; the first looks come sooner.
    type: float
    default: 5
seealso:
  - module: gpuops.cloud.datacrunch_account_info
"""

EXAMPLES = r"""
- name: See what the account makes of a purchase, for at most one step of ten minutes
  gpuops.cloud.datacrunch_account_probe:
    spend: true
    deployment: verify-account-1
    max_price_per_hour: 1
  register: tried

- name: Show which tags it accepts
  ansible.builtin.debug:
    msg: "{{ tried.account | selectattr('name', 'eq', 'order_tags') | map(attribute='value') | first }}"
"""

RETURN = r"""
account:
  description: What the purchase has shown, a row for each thing; none in check mode.
  returned: success, and on failure after an order
  type: list
  elements: dict
  contains:
    name: {type: str, description: What it is about., returned: always, sample: price_currency_instance_types}
    value: {type: str, description: What the account does or says., returned: always, sample: "usd; asked for eur: eur"}
    how_known:
      description: "How that is known: V(read), V(measured), V(login), V(remembered), V(order), V(purchase) or V(not seen)."
      returned: always
      type: str
      sample: read
    source_request: {type: str, description: The request that showed it., returned: always, sample: "GET /instance-types?currency=eur"}
    words: {type: str, description: "What the API said where it refused, or what this collection makes of it.", returned: always, sample: ""}
actions:
  description: What was done, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample:
    - >-
      buy verify-account-1: CPU.4V.16G at 0.02 usd/h, tag, extend and terminate it: at most one step of ten minutes, 0.0033 usd and its disks
left:
  description: What was bought and could not be removed, with its price.
  returned: on failure after an order
  type: list
  elements: str
  sample: []
error:
  description: What went wrong, for programs.
  returned: failure
  type: dict
  contains:
    code: {type: str, description: Kind of error., returned: failure, sample: no_capacity}
    status: {type: int, description: HTTP status if there was one., returned: failure, sample: 503}
    api_code: {type: str, description: Code by the API., returned: failure, sample: service_unavailable}
    request: {type: str, description: Request that failed., returned: failure, sample: POST /instances}
    hint: {type: str, description: What to do next. The end of the message says the same., returned: failure, sample: Run again later.}
"""

from ..module_utils._account.trial_resource import TrialResource
from ..module_utils._core.argspecs import BUDGET_SPEC, LEDGER_SPEC
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run

SPEC = {
    **BUDGET_SPEC,
    **LEDGER_SPEC,
    "spend": {"type": "bool", "default": False},
    "deployment": {"type": "str", "required": True},
    "max_price_per_hour": {"type": "float"},
    "locations": {"type": "list", "elements": "str"},
    "ssh_keys": {"type": "list", "elements": "str", "no_log": False},
    "owner": {"type": "str"},
    "project": {"type": "str"},
    "wait_timeout": {"type": "float", "default": 420},
    "wait_interval": {"type": "float", "default": 5},
}


def main() -> None:
    """Buy once, and tell what that shows."""
    run(SPEC, TrialResource(), CLOUD)


if __name__ == "__main__":
    main()
