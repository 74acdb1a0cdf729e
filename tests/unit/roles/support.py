# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load the programs that roles send to hosts; what hosts are told to look like."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# In a checkout, and where ansible-test has copied the collection to.
COLLECTIONS = ROOT / ".collections" if (ROOT / ".collections").exists() else ROOT.parents[2]
Evaluate = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]

# What the role vllm finds on a host that has all it needs.
GPU = {
    "name": "NVIDIA H100 80GB HBM3",
    "driver_version": "580.95.05",
    "compute_cap": "9.0",
    "memory_mb": 81559,
}
HOST = {"environment_ready": False, "free_gb": 200.0, "model_missing": False, "python": "3.12"}


def load(path: str) -> ModuleType:
    """Import a program of a role by its path below the root."""
    name = path.replace("/", "_").removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
