# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbooks, and which of some names is a misspelt one (private, pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ._nearest import longer, nearest

# Whoever adds a variable to a playbook adds it here; a test compares.
_WORDS = """
    budget budget_policy by capacity_interval capacity_timeout chart compare confidential confirm count
    data_volume_gb data_volumes datacrunch_base_url datacrunch_client_id datacrunch_client_secret
    datacrunch_profile datacrunch_timeout demo_bin demo_book demo_dir demo_keep demo_model demo_scenario
    demo_simulator demo_ssh demo_tier deployment deployments done everything exclude extend file
    file_mode folder folder_group format gateway_front gateway_host gateway_link_port gateway_port
    gpu_count gpuops_extra_names gpuops_home gpuops_report_dir gpus grace hours idle_after idle_timeout
    image input_tokens instance_type keep_short_fleet lease lease_max lease_max_override ledger
    locations machine_name market max_lease_cost max_price_per_hour max_tokens metrics_file missing_ok min_count
    min_gpu_count min_ram_gb min_tier min_vcpu min_vram_gb min_vram_gb_each mode model_config model_fit
    objective observation_log on_spot_discontinue orphan_age os_volume os_volume_gb output_tokens owner
    project prometheus_sources prompt protect purge_trash replace request_rates requests since spend
    ssh_keys ssh_private_key_file ssh_user start_timeout tier tiers trust_cloud_clock until
    vllm_distributed vllm_model_script vllm_nodes wait_for_capacity wait_interval wait_timeout
"""
PLAYBOOKS = frozenset(_WORDS.split())
# Of Ansible itself, and of what runs it.
LET_THROUGH = ("ansible_", "awx_", "tower_", "molecule_", "_")


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
