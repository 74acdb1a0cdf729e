# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that looks at models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.filter.model_fit import model_fit
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_documentation import (
    compare,
    everything,
    module_texts,
    stripped,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import (
    COMMIT,
    LARGE,
    SMALL,
    Hub,
    config_of,
    running_hub,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Run a hub that the environment names."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with running_hub() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield found


@pytest.fixture
def folder(home: Path) -> str:
    """Make a folder with the large model's configuration."""
    (home / "config.json").write_text(json.dumps(config_of(LARGE)), encoding="utf-8")
    return str(home)


def look(**args: Any) -> dict[str, Any]:
    """Look at a model, and see to it that the token is in no output."""
    result, output = run_module("model_info", args)
    assert TOKEN not in output
    return result


def test_hub_of_the_environment_is_asked_with_its_token(hub: Hub) -> None:
    hub.publish(SMALL, {"model.safetensors": 16_381_517_208})
    result = look(model=SMALL, gpus=["H100", "V100"])
    assert result["model"]["name"] == SMALL
    assert result["model"]["weight_bytes"] == 16_381_517_208
    assert (result["revision"], result["changed"]) == (COMMIT, False)
    assert [row["reason"] for row in result["fits"]] == ["fits", "gpu_unsupported"]
    assert {token for _path, token in hub.asked} == {f"Bearer {TOKEN}"}
    assert len(hub.asked) == 2


def test_a_given_file_needs_no_hub(hub: Hub, folder: str) -> None:
    result = look(model=LARGE, config=folder, gpus=["H100"])
    assert result["model"]["name"] == LARGE
    assert result["fits"][0]["gpu_count"] == 2
    assert look(model=folder, weight_bytes=10**10)["model"]["weight_bytes"] == 10**10
    assert hub.asked == []


@pytest.mark.every_core("model_info")
def test_settings_and_profile_count(folder: str) -> None:
    def fewest(**more: Any) -> Any:
        return look(model=folder, gpus=["H100"], **more)["fits"][0]["gpu_count"]

    assert fewest() == 2
    assert fewest(profile="latency") == 4
    assert fewest(settings={"max_model_len": "32k"}) == 4
    assert fewest(settings={"max-model-len": "auto"}) == 2
    assert fewest(settings={"quantization": "fp8"}) == 2
    assert fewest(settings={"gpu-memory-utilization": "0.5"}) == 4
    assert fewest(sequences=4) == 4


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"settings": {"max-model-len": "many"}}, "max-model-len: 'many' is not a number"),
        ({"settings": {"gpu-memory-utilization": 92}}, "a share of the memory"),
        ({"settings": {"quantization": "magic"}}, "'magic' is not known"),
        ({"gpus": ["H99"]}, "Unknown GPU 'H99'"),
        ({"sequences": 0}, "at least 1"),
    ],
)
def test_wrong_options_are_named(folder: str, more: dict[str, Any], words: str) -> None:
    result = look(model=folder, **more)
    assert result["failed"]
    assert words in result["msg"]


def test_a_hub_that_does_not_answer_is_an_error_or_a_warning(hub: Hub) -> None:
    hub.answers[f"/{SMALL}/resolve/main/config.json"] = (503, {})
    assert look(model=SMALL)["error"]["code"] == "unavailable"
    result = look(model=SMALL, strict=False)
    assert not result.get("failed")
    assert result["model"]["name"] == SMALL
    assert "answers 503" in result["model"]["problem"]
    assert "answers 503" in result["warnings"][0]
    assert result["fits"] == []


@pytest.mark.parametrize(("status", "code"), [(401, "auth"), (403, "auth"), (404, "not_found")])
def test_a_model_that_nobody_could_load_is_always_an_error(
    hub: Hub, status: int, code: str
) -> None:
    hub.answers[f"/{SMALL}/resolve/main/config.json"] = (status, {})
    result = look(model=SMALL, strict=False)
    assert result["failed"]
    assert result["error"]["code"] == code


def test_a_name_that_can_be_none_asks_nobody(hub: Hub) -> None:
    assert "not a valid model id" in look(model="Qwen/Qwen3 8B", strict=False)["msg"]
    assert hub.asked == []


def test_what_is_documented_is_returned(folder: str) -> None:
    documented = module_texts("model_info")["RETURN"]
    seen = compare(stripped(look(model=folder)), documented, "model_info")
    assert everything(documented, "model_info") - seen == set()


def test_filter_and_module_agree(folder: str) -> None:
    settings = {"max-model-len": 32768}
    result = look(model=folder, settings=settings)
    assert model_fit(result["model"]) == result["fits"]
    assert model_fit(config_of(LARGE), settings=settings)[3]["gpu_count"] == 2
