# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks check names before they write, and write no line that somebody else has worded."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import warm_ansible
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
WRITERS = ("bringup", "benchmark", "gateway", "monitor", "teardown")


def play(name: str, home: Path, url: str, *words: str, **variables: Any) -> str:
    """Run a playbook that fails; returns what it said."""
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment |= {
        "HOME": str(home),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_REMOTE_TMP": str(home / "tmp"),
        "DATACRUNCH_BASE_URL": url,
        "DATACRUNCH_CLIENT_ID": "names",
        "DATACRUNCH_CLIENT_SECRET": "the-secret-of-the-names",
    }
    book = str(ROOT / f"playbooks/{name}.yml")
    given = (book, "-e", json.dumps(variables), *words)
    done = warm_ansible.run("playbook", given, folder=home, environment=environment)
    assert done.returncode != 0, done.stdout
    return " ".join((done.stdout + done.stderr).split())


def files(folder: Path) -> dict[str, int]:
    """Return everything in a folder with its mode, but what Ansible itself keeps."""
    rows = {str(path.relative_to(folder)): path.stat().st_mode for path in folder.rglob("*")}
    return {name: mode for name, mode in rows.items() if not name.startswith(("tmp", ".ansible"))}


@pytest.mark.parametrize("name", [*WRITERS, "bringup --check"])
def test_nothing_is_written_under_a_name_that_leads_elsewhere(tmp_path: Path, name: str) -> None:
    home, victim = tmp_path / "home", tmp_path / "victim"
    (home / ".config/gpuops").mkdir(parents=True)
    victim.mkdir()
    victim.chmod(0o755)
    before = files(tmp_path / "home"), files(tmp_path).keys(), victim.stat().st_mode
    book, *words = name.split()
    with Simulator() as cloud:
        url = f"{cloud.url}/v1"
        said = play(book, home, url, *words, deployment="../../../victim", tier="h100_or_less")
        assert "(got '../../../victim')" in said
        assert cloud.log() == []
    assert (files(home), victim.stat().st_mode) == (before[0], before[2])


@pytest.mark.parametrize(
    ("option", "value"),
    [("machine_name", "a b"), ("machine_name", "-oProxyCommand=x"), ("deployment", "llm\n")],
)
def test_other_names_come_first_too(tmp_path: Path, option: str, value: str) -> None:
    with Simulator() as cloud:
        said = play("bringup", tmp_path, f"{cloud.url}/v1", **{option: value, "tier": "a100"})
        assert f"{option} " in said
        assert "must be" in said
        assert cloud.log() == []
    assert files(tmp_path) == {}


@pytest.mark.parametrize("path", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda p: p.stem)
def test_every_playbook_that_has_a_folder_checks_names_first(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = yaml.safe_load(text)[0]
    # The end of two others, whose request was checked.
    if (
        path.stem == "job_end"
        or not re.search(r"\{\{ _deployment \}\}\"$", text, re.M)
        or "_home:" not in text
    ):
        return
    assert first["tasks"][0]["gpuops.cloud.request"] == {"playbook": path.stem}


MISSPELT = [
    ("bringup", {"tier": "a100", "max_price_per_huor": 0.01}, "max_price_per_hour"),
    ("teardown", {"deploment": "llm"}, "deployment"),
    ("lease", {"deployment": "llm", "extend": "2h", "mashine_name": "x"}, "machine_name"),
    ("reap", {"everything": True, "moed": "report"}, "mode"),
    ("capacity", {"teir": "h100_or_less"}, "tier"),
    ("status", {"favourite_colour": "red"}, "favourite_colour"),
]


@pytest.mark.parametrize(("book", "given", "named"), MISSPELT, ids=[row[0] for row in MISSPELT])
def test_misspelt_variables_cost_no_request(
    tmp_path: Path, book: str, given: dict[str, Any], named: str
) -> None:
    with Simulator() as cloud:
        said = play(book, tmp_path, f"{cloud.url}/v1", **given)
        assert f"Not known on the command line: {list(given)[-1]}" in said
        assert named in said
        assert cloud.log() == []
    assert files(tmp_path) == {}


@pytest.mark.every_core
@pytest.mark.parametrize("option", ["max_price_per_hour", "max_lease_cost", "count", "gpu_count"])
def test_zero_is_a_limit_and_not_none(tmp_path: Path, option: str) -> None:
    """A ceiling of nothing buys nothing; it was no ceiling at all."""
    stock = {"FIN-01": {"on_demand": {"1A100.22V": 4}, "spot": {}}}
    with Simulator({"stock": stock}) as cloud:
        wish = {"tier": "any_a100", "vllm_device": "cpu", "vllm_model": "/models/none"}
        said = play("bringup", tmp_path, f"{cloud.url}/v1", **wish, **{option: 0})
        assert option.removesuffix("_per_hour").removeprefix("max_") in said or "ceiling" in said
        assert not any(row["path"] == "/v1/instances" for row in cloud.writes())
        assert [row for row in cloud.writes() if row["path"] == "/v1/instances"] == []
