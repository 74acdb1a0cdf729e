# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit a curve with eight neurons, in Python alone; goes on from its checkpoint.

It only adds, multiplies and divides, so the last digit of the loss is the same on every machine.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

NEURONS, SAMPLES, EPOCHS, RATE = 8, 150_000, 30, 0.02
CHECKPOINT = Path(os.environ.get("GPUOPS_CHECKPOINT_DIR", "checkpoints"), "state.json")


def begin() -> dict[str, Any]:
    """Return the checkpoint, or what a training begins with."""
    if CHECKPOINT.exists():
        return dict(json.loads(CHECKPOINT.read_text(encoding="utf-8")))
    dice = random.Random(7)
    return {
        "epoch": 0,
        "neurons": [[dice.uniform(-2, 2) for _part in "wbv"] for _neuron in range(NEURONS)],
    }


def learn(neurons: list[list[float]], dice: random.Random) -> float:
    """Go once through samples of the curve; returns the mean squared error on the way."""
    total = 0.0
    for _sample in range(SAMPLES):
        x = dice.uniform(-1.5, 1.5)
        sums = [w * x + b for w, b, _v in neurons]
        shown = [s / (1 + abs(s)) for s in sums]
        wrong = sum(n[2] * h for n, h in zip(neurons, shown, strict=True)) - (x * x * x - x)
        total += wrong * wrong
        for neuron, s, h in zip(neurons, sums, shown, strict=True):
            back = RATE * wrong * neuron[2] / ((1 + abs(s)) * (1 + abs(s)))
            neuron[0] -= back * x
            neuron[1] -= back
            neuron[2] -= RATE * wrong * h
    return total / SAMPLES


def main() -> None:
    """Train to the end, with a checkpoint after each epoch."""
    state = begin()
    print("begins" if not state["epoch"] else f"goes on after epoch {state['epoch']}", flush=True)
    CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(state["epoch"] + 1, EPOCHS + 1):
        # Each epoch has dice of its own, so that none of them need to be in the checkpoint.
        loss = learn(state["neurons"], random.Random(epoch))
        state = {**state, "epoch": epoch, "loss": loss}
        fresh = CHECKPOINT.with_suffix(".tmp")
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(CHECKPOINT)
        print(f"epoch {epoch} of {EPOCHS}: loss {loss!r}", flush=True)
    Path("out").mkdir(exist_ok=True)
    Path("out/model.json").write_text(json.dumps(state) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
