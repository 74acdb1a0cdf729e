# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RunPod has (private, pure)."""

from __future__ import annotations

from ..base.capabilities import Capabilities, Ownership, Ssh

# Whether a changed name leaves a running container alone is not known, so it never changes, and with
# it the lease. A network volume comes with the order of a pod, and is never detached from it.
CAPABILITIES = Capabilities(
    rents="container",
    ownership=Ownership(tags="at_order", label="name", label_limit=60),
    ssh=Ssh(user="root", port="mapped"),
    stop="storage_only",
    volumes="at_order",
    volume_type="STANDARD",
    billing_step_s=1,
)
