# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks over two clouds: one list of offers, bought at one, shown and ended at both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.expressions import evaluate
from ansible_collections.gpuops.cloud.tests.unit.terminal import converse
from ansible_collections.gpuops.cloud.tests.unit.test_estates import ROOT, Estate, said
from gpuops_simulator import Simulator
from gpuops_simulator.clock import Clock
from gpuops_simulator.doors.lambda_cloud import LambdaDoor

SECRET = "the-secret-of-the-other-cloud"
BOTH = ["verda", "lambda"]


@dataclass
class TwoClouds(Estate):
    """An estate with an account at each of two clouds."""

    door: LambdaDoor

    @property
    def shared(self) -> dict[str, Any]:
        """Return what each run is given."""
        accounts = {"lambda": {"api_key": SECRET, "base_url": f"{self.door.url}/v1"}}
        given = {"providers": BOTH, "gpuops_accounts": accounts, "gpuops_ledger": "none"}
        return {**given, "gpuops_wait_interval": 0.2}

    def play(self, book: str, *words: str, **variables: Any) -> Any:
        """Run a playbook over both, the key of the second cloud in a variable of the estate."""
        done = self.run(book, *words, variables={**self.shared, **variables})
        assert SECRET not in done.stdout + done.stderr
        return done

    def as_json(self, book: str, **variables: Any) -> dict[str, Any]:
        """Return what a playbook shows for programs."""
        done = self.play(book, format="json", **variables)
        assert done.returncode == 0, said(done)
        (line,) = [row for row in done.stdout.splitlines() if row.startswith('{"')]
        found: dict[str, Any] = json.loads(line)
        return found


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[TwoClouds]:
    """Return both clouds, the second of which builds quickly and is the cheaper one."""
    stock = {"FIN-01": {"on_demand": {"1A100.22V": 4}, "spot": {}}}
    door = LambdaDoor(Clock(300))
    door.start()
    try:
        with Simulator({"stock": stock}) as cloud:
            yield TwoClouds(cloud, tmp_path, door)
    finally:
        door.stop()


WISH = {
    "purpose": "shell",
    "tier": "any_a100",
    "objective": "cheapest",
    "deployment": "llm",
    "owner": "ada",
}


def test_the_cheapest_of_both_is_brought_up_shown_and_ended(clouds: TwoClouds) -> None:
    planned = clouds.play("bringup", "--check", **WISH)
    assert planned.returncode == 0, said(planned)
    assert "would: lambda: buy llm: gpu_1x_a100" in said(planned)
    assert (clouds.door.living(), clouds.orders(), clouds.door.keys) == ([], [], {})
    done = clouds.play("bringup", "--tags", "purchase", **WISH)
    assert done.returncode == 0, said(done)
    (instance,) = clouds.door.living()
    assert clouds.orders() == []
    (key,) = clouds.door.keys.values()
    folder = clouds.home / ".config/gpuops/llm"
    assert key["public_key"].split()[:2] == (folder / "id_ed25519.pub").read_text().split()[:2]
    settings = (folder / "ssh_config").read_text(encoding="utf-8")
    assert f"Host llm 192.0.2.8\n  HostName 192.0.2.8\n  HostKeyAlias {instance.id}" in settings
    assert "\n  User ubuntu\n" in settings
    shown = clouds.as_json("status")
    assert [(row["provider"], row["name"]) for row in shown["instances"]] == [("lambda", "llm")]
    assert [row["reason"] for row in shown["balance"]["accounts"]] == [None, "not_told"]
    table = said(clouds.play("status"))
    assert "lambda llm llm active gpu_1x_a100_sxm4_80gb US-WEST-1 192.0.2.8 ada 1.29" in table
    assert "--ask-become-pass -e everything=true -e providers=verda,lambda" in table
    until = shown["instances"][0]["lease_end"]
    longer = clouds.as_json("lease", deployment="llm", owner="ada", extend="1h")
    assert longer["instances"][0]["lease_end"] > until
    ended = clouds.as_json("teardown", deployment="llm", owner="ada")
    assert (ended["leftovers"], clouds.door.living(), clouds.door.keys) == ([], [], {})
    assert [row["provider"] for row in ended["bill"]] == ["lambda"]
    assert not folder.exists()


@pytest.mark.parametrize(("text", "orders"), [("no", 0), ("yes", 1)])
def test_somebody_at_a_terminal_is_asked_before_either_is_paid(
    clouds: TwoClouds, text: str, orders: int
) -> None:
    command, environment = clouds.command("bringup", {**clouds.shared, **WISH})
    command += ["--tags", "purchase"]
    answers = {"Type yes to go on:": text}
    status, heard = converse(command, environment, clouds.home, answers, patience=120)
    words = " ".join(heard.split())
    assert "would lambda: buy llm: gpu_1x_a100" in words
    assert "It costs 1.29 usd per hour" in words
    assert (status == 0, len(clouds.door.living())) == (bool(orders), orders), words
    assert clouds.orders() == []


def test_whoever_cannot_log_in_is_told_how_to_terminate_it_where_it_is(clouds: TwoClouds) -> None:
    done = clouds.play("bringup", **WISH, ask=False, ssh_ready_timeout=1)
    assert done.returncode != 0
    assert len(clouds.door.living()) == 1
    assert "teardown.yml -e deployment=llm -e providers=verda,lambda" in said(done)


def test_a_deployment_that_is_known_nowhere_is_told_with_what_costs(clouds: TwoClouds) -> None:
    clouds.door.make(
        name="gpo.web.web.2999-01-01T00:00:00Z.00000000",
        instance_type_name="gpu_1x_a100_sxm4_80gb",
    )
    done = clouds.play("teardown", deployment="wbe")
    assert done.returncode != 0
    assert "Unknown deployment wbe" in said(done)


def test_what_is_over_is_told_of_both(clouds: TwoClouds) -> None:
    found = clouds.as_json("reap", everything=True)
    assert (found["reaped"], len(found["lines"])) == ([], 2)


def test_figures_of_both_are_in_one_file(clouds: TwoClouds, tmp_path: Path) -> None:
    path = tmp_path / "x.prom"
    for book, more in (
        ("reap", {"everything": True, "metrics_file": str(path)}),
        ("metrics", {"file": str(path), "file_mode": "0640"}),
    ):
        done = clouds.play(book, **more)
        assert done.returncode == 0, said(done)
        text = path.read_text(encoding="utf-8")
        assert {f'gpuops_api_up{{provider="{name}"}} 1.0' for name in BOTH} <= {*text.splitlines()}
        assert 'gpuops_reaper_runs_total{provider="lambda",result="ok"} 1.0' in text
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_round_of_the_role_looks_at_both(clouds: TwoClouds, tmp_path: Path) -> None:
    verda = {"client_id": "estate", "client_secret": "the-secret-of-the-estate"}
    accounts = {
        "verda": {**verda, "base_url": f"{clouds.cloud.url}/v1"},
        "lambda": {"api_key": SECRET, "base_url": f"{clouds.door.url}/v1"},
    }
    given = {
        "role_path": str(ROOT / "roles/reaper"),
        "reaper_providers": BOTH,
        "reaper_accounts": accounts,
        "reaper_everything": True,
    }
    texts = evaluate(tmp_path, "reaper", {"one": given}, "_reaper_secrets.variables")
    file = tmp_path / "variables"
    file.write_text(texts["one"], encoding="utf-8")
    clouds.door.make(
        name="gpo.web.web.10000.00000000",
        instance_type_name="gpu_1x_a100_sxm4_80gb",
    )
    none = {f"DATACRUNCH_{name}": "" for name in ("CLIENT_ID", "CLIENT_SECRET", "BASE_URL")}
    done = clouds.run("reap", "-e", f"@{file}", variables={}, **none)
    assert done.returncode == 0, said(done)
    # What the second cloud has was seen there, with the key of the role.
    assert "lambda: Unclear, so left: instance " in said(done)
    assert SECRET not in done.stdout + done.stderr
    assert any(row["path"] == "/v1/instances" for row in clouds.cloud.log())


def test_reaper_at_a_provider_without_credentials_is_no_reaper(clouds: TwoClouds) -> None:
    done = clouds.play("reaper", providers=["verda", "lambda", "vast"])
    assert done.returncode != 0
    assert "No credentials for Vast.ai" in said(done)
    assert "Fail if files, units or ports" not in said(done)


@pytest.mark.parametrize(
    ("book", "more", "words"),
    [
        ("job", {"run": "true"}, "job works at verda alone, and providers names verda, lambda"),
        ("restore", {"deployment": "llm"}, "restore works at verda alone"),
        ("bringup", {**WISH, "replace": True}, "replace: what verda alone has does not go with"),
        ("bringup", {**WISH, "vllm_nodes": 2}, "vllm_nodes: what verda alone has does not go"),
        ("bringup", {**WISH, "observation_log": "x"}, "observation_log: what verda alone"),
        ("teardown", {"deployment": "llm", "purge_trash": True}, "purge_trash: what verda alone"),
        ("bringup", {**WISH, "providers": ["verda", "lamda"]}, "lamda"),
    ],
)
def test_what_one_provider_alone_has_costs_no_request(
    clouds: TwoClouds, book: str, more: dict[str, Any], words: str
) -> None:
    done = clouds.play(book, **more)
    assert done.returncode != 0
    assert words in said(done)
    assert (clouds.cloud.log(), clouds.door.log) == ([], [])
