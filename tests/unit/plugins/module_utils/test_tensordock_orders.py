# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is ordered at TensorDock, and what its refusals mean: by their words, in whatever answer."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._models.orders import InstanceOrder
from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import SshKey
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.answers import Answer
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.tensordock import (
    orders,
    parsing,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.tensordock.errors import (
    error_of,
    said,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY
from gpuops_simulator.doors.tensordock import GPU, NORTH

NOW = datetime(2026, 11, 30, 12, 0, 7, tzinfo=timezone.utc)
LABEL = "gpo.llm.gpu-1.ht7ui.5f3a9c21"
MADE, ONE = "POST /instances", "GET /instances/x"
LIST, END = "GET /instances", "DELETE /instances/x"


def answer(status: int, body: Any) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, {}, text.encode())


# -- refusals --------------------------------------------------------------------------------------


def within(status: int, words: str) -> dict[str, Any]:
    return {"status": status, "error": words}


def listed(status: int, words: str) -> dict[str, Any]:
    return {"errors": [{"status": str(status), "title": "Request failed", "detail": words}]}


@pytest.mark.parametrize(
    "words",
    [
        "No available nodes found",
        "Insufficient capacity for this configuration",
        "GPU type is out of stock",
        "Resource unavailable at this location",
        "No available public IPs on hostnode",
        "Requested GPU is not available",
        "Location temporarily unavailable",
    ],
)
@pytest.mark.parametrize("http", [200, 400, 503])
def test_order_that_finds_no_stock_leads_to_the_next_offer(words: str, http: int) -> None:
    for body in (within(400, words), {"error": words}, listed(400, words)):
        assert said(answer(http, body))
        error = error_of(answer(http, body), MADE)
        assert (type(error), error.unclear) == (errors.NoCapacityError, False)
        assert words in error.message


FIELDS = [
    {"code": "required", "message": "Name is required", "path": ["data", "attributes", "name"]},
    {"code": "invalid", "message": "Invalid format", "path": ["data", "attributes", "location_id"]},
]


@pytest.mark.parametrize(
    ("http", "body", "kind", "unclear"),
    [
        (400, FIELDS, errors.InvalidError, False),
        (200, FIELDS, errors.InvalidError, False),
        (
            400,
            {"error": "SSH port (22) must be forwarded for Ubuntu VMs"},
            errors.InvalidError,
            False,
        ),
        (200, within(402, "Insufficient balance"), errors.NoFundsError, False),
        (200, within(400, "An account balance of at least $1"), errors.NoFundsError, False),
        (400, {"error": "Maximum number of instances"}, errors.QuotaError, False),
        (401, {"error": "Invalid API credentials"}, errors.AuthError, False),
        (200, within(401, "Invalid API credentials"), errors.AuthError, False),
        (401, "<html>Who are you</html>", errors.AuthError, False),
        (403, {"error": "Access denied"}, errors.ForbiddenError, False),
        (200, within(400, "Unexpected error during deployment"), errors.InvalidError, True),
        (400, {"error": "Unexpected error during deployment"}, errors.InvalidError, True),
        (429, {"error": "Rate limit exceeded. Try later."}, errors.RateLimitedError, True),
        (429, "slow down", errors.RateLimitedError, True),
        (404, {"error": "Not found"}, errors.NotFoundError, True),
        (500, {"error": "Internal server error"}, errors.UnavailableError, True),
        (200, within(500, "Internal server error"), errors.UnavailableError, True),
        (502, "<html>Bad gateway</html>", errors.UnavailableError, True),
        (302, "", errors.UnavailableError, True),
        (200, {"success": False}, errors.InvalidError, True),
        (200, {"id": "r-1", "status": "500", "error": "Oh"}, errors.UnavailableError, True),
        (
            200,
            {"error": "No available nodes found", "data": {"id": "x"}},
            errors.NoCapacityError,
            True,
        ),
    ],
)
def test_refused_order_is_looked_up_unless_it_surely_did_nothing(
    http: int, body: Any, kind: type[errors.GpuopsError], unclear: bool
) -> None:
    error = error_of(answer(http, body), MADE)
    assert (type(error), error.unclear) == (kind, unclear)


@pytest.mark.parametrize(
    ("request_", "http", "body", "kind"),
    [
        (ONE, 404, {"error": "Instance not found"}, errors.NotFoundError),
        (ONE, 200, within(404, "Instance not found"), errors.NotFoundError),
        (ONE, 200, within(400, "Instance not found"), errors.NotFoundError),
        (ONE, 404, listed(404, "Gone"), errors.NotFoundError),
        (ONE, 200, within(400, "Bad hostnode"), errors.UnavailableError),
        (ONE, 200, {"error": "Try again"}, errors.UnavailableError),
        (LIST, 404, {"error": "Not found"}, errors.UnavailableError),
        (LIST, 200, {"error": "Try again", "data": []}, errors.UnavailableError),
        (LIST, 403, {"error": "Access denied"}, errors.ForbiddenError),
        (LIST, 429, {"error": "Rate limit exceeded"}, errors.RateLimitedError),
        (END, 200, within(400, "Instance is being provisioned"), errors.WrongStateError),
        (END, 409, {"error": "Busy"}, errors.WrongStateError),
        (END, 200, within(404, "Instance not found"), errors.NotFoundError),
        (END, 200, within(500, "Internal server error"), errors.UnavailableError),
    ],
)
def test_refused_read_proves_nothing_and_refused_end_is_asked_for_again(
    request_: str, http: int, body: Any, kind: type[errors.GpuopsError]
) -> None:
    assert said(answer(http, body))
    assert error_of(answer(http, body), request_).__class__ is kind


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html></html>",
        [],
        {"data": []},
        {"success": True},
        {"data": {"type": "success", "message": "Instance deleted"}},
        {
            "type": "virtualmachine",
            "id": "x",
            "status": "error",
            "error": "GPU fell off",
        },
        {"data": {"id": "x", "status": "running"}, "error": None},
    ],
)
def test_what_is_no_refusal_is_taken_for_none(body: Any) -> None:
    assert said(answer(200, body)) is None


# -- orders and keys -------------------------------------------------------------------------------

ORDER = InstanceOrder(
    "gpu-1", f"1x-{GPU}-8v-80g-1a779525", NORTH.upper(), "on_demand", "ubuntu2404", LABEL
)


def test_order_takes_an_own_address_and_installs_the_key_itself() -> None:
    body = orders.order_body(ORDER, [SshKey("k", "laptop", public_key=KEY)], NOW)
    asked, key = body["data"]["attributes"], " ".join(KEY.split()[:2])
    assert (asked["useDedicatedIp"], "port_forwards" in asked) == (True, False)
    assert (asked["location_id"], asked["ssh_key"]) == (NORTH, key)
    assert asked["resources"]["storage_gb"] == 100
    assert f"'{key}' > /root/.ssh/authorized_keys" in " ".join(asked["cloud_init"]["runcmd"])
    assert "me@home" not in json.dumps(body)


@pytest.mark.parametrize(
    "text",
    [None, "", "-----BEGIN RSA PRIVATE KEY-----", "ssh-rsa A'; reboot; '", "ssh-rsa x\nid"],
)
def test_what_is_no_public_key_is_never_run(text: str | None) -> None:
    with pytest.raises(InvalidError, match="no public key"):
        orders.order_body(ORDER, [SshKey("k", "laptop", public_key=text)], NOW)


def test_order_without_a_key_is_refused() -> None:
    with pytest.raises(InvalidError, match="SSH key only"):
        orders.order_body(ORDER, [], NOW)


def test_secrets_that_are_no_keys_are_not_read() -> None:
    generic = {"id": "a", "attributes": {"name": 7, "secret_type": "GENERIC", "value": "hush"}}
    key = {"id": "b", "attributes": {"name": "laptop", "secret_type": "SSHKEY", "value": KEY}}
    got = answer(200, {"data": {"secrets": [generic, key]}})
    rows = parsing.Shaped("GET /secrets", got, holds="secrets").rows(parsing.key_from)
    assert rows == [None, SshKey("b", "laptop", public_key=KEY)]
