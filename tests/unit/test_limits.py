# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A limit under which a playbook would do nothing, or buy what nobody sets up, is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.module_utils._request.specs import (
    ON_A_JOB,
    ON_HOSTS,
    TAKES,
)
from ansible_collections.gpuops.cloud.tests.unit.test_estates import Estate, said
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
HOSTS = "web1 ansible_connection=local\n"
LOCALHOST = f"{HOSTS}localhost ansible_connection=local\n"


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Return an estate with a host, and a cloud that nothing may be asked of."""
    with Simulator({"provision_seconds": 0}) as cloud:
        yield Estate(cloud, tmp_path)
        assert cloud.log() == []


def _named(book: str, home: Path) -> dict[str, str]:
    """Return what names the instances that a playbook works on."""
    if book == "job":
        project = home / "project"
        project.mkdir()
        (project / "train.job.yml").write_text("command: [true]\n", encoding="utf-8")
        return {"job": str(project / "train.job.yml")}
    if book in ON_A_JOB:
        return {"job_name": "train"}
    return {"deployment": "gpuops-ada"} if book in ON_HOSTS else {}


def limited(estate: Estate, book: str, limit: str, hosts: str = HOSTS) -> str:
    """Run a playbook with a limit, which fails before it asks the cloud; returns what it said."""
    inventory = estate.home / "hosts"
    inventory.write_text(hosts, encoding="utf-8")
    words = ("-i", str(inventory), "--limit", limit)
    done = estate.run_installed(book, *words, variables=_named(book, estate.home))
    assert done.returncode != 0, said(done)
    return said(done)


@pytest.mark.parametrize("book", sorted({*TAKES} - {"demo_stop"}))
def test_every_playbook_says_that_the_limit_leaves_it_nothing_to_do(
    estate: Estate, book: str
) -> None:
    heard = limited(estate, book, "web1")
    assert "--limit web1 leaves out localhost, where this playbook works, so nothing" in heard
    assert "--limit 'web1,localhost'" in heard


@pytest.mark.every_core
@pytest.mark.parametrize(
    ("limit", "hosts"),
    [("web1", LOCALHOST), ("all", HOSTS), ("!localhost", LOCALHOST), ("web*", HOSTS)],
)
def test_limit_is_read_as_ansible_reads_it(estate: Estate, limit: str, hosts: str) -> None:
    heard = limited(estate, "status", limit, hosts)
    assert heard.count(f"--limit {limit} leaves out localhost") == 1
    assert "unhandled exception" not in heard


@pytest.mark.parametrize("book", sorted(ON_HOSTS))
def test_limit_that_leaves_the_instances_out_is_refused(estate: Estate, book: str) -> None:
    heard = limited(estate, book, "localhost,web1", LOCALHOST)
    group = ON_HOSTS[book][0]
    assert f"--limit localhost,web1 leaves out {group}" in heard
    assert f"--limit 'localhost,web1,{group}'" in heard


@pytest.mark.every_core
@pytest.mark.parametrize(
    ("book", "limit", "words"),
    [
        ("observed", "localhost", "observation_log is required"),
        ("observed", "all", "observation_log is required"),
        ("observed", "!web1", "observation_log is required"),
        ("preflight", "all", "vllm_model is required"),
        ("preflight", "localhost,gpuops_machines", "vllm_model is required"),
        ("preflight", "localhost,gpuops-ada-2", "vllm_model is required"),
    ],
)
def test_limit_that_leaves_enough_is_no_reason_to_stop(
    estate: Estate, book: str, limit: str, words: str
) -> None:
    heard = limited(estate, book, limit, LOCALHOST)
    assert words in heard
    assert "leaves out" not in heard


def test_every_playbook_begins_where_the_limit_is_looked_at() -> None:
    begins = {}
    for path in (ROOT / "playbooks").glob("*.yml"):
        first = yaml.safe_load(path.read_text(encoding="utf-8"))[0]
        called = first.get("ansible.builtin.import_playbook")
        begins[path.stem] = called or first["hosts"]
    wanted = "{{ lookup('gpuops.cloud.localhost') }}"
    other = {book: first for book, first in begins.items() if first != wanted}
    # job_end does nothing unless another playbook imports it.
    assert other == {"demo_stop": "teardown.yml", "job_end": "localhost"}, json.dumps(other)
