# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Lambda Cloud's alone: its credentials, its codes, its catalogue, its filesystems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors
from ansible_collections.gpuops.cloud.plugins.module_utils._models.orders import (
    Disposal,
    InstanceOrder,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import Tag
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.answers import (
    Answer,
    hide,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.row import Row, Source
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.lambda_cloud import (
    credentials,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.lambda_cloud.errors import (
    LAUNCH,
    TERMINATE,
    error_of,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.lambda_cloud.parsing import (
    type_from,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.conformance.lambda_cloud import LambdaCloud
from gpuops_simulator.doors.door import Reply
from gpuops_simulator.doors.lambda_cloud import LambdaDoor, type_row

ORDER = InstanceOrder(
    name="llm-1",
    instance_type="gpu_1x_a100_sxm4_80gb",
    location="US-WEST-1",
    market="on_demand",
    image="lambda-stack-24-04",
    description="gpo.llm.llm-1.none.5f3a9c21",
    tags=(Tag("gpuops-owner", "me"), Tag("gpuops-lease", "none")),
    ssh_key_ids=("mine",),
)


@pytest.fixture
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LambdaCloud]:
    """Return an account of Lambda Cloud."""
    with opened(LambdaCloud, 0.0, monkeypatch) as found:
        yield found


def door(world: LambdaCloud) -> LambdaDoor:
    assert isinstance(world.door, LambdaDoor)
    return world.door


# -- credentials -----------------------------------------------------------------------------------


def test_key_is_found_by_option_then_variable_then_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / ".lambda_cloud/lambda_keys"
    file.parent.mkdir()
    file.write_text("# of another tool\napi_key = of-the-file\n", encoding="utf-8")
    monkeypatch.delenv("LAMBDA_API_KEY", raising=False)
    assert credentials.find_key({}) == (credentials.DEFAULT_BASE_URL, "of-the-file")
    monkeypatch.setenv("LAMBDA_API_KEY", "of-the-variable")
    assert credentials.find_key({})[1] == "of-the-variable"
    assert credentials.find_key({"api_key": "of-the-option"})[1] == "of-the-option"


def test_without_a_key_every_place_is_named_and_no_other_secret_is_taken(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAMBDA_API_KEY", raising=False)
    with pytest.raises(errors.NoCredentialsError) as caught:
        credentials.find_key({"client_id": "of-another-cloud", "client_secret": "of-another-cloud"})
    for place in ("api_key", "LAMBDA_API_KEY", "~/.lambda_cloud/lambda_keys"):
        assert place in str(caught.value)


def test_key_goes_nowhere_in_the_clear(home: Path) -> None:
    with pytest.raises(errors.InvalidError, match="in the clear"):
        credentials.find_key({"api_key": "x", "base_url": "http://cloud.example.com/api/v1"})


# -- refusals --------------------------------------------------------------------------------------

CAPACITY = "instance-operations/launch/insufficient-capacity"
REFUSALS: list[tuple[str, int, str | None, type[errors.GpuopsError], bool]] = [
    (f"POST {LAUNCH}", 400, CAPACITY, errors.NoCapacityError, False),
    (f"POST {LAUNCH}", 400, "global/quota-exceeded", errors.QuotaError, False),
    (f"POST {LAUNCH}", 400, "global/invalid-parameters", errors.InvalidError, False),
    (f"POST {LAUNCH}", 403, "global/account-inactive", errors.ForbiddenError, False),
    (f"POST {LAUNCH}", 401, "global/invalid-api-key", errors.AuthError, False),
    (f"POST {LAUNCH}", 400, "provider/internal-unavailable", errors.UnavailableError, True),
    (f"POST {LAUNCH}", 404, "global/object-does-not-exist", errors.NotFoundError, True),
    (f"POST {LAUNCH}", 400, None, errors.InvalidError, True),  # of a proxy
    (f"POST {LAUNCH}", 500, None, errors.UnavailableError, True),
    (f"POST {TERMINATE}", 409, "instance-operations/busy", errors.WrongStateError, False),
    (f"POST {TERMINATE}", 400, "instance-operations/too-new", errors.WrongStateError, False),
    (f"POST {TERMINATE}", 400, "global/invalid-parameters", errors.InvalidError, False),
    ("POST /ssh-keys", 400, "global/duplicate", errors.ConflictError, False),
    ("GET /instances", 503, "provider/internal-unavailable", errors.UnavailableError, False),
]


@pytest.mark.parametrize(("request_", "status", "code", "kind", "unclear"), REFUSALS)
def test_refusal_is_told_by_its_code(
    request_: str, status: int, code: str | None, kind: type[errors.GpuopsError], unclear: bool
) -> None:
    body = json.dumps({"error": {"code": code, "message": "No"}}) if code else "<html>No</html>"
    found = error_of(Answer(status, {}, body.encode()), request_)
    assert (type(found), found.unclear) == (kind, unclear)


# -- what is sent ----------------------------------------------------------------------------------


def test_launch_names_one_key_the_image_and_the_owner(world: LambdaCloud) -> None:
    made = world.client().order(ORDER)
    (server,) = door(world).machines
    assert server.id == made
    assert server.facts["name"] == ORDER.description
    assert server.facts["region_name"] == "us-west-1"
    assert server.facts["ssh_key_names"] == ["mine"]
    assert server.facts["image"] == {"family": "lambda-stack-24-04"}
    keys = [tag["key"] for tag in server.facts["tags"]]
    assert keys == ["gpuops-owner", "gpuops-ordered"], "the name alone holds the lease"


def test_launch_with_another_number_of_keys_is_refused_before_any_request(
    world: LambdaCloud,
) -> None:
    for keys in ((), ("mine", "yours")):
        with pytest.raises(errors.InvalidError, match="exactly one key"):
            world.client().order(InstanceOrder(**{**vars(ORDER), "ssh_key_ids": keys}))
    assert world.requests() == []


def test_launch_that_the_rate_limit_refuses_is_unclear_and_sent_once(world: LambdaCloud) -> None:
    client = world.client()
    door(world).launched = door(world).now() + 3600
    with pytest.raises(errors.RateLimitedError) as caught:
        client.order(ORDER)
    assert caught.value.unclear
    assert world.orders() == 1


def test_launches_are_twelve_seconds_apart(world: LambdaCloud) -> None:
    for _number in range(3):
        world.client().order(ORDER)
    at = [row.at for row in world.requests() if row.path == LambdaDoor.order_path]
    assert len(at) == 3
    assert min(two - one for one, two in pairwise(at)) >= 11.9


def test_end_that_is_answered_without_the_instance_is_not_accepted(
    world: LambdaCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Reply(200, {"data": {"terminated_instances": []}})
    monkeypatch.setattr(door(world), "_terminate", lambda _body: nothing)
    with pytest.raises(errors.WrongStateError, match="does not name"):
        world.client().terminate("0" * 32, Disposal())


# -- what is read ----------------------------------------------------------------------------------

TYPES: list[tuple[dict[str, Any], str | None, float, str]] = [
    (type_row("gpu_8x_a100_80gb_sxm4", "A100 (80 GB SXM4)", 8), "A100", 640, ""),
    (type_row("gpu_1x_a6000", "RTX A6000 (48 GB)"), "RTX A6000", 48, ""),
    (type_row("cpu_4x_general", "N/A", 0), "CPU", 0, ""),
    (type_row("gpu_1x_gh200", "GH200 (96 GB)", architecture="arm64"), "GH200", 96, "arm64"),
    (type_row("gpu_1x_new", "New"), None, 0, "memory cannot be read"),
    (type_row("gpu_1x_odd", "A10 (24 GB PCIe)", specs={"gpus": "many"}), None, 0, "specs.gpus"),
]


@pytest.mark.parametrize(("row", "model", "vram", "problem"), TYPES)
def test_type_is_read_from_texts(
    row: dict[str, Any], model: str | None, vram: float, problem: str
) -> None:
    found = type_from("name", Row(Source("GET /instance-types"), row))
    assert (found.model, found.vram_gb) == (model, vram)
    assert problem in "; ".join(found.problems)
    assert bool(found.problems) is bool(problem)


def test_prices_and_stock_are_one_request(world: LambdaCloud) -> None:
    free = world.ok("capacity")["offers"]
    assert [(row["gpu_model"], row["price_per_hour"], row["location"]) for row in free] == [
        ("A100", 1.29, "US-WEST-1")
    ]
    assert [row.path for row in world.requests()] == ["/v1/instance-types"]


def test_catalogue_of_another_shape_is_an_error(world: LambdaCloud) -> None:
    door(world).types = []  # type: ignore[assignment]
    assert world.fails("capacity")["error"]["code"] == "unavailable"


def test_reads_that_were_too_many_are_repeated_at_the_pace(world: LambdaCloud) -> None:
    limits = [Reply(429, {"error": {"code": "global/rate-limit", "message": "Slow down"}})] * 2
    answer = door(world).answer
    door(world).answer = lambda *asked: limits.pop() if limits else answer(*asked)  # type: ignore[method-assign]
    assert world.client().instances() == []
    at = [row.at for row in world.requests()]
    assert len(at) == 3
    assert min(two - one for one, two in pairwise(at)) >= 0.99


# -- filesystems -----------------------------------------------------------------------------------


def filesystem(name: str) -> dict[str, Any]:
    return {
        "id": name.encode().hex()[:32],
        "name": name,
        "mount_point": f"/lambda/nfs/{name}",
        "created": "2026-11-01T00:00:00Z",
        "is_in_use": False,
        "region": {"name": "us-west-1", "description": "California, USA"},
        "bytes_used": 3 * 2**30,
    }


def test_filesystem_of_a_deployment_is_a_leftover_that_nothing_deletes(world: LambdaCloud) -> None:
    door(world).filesystems = [filesystem("gpuops--llm--data"), filesystem("of-somebody")]
    world.buy(lease="1h")
    world.end()
    world.ok("reap", mode="delete", everything=True, grace="0s", ledger="none")
    (left,) = world.ok("deployment_info", deployment="llm", ledger="none")["leftovers"]
    assert (left["kind"], left["name"], left["kept"]) == ("data_volume", "gpuops.llm.data", True)
    assert [row.method for row in world.requests() if "file" in row.path].count("DELETE") == 0


def test_token_of_an_instance_is_told_nowhere(world: LambdaCloud) -> None:
    world.buy()
    told = [world.ok("instance_info"), world.ok("deployment_info", deployment="llm", ledger="none")]
    assert "not-to-be-told" not in json.dumps(told)
    assert "not-to-be-told" not in hide('{"jupyter_token": "not-to-be-told"}', ())
