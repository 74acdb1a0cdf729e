# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this provider is called, and how its modules begin (private, pure)."""

from __future__ import annotations

NAME = "verda"
# The vendor's name before; the modules kept it.
MODULES = "datacrunch"
