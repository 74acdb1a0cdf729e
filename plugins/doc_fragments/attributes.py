# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module can do."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Sends no write request, and returns the actions that a real run would take.
  diff_mode:
    support: full
    description: Returns what is and what would be.
  idempotent:
    support: full
    description: A second run changes nothing.
  action_group:
    support: full
    description: Use C(group/gpuops.cloud.datacrunch) in C(module_defaults) to set options for all modules of the cloud.
    membership:
      - gpuops.cloud.datacrunch
"""

    # For modules that only ask.
    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Only asks, so check mode makes no difference.
  diff_mode:
    support: N/A
    description: Changes nothing.
  idempotent:
    support: full
    description: Changes nothing.
  action_group:
    support: full
    description: Use C(group/gpuops.cloud.datacrunch) in C(module_defaults) to set options for all modules of the cloud.
    membership:
      - gpuops.cloud.datacrunch
"""

    # For modules that only ask several providers; beside CHANGES_NOTHING.
    SEVERAL = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Only asks, so check mode makes no difference.
  action_group:
    support: full
    description: Use C(group/gpuops.cloud.gpu) in C(module_defaults) to set options for all modules of several providers.
    membership:
      - gpuops.cloud.gpu
"""

    # For modules that keep something at several providers.
    KEEPS_SEVERAL = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Sends no write request, and returns the actions that a real run would take.
  diff_mode:
    support: full
    description: Returns what is and what would be.
  idempotent:
    support: full
    description: A second run changes nothing.
  action_group:
    support: full
    description: Use C(group/gpuops.cloud.gpu) in C(module_defaults) to set options for all modules of several providers.
    membership:
      - gpuops.cloud.gpu
"""

    # For modules that change nothing anywhere; each says itself what it does in check mode.
    CHANGES_NOTHING = r"""
options: {}
attributes:
  diff_mode:
    support: N/A
    description: Changes nothing.
  idempotent:
    support: full
    description: Changes nothing.
"""
