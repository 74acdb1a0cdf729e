# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbooks, and which of some names is a misspelt one (private, pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .._core.nearest import longer, nearest
from .specs import VARIABLES

# Parts of a playbook hand these to each other, and credentials have a way of their own.
_MORE = """
    datacrunch_base_url datacrunch_client_id datacrunch_client_secret datacrunch_profile
    datacrunch_timeout demo_bin demo_book demo_dir demo_model demo_others demo_simulator demo_ssh gateway_front
    gateway_link_port gateway_port gpuops_accounts gpuops_extra_names job_wheelhouse vllm_model_script chart
"""
PLAYBOOKS = frozenset({*VARIABLES, *_MORE.split()})
# Of Ansible itself, and of what runs it.
LET_THROUGH = ("ansible_", "awx_", "tower_", "molecule_", "_")


def known_names(roles: Iterable[str], extra: Iterable[str] = ()) -> frozenset[str]:
    """Return all names that may be given: ours, also with our prefix, of the roles, and ``extra``."""
    return frozenset({*PLAYBOOKS, *(f"gpuops_{name}" for name in VARIABLES), *roles, *extra})


@dataclass(frozen=True)
class Unknown:
    """A name that is nobody's; ``nearest`` are ours within two letters of it, the nearest first.

    ``longer`` are ours that go on where it ends.
    """

    name: str
    nearest: tuple[str, ...]
    longer: tuple[str, ...] = ()

    def __str__(self) -> str:
        meant = [*self.nearest, *self.longer]
        return f"{self.name} (did you mean {' or '.join(meant)}?)" if meant else self.name


def unknown(
    given: Iterable[str], known: Collection[str], roles: Iterable[str] = ()
) -> list[Unknown]:
    """Return the names that are neither known nor of Ansible itself, each with the nearest.

    Names that begin as those of ``roles`` do are a role's own, unless they are near a known one.
    """
    begins = tuple(f"{role}_" for role in roles)
    found = [
        Unknown(name, nearest(name, known), longer(name, known))
        for name in sorted(set(given) - set(known))
        if not name.startswith(LET_THROUGH)
    ]
    return [one for one in found if one.nearest or not one.name.startswith(begins)]
