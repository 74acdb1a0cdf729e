# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sees and hears in a model: encoders of images and of sound (private, pure).

Their code differs more than that of language models, and they are small beside those. One that
cannot be counted is taken for as large as the largest that is published, with a note.
"""

from __future__ import annotations

from typing import Any

from .config_defaults import is_composite
from .hf_config import Reader, numbers

# The largest published encoder of images, of InternVL, https://arxiv.org/abs/2312.14238.
LARGEST = 6 * 10**9
_SECTIONS = ("vision", "visual", "vit", "audio", "image_encoder", "speech_encoder")
_HIDDEN = ("embed_dim", "hidden_size", "width", "d_model", "vt_hidden_size", "hidden_dim")
_LAYERS = (
    "num_hidden_layers", "depth", "num_layers", "layers", "encoder_layers", "vt_num_hidden_layers",
    "n_layers",
)  # fmt: skip
_WIDTH = ("intermediate_size", "encoder_ffn_dim", "vt_intermediate_size", "mlp_dim")
# Encoders with two matrices in the feed-forward; others may have three.
_PLAIN = (
    "clip", "siglip", "qwen2_vl", "qwen3_vl", "qwen3_5", "qwen3_omni", "internvl", "intern_vit", "idefics",
    "smolvlm", "kimi", "moonvit", "llama4", "gemma3", "mllama", "ernie", "whisper", "audio", "minimax", "step",
)  # fmt: skip
# What the classes of Qwen set by themselves: patches that are merged, and outputs of inner layers.
_MERGED, _DEEP = ("qwen", "glm"), ("qwen3_vl", "qwen3_omni")
# Models that see, whose configuration so must describe an encoder.
_SEEING = ("vl", "vision", "llava", "pixtral", "idefics", "paligemma", "conditionalgeneration")


def tower_parameters(read: Reader, text_hidden: int) -> int:
    """Return the parameters of all encoders, with what leads from them to the text model."""
    total, seen = 0, False
    for name, part in read.parts.items():
        if not name.endswith(("_config", "visual", "_cfg")) or not part:
            continue
        if any(word in name for word in _SECTIONS):
            seen = True
            total += _tower(read, name, part, text_hidden)
    if not seen and _sees(read.config):
        read.note(
            "config.json describes no encoder of images, although the model has one: "
            "6 billion parameters were taken for it"
        )
        total = LARGEST
    return total


def _sees(config: dict[str, Any]) -> bool:
    """Tell whether the class of a model has an encoder, by its names and by a text part."""
    names = f"{config.get('architectures')} {config.get('model_type')}".lower()
    parts = [key for key in config if key in ("text_config", "llm_config", "thinker_config")]
    if is_composite(str(config.get("model_type"))):
        return True
    return any(word in names for word in _SEEING) and (bool(parts) or "vl" in names)


def _tower(read: Reader, name: str, part: dict[str, Any], text_hidden: int) -> int:
    """Return the parameters of one encoder: attention and a network in every layer."""
    hidden, layers = _size(part, *_HIDDEN), _size(part, *_LAYERS)
    ratio = part.get("mlp_ratio") or 4
    if not hidden or not layers or not isinstance(ratio, int | float):
        read.note(f"{name} of config.json names no sizes: 6 billion parameters were taken for it")
        return LARGEST
    kind = str(part.get("model_type") or "")
    plain = any(word in kind or (not kind and word in read.outer_type) for word in _PLAIN)
    gated = not plain or "qwen2_5" in kind + read.outer_type
    width = _size(part, *_WIDTH) or int(ratio * hidden)
    if kind.startswith("glm4v"):  # what it calls intermediate is in its merger
        out = _size(part, "out_hidden_size") or text_hidden
        inside = layers * hidden * (4 * hidden + 3 * out)
        return inside + out * (4 * hidden + out + 3 * width)
    inside = layers * hidden * (4 * hidden + (3 if gated else 2) * width)
    patch = _size(part, "patch_size") or 14
    return inside + 3 * patch * patch * hidden + _bridge(read, part, hidden, text_hidden)


def _bridge(read: Reader, part: dict[str, Any], hidden: int, text_hidden: int) -> int:
    """Return what leads to the text model: two matrices, of patches that are merged where they are."""
    usual = 2 if read.outer_type.startswith(_MERGED) else 1
    merged = hidden * (_size(part, "spatial_merge_size") or usual) ** 2
    out = _size(part, "out_hidden_size") or text_hidden  # not hidden_size, which some mean by it
    inner = merged if merged > hidden else out
    deep = part.get("deepstack_visual_indexes")
    deep = len(deep) if isinstance(deep, list) else 3 if read.outer_type.startswith(_DEEP) else 0
    return (1 + deep) * inner * (merged + out)


def _size(part: dict[str, Any], *names: str) -> int:
    """Return the first size of these names, or 0."""
    for name in names:
        found = numbers(part.get(name))
        if found:
            return max(found)
    return 0
