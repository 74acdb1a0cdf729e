# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugins: those that only start the module of their name, and those that do the work."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[2] / "plugins/action"
_ALL = {path.stem: path.read_text(encoding="utf-8") for path in _FOLDER.glob("*.py")}
STARTERS = frozenset(name for name, text in _ALL.items() if "on_controller import" in text)
# What has its options, and does the work, itself.
ACTIONS = frozenset(_ALL) - STARTERS
