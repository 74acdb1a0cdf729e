# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Models are read from folders and hubs, and a token goes to nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import (
    AuthError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing import hf_hub
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import (
    COMMIT,
    SMALL,
    Hub,
    config_of,
    running_hub,
)

TOKEN = "a-token-of-the-tests"
PATH = f"/{SMALL}/resolve/main/config.json"
ABOUT = f"/api/models/{SMALL}/revision/main?blobs=true"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Run a hub; the environment names no other."""
    for name in ("HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_TOKEN", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with running_hub() as found:
        yield found


def read(hub: Hub, **more: Any) -> hf_hub.Published:
    """Read the small model from the hub."""
    return hf_hub.read_hub(
        more.pop("name", SMALL),
        **{"endpoint": hub.url, "revision": "main", "token": None, "timeout": 5, **more},
    )


def test_a_model_takes_two_requests(hub: Hub) -> None:
    hub.publish(SMALL, {"model-1.safetensors": 600, "model-2.safetensors": 400, "a.txt": 9})
    found = read(hub, token=TOKEN)
    assert (found.config, found.revision, found.weight_bytes) == (config_of(SMALL), COMMIT, 1000)
    assert found.source == hub.url + PATH
    assert hub.asked == [(PATH, f"Bearer {TOKEN}"), (ABOUT, f"Bearer {TOKEN}")]


def test_a_mirror_that_only_has_files_will_do(hub: Hub) -> None:
    hub.publish(SMALL)
    hub.answers[ABOUT] = (404, {})
    found = read(hub, endpoint=hub.url + "/")
    assert (found.weight_bytes, found.revision) == (None, "main")


def test_token_follows_within_the_hub_and_not_beyond(hub: Hub) -> None:
    with running_hub() as other:
        hub.publish(SMALL)
        hub.answers[PATH] = (307, "/cache/config")
        hub.answers["/cache/config"] = (302, f"{other.url}/blob")
        other.answers["/blob"] = (200, config_of(SMALL))
        assert read(hub, token=TOKEN).config == config_of(SMALL)
        assert hub.asked[:2] == [(PATH, f"Bearer {TOKEN}"), ("/cache/config", f"Bearer {TOKEN}")]
        assert other.asked == [("/blob", None)]


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, AuthError, "accepted its terms"),
        (403, AuthError, "accepted its terms"),
        (404, NotFoundError, "does not exist"),
        (503, UnavailableError, "answers 503"),
    ],
)
def test_refusals_say_what_to_do_and_no_token(
    hub: Hub, status: int, error: type[Exception], words: str
) -> None:
    hub.answers[PATH] = (status, {})
    with pytest.raises(error, match=words) as caught:
        read(hub, token=TOKEN)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("place", ["/around", "file:///etc/passwd", PATH])
def test_redirects_that_lead_nowhere_end(hub: Hub, place: str) -> None:
    hub.answers[PATH] = (302, place)
    hub.answers["/around"] = (302, "/around")
    with pytest.raises(UnavailableError, match="leads nowhere"):
        read(hub)
    assert len(hub.asked) <= hf_hub.REDIRECTS


@pytest.mark.parametrize("answer", [b"<html>", b"[1]", b"\xff\xfe", b""])
def test_answers_that_are_no_object_are_refused(hub: Hub, answer: bytes) -> None:
    hub.answers[PATH] = (200, answer)
    with pytest.raises(InvalidError, match="no JSON object"):
        read(hub)


def test_an_endless_answer_is_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hf_hub, "LARGEST", 1000)
    hub.answers[PATH] = (200, b" " * 1001)
    with pytest.raises(InvalidError, match="more than a configuration"):
        read(hub)


@pytest.mark.parametrize("name", ["../../etc", "a/b/c", "a b", "", "/x", "a?b", "x/../y"])
def test_odd_names_are_not_asked_for(hub: Hub, name: str) -> None:
    with pytest.raises(InvalidError, match="not a valid model id"):
        read(hub, name=name)
    assert hub.asked == []


def test_nothing_is_asked_offline(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UnavailableError, match="HF_HUB_OFFLINE"):
        read(hub)
    assert hub.asked == []


def test_no_hub_at_all() -> None:
    with pytest.raises(UnavailableError, match="cannot be reached"):
        hf_hub.read_hub(SMALL, endpoint="http://127.0.0.1:9", revision="x", token=None, timeout=2)
    with pytest.raises(InvalidError, match="no address of a hub"):
        hf_hub.read_hub(SMALL, endpoint="hub.example", revision="x", token=None, timeout=2)


@pytest.mark.parametrize(
    ("files", "total"),
    [
        ({"model.safetensors": 5}, 5),
        ({"model-1.safetensors": 2, "model-2.safetensors": 3, "consolidated.safetensors": 5}, 5),
        ({"consolidated-1.safetensors": 4, "consolidated-2.safetensors": 3}, 7),
        ({"original/x.safetensors": 9, "model.safetensors": 4, "model.bin": 9}, 4),
        ({"pytorch_model-1.bin": 2, "pytorch_model-2.bin": 2, "training_args.bin": 1}, 4),
        ({"model.safetensors": 6, "adapter_model.safetensors": 1}, 6),
        ({"README.md": 3}, None),
        ({}, None),
        ({"model.safetensors": 9, "model-1-of-2.safetensors": 4, "model-2-of-2.safetensors": 5}, 9),
        (
            {
                "model-00001-of-00001.safetensors": 9,
                "model-00001-of-00002.safetensors": 4,
                "model-00002-of-00002.safetensors": 5,
                "mtp-00001-of-00001.safetensors": 1,
            },
            10,
        ),
    ],
)
def test_files_that_would_be_loaded(files: dict[str, int], total: int | None) -> None:
    assert hf_hub.weight_bytes(files) == total


def test_a_folder_and_a_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_of(SMALL)), encoding="utf-8")
    assert hf_hub.read_folder(str(tmp_path)).weight_bytes is None
    index = {"metadata": {"total_size": 16381470720}, "weight_map": {}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert hf_hub.read_folder(str(tmp_path / "config.json")).weight_bytes == 16381470720
    (tmp_path / "model-1.safetensors").write_bytes(b"12345")
    found = hf_hub.read_folder(str(tmp_path))
    assert (found.weight_bytes, found.config) == (5, config_of(SMALL))
    with pytest.raises(NotFoundError, match=r"There is no .*config\.json"):
        hf_hub.read_folder(str(tmp_path / "nowhere" / "config.json"))


def test_a_folder_counts_once_what_the_index_names(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_of(SMALL)), encoding="utf-8")
    parts = {"a.weight": "model-1.safetensors", "b.weight": "model-2.safetensors"}
    index = {"metadata": {"total_size": 700}, "weight_map": parts}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    (tmp_path / "everything.safetensors").write_bytes(b"x" * 710)
    (tmp_path / "model-1.safetensors").write_bytes(b"x" * 300)
    assert hf_hub.read_folder(str(tmp_path)).weight_bytes == 700  # the second part is yet to come
    (tmp_path / "model-2.safetensors").write_bytes(b"x" * 410)
    assert hf_hub.read_folder(str(tmp_path)).weight_bytes == 710


def test_quantisation_in_a_file_of_its_own_takes_a_third_request(hub: Hub) -> None:
    beside = PATH.replace("config.json", "hf_quant_config.json")
    hub.publish(SMALL, {"model.safetensors": 600, "hf_quant_config.json": 90})
    stored = {"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "FP8"}}
    hub.answers[beside] = (200, stored)
    found = read(hub).config
    assert found["quantization_config"] == {"quant_method": "modelopt", "quant_algo": "FP8"}
    assert [path for path, _token in hub.asked] == [PATH, ABOUT, beside]
    hub.answers[ABOUT] = (404, {})  # a mirror that cannot tell which files there are
    assert read(hub).config == found
