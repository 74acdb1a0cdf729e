# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Verda has (private, pure)."""

from __future__ import annotations

from ..base.capabilities import Capabilities, Ownership, Ssh

CAPABILITIES = Capabilities(
    rents="vm",
    # The shortest limit of a description that any account is known to set.
    ownership=Ownership(tags="mutable", label="description", label_limit=60),
    ssh=Ssh(user="root", port="own"),
    spot="evicted",
    stop="full_price",
    volumes="own",
    volume_type="NVMe",
    # What the vendor's console and command line ask for.
    least_boot_gb=50,
    trash_hours=96,
    keys=True,
    scripts=True,
    billing_step_s=600,
    balance=True,
)
