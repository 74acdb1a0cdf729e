# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Lambda Cloud has (private, pure)."""

from __future__ import annotations

from ..base.capabilities import Capabilities, Ownership, Ssh

# Tags come with the launch and never change, the name can: so it holds the lease.
CAPABILITIES = Capabilities(
    rents="vm",
    ownership=Ownership(tags="at_order", label="name", label_limit=60, relabel=True),
    ssh=Ssh(user="ubuntu", port="own"),
    keys=True,
    billing_step_s=60,
    pace=1.0,
)
# Launches are further apart than other requests.
LAUNCH_GAP_S = 12.0
