# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published configurations against what other people's code counts: scripts/model_numbers.py."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.fields import Fields
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.hf_hub import read_folder
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.llm import Model, model_of
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.quantisation import (
    stored_quantisation,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import (
    CONFIGURATIONS,
    shape_of,
)

ROWS = json.loads((CONFIGURATIONS / "table.json").read_text(encoding="utf-8"))["models"]
CLOSE = 0.03
MUTATIONS = 250
SEEDS = (15, 16, 17)


def configuration(name: str) -> dict[str, Any]:
    """Return a configuration, with what a file beside it says about quantisation."""
    config = shape_of(name)
    beside = CONFIGURATIONS / f"{name.replace('/', '--')}.hf_quant_config.json"
    if beside.is_file():
        found = json.loads(beside.read_text(encoding="utf-8"))["quantization"]
        config["quantization_config"] = {"quant_method": "modelopt", **found}
    return config


def compared(row: dict[str, Any], model: Model) -> Iterator[tuple[str, float, float]]:
    """Yield what is computed here beside what the table says."""
    if "parameters" in row:
        yield "parameters", model.parameters, row["parameters"]
    if "weight_bytes" in row:
        yield "weight_bytes", model.weight_bytes, row["weight_bytes"]
    shown, cache = model.as_dict(), row.get("cache") or {}
    if cache:
        yield "token", shown["cache_bytes_per_token"], cache["token"]
        yield "beyond", shown["cache_bytes_per_token_beyond_window"], cache["beyond"]


def is_close(row: dict[str, Any]) -> bool:
    """Tell whether every number of a row is within three percent."""
    try:
        model = model_of(configuration(row["name"]))
    except InvalidError:
        return False
    return all(abs(here - there) <= CLOSE * there for _what, here, there in compared(row, model))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_nothing_is_smaller_than_other_code_counts(row: dict[str, Any]) -> None:
    try:
        model = model_of(configuration(row["name"]))
    except InvalidError as error:
        pytest.skip(f"an error, which is honest: {error}")
    for what, here, there in compared(row, model):
        assert here >= (1 - CLOSE) * there, what
    # A state is taken for one of 32 bits, whatever vLLM would keep it in.
    assert model.cache_bytes_per_token("state") >= (1 - CLOSE) * row.get("cache", {}).get(
        "state", 0
    )


def test_most_are_close() -> None:
    assert all("parameters" in row and row["source"] for row in ROWS)
    far = [row["name"] for row in ROWS if not is_close(row)]
    assert len(ROWS) - len(far) >= 85, far
    assert len(far) <= 0.1 * len(ROWS), far


def test_the_table_is_as_wide_as_what_is_published() -> None:
    kinds: Counter[str] = Counter()
    forms = set()
    for row in ROWS:
        config = configuration(row["name"])
        kinds.update(kinds_of(config))
        stored = stored_quantisation(Fields(config)).values
        groups = len(stored.get("config_groups") or ())
        words = (stored.get("quant_method"), stored.get("quant_algo"), config.get("expert_dtype"))
        forms |= {(*words, groups)} if stored else set()
    least = {"experts": 10, "latent": 6, "state": 8, "window": 8, "vision": 12}
    assert len(ROWS) >= 90
    assert len(forms) >= 8
    assert {kind: kinds[kind] for kind, count in least.items() if kinds[kind] < count} == {}
    assert len({shape_of(row["name"])["model_type"] for row in ROWS}) >= 30


def kinds_of(config: dict[str, Any]) -> set[str]:
    """Return what a configuration is an example of."""
    try:
        model = model_of(config)
    except InvalidError:
        return set()
    text = json.dumps(config)
    found = {cache.kind for cache in model.caches}
    found |= {"experts"} if "experts_per_tok" in text or "moe_top" in text else set()
    return found | ({"vision"} if isinstance(config.get("vision_config"), dict) else set())


def places(config: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the place of every key, in the sections of text and encoders, too."""
    for key, value in config.items():
        yield (*above, key)
        if isinstance(value, dict) and key in ("text_config", "attn_config", "ffn_config"):
            yield from places(value, (*above, key))


def mutated(config: dict[str, Any], place: tuple[str, ...], how: str) -> dict[str, Any]:
    """Return a configuration with one key dropped, renamed, nested, made a list or null."""
    found = copy.deepcopy(config)
    section = found
    for key in place[:-1]:
        section = section[key]
    name, value = place[-1], section.pop(place[-1])
    new = {
        "dropped": {},
        "renamed": {f"{name}_of_it": value},
        "nested": {"inner": {name: value}},
        "list": {name: [value]},
        "null": {name: None},
    }
    section.update(new[how])
    return found


def needs(model: Model) -> tuple[int, ...]:
    """Return what a model asks of an instance."""
    caches = [sum(cache.elements(n, 2048, 1) for cache in model.caches) for n in (8192, 131072)]
    return (model.weight_bytes, *caches, model.active_width)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mutated_configuration_never_needs_less_without_a_word(seed: int) -> None:
    chance = random.Random(seed)
    smaller = []
    for _turn in range(MUTATIONS):
        name = chance.choice(ROWS)["name"]
        config = configuration(name)
        place = chance.choice([p for p in places(config) if p[-1] not in UNSAID])
        how = chance.choice(["dropped", "renamed", "nested", "list", "null"])
        try:
            before = model_of(config)
            after = model_of(mutated(config, place, how))
        except InvalidError:
            continue
        less = any(now < 0.99 * then for now, then in zip(needs(after), needs(before), strict=True))
        if less and set(after.notes) <= set(before.notes):
            smaller.append((name, place, how))
    assert smaller == []


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "moe_shared_expert_intermediate_size"),
        ("XiaomiMiMo/MiMo-V2-Flash", "hybrid_layer_pattern"),
    ],
)
def test_a_key_that_one_family_alone_needs_is_missed(name: str, key: str) -> None:
    config = configuration(name)
    before = model_of(config)
    for how in ("dropped", "renamed", "null"):
        assert set(model_of(mutated(config, (key,), how)).notes) > set(before.notes), how


# Without these a class computes or means something definite, which nobody can tell from a slip.
UNSAID = ("model_type", "tie_word_embeddings", "head_dim")


def test_a_folder_reads_the_file_beside_it() -> None:
    assert any(path.name.endswith("hf_quant_config.json") for path in CONFIGURATIONS.iterdir())
    name = "nvidia--Llama-3.1-70B-Instruct-FP8"
    found = read_folder(str(CONFIGURATIONS / f"{name}.json")).config
    assert not stored_quantisation(Fields(found))
