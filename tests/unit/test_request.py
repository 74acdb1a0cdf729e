# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One checked request for all plays: what counts, what is asked, what is never touched unasked."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.client import Client
from ansible_collections.gpuops.cloud.plugins.module_utils._request.specs import (
    ANYWHERE_BEGINS,
    VARIABLES,
)
from ansible_collections.gpuops.cloud.tests.unit.test_estates import WISH, Estate, said
from gpuops_simulator import Simulator

AUTH = {"client_id": "estate", "client_secret": "the-secret-of-the-estate"}
ROOT = Path(__file__).resolve().parents[2]
SHELF = {"1A100.22V": 4, "1V100.6V": 4}


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Return an estate, and a cloud that has two kinds of GPUs."""
    stock = {"FIN-01": {"on_demand": SHELF, "spot": {}}}
    with Simulator({"stock": stock, "provision_seconds": 0}) as cloud:
        yield Estate(cloud, tmp_path)


def rent(estate: Estate, deployment: str, owner: str, keys: tuple[str, ...] = ()) -> str:
    """Rent an instance with the ownership of somebody; returns its id."""
    client = Client.from_params({**AUTH, "base_url": f"{estate.cloud.url}/v1"})
    marks = {"deployment": deployment, "name": deployment, "owner": owner, "request": "0" * 32}
    marks["lease"] = "2999-01-01T00:00:00Z"
    tags = [{"key": f"gpuops-{key}", "value": value} for key, value in marks.items()]
    body = {"hostname": deployment, "image": "24.04.cuda13.2", "location_code": "FIN-01"}
    body |= {"instance_type": "1A100.22V", "tags": tags, "ssh_key_ids": list(keys)}
    disk = {"name": f"gpuops.{deployment}.{deployment}.os", "size": 50, "tags": tags[:1]}
    return str(client.create("/instances", {**body, "os_volume": disk}))


def living(estate: Estate) -> list[str]:
    """Return the host names of what lives."""
    rows = estate.cloud.state()["instances"]
    return sorted(
        row["hostname"] for row in rows if row["status"] not in ("deleting", "discontinued")
    )


def writes(estate: Estate) -> list[str]:
    """Return the paths of all writes but the login."""
    return [row["path"] for row in estate.cloud.writes()]


# -- what counts -----------------------------------------------------------------------------------


def test_group_variables_of_an_estate_change_nothing(estate: Estate) -> None:
    inventory = estate.home / "estate"
    (inventory / "group_vars").mkdir(parents=True)
    (inventory / "hosts").write_text("web1\nlocalhost ansible_connection=local\n", encoding="utf-8")
    odd: dict[str, Any] = dict.fromkeys((n for n in VARIABLES if "_" not in n), "estate")
    odd |= {"count": 3, "confirm": True, "lease": "none", "max_price_per_hour": 0.01}
    (inventory / "group_vars/all.yml").write_text(json.dumps(odd), encoding="utf-8")
    hosts = ("-i", str(inventory / "hosts"))
    for book in ("capacity", "status", "cost", "reap"):
        given = {"everything": True} if book == "reap" else {}
        # Also the command line may be empty: nothing of the estate fills it.
        done = estate.run(book, *hosts, variables={**given, "gpuops_ledger": "none"})
        assert done.returncode == 0, said(done)
    done = estate.run("bringup", *hosts, "--check", variables={**WISH, "gpuops_ledger": "none"})
    assert "would: buy gpuops-ada: 1A100.22V" in said(done), said(done)
    assert "est-2" not in said(done)
    assert writes(estate) == []


def test_variable_of_a_role_may_be_made_of_those_of_its_host(estate: Estate) -> None:
    hosts, rows = estate.home / "hosts.json", {"vllm_port": "{{ of_host + 1 }}"}
    hosts.write_text(json.dumps({"all": {"hosts": {"web1": {}}, "vars": rows}}), encoding="utf-8")
    done = estate.run("bringup", "-i", str(hosts), "--check", variables=WISH)
    assert "would: buy gpuops-ada" in said(done), said(done)


def test_play_that_calls_ours_says_what_it_means(estate: Estate) -> None:
    book = estate.home / "site.yml"
    called = Path(__file__).resolve().parents[2] / "playbooks/capacity.yml"
    play = {"import_playbook": str(called), "vars": {"gpus": ["V100"], "format": "json"}}
    book.write_text(json.dumps([play]), encoding="utf-8")
    done = estate.run(str(book.with_suffix("")), variables={"my_own_word": 1})
    assert done.returncode == 0, said(done)
    assert "1V100.6V" in said(done)
    offers = done.stdout[done.stdout.index('{"offers"') :].splitlines()[0]
    assert [row["gpu_model"] for row in json.loads(offers)["offers"]] == ["V100"]


def test_project_file_names_the_deployment(estate: Estate) -> None:
    (estate.home / "gpuops.yml").write_text("deployment: shop\ntier: any_v100\n", encoding="utf-8")
    wish = {name: value for name, value in WISH.items() if name != "tier"}
    done = estate.run("bringup", "--check", variables=wish)
    assert "would: buy shop: 1V100.6V" in said(done), said(done)


def test_hours_are_written_as_the_docs_write_them(estate: Estate) -> None:
    hours = "hours=mon-sun 00:00-24:00 UTC"
    done = estate.run("scheduled", "--check", "-e", hours, variables={**WISH, "deployment": "llm"})
    assert "llm, mon-sun 00:00-24:00 UTC: open" in said(done), said(done)


HABITS = {
    "ANSIBLE_GATHERING": "explicit",
    "ANSIBLE_INJECT_FACT_VARS": "False",
    "ANSIBLE_FORKS": "1",
    "ANSIBLE_ANY_ERRORS_FATAL": "True",
    "ANSIBLE_ERROR_ON_UNDEFINED_VARS": "True",
}


def installed_below(folder: Path) -> Path:
    """Install the collection in a folder; returns that of its playbooks."""
    place = folder / "ansible_collections/gpuops/cloud"
    for part in ("meta", "playbooks", "plugins", "roles"):
        shutil.copytree(ROOT / part, place / part)
    return place / "playbooks"


@pytest.mark.every_core
def test_every_playbook_works_in_an_estate_with_every_habit_at_once(tmp_path: Path) -> None:
    home = tmp_path / "my own home"
    inventory = home / "my estate"
    (inventory / "group_vars").mkdir(parents=True)
    (inventory / "hosts").write_text("localhost ansible_connection=local\nweb1\n", encoding="utf-8")
    short = (name for name in VARIABLES if not name.startswith(ANYWHERE_BEGINS))
    odd: dict[str, Any] = dict.fromkeys(short, "estate")
    odd |= {"ansible_port": 2222, "ansible_become": True, "ansible_become_method": "doas"}
    (inventory / "group_vars/all.yml").write_text(json.dumps(odd), encoding="utf-8")
    hosts = ("-i", str(inventory / "hosts"))
    stock = {"FIN-01": {"on_demand": SHELF, "spot": {}}}
    playbooks = installed_below(home / "my collections")
    strategies = itertools.cycle(["free", "host_pinned"])
    habits = {**HABITS, "ANSIBLE_COLLECTIONS_PATH": str(home / "my collections")}
    before = os.umask(0o077)
    try:
        with Simulator({"stock": stock, "provision_seconds": 0}) as cloud:
            estate = Estate(cloud, home)
            name = {"deployment": "llm"}
            for book, given, words in (
                ("capacity", {"tier": "any_a100"}, "1A100.22V"),
                ("preflight", {**WISH, **name}, "The credentials work"),
                ("bringup", {**WISH, **name, "ssh_ready_timeout": 1}, "The instance still costs"),
                ("status", {}, "llm"),
                ("lease", {**name, "extend": "2h", "owner": "ada", "ledger": "none"}, "until"),
                ("cost", {"ledger": "none"}, "llm"),
                ("reap", {"everything": True, "ledger": "none"}, "1 instances"),
                ("metrics", {"ledger": "none"}, "gpuops_machines"),
                ("teardown", {**name, "owner": "ada", "ledger": "none"}, "leftovers: none"),
            ):
                habits["ANSIBLE_STRATEGY"] = next(strategies)
                done = estate.run(str(playbooks / book), *hosts, variables=given, **habits)
                assert words in said(done), (book, said(done))
                assert (done.returncode == 0) is (book != "bringup"), (book, said(done))
            assert len(estate.orders()) == 2  # the purchase, and its end
    finally:
        os.umask(before)


# -- before money ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"vllm_model": ""}, "vllm_model is required"),
        ({"vllm_version": "0.1.0"}, "vllm_version 0.1.0 is refused"),
        ({"vllm_device": "gpu"}, 'vllm_device "gpu" is not one of cuda, cpu'),
        ({"vllm_port": "http"}, "vllm_port must be a whole number"),
        ({"lease": "12"}, "lease '12' is not a duration"),
    ],
)
def test_option_that_a_role_would_refuse_buys_nothing(
    estate: Estate, given: dict[str, Any], words: str
) -> None:
    done = estate.run("bringup", variables={**WISH, **given})
    assert done.returncode != 0
    assert words in said(done).replace('\\"', '"'), said(done)
    assert writes(estate) == []


def test_tags_that_leave_the_purchase_out_are_refused(estate: Estate) -> None:
    done = estate.run("bringup", "--tags", "vllm", variables=WISH)
    assert done.returncode != 0
    assert "no instance is looked up, so nothing would be done" in said(done)
    assert estate.cloud.log() == []


def test_gpu_that_vllm_does_not_support_is_not_bought_whatever_the_model(estate: Estate) -> None:
    wish = {"gpus": ["V100"], "vllm_model": "a/b", "model_fit": False, "ledger": "none"}
    done = estate.run("bringup", variables=wish)
    assert done.returncode != 0
    assert "holds no code for V100" in said(done), said(done)
    assert "/v1/instances" not in writes(estate)


def test_preflight_tells_and_writes_nothing(estate: Estate) -> None:
    done = estate.run("preflight", variables=WISH)
    assert done.returncode == 0, said(done)
    assert "would: buy gpuops-ada: 1A100.22V" in said(done)
    assert "The credentials work" in said(done)
    assert writes(estate) == []
    assert not (estate.home / ".config").exists()


def test_preflight_without_credentials_says_what_is_missing(estate: Estate) -> None:
    done = estate.run("preflight", variables=WISH, DATACRUNCH_CLIENT_SECRET="")
    assert done.returncode != 0
    assert "DATACRUNCH_CLIENT_SECRET" in said(done)


# -- whose it is -----------------------------------------------------------------------------------


def test_teardown_without_a_name_ends_the_only_one(estate: Estate) -> None:
    rent(estate, "llm", "ada")
    rent(estate, "other", "bob")
    done = estate.run("teardown", variables={"owner": "ada", "ledger": "none"})
    assert done.returncode == 0, said(done)
    assert living(estate) == ["other"]


def test_teardown_without_a_name_ends_nothing_of_several(estate: Estate) -> None:
    rent(estate, "llm", "ada")
    rent(estate, "gpuops-ada", "ada")
    done = estate.run("teardown", variables={"owner": "ada", "ledger": "none"})
    assert done.returncode != 0
    assert "name one of your deployments with -e deployment=NAME: gpuops-ada, llm" in said(done)
    assert living(estate) == ["gpuops-ada", "llm"]


def test_instance_of_another_owner_is_not_used_unasked(estate: Estate) -> None:
    rent(estate, "llm", "bob")
    done = estate.run("bringup", variables={**WISH, "deployment": "llm"})
    assert done.returncode != 0
    assert "it belongs to bob, not to ada" in said(done)
    assert "-e confirm=yes" in said(done)
    assert estate.orders() == [row for row in estate.orders() if row["method"] == "POST"][:1]


def test_second_controller_without_the_key_is_told_at_once(estate: Estate) -> None:
    client = Client.from_params({**AUTH, "base_url": f"{estate.cloud.url}/v1"})
    key = client.create("/ssh-keys", {"name": "gpuops.llm.first", "key": "ssh-ed25519 AAAAfirst x"})
    rent(estate, "llm", "ada", (str(key),))
    done = estate.run("bringup", variables={**WISH, "deployment": "llm", "ssh_ready_timeout": 300})
    assert "was ordered with the key gpuops.llm.first" in said(done), said(done)
    assert "Wait until the instance is reachable over SSH" not in said(done)


def test_second_deployment_of_a_run_leaves_the_first_alone(estate: Estate) -> None:
    book = estate.home / "site.yml"
    called = str(Path(__file__).resolve().parents[2] / "playbooks/bringup.yml")
    plays = [{"import_playbook": called, "vars": {"deployment": name}} for name in ("one", "two")]
    book.write_text(json.dumps(plays), encoding="utf-8")
    wish = {**WISH, "ssh_ready_timeout": 1, "ansible_ignore_errors": True}
    done = estate.run(str(book.with_suffix("")), "--check", variables=wish)
    assert done.returncode == 0, said(done)
    assert "would: buy one" in said(done)
    assert "would: buy two" in said(done)
