# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules about what must agree between files of the repository."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "plugins/modules").glob("*.py"))
CLOUD_MODULES = [path for path in MODULES if path.stem.startswith("datacrunch_")]
ROLES = sorted(path for path in (ROOT / "roles").glob("*") if path.is_dir())
ATTRIBUTES = {"check_mode", "diff_mode", "idempotent", "action_group"}
# Modules without a twin that asks, each with what shows the same.
ASKED_ELSEWHERE = {
    "datacrunch_account_probe": "datacrunch_account_info",
    "datacrunch_lease": "datacrunch_instance_info",
    "datacrunch_ledger": "datacrunch_cost_info",
    "datacrunch_reap": "mode: report",
    "gpu_instance": "gpu_instance_info",
    "gpu_lease": "gpu_instance_info",
    "gpu_reap": "mode: report",
}

# Modules without an integration target of their own, each with the place where it runs instead.
TARGET_ELSEWHERE = {
    "data_disk": "needs a host with a disk: molecule scenario storage",
    "gpu_job": "needs a host with systemd: tests/e2e/test_job.py",
    "gpu_balance": "needs several clouds: tests/unit/plugins/modules/test_balances.py",
    "gpu_instance": "needs several clouds: tests/unit/plugins/modules/test_several_buying.py",
    "gpu_instance_info": "needs several clouds: tests/unit/plugins/modules/test_several_lists.py",
    "gpu_lease": "needs several clouds: tests/unit/plugins/modules/test_several_leases.py",
    "gpu_metrics": "needs several clouds: tests/unit/plugins/modules/test_several_metrics.py",
    "gpu_offers": "needs several clouds: tests/unit/plugins/modules/test_offers.py",
    "gpu_reap": "needs several clouds: tests/unit/plugins/modules/test_several_reaps.py",
    "host_conflicts": "needs a host where something is in the way: molecule scenario vllm",
    "host_files": "writes what belongs to a server: molecule scenario vllm",
    "host_firewall": "needs a host with a network: molecule scenario firewall",
    "idle_reports": "needs hosts to log in to: molecule scenario reaper",
    "notify": "needs receivers: tests/unit/plugins/modules/test_notify.py",
    "inventory_gpu": "needs several clouds: tests/unit/plugins/inventory/test_gpu.py",
    "job_fetch": "needs a host with a job: tests/e2e/test_job.py",
    "job_follow": "needs a host with a job: tests/e2e/test_job.py",
    "job_send": "needs a host for jobs: tests/e2e/test_job.py",
    "job_state": "remembers what a playbook does: tests/e2e/test_job.py",
    "package_lock": "needs a host with a package manager: molecule scenario storage",
    "request": "looks at the command line of a run: tests/unit/test_request.py",
    "settled": "is a part of bringup: tests/unit/test_second_run.py",
    "show": "prints what the playbooks tell: tests/e2e",
    "ssh_key_file": "is a part of bringup: its unit tests",
    "ssh_ready": "needs hosts that boot: tests/e2e",
    "ssh_settings": "asks the user's OpenSSH: tests/e2e, and its unit tests",
    "ssh_tunnel": "needs a host to reach: tests/e2e, and its unit tests",
    "vllm_benchmark": "needs a served model: tests/e2e",
    "vllm_completion": "needs a served model: molecule scenario vllm",
}


def load(path: Path) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def strings(path: Path) -> dict[str, str]:
    """Return the string constants that a Python file assigns, by name."""
    body = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {
        target.id: node.value.value
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def documentation(path: Path) -> dict[str, Any]:
    """Return the DOCUMENTATION of a plugin."""
    return dict(yaml.safe_load(strings(path)["DOCUMENTATION"]))


def fragment(name: str) -> dict[str, Any]:
    """Return a documentation fragment of ours, given as in extends_documentation_fragment."""
    parts = [*name.removeprefix("gpuops.cloud.").split("."), "documentation"]
    path = ROOT / f"plugins/doc_fragments/{parts[0]}.py"
    return dict(yaml.safe_load(strings(path)[parts[1].upper()]))


def test_no_part_of_a_fragment_is_called_like_a_fragment() -> None:
    files = sorted((ROOT / "plugins/doc_fragments").glob("*.py"))
    names = {path.stem for path in files}
    # Ansible takes the last word for the name of a file, where there is one, and the part for none.
    assert [part for path in files for part in strings(path) if part.lower() in names] == []


def attributes(path: Path) -> set[str]:
    """Return the attributes that a module documents, in itself or by our fragments."""
    text = documentation(path)
    found = set(text.get("attributes", ()))
    for name in text.get("extends_documentation_fragment", ()):
        found |= set(fragment(name).get("attributes") or ())
    return found


def only_asks(path: Path) -> bool:
    """Tell whether a module documents that it changes nothing."""
    fragments = documentation(path).get("extends_documentation_fragment", ())
    return "gpuops.cloud.attributes.info" in fragments


def asks_several(path: Path) -> bool:
    """Tell whether a module takes the accounts of several providers."""
    return "gpuops.cloud.accounts" in documentation(path).get("extends_documentation_fragment", ())


def test_action_group_holds_every_module_of_the_cloud() -> None:
    groups = load(ROOT / "meta/runtime.yml")["action_groups"]
    several = [path.stem for path in MODULES if asks_several(path)]
    assert groups == {"datacrunch": [path.stem for path in CLOUD_MODULES], "gpu": several}


def test_version_in_code_is_the_version_of_the_collection() -> None:
    version = load(ROOT / "galaxy.yml")["version"]
    assert strings(ROOT / "plugins/module_utils/_core/version.py")["VERSION"] == version


def test_license_is_named_alike_everywhere() -> None:
    assert load(ROOT / "galaxy.yml")["license"] == ["GPL-3.0-or-later"]
    assert (ROOT / "LICENSE").read_text().lstrip().startswith("GNU GENERAL PUBLIC LICENSE")


def test_modules_document_every_attribute() -> None:
    found = {path.stem: attributes(path) for path in CLOUD_MODULES}
    assert {name: said for name, said in found.items() if said != ATTRIBUTES} == {}


def test_modules_have_documentation_examples_and_return() -> None:
    assert [path.stem for path in MODULES if not is_documented(path)] == []


def is_documented(path: Path) -> bool:
    """Tell whether a module has all that a reader looks for, and calls itself by its name."""
    texts, said = strings(path), documentation(path)
    parts = [yaml.safe_load(texts.get(name, "")) for name in ("EXAMPLES", "RETURN")]
    return said["module"] == path.stem and all([said["version_added"], *parts])


def test_modules_have_a_twin_that_asks_or_ask_themselves() -> None:
    found = []
    for path in CLOUD_MODULES:
        twin = path.with_name(f"{path.stem}_info.py")
        asked = only_asks(path) or (twin.exists() and only_asks(twin))
        found += [path.stem] * (not asked and path.stem not in ASKED_ELSEWHERE)
    assert found == []


def test_modules_have_an_integration_target() -> None:
    covered = {name for file in target_aliases() for name in file.split()}
    named = covered | TARGET_ELSEWHERE.keys()
    missing = [path.stem for path in MODULES if path.stem not in named]
    assert missing == [], f"no tests/integration/targets/*/aliases names {missing}"


def target_aliases() -> list[str]:
    """Return, for every integration target, its name and the names its aliases file adds."""
    found = []
    for folder in (ROOT / "tests/integration/targets").iterdir():
        text = (folder / "aliases").read_text(encoding="utf-8")
        found.append(f"{folder.name} {text}")
    return found


def test_inventory_plugins_have_an_integration_target() -> None:
    found = (f"inventory_{path.stem}" for path in (ROOT / "plugins/inventory").glob("*.py"))
    names = [name for name in found if name not in TARGET_ELSEWHERE]
    targets = ROOT / "tests/integration/targets"
    assert names
    assert [name for name in names if not (targets / name / "aliases").exists()] == []


def options(role: Path) -> dict[str, Any]:
    """Return the public variables of a role, as its argument specification has them."""
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]
    return dict(specs["main"]["options"])


def test_defaults_of_roles_agree_with_their_argument_specs() -> None:
    found: dict[str, set[str]] = {}
    for role in ROLES:
        defaults = load(role / "defaults/main.yml") or {}
        specs = options(role)
        optional = {name for name, spec in specs.items() if not spec.get("required")}
        shown = {name: spec["default"] for name, spec in specs.items() if "default" in spec}
        other = {name for name in shown if shown[name] != defaults.get(name)}
        found[role.name] = (set(defaults) ^ optional) | other
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_variables_of_roles_are_named_after_them() -> None:
    strange = [
        name for role in ROLES for name in options(role) if not name.startswith(f"{role.name}_")
    ]
    assert strange == []


def test_roles_have_the_usual_files() -> None:
    usual = ("README.md", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml")
    files = [role / name for role in ROLES for name in usual]
    assert [str(file.relative_to(ROOT)) for file in files if not file.is_file()] == []


def test_no_sanity_test_is_ignored() -> None:
    assert list(ROOT.glob("tests/sanity/ignore*")) == []


def test_errors_are_not_ignored_by_roles_and_playbooks() -> None:
    files = [path for name in ("roles", "playbooks") for path in (ROOT / name).rglob("*.yml")]
    pattern = re.compile(r"ignore_errors|ignore_unreachable|failed_when:\s*false")
    assert [path.name for path in files if pattern.search(path.read_text("utf-8"))] == []


def test_changelog_fragments_use_known_sections() -> None:
    config = load(ROOT / "changelogs/config.yaml")
    known = {section[0] for section in config["sections"]}
    known |= {config["prelude_section_name"], config["trivial_section_name"]}
    files = (ROOT / "changelogs/fragments").glob("*.yml")
    assert [path.name for path in files if not set(load(path)) <= known] == []
