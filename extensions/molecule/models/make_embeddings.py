# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a small BERT that embeds, with weights of chance: `python make_embeddings.py MODEL_DIR`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

PAD = "<|pad|>"
SIZE = 64
# As the authors of sentence embeddings publish what to do with the vectors of the words.
STEPS = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]


def make_tokenizer() -> Any:
    """Return a tokenizer of single bytes."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=257, special_tokens=[PAD], initial_alphabet=alphabet, show_progress=False
    )
    raw.train_from_iterator(["a"], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=raw, pad_token=PAD, model_max_length=128)


def main(target: Path) -> None:
    """Write the model to `target`, which must not exist yet."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=257,
        hidden_size=SIZE,
        intermediate_size=2 * SIZE,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=128,
        pad_token_id=0,
    )
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    make_tokenizer().save_pretrained(unfinished)
    BertModel(config).eval().save_pretrained(unfinished)
    modules = [
        {
            "idx": number,
            "name": str(number),
            "path": path,
            "type": f"sentence_transformers.models.{kind}",
        }
        for number, (path, kind) in enumerate(STEPS)
    ]
    (unfinished / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (unfinished / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": SIZE, "pooling_mode_mean_tokens": True}
    (unfinished / "1_Pooling/config.json").write_text(json.dumps(pooling), encoding="utf-8")
    unfinished.rename(target)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main(Path(sys.argv[1]))
