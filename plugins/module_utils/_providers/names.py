# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of a provider are called, and what its status words mean (private, pure)."""

from __future__ import annotations

from .._models.status import UNKNOWN
from .vast import states as vast
from .verda import states as verda
from .verda.names import MODULES

__all__ = ["FIRST", "PROVIDERS", "module_of", "state_of"]

# Those of the registry, without their clients.
PROVIDERS = ("lambda", "runpod", "tensordock", "vast", "verda")
# The one of the modules that ask a single provider.
FIRST = "verda"


def module_of(resource: str) -> str:
    """Return the name of the module of a resource, such as ``instance`` or ``reap``."""
    return f"{MODULES}_{resource}"


def state_of(status: str) -> str:
    """Return the state that a status of any provider means; one that is new counts as alive."""
    known = (states.state_of(status) for states in (verda, vast))
    return next((state for state in known if state != UNKNOWN), UNKNOWN)
