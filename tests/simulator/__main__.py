# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the simulator: python3 tests/simulator."""

from __future__ import annotations

import sys

from gpuops_simulator.cli import main

if __name__ == "__main__":
    sys.exit(main())
