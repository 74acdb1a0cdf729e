# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# /// script
# dependencies = ["mosaicml"]
# ///
"""Train a small classifier with Composer, which goes on by itself from its newest checkpoint.

With autoresume it looks in save_folder for the newest one of its run_name, so both are the same in
every attempt.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch
from composer import Trainer
from composer.models import ComposerClassifier
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CHECKPOINTS = os.environ.get("GPUOPS_CHECKPOINT_DIR", "checkpoints")


def main() -> None:
    """Train, with a checkpoint every ten batches."""
    torch.manual_seed(7)
    seen = torch.rand(2048, 16)
    rows = TensorDataset(seen, (seen.sum(1) > 8).long())
    layers = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 2))
    model = ComposerClassifier(layers, num_classes=2)
    trainer = Trainer(
        model=model,
        train_dataloader=DataLoader(rows, batch_size=32, shuffle=True),
        max_duration="5ep",
        optimizers=torch.optim.Adam(model.parameters(), lr=1e-2),
        seed=7,
        run_name=os.environ.get("GPUOPS_JOB", "run"),
        save_folder=CHECKPOINTS,
        save_interval="10ba",
        save_num_checkpoints_to_keep=2,
        autoresume=True,
    )
    trainer.fit()
    Path("out").mkdir(exist_ok=True)
    torch.save(layers.state_dict(), "out/model.pt")


if __name__ == "__main__":
    main()
