# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# /// script
# dependencies = ["accelerate", "torch", "transformers>=5"]
# ///
"""Train a small Llama with the Trainer of Hugging Face; goes on from its newest checkpoint.

The Trainer keeps its checkpoints as checkpoint-STEP below output_dir. It resumes when it is given
one, and fails when it is told to resume where there is none, so the script looks first. A
training that is resumed after its last step makes one more (transformers 5.19).
"""

from __future__ import annotations

import os
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

CHECKPOINTS = Path(os.environ.get("GPUOPS_CHECKPOINT_DIR", "checkpoints"))
WORDS, LENGTH = 64, 32


class Numbers(torch.utils.data.Dataset):
    """Texts in which each word is the one before it and three."""

    def __len__(self) -> int:
        return 512

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        text = (torch.arange(LENGTH) * 3 + number) % WORDS
        return {"input_ids": text, "labels": text}


def main() -> None:
    """Train, with a checkpoint every ten steps, of which two are kept."""
    set_seed(7)
    CHECKPOINTS.mkdir(parents=True, exist_ok=True)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 4}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=WORDS, **size, **heads))
    settings = TrainingArguments(
        output_dir=str(CHECKPOINTS),
        max_steps=60,
        per_device_train_batch_size=16,
        learning_rate=3e-3,
        save_steps=10,
        save_total_limit=2,
        logging_steps=10,
        report_to="none",
        disable_tqdm=True,
    )
    trainer = Trainer(model=model, args=settings, train_dataset=Numbers())
    newest = get_last_checkpoint(str(CHECKPOINTS))
    print(f"resumes from {newest}" if newest else "begins", flush=True)
    found = trainer.train(resume_from_checkpoint=newest)
    print(f"step {trainer.state.global_step}: loss {found.training_loss!r}", flush=True)
    trainer.save_model("out/model")


if __name__ == "__main__":
    main()
