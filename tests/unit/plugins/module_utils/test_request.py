# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for in one run: where it counts, what it means, and what cannot be meant."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.action.request import words_of
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.accounts import accounts_spec
from ansible_collections.gpuops.cloud.plugins.module_utils._request import specs
from ansible_collections.gpuops.cloud.plugins.module_utils._request.gather import (
    Sources,
    gather,
    read_project,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._several.options import grouped
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import PLUGINS

ROOT = Path(__file__).resolve().parents[4]
SEED = 300


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let ada work in a home of her own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "ada")
    for name in ("GPUOPS_HOME", "GPUOPS_OWNER"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def sources(**places: Any) -> Sources:
    """Return sources in which only these places say something."""
    empty: dict[str, Any] = {"command_line": {}, "play": {}, "project": {}, "variables": {}}
    return Sources(**{**empty, **places})


def asked(book: str = "bringup", **given: Any) -> dict[str, Any]:
    """Return the request of what is given on the command line."""
    return gather(book, sources(command_line=given))


def problem(book: str = "bringup", **given: Any) -> str:
    """Return what is said of something that cannot be meant."""
    with pytest.raises(InvalidError) as caught:
        asked(book, **given)
    return str(caught.value)


# -- where it counts -------------------------------------------------------------------------------


def test_estate_that_uses_every_short_name_changes_nothing() -> None:
    estate = dict.fromkeys(specs.VARIABLES, "estate")
    for name in list(estate):
        if name.startswith(specs.ANYWHERE_BEGINS):
            del estate[name]
    for book in specs.TAKES:
        given = {"job_name": "x", **({"run": "x"} if book == "job" else {})}
        given = given if book in specs.ON_A_JOB else {}
        plain = gather(book, sources(command_line=given))
        assert gather(book, sources(command_line=given, variables=estate)) == plain


def test_places_in_their_order() -> None:
    places = [
        ("command_line", "tier"),
        ("command_line", "gpuops_tier"),
        ("play", "tier"),
        ("project", "tier"),
        ("variables", "gpuops_tier"),
    ]
    tiers = ["h200", "h100", "a100", "l40s", "v100"]
    said: dict[str, dict[str, str]] = {}
    for (place, name), tier in reversed(list(zip(places, tiers, strict=True))):
        said.setdefault(place, {})[name] = tier
        assert gather("bringup", sources(**said))["given"]["tier"] == tier


@pytest.mark.parametrize("nothing", ["", None])
def test_nothing_is_not_given(nothing: Any) -> None:
    assert asked(tier=nothing, owner=nothing)["given"] == {}


@pytest.mark.parametrize("name", ["max_price_per_hour", "count", "max_lease_cost"])
def test_limit_that_is_empty_is_no_limit_that_was_left_out(name: str) -> None:
    assert f"{name} is empty" in problem(**{name: ""})


def test_role_variables_and_our_own_names_count_from_anywhere() -> None:
    found = gather("bringup", sources(variables={"vllm_nodes": "2", "gpuops_home": "/x"}))
    assert found["given"]["vllm_nodes"] == 2
    assert found["home"] == "/x"


def test_ledger_is_named_and_not_shown() -> None:
    url = "postgresql://me:swordfish@db/ledger"
    for place, name in (
        ("command_line", "ledger"),
        ("play", "ledger"),
        ("variables", "gpuops_ledger"),
    ):
        found = gather("bringup", sources(**{place: {name: url}}))
        assert "swordfish" not in str(found)
        assert found["ledger_variable"] == name
    assert (
        gather("bringup", sources(variables={"ledger": url}))["ledger_variable"] == "gpuops_ledger"
    )


# -- the deployment --------------------------------------------------------------------------------


def test_deployment_is_the_owners_where_nobody_names_one(home: Path) -> None:
    found = asked()
    assert (found["deployment"], found["named"]) == ("gpuops-ada", False)
    assert "gpuops-ada" in found["told"]
    assert found["folder"] == str(home / ".config/gpuops/gpuops-ada")
    assert asked(owner="Bob.B@lab")["deployment"] == "gpuops-bob-b-lab"
    assert asked(deployment="llm")["told"] == ""


def test_deployment_of_the_release_before_is_found(home: Path) -> None:
    (home / ".config/gpuops/gpuops").mkdir(parents=True)
    found = asked("teardown")
    assert found["deployment"] == "gpuops"
    assert "gpuops" in found["told"]
    (home / ".config/gpuops/gpuops-ada").mkdir()
    assert asked("teardown")["deployment"] == "gpuops-ada"


def test_playbooks_of_the_whole_account_mean_no_deployment() -> None:
    for book in ("status", "reap", "cost", "capacity"):
        assert asked(book)["deployment"] == ""


def project(folder: Path, text: str) -> None:
    """Write a project file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gpuops.yml").write_text(text, encoding="utf-8")


def load(path: str) -> Any:
    """Read a file as Ansible would."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def test_project_file_is_the_nearest_one(tmp_path: Path) -> None:
    project(tmp_path, "deployment: far\n")
    project(tmp_path / "a/b", "deployment: near\n")
    below = tmp_path / "a/b/c"
    below.mkdir()
    path, found = read_project(below, os.getuid(), load)
    assert (path, found) == (str(tmp_path / "a/b/gpuops.yml"), {"deployment": "near"})
    assert read_project(tmp_path / "a", os.getuid(), load)[1] == {"deployment": "far"}


def test_project_file_of_somebody_else_does_not_count(tmp_path: Path) -> None:
    project(tmp_path, "deployment: theirs\n")
    (tmp_path / "gpuops.yml").chmod(0o666)
    assert read_project(tmp_path, os.getuid(), load) == ("", {})
    (tmp_path / "gpuops.yml").chmod(0o644)
    if os.getuid() == 0:
        os.chown(tmp_path / "gpuops.yml", 12345, 12345)
        assert read_project(tmp_path, 0, load) == ("", {})


def test_folder_of_that_name_is_no_project_file(tmp_path: Path) -> None:
    (tmp_path / "a/gpuops.yml").mkdir(parents=True)
    assert read_project(tmp_path / "a", os.getuid(), load) == ("", {})


def test_playbook_of_that_name_is_no_project_file(tmp_path: Path) -> None:
    project(tmp_path, "- import_playbook: gpuops.cloud.bringup\n")
    assert read_project(tmp_path, os.getuid(), load) == ("", {})


@pytest.mark.parametrize("text", ["deploymnet: llm\n", "ledger: postgresql://me:x@y/z\n"])
def test_project_file_with_strange_names_is_refused(tmp_path: Path, text: str) -> None:
    project(tmp_path, text)
    with pytest.raises(InvalidError, match=r"gpuops\.yml: (deploymnet|ledger) is no variable"):
        read_project(tmp_path, os.getuid(), load)


# -- what it means ---------------------------------------------------------------------------------


def test_zero_is_zero() -> None:
    found = asked(max_price_per_hour=0, wait_for_capacity="0")
    assert found["given"] == {"max_price_per_hour": 0.0, "wait_for_capacity": 0.0}
    assert found["options"]["datacrunch_instance"] == found["given"]


def test_modules_get_what_they_take_by_their_own_names() -> None:
    found = asked(machine_name="one", tier="h100", data_volumes="keep", ask="no")["options"]
    assert found["datacrunch_instance"] == {"name": "one", "tier": "h100", "data_volumes": "keep"}
    assert asked("metrics", file_mode="0600")["options"]["datacrunch_metrics"] == {"mode": "0600"}


def test_parts_that_nobody_gave_are_left_out() -> None:
    found = asked(budget='{"per_day": 20}')["given"]["budget"]
    assert found["per_day"] == 20
    assert "per_hour" not in found


@pytest.mark.parametrize(
    ("option", "found"),
    [
        (
            "hours=mon-fri 08:00-19:00 Europe/Helsinki",
            {"hours": "mon-fri 08:00-19:00 Europe/Helsinki"},
        ),
        ("tier=h100 prompt=what are you?", {"prompt": "what are you?"}),
        ("tier=h100 count=2", {}),
        ('{"hours": "a b"}', {}),
        ("@file with blanks.yml", {}),
    ],
)
def test_texts_of_several_words(option: str, found: dict[str, str]) -> None:
    assert words_of([option]) == found


@pytest.mark.parametrize("option", ["count=2 3", "teardown", "vllm_port=1 2"])
def test_words_that_belong_to_nothing_are_refused(option: str) -> None:
    with pytest.raises(InvalidError, match="belongs to no variable"):
        words_of([option])


# -- the table of variables ------------------------------------------------------------------------


@pytest.mark.parametrize("module", specs.OPTIONS)
def test_types_are_those_of_the_modules(module: str) -> None:
    spec = importlib.import_module(f"{PLUGINS}.modules.{module}")
    taken = {**specs.SELECTION_SPEC, **accounts_spec(), **getattr(spec, "SPEC", {})}
    names = {specs.RENAMED.get(name, name): name for name in specs.OPTIONS[module].split()}
    if module == "gpu_instance":
        for group, parts in grouped({name: name for name in names if name != "budget"}).items():
            options = taken[group].get("options") if isinstance(parts, dict) else None
            taken |= {parts[one]: option for one, option in (options or {}).items() if one in parts}
    taken["budget"] = specs.BUDGET_SPEC["budget"]
    for engine, name in names.items():
        theirs = taken[engine]
        ours = specs.VARIABLES[name]
        for key in ("type", "elements"):
            assert ours.get(key) == theirs.get(key), (module, name, key)
        assert set(ours.get("choices", [])) == set(theirs.get("choices", [])), (module, name)


def test_variables_stand_in_the_groups_of_the_module() -> None:
    given = {"tier": "h100", "os_volume_gb": 50, "wait_timeout": 9.0, "name": "llm"}
    given |= {"budget": {"per_hour": 5.0}, "budget_policy": "warn", "providers": ["lambda"]}
    assert grouped(given) == {
        "name": "llm",
        "providers": ["lambda"],
        "offer": {"tier": "h100"},
        "volumes": {"os_gb": 50},
        "waiting": {"timeout": 9.0},
        "budget": {"per_hour": 5.0, "policy": "warn"},
    }
    assert grouped({}) == {}


def test_every_playbook_has_a_row() -> None:
    books = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    # One of them is the end of two others.
    assert books - {"job_end"} == specs.TAKES.keys()
    assert {name for names in specs.TAKES.values() for name in names} == specs.VARIABLES.keys()


def test_documentation_names_what_each_playbook_takes() -> None:
    text = (ROOT / "plugins/modules/request.py").read_text(encoding="utf-8")
    words = " ".join(text.split())
    for book, names in specs.TAKES.items():
        begin = words.index(f"C({book}) ")
        row = words[begin : words.index(" - ", begin)]
        assert sorted(set(names) - {name for name in names if f"C({name})" in row}) == []
