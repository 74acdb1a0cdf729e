# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of a provider are called, and what its status words mean (private, pure)."""

from __future__ import annotations

from .verda.names import MODULES
from .verda.states import state_of

__all__ = ["module_of", "state_of"]


def module_of(resource: str) -> str:
    """Return the name of the module of a resource, such as ``instance`` or ``reap``."""
    return f"{MODULES}_{resource}"
