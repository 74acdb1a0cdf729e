# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The job templates and surveys for AWX: what they ask is what the playbooks take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.module_utils._request.specs import spec_of
from ansible_collections.gpuops.cloud.tests.unit.test_estates import Estate, said
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples/awx"
# Types of questions, by what an option of Ansible takes them for.
TYPES = {"text": {"str"}, "float": {"float"}, "multiplechoice": {"str", "bool"}}


def load(name: str) -> Any:
    """Return what a file of the examples holds."""
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


TEMPLATES = load("job-templates.yml")["job_templates"]
each = pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: Path(one["playbook"]).stem)


def questions(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the questions of a template's survey, none where it has no survey."""
    return list(template.get("survey_spec", {}).get("spec", []))


def known(template: dict[str, Any]) -> dict[str, Any]:
    """Return the variables that the template's playbook takes, with those of the roles it runs."""
    role = yaml.safe_load((ROOT / "roles/vllm/meta/argument_specs.yml").read_text(encoding="utf-8"))
    return {
        **spec_of(Path(template["playbook"]).stem),
        **role["argument_specs"]["main"]["options"],
    }


@each
def test_playbook_calls_the_one_of_the_collection(template: dict[str, Any]) -> None:
    name = Path(template["playbook"]).stem
    (play,) = load(template["playbook"])
    assert play["ansible.builtin.import_playbook"] == f"gpuops.cloud.{name}"
    assert (ROOT / f"playbooks/{name}.yml").is_file()


@each
def test_every_variable_is_known_to_the_playbook(template: dict[str, Any]) -> None:
    given = {*template["extra_vars"], *(row["variable"] for row in questions(template))}
    assert given - known(template).keys() == set()


@each
def test_every_answer_is_one_that_the_playbook_takes(template: dict[str, Any]) -> None:
    for row in questions(template):
        option = known(template)[row["variable"]]
        assert option.get("type", "str") in TYPES[row["type"]], row["variable"]
        choices = row.get("choices", [])
        assert row.get("default", "x") in (choices or [row.get("default", "x")]), row["variable"]
        assert set(choices) - set(option.get("choices") or choices) == set(), row["variable"]
        assert row["required"], "AWX leaves out what was not answered"


def test_credential_sets_what_it_asks_for() -> None:
    kind = load("credential-type.yml")
    asked = {field["id"] for field in kind["inputs"]["fields"]}
    set_to = yaml.safe_dump(kind["injectors"])
    assert kind["inputs"]["required"] == [field["id"] for field in kind["inputs"]["fields"]]
    assert [name for name in asked if "{{ " + name + " }}" not in set_to] == []


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Provide a controller as a job has it: nothing at home, and a cloud."""
    with Simulator({"stock": {"FIN-01": {"on_demand": {"1A100.22V": 1}}}}) as cloud:
        yield Estate(cloud, tmp_path)


def test_job_of_the_survey_would_buy(estate: Estate) -> None:
    bringup = TEMPLATES[0]
    answers = {row["variable"]: row.get("default", "llm") for row in questions(bringup)}
    job = {"awx_job_id": 7, "awx_user_name": "ada", "tower_user_name": "ada"}
    credential = {"ssh_private_key_file": str(estate.key()), "vllm_api_key": "of-the-credential"}
    # No hub is asked here.
    own = {"model_fit": False, "tier": "any_a100"}
    given = {**bringup["extra_vars"], **answers, **job, **credential, **own}
    book = str((EXAMPLES / bringup["playbook"]).with_suffix(""))
    done = estate.run(book, "--check", variables=given, GPUOPS_LEDGER="none")
    assert done.returncode == 0, said(done)
    assert "would: buy llm: 1A100.22V" in said(done)
    assert "of-the-credential" not in said(done)
    assert estate.cloud.writes() == []
