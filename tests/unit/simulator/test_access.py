# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH keys and startup scripts."""

from __future__ import annotations

from typing import Any

import pytest

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMY0RxzPV2QrBqfHrDq me@home"


@pytest.mark.parametrize("path", ["/ssh-keys", "/sshkeys"])
def test_a_key_is_kept_with_its_fingerprint(api: Any, path: str) -> None:
    answer = api.post(path, {"name": "mine", "key": KEY})
    assert (answer.status, answer.headers["Content-Type"]) == (201, "text/html; charset=utf-8")
    (row,) = api.get(path).data
    assert (row["id"], row["name"], row["key"]) == (answer.text, "mine", KEY)
    assert row["fingerprint"].count(":") == 15
    assert api.get(f"{path}/{answer.text}").data == [row]


def test_the_same_key_may_be_there_twice(api: Any) -> None:
    ids = {api.post("/ssh-keys", {"name": name, "key": KEY}).text for name in ("a", "b", "a")}
    assert len(ids) == 3


@pytest.mark.parametrize("key", ["", "ssh-ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----"])
def test_what_is_no_key_is_refused(api: Any, key: str) -> None:
    assert api.post("/ssh-keys", {"name": "mine", "key": key}).status == 400


def test_keys_are_deleted_one_by_one_or_together(api: Any) -> None:
    first, second, third = (
        api.post("/ssh-keys", {"name": name, "key": KEY}).text for name in ("a", "b", "c")
    )
    assert api.delete(f"/ssh-keys/{first}").status == 200
    assert api.delete("/ssh-keys", {"keys": [second, third]}).status == 200
    assert api.get("/ssh-keys").data == []
    assert api.delete(f"/ssh-keys/{first}").status == 200  # what is not there is no error
    assert api.delete("/ssh-keys", {"keys": []}).status == 400


def test_the_keys_of_an_order_are_shown(api: Any) -> None:
    key_id = api.post("/ssh-keys", {"name": "mine", "key": KEY}).text
    assert api.instance(api.buy(ssh_key_ids=key_id))["ssh_key_ids"] == [key_id]


def test_a_script_is_kept(api: Any) -> None:
    answer = api.post("/scripts", {"name": "hello", "script": "#!/bin/sh\n"})
    assert answer.status == 201
    (row,) = api.get(f"/scripts/{answer.text}").data
    assert (row["name"], row["script"]) == ("hello", "#!/bin/sh\n")
    assert row["created_at"]
    assert api.instance(api.buy(startup_script_id=answer.text))["startup_script_id"] == answer.text
    assert api.delete(f"/scripts/{answer.text}").status == 200
    assert api.delete("/scripts", {"scripts": [answer.text]}).status == 200


def test_scripts_come_in_pages_newest_first(api: Any) -> None:
    for number in range(12):
        api.post("/scripts", {"name": f"script {number}", "script": "x"})
    first, second = api.get("/scripts"), api.get("/scripts?page=2")
    assert [row["name"] for row in second.data] == ["script 1", "script 0"]
    assert len(first.data) == 10
    pages = [first.headers[name] for name in ("X-Page", "X-Page-Size", "X-Total-Count")]
    assert pages == ["1", "10", "12"]
    assert len(api.get("/scripts?pageSize=100").data) == 12
    oldest = api.get("/scripts?orderDirection=ASC&pageSize=1").data
    assert [row["name"] for row in oldest] == ["script 0"]
    assert api.get("/scripts?name=T%2011").headers["X-Total-Count"] == "1"
    assert api.get("/scripts?page=0").status == 400


def test_there_is_a_limit_to_scripts(start: Any) -> None:
    api = start(quotas={"scripts": 1})
    assert api.post("/scripts", {"name": "a", "script": "x"}).status == 201
    answer = api.post("/scripts", {"name": "b", "script": "x"})
    assert (answer.status, "limit exceeded" in answer.message) == (400, True)
