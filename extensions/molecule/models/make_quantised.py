# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the demo's model with weights of 8 bits: `python make_quantised.py MODEL_DIR`.

The model in 32 bits lies beside it as gpuops-demo. The format is the one of compressed-tensors, in
which many quantised models are published: a scale for each row of weights, and for each token at
run time.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

BITS = {"num_bits": 8, "type": "int", "symmetric": True}
QUANTIZATION = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "quantization_status": "compressed",
    "ignore": ["lm_head"],
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "weights": {**BITS, "strategy": "channel", "dynamic": False},
            "input_activations": {**BITS, "strategy": "token", "dynamic": True},
        }
    },
}


def quantise(weights: dict[str, Any]) -> dict[str, Any]:
    """Return the weights with those of the linear layers as bytes and scales."""
    import torch

    found = {}
    for name, weight in weights.items():
        if "_proj." not in name:
            found[name] = weight
            continue
        scale = weight.abs().amax(dim=1, keepdim=True) / 127
        found[name] = (weight / scale).round().clamp(-127, 127).to(torch.int8)
        found[f"{name}_scale"] = scale
    return found


def main(target: Path) -> None:
    """Write the model to `target`, which must not exist yet."""
    from safetensors.torch import load_file, save_file

    source = target.with_name("gpuops-demo")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copytree(source, unfinished)
    weights = quantise(load_file(source / "model.safetensors"))
    save_file(weights, unfinished / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    config["quantization_config"] = QUANTIZATION
    (unfinished / "config.json").write_text(json.dumps(config), encoding="utf-8")
    unfinished.rename(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
