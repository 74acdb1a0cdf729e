# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the tests have the fixture gpuops_cloud, which the collection brings."""

pytest_plugins = ["gpuops_simulator.pytest_plugin"]
