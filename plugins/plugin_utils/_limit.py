# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the limit of a run reaches: on the controller alone, which knows patterns (private)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.inventory.manager import InventoryManager

Groups = Mapping[str, Iterable[str]]


def reaches(limit: str, groups: Groups, pattern: str, loader: Any) -> bool:
    """Tell whether a limit leaves any host of a pattern, as Ansible itself reads both."""
    manager = InventoryManager(loader=loader, sources=None, parse=False)
    for group, hosts in groups.items():
        manager.add_group(group)
        for host in hosts:
            manager.add_host(host, group)
    manager.reconcile_inventory()
    manager.subset(limit)
    return bool(manager.get_hosts(pattern))
