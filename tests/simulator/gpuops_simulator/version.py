# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's own version, sent in the Server header."""

from __future__ import annotations

VERSION = "1.0.0"
SERVER = f"gpuops-simulator/{VERSION}"
