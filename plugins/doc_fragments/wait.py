# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of waiting."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the wanted state is reached. An instance that ends in a failed state stops the wait at once.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds until a wait gives up. The error names the last status and the instance, which continues to cost money.
    type: float
    default: 900
  wait_interval:
    description:
      - Seconds between two looks; the first looks come sooner.
    type: float
    default: 5
"""
