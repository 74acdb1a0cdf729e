# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module of this name without packing it where the task runs on the controller."""

from __future__ import annotations

from ..plugin_utils.on_controller import ControllerAction


class ActionModule(ControllerAction):
    """Starts the module of this name."""
