# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_ledger
short_description: Reconcile the ledger with the cloud
version_added: 0.1.0
description:
  - The modules write what they buy, extend and end into a ledger. This one adds what others did, what was done while no ledger was kept,
    and what nobody lived to write down.
  - What exists is added as it is. Of what has ended without a word, the end is estimated, in the middle between the last look and this one,
    unless a lease ended between them; the more often this runs, the better.
  - Instances and volumes without tags count too, as long as they are seen alive.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes
  - gpuops.cloud.auth
  - gpuops.cloud.ledger
options:
  state:
    description:
      - V(synced) adds what is missing. Nothing is ever removed.
    type: str
    choices: [synced]
    default: synced
seealso:
  - module: gpuops.cloud.datacrunch_cost_info
"""

EXAMPLES = r"""
- name: Keep the ledger in step with the cloud
  gpuops.cloud.datacrunch_ledger:
    state: synced
"""

RETURN = r"""
actions:
  description: What was added, or in check mode would be added, as sentences.
  returned: success
  type: list
  elements: str
  sample: ["add the purchase of instance llm (5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11, 2026-11-22T08:00:00Z)"]
events:
  description: The same for programs.
  returned: success
  type: list
  elements: dict
  contains:
    at: {type: str, description: "When it happened, in UTC.", returned: success, sample: "2026-11-22T08:00:00Z"}
    event: {type: str, description: "V(purchase), V(extend), V(end), V(price) changed, V(restore) from the trash.", returned: success, sample: purchase}
    kind: {type: str, description: V(instance) or V(volume)., returned: success, sample: instance}
    thing_id: {type: str, description: Id of the instance or volume., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: "Host name, or name of the volume.", returned: success, sample: llm}
    deployment: {type: str, description: Deployment by its tags., returned: success, sample: llm}
    owner: {type: str, description: Owner by its tags., returned: success, sample: ml-team}
    project: {type: str, description: Project by its tags., returned: success, sample: research}
    gpu_model: {type: str, description: GPU model; null for a volume., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    location: {type: str, description: Location code., returned: success, sample: FIN-03}
    price_per_hour: {type: float, description: Price per hour., returned: success, sample: 3.555}
    lease_end: {type: str, description: End of the lease in UTC; null without one., returned: success, sample: "2026-11-22T20:00:00Z"}
    started: {type: str, description: Time of the order in UTC., returned: success, sample: "2026-11-22T08:00:00Z"}
    source: {type: str, description: Who noticed; V(cloud) here., returned: success, sample: cloud}
    cost: {type: float, description: "The whole cost where more is known than time and price, as of a failed order.", returned: success, sample: 0}
    estimated: {type: bool, description: "Whether the time is an estimate, since nobody was told of it.", returned: success, sample: false}
things: {type: int, description: Instances and volumes that the ledger then tells of., returned: success, sample: 3}
unclear:
  description: What has no end in the ledger, is shown no longer, and was written by credentials that may see more than these.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ..module_utils._core.argspecs import LEDGER_SPEC
from ..module_utils._ledger.resource import LedgerResource
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run

SPEC = {
    **LEDGER_SPEC,
    "state": {"type": "str", "choices": ["synced"], "default": "synced"},
}


def main() -> None:
    """Keep the ledger in step with the cloud."""
    run(SPEC, LedgerResource(), CLOUD)


if __name__ == "__main__":
    main()
