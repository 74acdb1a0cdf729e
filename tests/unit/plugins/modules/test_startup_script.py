# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Startup scripts: registered, replaced, removed, and never with a secret in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.modules import (
    datacrunch_startup_script,
    datacrunch_startup_script_info,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    CLIENT_ID,
    SECRET,
    Cloud,
    run_module,
)

TEXT = "#!/bin/sh\nmkdir -p /mnt/scratch\n"
OTHER = "#!/bin/sh\nmkdir -p /mnt/data\n"
LLM = {"deployment": "llm"}
ORDER = {"method": "POST", "path": "/v1/scripts"}
REMOVAL = {"method": "DELETE", "path": "/v1/scripts/*"}


def script(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """Keep a script, after check mode has told the same actions and sent nothing."""
    given = {**LLM, **args}
    cloud.sim.clear_log()
    predicted = cloud.ok("datacrunch_startup_script", check=True, diff=True, **given)
    assert cloud.sim.writes() == []
    result = cloud.ok("datacrunch_startup_script", diff=True, **given)
    assert predicted["actions"] == result["actions"]
    assert predicted["changed"] == result["changed"] == bool(cloud.sim.writes())
    assert predicted["diff"] == result["diff"]
    return result


def refused(cloud: Cloud, **args: Any) -> str:
    """Return why a script cannot be kept; nothing was sent."""
    cloud.sim.clear_log()
    result = cloud.fails("datacrunch_startup_script", **{**LLM, **args})
    assert cloud.sim.writes() == []
    return str(result["msg"])


def texts(cloud: Cloud) -> dict[str, str]:
    """Return the texts by name, by the simulator's own account; no name is there twice."""
    rows = cloud.sim.state()["scripts"]
    assert len({row["name"] for row in rows}) == len(rows)
    return {row["name"]: row["script"] for row in rows}


def register(cloud: Cloud, name: str, text: str = TEXT) -> str:
    """Register a script as somebody else does; returns its id."""
    return cloud.client().create("/scripts", {"name": name, "script": text})


def test_register_warns_who_can_read_it(cloud: Cloud) -> None:
    result = script(cloud, content=TEXT)
    assert result["actions"] == ["register startup script gpuops.llm.startup"]
    assert texts(cloud) == {"gpuops.llm.startup": TEXT}
    assert result["diff"] == {"before": "", "after": TEXT}
    assert "readable through the API to everyone with credentials" in result["notice"]
    assert result["warnings"] == [result["notice"]]
    shown = result["startup_script"]
    assert (shown["name"], shown["deployment"]) == ("gpuops.llm.startup", "llm")
    assert shown["content"] == TEXT


def test_the_same_again_changes_nothing(cloud: Cloud) -> None:
    made = script(cloud, content=TEXT)["startup_script"]["id"]
    for same in ({"content": TEXT}, {"content": TEXT.strip()}, {}, {"name": "startup"}):
        again = script(cloud, **same)
        assert again["actions"] == again["warnings"] == []
        assert again["startup_script"]["id"] == made
        assert again["notice"]


def test_changed_text_replaces_the_script(cloud: Cloud) -> None:
    old = script(cloud, content=TEXT)["startup_script"]["id"]
    result = script(cloud, content=OTHER)
    assert result["actions"] == [
        "register startup script gpuops.llm.startup",
        f"remove startup script gpuops.llm.startup ({old})",
    ]
    assert result["diff"] == {"before": TEXT, "after": OTHER}
    assert texts(cloud) == {"gpuops.llm.startup": OTHER}
    assert [row["method"] for row in cloud.sim.writes()] == ["POST", "DELETE"]


def test_names_of_its_own(cloud: Cloud) -> None:
    script(cloud, content=TEXT)
    script(cloud, name="disk", content=OTHER)
    whole = script(cloud, deployment=None, name="anything at all", content=TEXT)
    assert whole["startup_script"]["deployment"] is None
    assert texts(cloud) == {
        "gpuops.llm.startup": TEXT,
        "gpuops.llm.disk": OTHER,
        "anything at all": TEXT,
    }
    assert script(cloud, name="gpuops.llm.disk", content=OTHER)["actions"] == []
    assert len(script(cloud, state="absent")["actions"]) == 2
    assert list(texts(cloud)) == ["anything at all"]
    removed = script(cloud, deployment=None, name="anything at all", state="absent")
    assert removed["startup_script"] is None
    assert removed["notice"] is None
    assert script(cloud, state="absent")["actions"] == []


def test_by_id(cloud: Cloud) -> None:
    theirs = register(cloud, "theirs")
    assert "is not of deployment 'llm'" in refused(cloud, id=theirs, state="absent")
    result = script(cloud, deployment=None, id=theirs, content=OTHER)
    assert texts(cloud) == {"theirs": OTHER}
    new = result["startup_script"]["id"]
    assert script(cloud, deployment=None, id=new)["startup_script"]["content"] == OTHER
    assert "There is no startup script" in refused(cloud, id=theirs, content=TEXT)
    assert script(cloud, deployment=None, id=new, state="absent")["changed"]
    assert script(cloud, deployment=None, id=new, state="absent")["actions"] == []


def test_several_of_one_name_become_one(cloud: Cloud) -> None:
    for text in (TEXT, OTHER, OTHER):
        register(cloud, "gpuops.llm.startup", text)
        cloud.sim.advance(60)
    result = script(cloud, content=OTHER)
    assert [action.split(" ")[0] for action in result["actions"]] == ["remove", "remove"]
    assert texts(cloud) == {"gpuops.llm.startup": OTHER}
    assert result["diff"] == {"before": TEXT, "after": OTHER}


def test_all_pages_are_read(cloud: Cloud) -> None:
    cloud.sim.switch(quotas={"scripts": 1000})
    for number in range(205):
        register(cloud, f"gpuops.llm.script-{number}")
    assert script(cloud, name="script-0", content=TEXT)["actions"] == []
    assert script(cloud, name="script-204", content=TEXT)["actions"] == []
    cloud.sim.clear_log()
    listed = cloud.ok("datacrunch_startup_script_info", **LLM)["startup_scripts"]
    assert len(listed) == 205
    assert listed[0]["name"] == "gpuops.llm.script-0"
    assert len(cloud.calls("/scripts")) == 3


@pytest.mark.parametrize("args", [{"name": "disk", **LLM}, {"name": "gpuops.llm.disk"}])
def test_list(cloud: Cloud, args: dict[str, str]) -> None:
    made = script(cloud, name="disk", content=TEXT)["startup_script"]["id"]
    register(cloud, "theirs")
    (row,) = cloud.ok("datacrunch_startup_script_info", **args)["startup_scripts"]
    assert row["id"] == made
    assert row["created_at"]
    by_id = cloud.ok("datacrunch_startup_script_info", id=made)["startup_scripts"]
    assert by_id == [row]
    assert len(cloud.ok("datacrunch_startup_script_info")["startup_scripts"]) == 2


def test_text_that_a_list_leaves_out_is_fetched(cloud: Cloud) -> None:
    made = script(cloud, content=TEXT)["startup_script"]["id"]
    bare = [{"id": made, "name": "gpuops.llm.startup"}]
    listing = {"method": "GET", "path": "/v1/scripts"}
    cloud.fault("status", listing, status=200, body=bare, times=None)
    assert script(cloud, content=TEXT)["actions"] == []
    (row,) = cloud.ok("datacrunch_startup_script_info")["startup_scripts"]
    assert row["content"] == TEXT


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "a new one needs content"),
        ({"content": " \n"}, "content is empty"),
        ({"content": TEXT, "name": "My Script"}, "(got 'My Script')"),
        ({"content": TEXT, "deployment": "LLM"}, "(got 'LLM')"),
    ],
)
def test_options_that_do_not_fit_are_refused(cloud: Cloud, args: Any, words: str) -> None:
    assert words in refused(cloud, **args)


# -- secrets ---------------------------------------------------------------------------------------

SHAPES = {
    "a private key": "-----BEGIN OPENSSH PRIVATE " + "KEY-----",
    "a Hugging Face token": "hf_" + "x" * 34,
    "a GitHub token": "ghp_" + "x" * 36,
    "an AWS access key": "AKIA" + "X" * 16,
    "an API key": "sk-" + "x" * 40,
}


@pytest.mark.parametrize("what", SHAPES)
def test_text_with_something_like_a_secret_is_refused(cloud: Cloud, what: str) -> None:
    secret = SHAPES[what]
    words = refused(cloud, content=f"#!/bin/sh\necho '{secret}'\n")
    assert f"content holds what looks like {what}" in words
    assert "by a play over SSH" in words
    assert secret not in "\n".join(cloud.said)


def test_text_with_the_client_secret_is_refused(cloud: Cloud) -> None:
    words = refused(cloud, content=f"#!/bin/sh\nexport KEY={SECRET}\n")
    assert "content holds the client secret of the cloud" in words


def test_client_secret_of_a_file_is_not_shown(cloud: Cloud, home: Path) -> None:
    file = home / ".verda" / "credentials"
    file.parent.mkdir()
    file.write_text(f"[default]\nclient_id = {CLIENT_ID}\nclient_secret = {SECRET}\n")
    given = {**LLM, "base_url": f"{cloud.sim.url}/v1", "content": f"#!/bin/sh\n# {SECRET}\n"}
    result, _log = run_module("datacrunch_startup_script", given)
    assert "holds the client secret" in result["msg"]
    assert SECRET not in str(result)


def test_secret_of_the_environment_is_refused(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_PASSWORD", "correct horse battery")
    monkeypatch.setenv("SHORT_TOKEN", "mkdir")  # a word, which is found by chance
    words = refused(cloud, content="#!/bin/sh\nlogin 'correct horse battery'\n")
    assert "the value of the environment variable REGISTRY_PASSWORD" in words
    assert "correct horse battery" not in words
    assert script(cloud, content=TEXT)["changed"]


@pytest.mark.parametrize("place", ["llm/vllm_api_key", "vllm_api_key"])
def test_api_key_of_the_server_is_refused(cloud: Cloud, home: Path, place: str) -> None:
    file = home / ".config/gpuops" / place
    file.parent.mkdir(parents=True)
    file.write_text("a-key-of-the-server\n")
    assert "the API key in" in refused(cloud, content="#!/bin/sh\n# a-key-of-the-server\n")
    file.write_bytes(b"\xff\xfe")
    assert script(cloud, content=TEXT)["changed"]


# -- lost answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fate", ["commit_then_500", "commit_then_reset", "reset"])
def test_lost_answer_ends_with_one_script(cloud: Cloud, fate: str) -> None:
    script(cloud, content=TEXT)
    cloud.fault(fate, ORDER)
    result = cloud.ok("datacrunch_startup_script", **LLM, content=OTHER)
    assert texts(cloud) == {"gpuops.llm.startup": OTHER}
    (row,) = cloud.sim.state()["scripts"]
    assert result["startup_script"]["id"] == row["id"]


def test_run_that_ends_before_the_removal_is_completed_by_the_next(cloud: Cloud) -> None:
    script(cloud, content=TEXT)
    cloud.fault("status", REMOVAL, status=500, body="")
    result = cloud.fails("datacrunch_startup_script", **LLM, content=OTHER)
    assert result["actions"] == ["register startup script gpuops.llm.startup"]
    assert result["changed"]
    assert len(script(cloud, content=OTHER)["actions"]) == 1
    assert texts(cloud) == {"gpuops.llm.startup": OTHER}


def test_script_that_has_gone_meanwhile_is_removed(cloud: Cloud) -> None:
    script(cloud, content=TEXT)
    missing = {"code": "not_found", "message": "Invalid startup script id"}
    cloud.fault("status", REMOVAL, status=404, body=missing)
    assert cloud.ok("datacrunch_startup_script", **LLM, state="absent")["changed"]


@pytest.mark.parametrize(
    ("module", "key"),
    [
        (datacrunch_startup_script, "startup_script"),
        (datacrunch_startup_script_info, "startup_scripts"),
    ],
)
def test_results_are_what_is_documented(cloud: Cloud, module: Any, key: str) -> None:
    made = script(cloud, content=TEXT)["startup_script"]
    assert yaml.safe_load(module.RETURN)[key]["contains"].keys() == made.keys()
