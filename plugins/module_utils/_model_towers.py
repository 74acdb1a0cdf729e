# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sees and hears in a model: encoders of images and of sound (private, pure).

Their code differs more than that of language models, and they are small beside those. One that
cannot be counted is taken for as large as the largest that is published, with a note.
"""

from __future__ import annotations

from typing import Any

from ._model_config import Reader, numbers

# The largest published encoder of images, of InternVL, https://arxiv.org/abs/2312.14238.
LARGEST = 6 * 10**9
_SECTIONS = ("vision", "visual", "vit", "audio", "image_encoder", "speech_encoder")
_HIDDEN = ("embed_dim", "hidden_size", "width", "d_model", "vt_hidden_size", "hidden_dim")
_LAYERS = (
    "num_hidden_layers", "depth", "num_layers", "layers", "encoder_layers", "vt_num_hidden_layers",
    "n_layers",
)  # fmt: skip
_WIDTH = ("intermediate_size", "encoder_ffn_dim", "vt_intermediate_size", "mlp_dim")
# Encoders whose feed-forward is gated, and so has three matrices.
_GATED = ("pixtral", "qwen2_5_vl", "glm4v", "glm_ocr", "gemma4_vision", "aimv2", "exaone4_5")
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
    return any(word in names for word in _SEEING) and (bool(parts) or "vl" in names)


def _tower(read: Reader, name: str, part: dict[str, Any], text_hidden: int) -> int:
    """Return the parameters of one encoder: attention and a network in every layer."""
    hidden, layers = _size(part, *_HIDDEN), _size(part, *_LAYERS)
    ratio = part.get("mlp_ratio") or 4
    if not hidden or not layers or not isinstance(ratio, int | float):
        read.note(f"{name} of config.json names no sizes: 6 billion parameters were taken for it")
        return LARGEST
    kind = str(part.get("model_type") or "")
    gated = any(word in kind or word in read.outer_type for word in _GATED)
    width = _size(part, *_WIDTH) or int(ratio * hidden)
    if kind.startswith("glm4v"):  # what it calls intermediate is in its merger
        out = _size(part, "out_hidden_size") or text_hidden
        inside = layers * hidden * (4 * hidden + 3 * out)
        return inside + out * (4 * hidden + out + 3 * width)
    inside = layers * hidden * (4 * hidden + (3 if gated else 2) * width)
    patch = _size(part, "patch_size") or 14
    return inside + 3 * patch * patch * hidden + _bridge(part, hidden, text_hidden)


def _bridge(part: dict[str, Any], hidden: int, text_hidden: int) -> int:
    """Return what leads to the text model: two matrices, of patches that are merged where they are."""
    merged = hidden * (_size(part, "spatial_merge_size") or 1) ** 2
    out = _size(part, "out_hidden_size") or text_hidden  # not hidden_size, which some mean by it
    inner = merged if merged > hidden else out
    deep = len(part.get("deepstack_visual_indexes") or ())
    return (1 + deep) * inner * (merged + out)


def _size(part: dict[str, Any], *names: str) -> int:
    """Return the first size of these names, or 0."""
    for name in names:
        found = numbers(part.get(name))
        if found:
            return max(found)
    return 0
