# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be spent."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  budget:
    description:
      - What the whole account may spend, in its currency. Each limit is optional.
      - Running and stopped instances count, and attached and detached volumes; the trash does not.
      - What has ended counts by the ledger, which M(gpuops.cloud.datacrunch_ledger) completes.
    type: dict
    suboptions:
      per_hour:
        description: Price per hour of everything together.
        type: float
      per_day:
        description: Cost of a day in UTC.
        type: float
      per_month:
        description: Cost of a month in UTC.
        type: float
      total:
        description: Cost of everything in the ledger.
        type: float
      thresholds:
        description: Percentages of a limit at which the state becomes V(warning), V(critical) and V(exceeded).
        type: list
        elements: float
        default: [80, 90, 100]
      growth:
        description: Factor on every limit, such as V(1.1) for a tenth more than planned.
        type: float
        default: 1
      season:
        description: Factor on every limit, such as V(0.5) for a quiet time of the year.
        type: float
        default: 1
      owners:
        description:
          - "Budgets of owners beside that of the account, by name, each with the limits above, such as C({ada: {per_hour: 5}})."
          - Thresholds and factors of the account hold for them unless they have their own.
          - A purchase is paid from the budgets of the account, of its owner and of its project, and has to fit into all.
        type: dict
      projects:
        description: Budgets of projects, as O(budget.owners).
        type: dict
"""
