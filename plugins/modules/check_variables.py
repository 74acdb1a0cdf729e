# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: check_variables
short_description: Refuse misspelt variables of the command line
version_added: 0.1.0
description:
  - Looks at the names of the variables that were given with C(-e), before anything is bought, ended or written. Ansible itself passes over a name
    that nobody reads, so a price ceiling with one letter missing was none.
  - Where a playbook of this collection was called, a name that neither the playbooks nor the roles know is refused.
  - Where another playbook was called, which has variables of its own, only a name that is at most two letters off one of ours is.
  - Names that begin with C(ansible_), C(awx_), C(tower_) or C(molecule_) are let through, and so are those that the variable
    C(gpuops_extra_names) lists.
author:
  - gpuops.cloud contributors (@gpuops)
options: {}
attributes:
  check_mode:
    support: full
    description: Looks in check mode too.
  diff_mode:
    support: N/A
    description: Changes nothing.
  idempotent:
    support: full
    description: Changes nothing.
"""

EXAMPLES = r"""
- name: Refuse misspelt variables
  gpuops.cloud.check_variables:
"""

RETURN = r"""
unknown:
  description: Names that are not known, each with the nearest ones of ours.
  returned: on failure because of them
  type: list
  elements: dict
  contains:
    name:
      description: A name that was given.
      returned: failure
      type: str
      sample: max_price_per_huor
    nearest:
      description: Names of ours at most two letters off.
      returned: failure
      type: list
      elements: str
      sample: [max_price_per_hour]
"""
