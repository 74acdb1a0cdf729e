# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options whose names users know, and that are called otherwise inside (private, pure)."""

from __future__ import annotations

from typing import Final, TypedDict

# What becomes of the disk of a spot instance that is taken away.
ON_EVICTION: Final = "on_spot_discontinue"


class EvictionOptions(TypedDict):
    """The option of that name: ``keep``, ``trash`` or ``delete``."""

    on_spot_discontinue: str
