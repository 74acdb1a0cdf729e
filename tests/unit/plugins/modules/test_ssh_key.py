# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH keys of the account: found by what they are, removed with their deployment."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, OTHER_KEY, Cloud

NAME = "datacrunch_ssh_key"
REGISTER = {"method": "POST", "path": "/v1/ssh-keys"}


def keys(cloud: Cloud) -> list[str]:
    """Return the names of the registered keys."""
    return [row["name"] for row in cloud.sim.state()["ssh_keys"]]


def test_key_of_a_deployment_gets_a_name_of_it(cloud: Cloud) -> None:
    result = cloud.ok(NAME, deployment="llm", public_key=f"  {KEY}\n")
    assert result["changed"]
    (row,) = cloud.sim.state()["ssh_keys"]
    assert row["name"].startswith("gpuops.llm.")
    assert row["key"] == KEY
    assert result["ssh_key"]["id"] == row["id"]
    name, since = row["name"].rsplit(".", 1)
    assert since == f"{cloud.sim.now():%Y%m%dt%H%Mz}"
    assert result["actions"] == [f"register SSH key {name}"]


def test_key_is_known_however_long_ago_it_was_registered(cloud: Cloud) -> None:
    first = cloud.ok(NAME, deployment="llm", public_key=KEY)["ssh_key"]
    cloud.buy(tier="any_a100", lease="none")
    cloud.sim.advance(9 * 24 * 3600)
    again = cloud.ok(NAME, deployment="llm", public_key=KEY)
    assert not again["changed"]
    assert (again["ssh_key"]["id"], again["ssh_key"]["name"]) == (first["id"], first["name"])


def test_key_without_a_machine_is_registered_again_so_that_it_is_young(cloud: Cloud) -> None:
    first = cloud.ok(NAME, deployment="llm", public_key=KEY)["ssh_key"]
    cloud.sim.advance(3500)
    assert not cloud.ok(NAME, deployment="llm", public_key=KEY)["changed"]
    cloud.sim.advance(200)
    second = cloud.ok(NAME, deployment="llm", public_key=KEY)
    assert second["changed"]
    assert second["ssh_key"]["id"] != first["id"]
    third = cloud.ok(NAME, deployment="llm", public_key=KEY)
    assert not third["changed"]
    assert third["ssh_key"]["id"] == second["ssh_key"]["id"]
    assert len(cloud.ok(NAME, deployment="llm", state="absent")["actions"]) == 2


def test_key_without_a_time_in_its_name_is_known_as_well(cloud: Cloud) -> None:
    name = cloud.ok(NAME, deployment="llm", public_key=KEY)["ssh_key"]["name"].rsplit(".", 1)[0]
    cloud.ok(NAME, deployment="llm", state="absent")
    cloud.client().create("/ssh-keys", {"name": name, "key": KEY})
    assert not cloud.ok(NAME, deployment="llm", public_key=KEY)["changed"]
    assert not cloud.ok(NAME, name=name, public_key=KEY)["changed"]


def test_same_key_with_another_comment_is_the_same(cloud: Cloud) -> None:
    cloud.ok(NAME, deployment="llm", public_key=KEY)
    again = cloud.ok(NAME, deployment="llm", public_key=KEY.replace("me@home", "other comment"))
    assert not again["changed"]
    assert again["ssh_key"]["fingerprint"]
    assert len(keys(cloud)) == 1


def test_every_deployment_has_its_own(cloud: Cloud) -> None:
    for deployment in ("llm", "other"):
        assert cloud.ok(NAME, deployment=deployment, public_key=KEY)["changed"]
    assert len(keys(cloud)) == 2
    assert cloud.ok(NAME, deployment="llm", state="absent")["changed"]
    assert [name.split(".")[1] for name in keys(cloud)] == ["other"]


def test_named_key(cloud: Cloud) -> None:
    assert cloud.ok(NAME, name="laptop", public_key=KEY)["changed"]
    assert not cloud.ok(NAME, name="laptop", public_key=KEY)["changed"]
    assert not cloud.ok(NAME, name="laptop")["changed"]
    assert cloud.ok(NAME, name="laptop", public_key=OTHER_KEY)["changed"]
    assert keys(cloud) == ["laptop", "laptop"]
    assert len(cloud.ok(NAME, name="laptop", state="absent")["actions"]) == 2
    assert keys(cloud) == []


def test_key_by_id(cloud: Cloud) -> None:
    first = cloud.ok(NAME, name="laptop", public_key=KEY)["ssh_key"]
    cloud.ok(NAME, name="desktop", public_key=OTHER_KEY)
    assert cloud.ok(NAME, id=first["id"])["ssh_key"] == {
        **first,
        "fingerprint": cloud.sim.state()["ssh_keys"][0]["fingerprint"],
    }
    assert cloud.ok(NAME, id=first["id"], state="absent")["ssh_key"] is None
    assert keys(cloud) == ["desktop"]
    assert not cloud.ok(NAME, id=first["id"], state="absent")["changed"]
    assert cloud.fails(NAME, id=first["id"])["error"]["code"] == "not_found"


def test_removing_a_deployment_leaves_other_keys(cloud: Cloud) -> None:
    for name in ("laptop", "gpuops.llm", "gpuops.llmx.abc"):
        cloud.ok(NAME, name=name, public_key=KEY)
    cloud.ok(NAME, deployment="llm", public_key=KEY)
    assert len(cloud.ok(NAME, deployment="llm", state="absent")["actions"]) == 1
    assert keys(cloud) == ["laptop", "gpuops.llm", "gpuops.llmx.abc"]


@pytest.mark.parametrize("status", [404, 400])
def test_key_that_is_gone_meanwhile_is_no_error(start: Start, status: int) -> None:
    cloud = start(unknown_id_status=status)
    cloud.ok(NAME, name="laptop", public_key=KEY)
    gone = {"code": "not_found", "message": "Invalid ssh key id"}
    cloud.fault("status", {"method": "DELETE", "path": "/v1/ssh-keys/*"}, status=status, body=gone)
    assert cloud.ok(NAME, name="laptop", state="absent")["changed"]


@pytest.mark.parametrize("fault", ["commit_then_500", "commit_then_reset", "reset"])
def test_lost_answer_ends_with_one_key(cloud: Cloud, fault: str) -> None:
    cloud.fault(fault, REGISTER)
    result = cloud.ok(NAME, deployment="llm", public_key=KEY)
    assert result["changed"]
    (row,) = cloud.sim.state()["ssh_keys"]
    assert result["ssh_key"]["id"] == row["id"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"name": "x"}, "A new key needs public_key"),
        ({"deployment": "llm"}, "A new key needs public_key"),
        ({"deployment": "Large", "public_key": KEY}, "(got 'Large')"),
        ({"name": "x", "public_key": "hello"}, "not one line of an OpenSSH public key"),
        ({"name": "x", "public_key": f"{KEY}\n{OTHER_KEY}"}, "not one line of an OpenSSH public"),
        ({"name": "x", "public_key": "ssh-ed25519"}, "not one line of an OpenSSH public key"),
    ],
)
def test_bad_input_costs_no_request(cloud: Cloud, args: dict[str, Any], words: str) -> None:
    result = cloud.fails(NAME, **args)
    assert result["error"]["code"] == "invalid"
    assert words in result["msg"]
    assert cloud.sim.writes() == []


def test_private_key_is_refused_and_not_repeated(cloud: Cloud) -> None:
    text = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n-----END"
    result = cloud.fails(NAME, name="x", public_key=text)
    assert "holds a private key" in result["msg"]
    assert "b3BlbnNzaC1rZXktdjE" not in "".join(cloud.said)
    assert cloud.sim.log() == []


def test_list_of_keys(cloud: Cloud) -> None:
    cloud.ok(NAME, name="laptop", public_key=KEY)
    cloud.ok(NAME, deployment="llm", public_key=OTHER_KEY)

    def names(**args: Any) -> list[str]:
        return [row["name"] for row in cloud.ok(f"{NAME}_info", **args)["ssh_keys"]]

    assert len(names()) == 2
    assert names(name="laptop") == ["laptop"]
    assert names(deployment="llm") == [keys(cloud)[1]]
    assert names(deployment="nobody") == []
