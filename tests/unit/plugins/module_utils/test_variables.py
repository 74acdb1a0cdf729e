# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of variables: which are ours, and what a misspelt one was meant to be."""

from __future__ import annotations

import random
import re
import string
from pathlib import Path

import jinja2.meta
import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.action.request import role_options
from ansible_collections.gpuops.cloud.plugins.module_utils._core.nearest import (
    NEAR,
    distance,
    nearest,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._request.variables import (
    PLAYBOOKS,
    unknown,
)

ROOT = Path(__file__).parents[4]
KNOWN = PLAYBOOKS | role_options()
# Of Ansible, and what plays hand to each other.
NOT_GIVEN = {
    *("groups", "hostvars", "inventory_hostname", "item", "lookup", "now", "omit", "playbook_dir"),
    # A template may set these within a condition.
    *("rows", "gpuops_machine", "name", "one", "near"),
}
SEED = 300


def read_by_playbooks() -> set[str]:
    """Return the names that expressions and templates of the playbooks read."""
    found: set[str] = set()
    for path in (ROOT / "playbooks").rglob("*.yml"):
        if "files" not in path.parts:
            texts = re.findall(r"\{\{.*?\}\}|\{%.*?%\}", path.read_text(encoding="utf-8"), re.S)
            for text in texts:
                found |= names_in(text)
    for path in (ROOT / "playbooks/templates").glob("*.j2"):
        found |= names_in(path.read_text(encoding="utf-8"))
    return {name for name in found if not name.startswith(("_", "ansible_"))}


def names_in(text: str) -> set[str]:
    """Return the names that a template reads from outside; a part of one reads nothing."""
    try:
        tree = jinja2.Environment().parse(re.sub(r"\|\s*gpuops\.cloud\.\w+", "|list", text))
        return set(jinja2.meta.find_undeclared_variables(tree))
    except jinja2.TemplateError:
        return set()


def test_every_variable_of_a_playbook_is_known() -> None:
    assert read_by_playbooks() - NOT_GIVEN - KNOWN == set()


def test_every_variable_that_the_readme_lists_is_known() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("## Variables of the playbooks") : text.index("## Parts")]
    rows = (line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    listed = {
        name for row in rows for name in re.findall(r"`([a-z_]+)`", re.sub(r"\(.*?\)", "", row))
    }
    assert listed - KNOWN == set()


def test_variables_of_the_tests_are_known() -> None:
    given = yaml.safe_load((ROOT / "extensions/molecule/vars.yml").read_text(encoding="utf-8"))
    assert [one.name for one in unknown(given, KNOWN) if one.nearest] == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("max_price_per_huor", "max_price_per_hour"),
        ("max_price_per_hou", "max_price_per_hour"),
        ("deploment", "deployment"),
        ("deployement", "deployment"),
        ("teir", "tier"),
        ("Tier", "tier"),
        ("leese", "lease"),
        ("vllm_modle", "vllm_model"),
        ("confrim", "confirm"),
        ("bugdet", "budget"),
    ],
)
def test_misspelt_names(name: str, meant: str) -> None:
    (found,) = unknown([name], KNOWN)
    assert found.nearest[0] == meant
    assert meant in str(found)


@pytest.mark.parametrize("name", ["ansible_python_interpreter", "awx_job_id", "molecule_yml", "_x"])
def test_names_of_others_are_let_through(name: str) -> None:
    assert unknown([name], KNOWN) == []


def test_name_that_ends_too_early_is_told_how_it_goes_on() -> None:
    (found,) = unknown(["max_price"], KNOWN)
    assert str(found) == "max_price (did you mean max_price_per_hour?)"
    assert found.nearest == ()  # a playbook of somebody else may use it


def test_variables_that_only_a_role_knows_are_let_through() -> None:
    assert unknown(["vllm_wheelhouse", "vllm_ca_bundle"], KNOWN, ["vllm"]) == []
    (found,) = unknown(["vllm_modle"], KNOWN, ["vllm"])
    assert found.nearest[0] == "vllm_model"


def test_names_that_are_nobodys_have_no_nearest() -> None:
    (found,) = unknown(["favourite_colour"], KNOWN)
    assert found.nearest == ()


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [
        ("tier", "tier", 0),
        ("tier", "teir", 1),
        ("tier", "ter", 1),
        ("tier", "tire", 1),
        ("tier", "tears", 3),
        ("count", "counts_", 2),
        ("", "ab", 2),
        ("teir", "tier", 1),
        ("counts_", "count", 2),
        ("ab", "", 2),
    ],
)
def test_distance(one: str, other: str, far: int) -> None:
    assert distance(one, other) == far


def mistake(dice: random.Random, name: str) -> str:
    """Return a name with one or two slips of the finger in it."""
    for _slip in range(dice.randint(1, NEAR)):
        at = dice.randrange(len(name))
        letter = dice.choice(string.ascii_lowercase)
        swapped = name[:at] + name[at : at + 2][::-1] + name[at + 2 :]
        slips = (swapped, name[:at] + name[at + 1 :], name[:at] + letter + name[at:])
        name = dice.choice([*slips, name[:at] + letter + name[at + 1 :]]) or letter
    return name


def test_three_hundred_mistakes_are_known_for_what_they_were_meant_to_be() -> None:
    dice = random.Random(SEED)
    wrong, tried = [], 0
    while tried < 300:
        name = dice.choice(sorted(KNOWN))
        slipped = mistake(dice, name)
        if slipped in KNOWN or slipped.startswith("_") or distance(slipped, name) > NEAR:
            continue
        tried += 1
        (found,) = unknown([slipped], KNOWN)
        if not found.nearest or min(distance(slipped, one) for one in found.nearest) > NEAR:
            wrong.append((name, slipped))
        assert distance(slipped, found.nearest[0]) <= distance(slipped, name)
        assert nearest(slipped, [name]) == (name,)
    assert wrong == []
