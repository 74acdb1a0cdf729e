# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a LoRA adapter of chance for the demo's model: `python make_adapter.py ADAPTER_DIR`.

Its weights are large, so that whoever asks for it by its name gets another answer than the model's.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

LAYERS, SIZE, RANK = 2, 64, 8
PARTS = ["q_proj", "v_proj"]


def main(target: Path) -> None:
    """Write the adapter to `target`, which must not exist yet."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(7)
    weights = {}
    for layer in range(LAYERS):
        for part in PARTS:
            name = f"base_model.model.model.layers.{layer}.self_attn.{part}"
            weights[f"{name}.lora_A.weight"] = torch.randn(RANK, SIZE)
            weights[f"{name}.lora_B.weight"] = torch.randn(SIZE, RANK)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    unfinished.mkdir()
    save_file(weights, unfinished / "adapter_model.safetensors")
    about = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "gpuops-demo",
        "r": RANK,
        "lora_alpha": 2 * RANK,
        "target_modules": PARTS,
        "bias": "none",
    }
    (unfinished / "adapter_config.json").write_text(json.dumps(about), encoding="utf-8")
    unfinished.rename(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
