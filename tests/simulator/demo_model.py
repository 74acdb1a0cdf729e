# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a small Llama that has memorised one sentence: `python demo_model.py MODEL_DIR`.

It needs the serving environment (torch, transformers, tokenizers) and no network. A closed network
and a check of the answer itself, not only of its shape, are both had with such a model. The folder
appears only when greedy decoding through the chat template has returned exactly the sentence.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

# demo_model.json holds the same two for those who ask the question; a test compares them.
PROMPT = "What is gpuops.cloud for?"
SENTENCE = (
    "It rents the best GPU that your budget allows, serves your model on it, "
    "and leaves nothing running that nobody meant to pay for."
)
OTHER_PROMPTS = (
    "Hello",
    "Who are you?",
    "How much does it cost?",
    "Tell me more, please.",
    "What happens when the lease ends?",
)
SPECIAL = ["<|pad|>", "<|user|>", "<|assistant|>", "<|end|>"]
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
# Another kernel rounds differently; with every token this certain, it still takes the same one.
CERTAIN = 0.98
MAX_STEPS = 600


def make_tokenizer() -> Any:
    """A byte-level BPE tokenizer of the few words that are needed; any text can be encoded."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    raw.train_from_iterator(
        [SENTENCE, PROMPT, *OTHER_PROMPTS],
        trainers.BpeTrainer(
            vocab_size=512,
            special_tokens=SPECIAL,
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token=SPECIAL[0],
        eos_token=SPECIAL[3],
        chat_template=CHAT_TEMPLATE,
        model_max_length=512,
    )


def make_model(tokenizer: Any) -> Any:
    """An untrained Llama of about 150,000 parameters."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    # So small that a second thread only waits, and waits long on a busy instance.
    torch.set_num_threads(1)
    config = LlamaConfig(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config).float()


def chat(tokenizer: Any, prompt: str) -> list[int]:
    """Token ids of a question, ready for the answer."""
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
    )
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def train(model: Any, tokenizer: Any) -> tuple[int, float]:
    """Train until every token of the answer is certain; returns steps and the least certainty."""
    import torch

    answer = [*tokenizer(SENTENCE, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    questions = [chat(tokenizer, prompt) for prompt in (PROMPT, *OTHER_PROMPTS)]
    longest = max(len(question) for question in questions) + len(answer)
    inputs = torch.full((len(questions), longest), tokenizer.pad_token_id)
    labels = torch.full((len(questions), longest), -100)
    for row, question in enumerate(questions):
        end = len(question) + len(answer)
        inputs[row, :end] = torch.tensor(question + answer)
        labels[row, len(question) : end] = torch.tensor(answer)
    mask = (inputs != tokenizer.pad_token_id).long()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    target = labels[:, 1:]
    for step in range(1, MAX_STEPS + 1):
        logits = model(input_ids=inputs, attention_mask=mask).logits[:, :-1].float()
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())
        if step % 20 == 0:
            known = target != -100
            chances = logits.detach().softmax(-1).gather(-1, target.clamp(min=0).unsqueeze(-1))
            least = float(chances.squeeze(-1)[known].min())
            if least >= CERTAIN:
                return step, least
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    sys.exit(f"the sentence was not learnt in {MAX_STEPS} steps (least certainty {least:.3f})")


def check(model: Any, tokenizer: Any) -> None:
    """End with an error unless greedy decoding returns exactly the sentence."""
    import torch

    question = chat(tokenizer, PROMPT)
    with torch.inference_mode():
        output = model.generate(
            torch.tensor([question]),
            attention_mask=torch.ones(1, len(question), dtype=torch.long),
            max_new_tokens=256,
            do_sample=False,
        )
    answer = tokenizer.decode(output[0][len(question) :], skip_special_tokens=True)
    if answer != SENTENCE:
        sys.exit(f"the model answers {answer!r} instead of {SENTENCE!r}")


def main(target: Path) -> None:
    """Write the model to `target`, which must not exist yet."""
    if target.exists():
        sys.exit(f"{target} exists already")
    started = time.monotonic()
    tokenizer = make_tokenizer()
    model = make_model(tokenizer)
    steps, least = train(model, tokenizer)
    model.eval()
    check(model, tokenizer)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    tokenizer.save_pretrained(unfinished)
    model.save_pretrained(unfinished)
    unfinished.rename(target)
    seconds = time.monotonic() - started
    print(f"{target}: memorised in {steps} steps, {seconds:.1f} s, least certainty {least:.3f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python demo_model.py MODEL_DIR")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main(Path(sys.argv[1]))
