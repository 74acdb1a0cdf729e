# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What TensorDock has (private, pure)."""

from __future__ import annotations

from ..base.capabilities import Capabilities, Ownership, Ssh

# An instance can be stopped there. What that costs stands in no answer, and whether its GPU is
# still free at the start is not said: so nothing of ours stops one.
CAPABILITIES = Capabilities(
    ownership=Ownership(tags="none", label="name", label_limit=60),
    ssh=Ssh(user="root", port="own"),
    # The one disk of an instance lives and ends with it; its size is asked for, and in the price.
    least_boot_gb=100,
    keys=True,
    billing_step_s=60,
    # 100 a minute, counted over a whole organisation: room is left for others of it.
    pace=1.0,
)
