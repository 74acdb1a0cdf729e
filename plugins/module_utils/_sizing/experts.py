# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which layers of a model have experts, and how many (private, pure)."""

from __future__ import annotations

from .._core.errors import InvalidError
from .fields import Value
from .hf_config import Reader

CHOSEN = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "moe_top_k",
    "moe_topk",
    "moe_k",
    "top_k_experts",
)
SHARED = (
    "n_shared_experts",
    "num_shared_experts",
    "num_shared_expert",
    "moe_num_shared_experts",
)
EXPERTS = ("n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts")


def experts_of(read: Reader) -> int:
    """Return the experts of a layer, those of all kinds together."""
    value = read.find(*EXPERTS)
    found = value.numbers()
    if not value.is_missing and not found:
        raise InvalidError(
            f"config.json: {value.name} must be a positive number (got {value.given!r})"
        )
    if not found and read.any(*CHOSEN, "moe_intermediate_size", *SHARED):
        raise InvalidError(f"config.json speaks of experts, but names no {' or '.join(EXPERTS)}")
    many = max(found, default=0) if len(set(found)) < 2 or len(found) > 4 else sum(found)
    return many if many > 1 else 0  # a single one is a dense layer


def feeds_of(read: Reader, kinds: list[str]) -> list[str]:
    """Return for each layer its feed-forward: dense, experts, or nothing."""
    if read.model_type in ("mamba", "mamba2", "falcon_mamba"):
        return [""] * len(kinds)
    if read.model_type == "longcat_flash":
        return ["dense experts"] * len(kinds)
    alone = "none" in kinds and not read.any("block_configs")  # each layer does one thing only
    said = read.any("hybrid_override_pattern", "layers_block_type")
    signs = said if isinstance(said, (str, list)) else ""
    found = []
    for i, kind in enumerate(kinds):
        if alone and kind != "none":
            found.append("")
        elif alone:
            sign = str(signs[i]) if i < len(signs) else ""
            found.append("experts" if sign == "E" or "moe" in sign else "dense")
        else:
            found.append("experts" if experts_of(read) and _sparse(read, i) else "dense")
    return found


def _sparse(read: Reader, layer: int) -> bool:
    """Tell whether a layer has experts; each family says it in its own way."""
    named = read.any("mlp_layer_types")
    if isinstance(named, list) and layer < len(named):
        return str(named[layer]) != "dense"
    chosen = _chosen(read, "moe_layers", "moe_layers_enum")
    if chosen:
        return layer in chosen
    first = read.number(
        "first_k_dense_replace", "moe_layer_start_index", "num_dense_layers", default=0
    )
    plain = read.any("mlp_only_layers")
    if layer < first or (isinstance(plain, list) and layer in plain):
        return False
    frequency = read.any("moe_layer_freq")
    if isinstance(frequency, list):
        return frequency[layer : layer + 1] != [0]
    if read.any("expert_layer_period"):
        offset = read.number("expert_layer_offset", default=0)
        return layer % read.number("expert_layer_period") == offset
    step = read.number(
        "decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_interval", default=1
    )
    return (layer + 1) % max(step, 1) == 0


def _chosen(read: Reader, *names: str) -> list[int]:
    """Return the numbers of layers of a list, or of a text with commas."""
    value = read.any(*names)
    if isinstance(value, str):
        value = [int(part) for part in value.split(",") if part.strip().isdigit()]
    return Value("", value).numbers() if isinstance(value, list) else []
