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

from ansible_collections.gpuops.cloud.tests.unit.doors import ACTIONS

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins/module_utils"
HELPERS = sorted(UTILS.rglob("*.py"))
MODULES = sorted((ROOT / "plugins/modules").glob("*.py"))
FOLDERS = ("cli", "plugins", "tests", "scripts", "roles", "examples", "extensions")
PYTHON_FILES = sorted(
    path
    for path in [ROOT / "noxfile.py", *(p for f in FOLDERS for p in (ROOT / f).rglob("*.py"))]
    if path.is_file() and "output" not in path.relative_to(ROOT).parts[:2]
)
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
MAX_TEST_LINES, MAX_FUNCTION_LINES = 300, 40

# The packages of the helpers, lowest floor first: each imports those of lower floors only.
FLOORS = (
    ("_core",),
    ("_charts", "_hardware", "_host", "_ssh"),
    ("_models",),
    ("_providers", "_sizing"),
    ("_catalog", "_ledger", "_lifecycle"),
    ("_access", "_billing", "_jobs", "_volumes"),
    ("_instances", "_monitoring", "_notify"),
    ("_account", "_reaper", "_request", "_runner"),
    ("_several",),
)
FLOOR = {package: number for number, floor in enumerate(FLOORS) for package in floor}
# The helpers that know every provider: their clients, and what their modules are called.
REGISTRY = frozenset({UTILS / "_providers/registry.py", UTILS / "_providers/names.py"})
# Further rules: what is below knows less than its floor would let it.
ONLY = {
    "_hardware": {"_core"},
    "_providers": {"_core", "_hardware", "_models"},
    "_runner": {"_core", "_hardware", "_host", "_ledger", "_models", "_providers"},
    "_sizing": {"_core", "_hardware"},
}
# Runs on the rented host, where the engine of the cloud's modules is not, or asks OpenSSH alone.
HOST_MODULES = (
    "package_lock",
    "vllm_benchmark",
    "vllm_completion",
)
# What knows of check mode, so that nothing else needs to.
ENGINE = frozenset({UTILS / "_runner/engine.py"})


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path: Path) -> tuple[str, ...]:
    """Return the words of a module's name, from the root of the collection."""
    return path.relative_to(ROOT).with_suffix("").parts


@cache
def imports(path: Path) -> frozenset[Path]:
    """Return the helpers that a file imports."""
    found = set()
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.ImportFrom):
            continue
        words = tuple((node.module or "").split(".")) if node.module else ()
        if node.level:
            words = (*module_of(path)[: -node.level], *words)
        elif words[:2] == ("ansible_collections", "gpuops"):
            words = words[3:]
        for name in ("", *(alias.name for alias in node.names)):
            found.add(ROOT.joinpath(*words, name).with_suffix(".py"))
    return frozenset(found & set(HELPERS))


@cache
def reach(path: Path) -> frozenset[Path]:
    """Return every helper that a file leads to."""
    found: set[Path] = set()
    waiting = {path}
    while waiting:
        new = imports(waiting.pop()) - found
        found |= new
        waiting |= new
    return frozenset(found)


def package(path: Path) -> str:
    """Return the package of a helper."""
    return path.relative_to(UTILS).parts[0]


def provider(path: Path) -> str:
    """Return the provider that a helper is made for, empty for none."""
    words = path.relative_to(UTILS).parts
    return words[1] if len(words) > 2 and words[0] == "_providers" and words[1] != "base" else ""


def arrows() -> list[tuple[Path, Path]]:
    """Return who imports whom among the helpers."""
    return [(path, other) for path in HELPERS for other in sorted(imports(path))]


def shown(pairs: Iterable[tuple[Path, Path]]) -> list[str]:
    """Return imports as a message names them."""
    return [f"{one.relative_to(UTILS)} imports {two.relative_to(UTILS)}" for one, two in pairs]


def names(paths: Iterable[Path]) -> list[str]:
    """Return the paths below the root, as a message names them."""
    return [str(path.relative_to(ROOT)) for path in paths]


def test_each_helper_lies_in_a_package_with_a_floor() -> None:
    assert [path.name for path in UTILS.glob("*.py")] == []
    assert {package(path) for path in HELPERS} - FLOOR.keys() == set()


def test_packages_import_from_lower_floors_only() -> None:
    assert arrows(), "no helper imports another one"
    up = [
        (one, two)
        for one, two in arrows()
        if package(one) != package(two) and FLOOR[package(two)] >= FLOOR[package(one)]
    ]
    assert shown(up) == []


def test_imports_never_lead_back() -> None:
    assert names(path for path in HELPERS if path in reach(path)) == []


def test_some_packages_know_less_than_their_floor_allows() -> None:
    found = [
        (one, two)
        for one, two in arrows()
        if package(one) in ONLY and package(two) not in {package(one), *ONLY[package(one)]}
    ]
    assert shown(found) == []


def test_providers_do_not_know_each_other() -> None:
    found = [
        (one, two)
        for one, two in arrows()
        if package(one) == "_providers"
        and one not in REGISTRY
        and provider(two) not in ("", provider(one))
    ]
    assert shown(found) == []


def test_only_the_engine_is_bound_to_ansible_modules() -> None:
    bound = [
        path
        for path in HELPERS
        if package(path) != "_runner"
        and (
            "AnsibleModule" in path.read_text(encoding="utf-8")
            or "_runner" in map(package, imports(path))
        )
    ]
    assert names(bound) == []


def test_what_calls_itself_pure_never_reaches_a_client() -> None:
    pure = [path for path in HELPERS if "pure)." in (ast.get_docstring(tree(path)) or "")]
    assert len(pure) > 50, "what decides without talking to anybody says so in its first line"
    clients = {p for p in HELPERS if package(p) == "_providers" and p.stem == "client"}
    assert clients, "no provider has a client"
    assert names(path for path in pure if reach(path) & clients) == []


def test_files_of_tests_are_short() -> None:
    found = {}
    for path in PYTHON_FILES:
        if not path.is_relative_to(ROOT / "tests"):
            continue
        lines = len(path.read_text(encoding="utf-8").splitlines())
        texts = sum(length(node) for node in tree(path).body if is_documentation(node))
        found[str(path.relative_to(ROOT))] = lines - texts
    assert {name: lines for name, lines in found.items() if lines > MAX_TEST_LINES} == {}


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
        if path in ENGINE or path.stem in HOST_MODULES:
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
        found += [path] * (defined != ["main"] or not ENGINE & imports(path))
    assert names(found) == []


SHIPPED_CODE = [path for path in PYTHON_FILES if not path.is_relative_to(ROOT / "tests")]


def test_no_key_or_token_is_written_down() -> None:
    pattern = "-----BEGIN [A-Z ]*PRIVATE KEY" + r"-----\n[A-Za-z0-9+/]{40}|\bhf_[A-Za-z0-9]{30}"
    found = [path for path in SHIPPED_CODE if re.search(pattern, path.read_text(encoding="utf-8"))]
    assert names(found) == []
