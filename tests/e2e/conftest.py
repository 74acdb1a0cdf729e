# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make what these tests share importable, and its fixtures known."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / place) for place in ("e2e", "simulator", "unit/plugins")]

from installed import project, tarball
from whole_path import cloud, serving

__all__ = ["cloud", "project", "serving", "tarball"]
