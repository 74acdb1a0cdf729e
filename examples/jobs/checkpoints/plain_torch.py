# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# /// script
# dependencies = ["numpy", "torch"]
# ///
"""Train a small character model with plain PyTorch; goes on from its checkpoint, to the last digit.

What a training is made of goes into one file: weights, optimizer, random numbers, step. It is
written beside the old one and renamed, so that a checkpoint is whole whenever the host goes.
"""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import Any

import torch
from torch import nn

TEXT = "It rents the best GPU that your budget allows, and leaves nothing behind. " * 50
LETTERS = sorted(set(TEXT))
CHECKPOINT = Path(os.environ.get("GPUOPS_CHECKPOINT_DIR", "checkpoints"), "state.pt")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Model(nn.Module):
    """The next character, by a GRU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.seen = nn.Embedding(len(LETTERS), width)
        self.memory = nn.GRU(width, width, num_layers=2, dropout=0.1, batch_first=True)
        self.next = nn.Linear(width, len(LETTERS))

    def forward(self, letters: torch.Tensor) -> torch.Tensor:
        """Return a score of each letter to come."""
        return self.next(self.memory(self.seen(letters))[0])


def save(step: int, loss: float, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put a whole checkpoint in place."""
    state: dict[str, Any] = {"step": step, "loss": loss, "model": model.state_dict()}
    state |= {"optimizer": optimizer.state_dict(), "random": torch.get_rng_state()}
    if DEVICE == "cuda":
        state["random_cuda"] = torch.cuda.get_rng_state_all()
    fresh = CHECKPOINT.with_suffix(".tmp")
    with fresh.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(CHECKPOINT)


def load(model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
    """Take up what is there; returns the step that was the last, and its loss."""
    if not CHECKPOINT.exists():
        return 0, math.nan
    state = torch.load(CHECKPOINT, map_location=DEVICE, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"].cpu())
    if "random_cuda" in state:
        torch.cuda.set_rng_state_all([one.cpu() for one in state["random_cuda"]])
    return int(state["step"]), float(state["loss"])


def batch(text: torch.Tensor, size: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pieces of the text, and for each letter the one that follows."""
    begins = torch.randint(len(text) - length - 1, (size,)).tolist()
    pieces = torch.stack([text[at : at + length + 1] for at in begins]).to(DEVICE)
    return pieces[:, :-1], pieces[:, 1:]


def main() -> None:
    """Train, with a checkpoint every few steps."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--steps", type=int, default=200)
    words.add_argument("--every", type=int, default=20)
    words.add_argument("--width", type=int, default=128)
    given = words.parse_args()
    torch.manual_seed(7)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.set_num_threads(1)
    model = Model(given.width).to(DEVICE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
    text = torch.tensor([LETTERS.index(letter) for letter in TEXT])
    begun, loss = load(model, optimizer)
    print(f"begins after step {begun}", flush=True)
    for step in range(begun + 1, given.steps + 1):
        seen, wanted = batch(text, 32, 64)
        wrong = nn.functional.cross_entropy(model(seen).flatten(0, 1), wanted.flatten())
        optimizer.zero_grad()
        wrong.backward()
        optimizer.step()
        if step % given.every == 0 or step == given.steps:
            loss = wrong.item()
            save(step, loss, model, optimizer)
            print(f"step {step}: loss {loss!r}", flush=True)
    Path("out").mkdir(exist_ok=True)
    Path("out/loss.txt").write_text(f"{loss!r}\n", encoding="utf-8")
    torch.save(model.state_dict(), "out/model.pt")


if __name__ == "__main__":
    main()
