# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules document is what they take and what they return."""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from ansible.module_utils import basic

from ansible_collections.gpuops.cloud.tests.unit.doors import ACTIONS
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.scenes import MODULES, SCENES
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    ACTIONS as CALLS,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    PLUGINS,
    Cloud,
    stock,
)

ROOT = Path(__file__).resolve().parents[4]
ALL_MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
FRAMEWORK = {"changed", "failed", "msg", "warnings", "deprecations", "diff", "exception"}
# A URL of a ledger may hold a password.
SECRET_WORDS = {"secret", "token", "password", "content", "public", "ledger"}
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}


@cache
def texts(path: Path) -> dict[str, Any]:
    """Return the documentation texts of a plugin, read as YAML."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in ("DOCUMENTATION", "RETURN"):
                found[name] = yaml.safe_load(ast.literal_eval(node.value))
    return found


def module_texts(name: str) -> dict[str, Any]:
    """Return the documentation texts of a module."""
    return texts(ROOT / f"plugins/modules/{name}.py")


def documented_options(name: str) -> dict[str, Any]:
    """Return the options of a module, those of its fragments included."""
    text = module_texts(name)["DOCUMENTATION"]
    options = dict(text.get("options") or {})
    for fragment in text.get("extends_documentation_fragment", ()):
        file = fragment.removeprefix("gpuops.cloud.").partition(".")[0]
        found = texts(ROOT / f"plugins/doc_fragments/{file}.py")["DOCUMENTATION"]
        options |= found.get("options") or {}
    return options


class Caught(Exception):  # noqa: N818 - it is no error
    """Carries what a module gives to Ansible."""


def taken_options(name: str) -> dict[str, Any]:
    """Return the argument specification of a module."""
    if name in ACTIONS:
        return spec_of_action(name)
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")

    def catch(_self: Any, argument_spec: dict[str, Any], **_rules: Any) -> None:
        raise Caught(argument_spec)

    with mock.patch.object(basic.AnsibleModule, "__init__", catch), pytest.raises(Caught) as caught:
        module.main()
    return dict(caught.value.args[0])


def spec_of_action(name: str) -> dict[str, Any]:
    """Return the argument specification of an action plugin, written down as a constant."""
    tree = ast.parse((ROOT / f"plugins/action/{name}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        target = getattr(node, "targets", [getattr(node, "target", None)])[0]
        if isinstance(target, ast.Name) and target.id.lower().strip("_") == "spec":
            return dict(ast.literal_eval(node.value))  # type: ignore[attr-defined]
    raise AssertionError(f"{name} has no specification")


def essence(option: dict[str, Any], nested: str) -> dict[str, Any]:
    """Return what documentation and specification must agree on."""
    found = {
        "type": option.get("type", "str"),
        "default": option.get("default"),
        "required": bool(option.get("required")),
        "choices": option.get("choices"),
        "elements": option.get("elements"),
    }
    inner = option.get(nested) or {}
    return {**found, "options": {name: essence(row, nested) for name, row in inner.items()}}


def test_options_are_documented_as_they_are() -> None:
    found = {}
    for name in ALL_MODULES:
        documented = {k: essence(row, "suboptions") for k, row in documented_options(name).items()}
        taken = {key: essence(row, "options") for key, row in taken_options(name).items()}
        every = documented.keys() | taken.keys()
        found[name] = {key for key in every if documented.get(key) != taken.get(key)}
    assert {name: options for name, options in found.items() if options} == {}


def test_secrets_are_kept_out_of_logs() -> None:
    found = [
        f"{name}: {option}"
        for name in ALL_MODULES
        for option, row in taken_options(name).items()
        if bool(row.get("no_log")) is not bool(SECRET_WORDS & set(option.split("_")))
    ]
    assert found == []


# -- results ---------------------------------------------------------------------------------------


def compare(value: Any, documented: dict[str, Any], where: str) -> set[str]:
    """Check keys and types of a result against its documentation; return the keys it had."""
    seen = set()
    for key, inner in value.items():
        place = f"{where}.{key}"
        assert key in documented, f"{place} is not documented"
        seen.add(place)
        text = documented[key]
        if inner is None:
            continue
        assert isinstance(inner, TYPES[text["type"]]), f"{place} is no {text['type']}: {inner!r}"
        if text["type"] in ("int", "float"):
            assert not isinstance(inner, bool), place
        rows: Any = inner if text["type"] == "list" else [inner]
        for row in rows:
            if text["type"] == "list":
                assert isinstance(row, TYPES[text["elements"]]), f"{place}: {row!r}"
            if "contains" in text:
                seen |= compare(row, text["contains"], place)
    return seen


def everything(documented: dict[str, Any], where: str) -> set[str]:
    """Return the keys that are documented as returned on success, at every level."""
    found = set()
    for key, text in documented.items():
        if "failure" in text["returned"] and "success" not in text["returned"]:
            continue
        found |= {f"{where}.{key}", *everything(text.get("contains") or {}, f"{where}.{key}")}
    return found


def stripped(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without what Ansible itself adds."""
    return {key: value for key, value in result.items() if key not in FRAMEWORK}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.stem))
def test_results_are_documented_at_every_level(start: Start, path: Path) -> None:
    documented = texts(path)["RETURN"]
    seen: set[str] = set()
    for scene in SCENES:
        if path.stem != f"datacrunch_{scene.module}":
            continue
        cloud = start(provision_seconds=30, stock=stock("1H200.141S.44V", spot=["1H200.141S.44V"]))
        scene.prepare(cloud)
        for result in (scene.run(cloud, check=True), scene.run(cloud)):
            seen |= compare(stripped(result), documented, path.stem)
    assert everything(documented, path.stem) - seen == set()


def failures(cloud: Cloud) -> list[dict[str, Any]]:
    """Return results of the module for instances that fail, each in another way."""
    name, llm = "datacrunch_instance", {"deployment": "llm", "tier": "h200_or_less"}
    found = [
        cloud.fails(name, deployment="llm", tier="x"),
        cloud.fails(name, deployment="llm", tier="any_h100"),
    ]
    found.append(cloud.fails(name, **llm, max_lease_cost=1, budget={"total": 1}))
    cloud.sim.switch(availability_lies=["1H200.141S.44V"])
    found.append(cloud.fails(name, **llm))
    cloud.sim.switch(availability_lies=[])
    cloud.fault("stuck_provisioning", times=2)
    found.append(cloud.fails(name, **llm, wait_timeout=60))
    found.append(cloud.fails(name, **llm, count=2, state="running", wait_timeout=60))
    found.append(cloud.fails(name, deployment="llm", tier="any_b200"))
    found.append(cloud.fails(name, deployment="llm", state="absent", owner="somebody-else"))
    body = {"code": "invalid_request", "message": "action is not allowed"}
    cloud.fault("status", CALLS, status=400, body=body, times=None)
    found.append(cloud.fails(name, deployment="llm", state="absent"))
    return found


def test_failures_are_documented_at_every_level(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1H200.141S.44V"))
    documented = module_texts("datacrunch_instance")["RETURN"]
    seen: set[str] = set()
    for result in failures(cloud):
        seen |= compare(stripped(result), documented, "instance")
    for key in (
        "error",
        "unconfirmed",
        "instance_id",
        "attempts",
        "offers",
        "rejected",
        "spend",
        "cheapest_free",
    ):
        assert f"instance.{key}" in seen


def test_every_reason_of_a_rejection_is_documented() -> None:
    files = [
        ROOT / f"plugins/module_utils/{name}.py" for name in ("_catalog/selection", "_sizing/fit")
    ]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    words = {node.value for node in nodes if isinstance(node, ast.Constant)}
    for name in ("datacrunch_capacity", "datacrunch_instance"):
        text = module_texts(name)["RETURN"]["rejected"]["contains"]["reason"]["description"]
        reasons = {word.split(")")[0] for word in text.split("V(")[1:]}
        assert reasons <= words
        known = {word for word in words if str(word).startswith(("too_", "no_", "not_in_"))}
        assert known <= reasons
