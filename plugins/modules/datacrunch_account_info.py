# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_account_info
short_description: Gather information about the API behavior of an account
version_added: 0.1.0
description:
  - Accounts of the cloud differ in their currency, in the shapes of their answers, in limits and in the words of refusals. This module asks one round of
    questions, all at the same time, and tells what came back in rows that can be attached to a report of a bug.
  - The rows hold structure alone. Ids, names, addresses, keys, values of tags, and amounts of money are left out, also where a refusal repeats them.
  - Each question stands for itself, so what is refused, unreadable, or not answered in time is a row, and no failure.
  - What only a purchase can show is named as unknown; M(gpuops.cloud.datacrunch_account_probe) makes one.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.info
  - gpuops.cloud.auth
seealso:
  - module: gpuops.cloud.datacrunch_account_probe
"""

EXAMPLES = r"""
- name: Ask which dialect this account speaks
  gpuops.cloud.datacrunch_account_info:
  register: seen

- name: Show what the API refuses or answers in another shape
  ansible.builtin.debug:
    msg: "{{ seen.account | selectattr('words') | map(attribute='name') }}"
"""

RETURN = r"""
account:
  description: What is known of the account, a row for each thing.
  returned: success
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
collection_version: {type: str, description: Version of this collection., returned: success, sample: 0.1.0}
"""

from ..module_utils._account.dialect import account_info
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run_info

SPEC: dict[str, dict[str, str]] = {}


def main() -> None:
    """Tell which dialect an account speaks."""
    run_info(SPEC, account_info, CLOUD)


if __name__ == "__main__":
    main()
