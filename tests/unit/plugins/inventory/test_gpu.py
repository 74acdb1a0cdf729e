# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One inventory of two clouds: hosts of both, or an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import LAMBDA_KEY, Clouds
from ansible_collections.gpuops.cloud.tests.unit.plugins.inventory.programs import (
    Done,
    by_program,
    in_process,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import SECRET

Show = Callable[..., Done]


@pytest.fixture
def show(clouds: Clouds, home: Path) -> Show:
    """Run ansible-inventory over an instance at each cloud, named ``one`` and ``two``."""
    clouds.keep(providers=["verda"], name="one", ledger="none")
    clouds.keep(providers=["lambda"], name="two", ledger="none")

    def run(*words: str, file: str = "gpu.yml", program: Any = in_process, **options: Any) -> Done:
        source = home / file
        text = {"plugin": "gpuops.cloud.gpu", "accounts": clouds.accounts, **options}
        source.write_text(yaml.safe_dump(text), encoding="utf-8")
        done: Done = program("-i", str(source), *words, home=home)
        said = done.stdout + done.stderr
        assert not [word for word in ("Traceback", SECRET, LAMBDA_KEY) if word in said]
        return done

    return run


def listed(done: Done) -> dict[str, Any]:
    """Return the inventory as data."""
    assert done.returncode == 0, done.stderr
    text = done.stdout[done.stdout.index("\n{") if done.stdout[0] != "{" else 0 :]
    return dict(json.loads(text, object_hook=lambda row: row.get("__ansible_unsafe", row)))


def hosts(done: Done) -> dict[str, dict[str, Any]]:
    """Return the variables of the hosts."""
    return dict(listed(done)["_meta"]["hostvars"])


def said(done: Done) -> str:
    """Return what was said beside the inventory, on one line."""
    return " ".join(done.stderr.split())


@pytest.mark.parametrize("program", [in_process, by_program], ids=["in process", "program"])
def test_hosts_of_both_with_user_and_groups(show: Show, program: Any) -> None:
    done = show("--list", program=program)
    found, groups = hosts(done), listed(done)
    assert {name: row["gpu_provider"] for name, row in found.items()} == {
        "one": "verda",
        "two": "lambda",
    }
    users = {name: (row["ansible_user"], row["ansible_host"]) for name, row in found.items()}
    assert users["two"] == ("ubuntu", "192.0.2.8")
    assert users["one"][0] == "root"
    assert {row["ansible_port"] for row in found.values()} == {22}
    assert groups["provider_lambda"]["hosts"] == ["two"]
    assert groups["provider_verda"]["hosts"] == ["one"]
    assert sorted(groups["status_running"]["hosts"]) == ["one", "two"]
    assert {"deployment_llm", "provider_lambda", "tier_a100_80"} <= set(groups["gpu"]["children"])
    assert "datacrunch" not in groups


def test_one_call_each(show: Show, clouds: Clouds) -> None:
    clouds.verda.sim.clear_log()
    clouds.door.log.clear()
    show("--list")
    assert clouds.verda.calls(method="GET") == ["GET /instances"]
    assert [row.path for row in clouds.door.log] == ["/v1/instances"]


def test_same_name_at_both_is_told_apart(show: Show, clouds: Clouds) -> None:
    clouds.keep(providers=["lambda"], name="one", ledger="none")
    done = show("--list")
    assert len(hosts(done)) == 3
    assert "one is taken by another host" in said(done)
    named = show("--list", host_name="gpu_provider ~ '-' ~ gpu_name")
    assert set(hosts(named)) == {"verda-one", "lambda-one", "lambda-two"}


def test_provider_that_fails_is_an_error(show: Show, clouds: Clouds) -> None:
    done = show("--list", accounts=clouds.lambda_down())
    assert "Not every provider answered: lambda: " in said(done)
    assert "one" not in hosts(done)


def test_provider_that_fails_is_a_warning_if_wanted(show: Show, clouds: Clouds) -> None:
    options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile"}
    options |= {"cache_connection": str(Path.home() / "kept"), "strict_providers": False}
    done = show("--list", accounts=clouds.lambda_down(), **options)
    assert set(hosts(done)) == {"one"}
    assert "Its hosts are left out: lambda: " in said(done)
    # Half of it was not kept; the whole is.
    assert set(hosts(show("--list", **options))) == {"one", "two"}
    assert set(hosts(show("--list", accounts=clouds.lambda_down(), **options))) == {"one", "two"}


def test_provider_without_credentials_is_left_out(show: Show, clouds: Clouds) -> None:
    done = show("--list", accounts=clouds.without("lambda"))
    assert (set(hosts(done)), done.stderr) == ({"one"}, "")
    assert "No provider answered" in said(show("--list", accounts={}))


def test_strings_of_a_cloud_are_never_templates(show: Show, clouds: Clouds) -> None:
    (server,) = [one for one in clouds.door.living() if one.facts["hostname"] == "two"]
    server.facts["tags"].append({"key": "trap", "value": "{{ 6 * 7 }}"})
    done = show("--list", compose={"seen": "gpu_tags.trap"}, program=by_program)
    assert hosts(done)["two"]["gpu_tags"]["trap"] == "{{ 6 * 7 }}"
    assert hosts(done)["two"]["seen"] == "{{ 6 * 7 }}"


def test_files_of_other_plugins_are_left_alone(show: Show) -> None:
    assert hosts(show("--list", file="datacrunch.yml")) == {}
