# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sees and hears in a model: encoders of images and of sound (private, pure).

Their code differs more than that of language models, and they are small beside those. One that
cannot be counted is taken for as large as the largest that is published, with a note.
"""

from __future__ import annotations

from .config_defaults import is_composite
from .fields import Fields
from .hf_config import Reader

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
    if not seen and _sees(Fields(read.config)):
        read.note(
            "config.json describes no encoder of images, although the model has one: "
            "6 billion parameters were taken for it"
        )
        total = LARGEST
    return total


def _sees(config: Fields) -> bool:
    """Tell whether the class of a model has an encoder, by its names and by a text part."""
    names = f"{config.shown('architectures')} {config.shown('model_type')}".lower()
    parts = [key for key in config.values if key in ("text_config", "llm_config", "thinker_config")]
    if is_composite(config.shown("model_type")):
        return True
    return any(word in names for word in _SEEING) and (bool(parts) or "vl" in names)


def _tower(read: Reader, name: str, part: Fields, text_hidden: int) -> int:
    """Return the parameters of one encoder: attention and a network in every layer."""
    hidden, layers = part.size(*_HIDDEN), part.size(*_LAYERS)
    ratio = part.number("mlp_ratio") if part.says("mlp_ratio") else 4
    if not hidden or not layers or ratio is None:
        read.note(f"{name} of config.json names no sizes: 6 billion parameters were taken for it")
        return LARGEST
    kind = part.text("model_type")
    plain = any(word in kind or (not kind and word in read.outer_type) for word in _PLAIN)
    gated = not plain or "qwen2_5" in kind + read.outer_type
    width = part.size(*_WIDTH) or int(ratio * hidden)
    if kind.startswith("glm4v"):  # what it calls intermediate is in its merger
        out = part.size("out_hidden_size") or text_hidden
        inside = layers * hidden * (4 * hidden + 3 * out)
        return inside + out * (4 * hidden + out + 3 * width)
    inside = layers * hidden * (4 * hidden + (3 if gated else 2) * width)
    patch = part.size("patch_size") or 14
    return inside + 3 * patch * patch * hidden + _bridge(read, part, hidden, text_hidden)


def _bridge(read: Reader, part: Fields, hidden: int, text_hidden: int) -> int:
    """Return what leads to the text model: two matrices, of patches that are merged where they are."""
    usual = 2 if read.outer_type.startswith(_MERGED) else 1
    merged = hidden * (part.size("spatial_merge_size") or usual) ** 2
    out = part.size("out_hidden_size") or text_hidden  # not hidden_size, which some mean by it
    inner = merged if merged > hidden else out
    found = part.values.get("deepstack_visual_indexes")
    deep = len(found) if isinstance(found, list) else 3 if read.outer_type.startswith(_DEEP) else 0
    return (1 + deep) * inner * (merged + out)
