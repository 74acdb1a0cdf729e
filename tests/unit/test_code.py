# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules about the code: who imports whom, how long things are, what each file must say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HELPERS = {path.stem: path for path in (ROOT / "plugins/module_utils").glob("_*.py")}
MODULES = sorted((ROOT / "plugins/modules").glob("*.py"))
FOLDERS = ("plugins", "tests", "scripts", "roles", "examples", "extensions")
PYTHON_FILES = sorted(
    path
    for path in [ROOT / "noxfile.py", *(p for f in FOLDERS for p in (ROOT / f).rglob("*.py"))]
    if path.is_file() and "output" not in path.relative_to(ROOT).parts[:2]
)
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 40

# What decides without talking to anybody: may be tested by tables alone.
PURE = (
    "_account_forms",
    "_account_rows",
    "_books",
    "_budget",
    "_catalogue",
    "_clock_skew",
    "_ending",
    "_errors",
    "_firewall_rules",
    "_gpu_support",
    "_gpus",
    "_hours",
    "_idle_reports",
    "_images",
    "_label",
    "_lease",
    "_model",
    "_model_config",
    "_model_defaults",
    "_model_experts",
    "_model_fit",
    "_model_layers",
    "_model_quantisation",
    "_model_shape",
    "_model_state",
    "_model_towers",
    "_model_weights",
    "_numbers",
    "_offer",
    "_offers",
    "_periods",
    "_price",
    "_leftovers",
    "_plan",
    "_pots",
    "_purse",
    "_reap",
    "_reap_budget",
    "_redaction",
    "_resources",
    "_profiles",
    "_serving",
    "_spend",
    "_statuses",
    "_times",
    "_trial_wants",
    "_verdicts",
    "_volume_facts",
)
# What talks to the cloud, and so stands below everything that knows what is wanted.
CLIENT = (
    "_answers",
    "_client",
    "_credentials",
    "_faults",
    "_login",
    "_looks",
    "_pace",
    "_parsing",
    "_row",
    "_session",
    "_shapes",
    "_traffic",
    "_transport",
)
# What answers are read into.
TYPES = {"_catalogue", "_label", "_lease", "_price", "_resources", "_statuses", "_times"}
# Runs on the rented host, where the engine of the cloud's modules is not.
HOST_MODULES = (
    "data_disk",
    "host_conflicts",
    "host_firewall",
    "package_lock",
    "vllm_benchmark",
    "vllm_completion",
)
# Only the documentation of an action plugin.
ACTIONS = tuple(path.stem for path in (ROOT / "plugins/action").glob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> frozenset[str]:
    """Return the names of our helpers that a file imports."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.level or "gpuops" in (node.module or "")):
            last = (node.module or "").split(".")[-1]
            found |= {last, *(alias.name for alias in node.names)}
    return frozenset(found & HELPERS.keys())


def reach(name: str) -> set[str]:
    """Return every helper that one leads to."""
    found: set[str] = set()
    waiting = {name}
    while waiting:
        one = waiting.pop()
        new = imports(HELPERS[one]) - found
        found |= new
        waiting |= new
    return found


def nouns() -> set[str]:
    """Return the helpers that a module of the same name exists for, but what only decides."""
    stems = {path.stem.removeprefix("datacrunch").removesuffix("_info") for path in MODULES}
    return (stems & HELPERS.keys()) - set(PURE)


def names(paths: Iterable[Path]) -> list[str]:
    """Return the paths below the root, as a message names them."""
    return [str(path.relative_to(ROOT)) for path in paths]


def test_imports_never_lead_back() -> None:
    assert [name for name in sorted(HELPERS) if name in reach(name)] == []


def test_nouns_do_not_import_each_other() -> None:
    assert nouns(), "the modules have no nouns"
    assert [name for name in nouns() if imports(HELPERS[name]) & nouns()] == []


def test_the_engine_knows_no_noun() -> None:
    assert reach("_module") & nouns() == set()


def test_only_the_engine_is_bound_to_ansible_modules() -> None:
    bound = {
        name
        for name, path in HELPERS.items()
        if "AnsibleModule" in path.read_text(encoding="utf-8") or "_module" in imports(path)
    }
    assert sorted(bound - {"_module"}) == []


def test_pure_helpers_never_reach_the_client() -> None:
    found = {name: sorted(reach(name) & set(CLIENT)) for name in PURE}
    assert {name: reached for name, reached in found.items() if reached} == {}


def test_the_client_knows_nothing_of_what_is_wanted() -> None:
    read = {"_currency", "_numbers", "_purse"}
    below = {*CLIENT, *TYPES, *read, "_errors", "_private_files", "_progress", "_version", "_wait"}
    found = {name: sorted(reach(name) - below) for name in CLIENT}
    assert {name: reached for name, reached in found.items() if reached} == {}


def test_files_are_short() -> None:
    found = {}
    for path in PYTHON_FILES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        texts = sum(length(node) for node in tree(path).body if is_documentation(node))
        found[str(path.relative_to(ROOT))] = lines - texts
    assert {name: lines for name, lines in found.items() if lines > MAX_FILE_LINES} == {}


def test_functions_are_short() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {
        f"{path.relative_to(ROOT)}: {node.name}": code_lines(node)
        for path in PYTHON_FILES
        for node in ast.walk(tree(path))
        if isinstance(node, kinds)
    }
    assert {name: lines for name, lines in found.items() if lines > MAX_FUNCTION_LINES} == {}


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its docstring."""
    text = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    return length(function) - (length(text) if text else 0)


def length(node: ast.stmt) -> int:
    """Return how many lines a statement takes."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def is_documentation(node: ast.stmt) -> bool:
    """Tell whether a statement assigns one of the documentation texts of a plugin."""
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id in DOCUMENTATION for target in node.targets
    )


def test_files_name_their_licence() -> None:
    holder = "# Copyright (c) 2026, gpuops.cloud contributors"
    licence = "# SPDX-License-Identifier: GPL-3.0-or-later"
    heads = {path: path.read_text(encoding="utf-8").splitlines()[:3] for path in PYTHON_FILES}
    assert names(path for path, head in heads.items() if head[::2] != [holder, licence]) == []


PLUGINS = [path for path in PYTHON_FILES if path.is_relative_to(ROOT / "plugins")]


def test_check_mode_is_the_business_of_the_engine_alone() -> None:
    found = []
    for path in PLUGINS:
        if path.stem in ("_module", *HOST_MODULES):
            continue
        if path.parent.name in ("doc_fragments", "action"):
            continue
        code = [ast.unparse(node) for node in tree(path).body if not is_documentation(node)]
        found += [path] * ("check_mode" in "\n".join(code))
    assert names(found) == []


def test_modules_leave_everything_to_engine_and_noun() -> None:
    kinds = (ast.FunctionDef, ast.ClassDef)
    found = []
    for path in MODULES:
        if path.stem in (*HOST_MODULES, *ACTIONS):
            continue
        defined = [node.name for node in tree(path).body if isinstance(node, kinds)]
        found += [path] * (defined != ["main"] or "_module" not in imports(path))
    assert names(found) == []


SHIPPED_CODE = [path for path in PYTHON_FILES if not path.is_relative_to(ROOT / "tests")]


def test_no_key_or_token_is_written_down() -> None:
    pattern = "-----BEGIN [A-Z ]*PRIVATE KEY" + r"-----\n[A-Za-z0-9+/]{40}|\bhf_[A-Za-z0-9]{30}"
    found = [path for path in SHIPPED_CODE if re.search(pattern, path.read_text(encoding="utf-8"))]
    assert names(found) == []
