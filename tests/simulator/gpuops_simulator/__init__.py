# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An imitation of the DataCrunch/Verda cloud API, and of further providers, for tests and demos."""

from __future__ import annotations

from .simulator import Simulator
from .version import VERSION

__version__ = VERSION
__all__ = ["Simulator", "__version__"]
