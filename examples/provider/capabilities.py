# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this provider has (private, pure)."""

from __future__ import annotations

from ..base.capabilities import Capabilities, Ownership, Ssh

# Every field has the least as its default: say what there is more.
CAPABILITIES = Capabilities(
    ownership=Ownership(tags="none", label="name", label_limit=60),
    ssh=Ssh(user="root", port="own"),
)
