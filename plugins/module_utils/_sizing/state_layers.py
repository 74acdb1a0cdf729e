# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers with a state instead of a cache: their parameters, and what they keep (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.errors import InvalidError
from .hf_config import Reader


@dataclass(frozen=True)
class State:
    """What one layer keeps of a sequence: elements of its state, and of the last inputs of a filter."""

    parameters: int
    heads: int
    elements: int
    filtered: int


def state_of(read: Reader, hidden: int) -> State | None:
    """Return the state of a layer; None for a kind that is not known here."""
    if read.any("linear_num_value_heads"):
        return _gated_delta(read, hidden)
    if read.section("linear_attn_config"):
        return _delta_by_channel(read, hidden)
    named = read.knows("mamba_num_heads", "mamba_n_heads", "num_heads")
    if named and read.knows("mamba_d_state", "ssm_state_size", "state_size", "mamba_state_dim"):
        return _mamba2(read, hidden)
    if read.any("mamba_d_state", "state_size") and not read.model_type.startswith("zamba"):
        return _mamba(read, hidden)
    if read.any("conv_L_cache"):
        kernel = read.number("conv_L_cache")
        return State(hidden * (4 * hidden + kernel), 1, 0, hidden * (kernel - 1))
    if read.any("attn_type_list") or read.model_type == "minimax":
        heads = read.number("num_attention_heads")
        width = read.number("head_dim", default=hidden // heads)
        return State(5 * hidden * heads * width, heads, width * width, 0)
    return None


def state_parameters(read: Reader, hidden: int) -> int:
    """Return the parameters of such a layer; raises InvalidError for other kinds of state."""
    found = state_of(read, hidden)
    if found is None:
        raise not_counted(read)
    return found.parameters


def not_counted(read: Reader) -> InvalidError:
    """Return the error for a model whose parameters nobody here can count."""
    return InvalidError(
        f"The parameters of {read.model_type or 'this model'} cannot be computed from config.json",
        hint="Its layers are of a kind that is not known here: the size of its files must be.",
    )


def _gated_delta(read: Reader, hidden: int) -> State:
    """Gated delta net as in Qwen3-Next, https://arxiv.org/abs/2412.06464."""
    keys = read.number("linear_num_key_heads") * read.number("linear_key_head_dim")
    heads, width = read.number("linear_num_value_heads"), read.number("linear_value_head_dim")
    kernel = read.number("linear_conv_kernel_dim", default=4)
    mixed = 2 * keys + heads * width
    inside = hidden * (mixed + 2 * heads * width + 2 * heads) + mixed * kernel
    elements = read.number("linear_key_head_dim") * width
    return State(inside, heads, elements, mixed * (kernel - 1))


def _delta_by_channel(read: Reader, hidden: int) -> State:
    """Kimi delta attention, https://arxiv.org/abs/2510.26692: gates of a low rank, or a full one."""
    section = read.section("linear_attn_config").values
    try:
        heads, width = int(section["num_heads"]), int(section["head_dim"])
        kernel = int(section.get("short_conv_kernel_size", 4))
    except (KeyError, TypeError, ValueError):
        raise InvalidError(
            "linear_attn_config of config.json lacks num_heads or head_dim"
        ) from None
    inner = heads * width
    gates = hidden * inner if section.get("use_full_rank_gate") else width * (hidden + inner)
    inside = 4 * hidden * inner + gates + width * (hidden + inner) + hidden * heads
    return State(inside + 3 * inner * kernel, heads, width * width, 3 * inner * (kernel - 1))


def _mamba2(read: Reader, hidden: int) -> State:
    """Mamba 2, https://arxiv.org/abs/2405.21060: one projection in, a filter, one projection out."""
    heads = read.number("mamba_num_heads", "mamba_n_heads", "num_heads")
    size = read.number("mamba_d_state", "ssm_state_size", "state_size", "mamba_state_dim")
    inner = read.number("mamba_d_ssm", default=0)
    if not inner and read.any("mamba_expand", "expand"):
        inner = read.number("mamba_expand", "expand") * hidden
    own = heads * read.number("mamba_head_dim", "mamba_d_head", "head_dim", default=0)
    inner = own or inner or 2 * hidden
    groups = read.number("mamba_n_groups", "n_groups", "mamba_num_groups", default=1)
    kernel = read.number("mamba_d_conv", "conv_kernel", default=4)
    mixed = inner + 2 * groups * size
    inside = hidden * (inner + mixed + heads) + mixed * kernel + inner * hidden
    return State(inside, heads, size * inner // max(heads, 1), mixed * (kernel - 1))


def _mamba(read: Reader, hidden: int) -> State:
    """Mamba, https://arxiv.org/abs/2312.00752: the size of a step passes a low rank."""
    size = read.number("mamba_d_state", "state_size")
    inner = read.number("intermediate_size", default=0) if read.any("state_size") else 0
    inner = inner or read.number("mamba_expand", "expand", default=2) * hidden
    rank = read.any("mamba_dt_rank", "time_step_rank")
    rank = rank if isinstance(rank, int) else -(-hidden // 16)
    kernel = read.number("mamba_d_conv", "conv_kernel", default=4)
    inside = inner * (2 * hidden + kernel + rank + 2 * size + rank + size + hidden)
    return State(inside, 1, inner * size, inner * (kernel - 1))
