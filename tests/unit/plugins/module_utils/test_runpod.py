# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is RunPod's alone: prices of one GPU, containers, ports that change, keys that go along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors
from ansible_collections.gpuops.cloud.plugins.module_utils._models.orders import (
    Disposal,
    InstanceOrder,
    NewDisk,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import Instance, Tag
from ansible_collections.gpuops.cloud.plugins.module_utils._models.status import (
    BUILDING,
    GONE,
    OFF,
    RUNNING,
    UNKNOWN,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.answers import Answer
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.row import Row, Source
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod import (
    credentials,
    hardware,
    keys,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod.errors import error_of
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod.parsing import (
    NO_GPU,
    instance_from,
    next_page,
    stock_from,
    types_from,
    volume_from,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import Reply, opened
from ansible_collections.gpuops.cloud.tests.conformance.runpod import (
    EACH,
    GPU,
    SOLD_OUT,
    RunPod,
    RunPodDoor,
    gpu_row,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY

ID = " ".join(KEY.split()[:2])
TYPE = "1x_NVIDIA_A100_80GB_PCIe"
ORDER = InstanceOrder(
    name="llm-1",
    instance_type=TYPE,
    location="US-KS-2",
    market="on_demand",
    image=hardware.USUAL_IMAGE,
    description="gpo.llm.llm-1.none.5f3a9c21",
    tags=(Tag("gpuops-owner", "me"), Tag("gpuops-lease", "none")),
    ssh_key_ids=(ID,),
    boot_disk=NewDisk("gpuops.llm.llm-1.os", 100),
)
DATA = NewDisk("gpuops.llm.llm-1.data", 50, (Tag("gpuops-keep", "yes"),))


@pytest.fixture
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunPod]:
    """Return an account of RunPod."""
    with opened(RunPod, 0.0, monkeypatch) as found:
        yield found


def door(world: RunPod) -> RunPodDoor:
    assert isinstance(world.door, RunPodDoor)
    return world.door


def pod(**more: Any) -> dict[str, Any]:
    """Return a pod that runs, as an answer shows it."""
    return {
        "id": "7h9k2m4n6p",
        "name": "gpo.llm.llm-1.none.5f3a9c21",
        "status": "RUNNING",
        "image": "runpod/pytorch:1",
        "disk": 73,
        "env": {"PUBLIC_KEY": f"{KEY}\nno key", "GPUOPS_OWNER": "me", "TOKEN": "not-to-be-told"},
        "mounts": {},
        "gpu": {"id": "NVIDIA H100 80GB HBM3", "count": 2},
        "dataCenterId": "US-KS-2",
        "ssh": {
            "proxy": {"host": "ssh.example.com", "port": 22, "username": "x-y"},
            "direct": {"host": "203.0.113.7", "port": 34446, "username": "root"},
        },
        "cost": 5.38,
        "locked": False,
        "runtime": {"uptime": 3, "gpus": [{"util": 0}, {"util": 0}]},
        "createdAt": "2026-08-20T06:16:19.436Z",
        **more,
    }


def read(**more: Any) -> Instance:
    return instance_from(Row(Source("GET /pods"), pod(**more)))


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
    assert [(kind.gpu_count, kind.on_demand.amount) for kind in kinds.values()] == [
        (count, pytest.approx(EACH * count)) for count in (1, 2, 4, 8)
    ]
    eight = kinds["8x_NVIDIA_A100_80GB_PCIe"]
    assert (eight.vram_gb, eight.model, eight.currency) == (640, "A100", "usd")
    made = world.client().order(replace(ORDER, instance_type=eight.name))
    # What it tells of its cost is of the whole; its container disk bills beside that.
    told = world.client().instance(made).price.known("usd")
    assert told == pytest.approx(EACH * 8 + 100 * 0.10 / 730)


def test_choosing_is_one_request_for_each_count(world: RunPod) -> None:
    free = world.ok("capacity")["offers"]
    assert (TYPE, "US-KS-2", EACH) in [
        (row["instance_type"], row["location"], row["price_per_hour"]) for row in free
    ]
    assert [row.path for row in world.requests()] == ["/v2/catalog/gpus"] * 4


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
    none = {"availability": level, "places": (("US-KS-2", "HIGH"),)}
    assert bool(stock_from(Row(Source("GET /catalog/gpus"), gpu_row(**none)), 2)) is free


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


# -- what is sent ----------------------------------------------------------------------------------


def test_order_holds_owner_keys_and_nothing_that_the_api_does_not_know(world: RunPod) -> None:
    made = world.client().order(ORDER)
    (there,) = door(world).machines
    assert there.id == made
    assert there.facts == {
        "name": ORDER.description,
        "image": ORDER.image,
        "cloud": "SECURE",
        "dataCenterIds": ["US-KS-2"],
        "gpu": {"id": GPU, "count": 1, "minCudaVersion": "12.8"},
        "disk": 100,
        "ports": ["22/tcp"],
        "env": {"PUBLIC_KEY": ID, "GPUOPS_OWNER": "me", "GPUOPS_LEASE": "none"},
        "startSsh": True,
    }


def test_unknown_field_is_refused_by_the_door_and_told_by_name(
    world: RunPod, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, post = world.client(), world.provider.post
    monkeypatch.setattr(
        world.provider, "post", lambda self, path, body: post(self, path, {**body, "spot": True})
    )
    with pytest.raises(errors.InvalidError, match="'spot' not allowed"):
        client.order(ORDER)
    assert door(world).machines == []


@pytest.mark.parametrize("given", [(), ("mine",), (f"{ID}\nssh-rsa AAAA",), (KEY,)])
def test_order_without_a_sound_key_is_refused_before_any_request(
    world: RunPod, given: tuple[str, ...]
) -> None:
    with pytest.raises(errors.InvalidError, match="ssh_keys"):
        world.client().order(replace(ORDER, ssh_key_ids=given))
    assert world.requests() == []


def test_keys_of_the_account_are_read_and_never_written(world: RunPod) -> None:
    door(world).account_keys = [f"{ID} laptop", "ssh-rsa AAAA gpuops.llm.key", "what is this"]
    rows = world.client().ssh_keys()
    assert [(row.id, row.deployment) for row in rows] == [(ID, None), ("ssh-rsa AAAA", None)]
    assert rows[0].name == "laptop"
    assert str(rows[0].fingerprint).startswith("SHA256:")
    world.buy(ssh_keys=["laptop"])
    assert door(world).machines[0].facts["env"]["PUBLIC_KEY"] == ID
    with pytest.raises(errors.InvalidError, match="runpod has no place for SSH keys"):
        world.client().add_ssh_key("laptop", KEY)
    assert "PUT" not in [row.method for row in world.requests()]


def test_key_that_is_registered_nowhere_goes_with_the_order(world: RunPod) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA somebody@somewhere"
    bought = world.buy(ssh_keys=[other])
    assert bought["ssh_key_ids"] == [keys.key_id(other)]
    assert not world.ok("instance", **world.wish(ssh_keys=[other]))["changed"]


def test_list_of_keys_of_another_shape_is_an_error(world: RunPod) -> None:
    door(world).account_keys = None  # type: ignore[assignment]
    with pytest.raises(errors.UnavailableError, match="keys is missing"):
        world.client().ssh_keys()


# -- what is read ----------------------------------------------------------------------------------

STATES = [
    ("PROVISIONING", BUILDING),
    ("STARTING", BUILDING),
    ("RUNNING", RUNNING),
    ("EXITED", OFF),
    ("ERROR", UNKNOWN),
    ("TERMINATED", GONE),
    ("MIGRATING", UNKNOWN),
]


@pytest.mark.parametrize(("status", "state"), STATES)
def test_status_that_nobody_knows_counts_as_alive(status: str, state: str) -> None:
    found = read(status=status)
    assert (found.status, found.state) == (status, state)
    assert found.is_billed is (state != GONE)


def test_pod_is_read() -> None:
    found = read()
    assert (found.ip, found.ssh_port) == ("203.0.113.7", 34446)
    assert found.instance_type == "2x_NVIDIA_H100_80GB_HBM3"
    assert (found.gpu_model, found.gpu_count, found.location) == ("H100", 2, "US-KS-2")
    assert (found.name, found.ssh_key_ids) == ("llm-1", (ID,))
    assert found.born is not None
    assert found.tag_values == {"gpuops-owner": "me"}, "what else is in there may be secret"


def test_proxy_of_the_vendor_is_no_address() -> None:
    found = read(ssh={"proxy": pod()["ssh"]["proxy"], "direct": None}, runtime=None)
    assert (found.state, found.ip, found.ssh_port) == (RUNNING, None, None)


@pytest.mark.parametrize("port", ["no", 0, 65536, 22.5])
def test_port_that_is_none_is_an_error(port: Any) -> None:
    with pytest.raises(errors.UnavailableError):
        read(ssh={"direct": {"host": "203.0.113.7", "port": port}})


@pytest.mark.parametrize(
    "more",
    [
        {"gpu": {"id": "NVIDIA H100 80GB HBM3", "count": 0}},
        {"runtime": {"uptime": 3, "gpus": []}},
        {"gpu": None},
    ],
)
def test_pod_that_came_back_without_gpus_does_not_count_as_running(more: dict[str, Any]) -> None:
    found = read(**more)
    assert (found.status, found.state, found.is_billed) == (NO_GPU, UNKNOWN, True)


def test_pod_that_was_rented_without_gpus_runs() -> None:
    found = read(gpu=None, cpu={"id": "cpu3c", "vcpuCount": 2})
    assert (found.state, found.instance_type, found.gpu_count) == (RUNNING, None, 0)


@pytest.mark.parametrize("env", [[{"key": "TOKEN", "value": "not-to-be-told"}], "not-to-be-told"])
def test_environment_of_another_shape_is_told_in_no_error(env: Any) -> None:
    with pytest.raises(errors.UnavailableError) as caught:
        read(env=env)
    assert "not-to-be-told" not in str(caught.value)


def test_lock_is_protection_of_what_is_ours() -> None:
    ours = read(locked=True)
    assert ours.ownership is not None
    assert ours.ownership.protected
    theirs = read(locked=True, name="theirs", env={})
    assert (theirs.looks_ours, theirs.tags) == (False, ())


STORED = {"persistent": {"size": 73, "path": "/workspace"}}
COSTS = [
    ({}, 5.38 + 0.01),
    ({"mounts": STORED}, 5.38 + 0.02),
    ({"status": "EXITED", "cost": 0.0}, 0.0),
    ({"status": "EXITED", "cost": 0.0, "mounts": STORED}, 0.02),  # twice the rate
    ({"status": "EXITED", "mounts": STORED}, 5.38 + 0.02),  # a cost that stays is believed
]


@pytest.mark.parametrize(("more", "price"), COSTS)
def test_price_is_gpus_and_disks(more: dict[str, Any], price: float) -> None:
    assert read(**more).price.known("usd") == pytest.approx(price)


@pytest.mark.parametrize("cost", [0, None, "NaN"])
def test_pod_that_runs_for_nothing_is_not_believed(cost: Any) -> None:
    assert read(cost=cost).price.amount is None


@pytest.mark.parametrize(
    ("kind", "size", "month"),
    [("STANDARD", 50, 3.5), ("STANDARD", 1500, 95.0), ("HIGH_PERFORMANCE", 50, None)],
)
def test_network_volume_has_a_price_by_the_list(kind: str, size: int, month: float | None) -> None:
    told = {"id": "vol1", "name": "x", "size": size, "dataCenter": "US-KS-2", "type": kind}
    found = volume_from(Row(Source("GET /network-volumes"), told))
    assert found.price_per_month == (None if month is None else pytest.approx(month))
    assert found.rate == pytest.approx((month or 0) / 730)


# -- lists -----------------------------------------------------------------------------------------

PAGES: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"pagination": {"hasNextPage": False, "nextCursor": None}}, None),
    ({"pagination": {"hasNextPage": True, "nextCursor": "c2"}}, "c2"),
    ({"pagination": {"hasNextPage": True}}, "error"),
    ({"pagination": {"more": 1}}, "error"),
    ({"pagination": []}, "error"),
    ({"nextCursor": "c2"}, "error"),
    ({"hasMore": True}, "error"),
]


@pytest.mark.parametrize(("more", "next_"), PAGES)
def test_half_a_list_is_none(more: dict[str, Any], next_: str | None) -> None:
    body = json.dumps({"pods": [], **more}).encode()
    source = Source("GET /pods", Answer(200, {}, body), "pods")
    if next_ != "error":
        assert next_page(source) == next_
        return
    with pytest.raises(errors.UnavailableError, match="pages"):
        next_page(source)


def test_all_pages_are_read_and_none_twice(world: RunPod) -> None:
    door(world).page = 2
    made = [door(world).make(name=f"pod-{number}").id for number in range(5)]
    assert [row.id for row in world.client().instances()] == made
    assert len(world.requests()) == 3


def test_pages_that_go_round_are_an_error(world: RunPod) -> None:
    again = {"pods": [], "pagination": {"hasNextPage": True, "nextCursor": "c1"}}
    door(world).answer = lambda *_asked: Reply(200, again)  # type: ignore[method-assign]
    with pytest.raises(errors.UnavailableError, match="begin again"):
        world.client().instances()


# -- stop and start --------------------------------------------------------------------------------


def test_port_is_another_after_each_start_and_none_in_between(world: RunPod) -> None:
    made, client = world.client().order(ORDER), world.client()
    world.advance(60)
    before = client.instance(made).ssh_port
    client.shut_down(made)
    stopped = client.instance(made)
    assert (stopped.state, stopped.ip, stopped.ssh_port) == (OFF, None, None)
    client.start(made)
    assert client.instance(made).ip is None
    world.advance(60)
    after = client.instance(made).ssh_port
    assert None not in (before, after)
    assert before != after


def test_start_without_gpus_is_told(world: RunPod) -> None:
    bought = world.buy()
    world.ok("instance", **world.wish(state="stopped"))
    door(world).taken = True
    failed = world.fails("instance", **world.wish(state="running", wait_timeout=120))
    assert NO_GPU in failed["msg"]
    assert world.living() == [bought["id"]], "it goes on, and is named"


def test_pod_that_never_gets_a_port_is_ended_and_the_next_offer_tried(
    world: RunPod, monkeypatch: pytest.MonkeyPatch
) -> None:
    door(world).gpus = [gpu_row(places=(("US-KS-2", "HIGH"), ("EU-RO-1", "LOW")))]
    reached = RunPodDoor._reached

    def without(self: RunPodDoor, pod: Any, status: str) -> dict[str, Any]:
        found = reached(self, pod, status)
        here = pod.facts.get("dataCenterIds") == ["EU-RO-1"]
        return found if here else {**found, "ssh": {**found["ssh"], "direct": None}}

    monkeypatch.setattr(RunPodDoor, "_reached", without)
    bought = world.buy(start_timeout=60, locations=["US-KS-2", "EU-RO-1"])
    assert bought["location"] == "EU-RO-1"
    assert world.living() == [bought["id"]]


# -- network volumes -------------------------------------------------------------------------------


def test_data_disk_is_a_network_volume_that_outlives_the_pod_and_comes_again(
    world: RunPod,
) -> None:
    first = world.buy(data_volume_gb=50)
    (volume,) = door(world).volumes.values()
    assert (volume["size"], volume["dataCenter"], volume["type"]) == (50, "US-KS-2", "STANDARD")
    assert first["volume_ids"] == [volume["id"]]
    world.end(data_volumes="keep")
    (left,) = world.ok("deployment_info", deployment="llm", ledger="none")["leftovers"]
    assert (left["kind"], left["kept"]) == ("data_volume", True)
    assert left["price_per_hour"] == pytest.approx(50 * 0.07 / 730, abs=1e-6)
    second = world.buy(data_volume_gb=50)
    assert second["volume_ids"] == [volume["id"]]
    world.end()
    assert (door(world).volumes, world.living()) == ({}, [])


def test_volume_of_a_pod_that_is_refused_goes_again(world: RunPod) -> None:
    door(world).gpus = [gpu_row(places=(("US-KS-2", "NONE"),))]
    with pytest.raises(errors.NoCapacityError):
        world.client().order(replace(ORDER, data_disk=DATA))
    assert door(world).volumes == {}


def test_volume_of_a_pod_whose_answer_was_lost_stays_and_is_found(world: RunPod) -> None:
    order, client = replace(ORDER, data_disk=DATA), world.client()
    world.lose_answer()
    with pytest.raises(errors.UnavailableError):
        client.order(order)
    (there,) = client.volumes()
    assert (there.name, there.holders) == ("gpuops.llm.llm-1.data.keep", tuple(world.living()))
    client.terminate(world.living()[0], Disposal())
    made = client.order(order)
    assert [row.holders for row in client.volumes()] == [(made,)]


def test_two_volumes_are_refused_before_any_request(world: RunPod) -> None:
    with pytest.raises(errors.InvalidError, match="one network volume"):
        world.client().order(replace(ORDER, volume_ids=("a", "b")))
    assert world.requests() == []


def test_volume_is_never_detached_by_itself(world: RunPod) -> None:
    client = world.client()
    for ask in (lambda: client.attach_volume("v", "p"), lambda: client.detach_volume("v")):
        with pytest.raises(errors.InvalidError, match="with the order"):
            ask()
    assert world.requests() == []


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
