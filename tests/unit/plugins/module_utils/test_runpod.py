# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is RunPod's alone: credentials, refusals, prices of one GPU, limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.answers import Answer
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.row import Row, Source
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod import (
    credentials,
    hardware,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod.errors import error_of
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod.parsing import (
    stock_from,
    types_from,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.conformance.runpod import RunPod
from ansible_collections.gpuops.cloud.tests.unit.plugins.runpod_data import (
    ORDER,
    TYPE,
    door,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from gpuops_simulator.doors.runpod_rows import EACH, SOLD_OUT, gpu_row

# What the usual container disk of 100 GB adds to the price of an offer.
DISK = 100 * 0.10 / 730


@pytest.fixture
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunPod]:
    """Return an account of RunPod."""
    with opened(RunPod, 0.0, monkeypatch) as found:
        yield found


# -- credentials -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "apikey = 'of-the-file'\napiurl = 'https://api.runpod.io/graphql'\n",
        '[default]\napi_key = "of-the-file" # of the package\n',
        '[other]\napi_key = "of-another"\n[default]\napi_key = "of-the-file"\n',
    ],
)
def test_key_is_found_by_option_then_variable_then_file(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (home / ".runpod").mkdir()
    (home / ".runpod/config.toml").write_text(text, encoding="utf-8")
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    assert credentials.find_key({}) == ("https://api.runpod.io/v2", "of-the-file")
    monkeypatch.setenv("RUNPOD_API_KEY", "of-the-variable")
    assert credentials.find_key({})[1] == "of-the-variable"
    assert credentials.find_key({"api_key": "of-the-option"})[1] == "of-the-option"


def test_without_a_key_every_place_is_named_and_no_other_secret_is_taken(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    with pytest.raises(errors.NoCredentialsError) as caught:
        credentials.find_key({"client_id": "of-another-cloud", "client_secret": "of-another-cloud"})
    for place in ("api_key", "RUNPOD_API_KEY", "~/.runpod/config.toml"):
        assert place in str(caught.value)


@pytest.mark.parametrize("given", ["http://127.0.0.1:1", "http://127.0.0.1:1/v2/"])
def test_address_of_the_vendors_own_variable_has_no_version(
    home: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("RUNPOD_API_BASE_URL", given)
    assert credentials.find_key({"api_key": "x"})[0] == "http://127.0.0.1:1/v2"
    with pytest.raises(errors.InvalidError, match="in the clear"):
        credentials.find_key({"api_key": "x", "base_url": "http://api.example.com"})


# -- refusals --------------------------------------------------------------------------------------

ACCOUNT_RIGHT = "access denied"
REFUSALS: list[tuple[str, int, str | None, type[errors.GpuopsError], bool]] = [
    ("POST /pods", 400, SOLD_OUT, errors.NoCapacityError, False),
    ("POST /pods", 400, "could not place this combination", errors.NoCapacityError, False),
    ("POST /pods", 400, "exactly one of gpu or cpu must be set", errors.InvalidError, False),
    ("POST /pods", 400, "Spending limit of the account reached", errors.QuotaError, False),
    ("POST /pods", 400, "Your balance is too low", errors.NoFundsError, False),
    ("POST /pods", 402, "Insufficient balance", errors.NoFundsError, False),
    ("POST /pods", 403, "no access to this GPU pool", errors.NoCapacityError, False),
    ("POST /pods", 403, ACCOUNT_RIGHT, errors.ForbiddenError, False),
    ("POST /pods", 401, "missing bearer token", errors.AuthError, False),
    ("POST /pods", 404, "network volume not found", errors.NotFoundError, True),
    ("POST /pods", 422, "Request validation failed.", errors.InvalidError, False),
    ("POST /pods", 400, None, errors.InvalidError, True),  # of a proxy
    ("POST /pods", 500, "upstream", errors.UnavailableError, True),
    ("POST /pods", 502, None, errors.UnavailableError, True),
    ("POST /network-volumes", 400, "bad", errors.InvalidError, False),
    ("POST /network-volumes", 500, "upstream", errors.UnavailableError, True),
    ("DELETE /pods/x", 409, "The pod is in transition", errors.WrongStateError, False),
    ("DELETE /pods/x", 409, "Pod belongs to a cluster", errors.ConflictError, False),
    ("DELETE /pods/x", 404, "pod not found", errors.NotFoundError, False),
    ("POST /pods/x/action", 409, "not valid for this status", errors.WrongStateError, False),
    ("POST /pods/x/action", 400, "not enough free GPUs", errors.NoCapacityError, False),
    ("GET /pods", 503, "upstream", errors.UnavailableError, False),
]


@pytest.mark.parametrize(("request_", "status", "detail", "kind", "unclear"), REFUSALS)
def test_refusal_is_told_by_status_and_words(
    request_: str, status: int, detail: str | None, kind: type[errors.GpuopsError], unclear: bool
) -> None:
    told = {"title": "No", "status": status, "detail": detail, "errors": ["$.x: not this"]}
    body = json.dumps(told) if detail else "<html>No</html>"
    found = error_of(Answer(status, {}, body.encode()), request_)
    assert (type(found), found.unclear) == (kind, unclear)
    assert not detail or f"{detail.rstrip('.')}; $.x: not this" in str(found)


# -- what can be rented ----------------------------------------------------------------------------


def test_prices_are_of_one_gpu_and_a_pod_has_several(world: RunPod) -> None:
    kinds = {kind.name: kind for kind in world.client().instance_types()}
    told = {kind.gpu_count: kind.on_demand.known("usd") for kind in kinds.values()}
    assert told == pytest.approx({count: EACH * count for count in (1, 2, 4, 8)})
    eight = kinds["8x_NVIDIA_A100_80GB_PCIe"]
    assert (eight.vram_gb, eight.model, eight.currency) == (640, "A100", "usd")
    made = world.client().order(replace(ORDER, instance_type=eight.name))
    # What it tells of its cost is of the whole; its container disk bills beside that.
    whole = world.client().instance(made).price.known("usd")
    assert whole == pytest.approx(EACH * 8 + 100 * 0.10 / 730)


def test_choosing_is_one_request_for_each_count(world: RunPod) -> None:
    free = world.ok("capacity")["offers"]
    found = {(row["instance_type"], row["location"]): row["price_per_hour"] for row in free}
    assert found[TYPE, "US-KS-2"] == pytest.approx(EACH + DISK)
    assert [row.path for row in world.requests()] == ["/v2/catalog/gpus"] * 4


def test_list_of_several_providers_shows_the_price_of_all_gpus(world: RunPod) -> None:
    asked = {"providers": ["runpod"], "accounts": {"runpod": world.auth()}, "gpu_count": 8}
    found, _said = run_module("gpu_offers", {**asked, "tier": "a100_80"})
    (offer,) = found["offers"]
    assert (offer["provider"], offer["gpu_count"], offer["vram_gb"]) == ("runpod", 8, 640)
    assert offer["price_per_hour"] == pytest.approx(EACH * 8 + DISK)


def test_the_other_cloud_is_asked_for_only_by_option(world: RunPod) -> None:
    client = world.provider.from_params({**world.auth(), "cloud": "community"})
    kinds = client.instance_types()
    assert [kind.gpu_count for kind in kinds] == [1, 2, 4], "its largest host has four"
    assert kinds[0].on_demand.amount == pytest.approx(round(EACH * 0.8, 2))
    client.order(ORDER)
    world.client().order(ORDER)
    clouds = [one.facts["cloud"] for one in door(world).machines]
    assert clouds == ["COMMUNITY", "SECURE"]


LEVELS = [("HIGH", True), ("MEDIUM", True), ("LOW", True), ("NONE", False), ("SOON", False)]


@pytest.mark.parametrize(("level", "free"), LEVELS)
def test_word_of_availability_is_stock_or_none(level: str, free: bool) -> None:
    places = (("US-KS-2", "HIGH"), ("EU-RO-1", level))
    row = Row(Source("GET /catalog/gpus"), gpu_row(places=places))
    there = [one.location for one in stock_from(row, 2)]
    assert there == (["US-KS-2", "EU-RO-1"] if free else ["US-KS-2"])
    whole = Row(Source("GET /catalog/gpus"), gpu_row(availability=level))
    assert bool(stock_from(whole, 2)) is free


TYPES: list[tuple[dict[str, Any], str | None, str]] = [
    (gpu_row("NVIDIA H100 80GB HBM3"), "H100", ""),
    (gpu_row("NVIDIA A100-SXM4-80GB"), "A100", ""),
    (gpu_row("NVIDIA RTX 6000 Ada Generation", memory=48), "RTX 6000 Ada", ""),
    (gpu_row("NVIDIA RTX PRO 6000 Blackwell Server Edition"), "RTX PRO 6000", ""),
    (gpu_row("Tesla V100-SXM2-32GB", memory=32), "V100", ""),
    (gpu_row("NVIDIA GeForce RTX 4090", memory=24), "RTX 4090", ""),
    (gpu_row("AMD Instinct MI300X OAM", manufacturer="AMD"), "MI300X", "not of NVIDIA"),
    (gpu_row("NVIDIA GH200 480GB"), "GH200", "arm64"),
    (gpu_row("NVIDIA_B900"), "NVIDIA B900", "cannot be ordered by name"),
    (gpu_row(memory=0), "A100", "memory cannot be read"),
    (gpu_row(secure=False), None, ""),
    (gpu_row(most=0), None, ""),
]


@pytest.mark.parametrize(("row", "model", "problem"), TYPES)
def test_type_is_a_count_and_a_gpu(row: dict[str, Any], model: str | None, problem: str) -> None:
    found = types_from(Row(Source("GET /catalog/gpus"), row), "secure", 1)
    assert [kind.model for kind in found] == ([] if model is None else [model])
    for kind in found:
        assert problem in "; ".join(kind.problems)
        assert bool(kind.problems) is bool(problem)
        assert problem or hardware.gpu_of(kind.name) == (row["id"], 1)


@pytest.mark.parametrize("told", [{"secure": 0}, {"secure": None}, {"secure": "dear"}, {}])
def test_price_that_cannot_be_believed_is_bought_by_nobody(
    world: RunPod, told: dict[str, Any]
) -> None:
    door(world).gpus = [{**gpu_row(), "price": {"community": 1.0, **told}}]
    assert world.fails("instance", **world.wish())["error"]["code"] == "no_capacity"
    assert world.orders() == 0


@pytest.mark.parametrize(
    ("image", "cuda"),
    [
        ("runpod/pytorch:1.0.3-cu1281-torch291-ubuntu2404", "12.8"),
        ("runpod/pytorch:1.0.3-cu1300-torch291-ubuntu2404", "13.0"),
        ("runpod/pytorch:2.1.0-py3.10-cuda11.8.0-devel-ubuntu22.04", "11.8"),
        ("ubuntu:24.04", None),
    ],
)
def test_host_must_know_the_cuda_of_the_image(image: str, cuda: str | None) -> None:
    assert hardware.cuda_of(image) == cuda


# -- what a container lacks, limits, secrets -------------------------------------------------------


def test_capabilities_say_that_it_is_a_container(world: RunPod) -> None:
    has = world.capabilities
    assert (has.rents, has.ssh.user, has.ssh.port) == ("container", "root", "mapped")
    assert (has.stop, has.spot, has.billing_step_s) == ("storage_only", "none", 1)
    assert world.client().balance().told is None


def test_what_the_account_is_told_of_others_is_told_nowhere(world: RunPod) -> None:
    world.rent_for_somebody_else()
    told = [world.ok("instance_info", deployment=None), world.ok("capacity")]
    assert "not-to-be-told" not in json.dumps(told)


def test_limit_that_is_over_is_waited_for_as_long_as_it_asks(world: RunPod) -> None:
    """Another computer has used the minute up, so that no answer before it told of that."""
    window = int(door(world).now() // 60)
    door(world).window, door(world).asked = window, 60
    assert world.client().instances() == []
    one, two = world.requests()
    assert (one.status, two.status) == (429, 200)
    assert two.at - one.at <= 61
    assert int(two.at // 60) > window
