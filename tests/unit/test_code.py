# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules about the code: who imports whom, how long things are, what each file must say."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HELPERS = {path.stem: path for path in (ROOT / "plugins/module_utils").glob("_*.py")}
MODULES = sorted((ROOT / "plugins/modules").glob("*.py"))
FOLDERS = ("plugins", "tests", "scripts", "roles", "extensions")
PYTHON_FILES = sorted(
    path
    for path in [ROOT / "noxfile.py", *(p for f in FOLDERS for p in (ROOT / f).rglob("*.py"))]
    if path.is_file() and "output" not in path.relative_to(ROOT).parts[:2]
)
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 40

# What decides without talking to anybody: may be tested by tables alone.
PURE = (
    "_books",
    "_budget",
    "_errors",
    "_firewall_rules",
    "_gpu_support",
    "_gpus",
    "_hours",
    "_idle_reports",
    "_images",
    "_lease",
    "_model",
    "_model_config",
    "_model_fit",
    "_model_weights",
    "_offer",
    "_offers",
    "_leftovers",
    "_plan",
    "_reap",
    "_reap_budget",
    "_profiles",
    "_serving",
    "_spend",
    "_statuses",
    "_verdicts",
    "_volume_facts",
)
# What talks to the cloud, and so stands below everything that knows what is wanted.
CLIENT = ("_client", "_credentials", "_faults", "_session", "_traffic")
# Runs on the rented host, where the engine of the cloud's modules is not.
HOST_MODULES = ("data_disk", "host_firewall", "vllm_benchmark", "vllm_completion")
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


def by_name(paths: list[Path]) -> list[object]:
    """Return the paths as parameters of a test, called by their names."""
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


@pytest.mark.parametrize("name", sorted(HELPERS))
def test_imports_never_lead_back(name: str) -> None:
    assert name not in reach(name)


def test_nouns_do_not_import_each_other() -> None:
    assert nouns(), "the modules have no nouns"
    assert [name for name in nouns() if imports(HELPERS[name]) & nouns()] == []


def test_the_engine_knows_no_noun() -> None:
    assert reach("_module") & nouns() == set()


@pytest.mark.parametrize("name", sorted(set(HELPERS) - {"_module"}))
def test_only_the_engine_is_bound_to_ansible_modules(name: str) -> None:
    assert "AnsibleModule" not in HELPERS[name].read_text(encoding="utf-8")
    assert "_module" not in imports(HELPERS[name])


@pytest.mark.parametrize("name", PURE)
def test_pure_helpers_never_reach_the_client(name: str) -> None:
    assert reach(name) & set(CLIENT) == set()


@pytest.mark.parametrize("name", CLIENT)
def test_the_client_knows_nothing_of_what_is_wanted(name: str) -> None:
    read = {"_currency", "_numbers", "_purse"}
    assert reach(name) <= {*CLIENT, *read, "_errors", "_progress", "_version", "_wait"}


@pytest.mark.parametrize("path", by_name(PYTHON_FILES))
def test_file_is_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    texts = sum(length(node) for node in tree(path).body if is_documentation(node))
    assert lines - texts <= MAX_FILE_LINES


@pytest.mark.parametrize("path", by_name(PYTHON_FILES))
def test_functions_are_short(path: Path) -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, kinds)]
    long = {node.name: code_lines(node) for node in functions}
    assert {name: lines for name, lines in long.items() if lines > MAX_FUNCTION_LINES} == {}


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


@pytest.mark.parametrize("path", by_name(PYTHON_FILES))
def test_file_names_its_licence(path: Path) -> None:
    head = path.read_text(encoding="utf-8").splitlines()[:3]
    assert head[0] == "# Copyright (c) 2026, gpuops.cloud contributors"
    assert head[2] == "# SPDX-License-Identifier: GPL-3.0-or-later"


PLUGINS = [path for path in PYTHON_FILES if path.is_relative_to(ROOT / "plugins")]


@pytest.mark.parametrize("path", by_name(PLUGINS))
def test_check_mode_is_the_business_of_the_engine_alone(path: Path) -> None:
    if path.stem in ("_module", *HOST_MODULES) or path.parent.name in ("doc_fragments", "action"):
        return
    code = [ast.unparse(node) for node in tree(path).body if not is_documentation(node)]
    assert not re.search("check_mode", "\n".join(code))


@pytest.mark.parametrize("path", by_name(MODULES))
def test_module_leaves_everything_to_engine_and_noun(path: Path) -> None:
    if path.stem in (*HOST_MODULES, *ACTIONS):
        return
    kinds = (ast.FunctionDef, ast.ClassDef)
    defined = [node.name for node in tree(path).body if isinstance(node, kinds)]
    assert defined == ["main"]
    assert "_module" in imports(path)


SHIPPED_CODE = [path for path in PYTHON_FILES if not path.is_relative_to(ROOT / "tests")]


@pytest.mark.parametrize("path", by_name(SHIPPED_CODE))
def test_no_key_or_token_is_written_down(path: Path) -> None:
    pattern = "-----BEGIN [A-Z ]*PRIVATE KEY" + r"-----\n[A-Za-z0-9+/]{40}|\bhf_[A-Za-z0-9]{30}"
    assert not re.search(pattern, path.read_text(encoding="utf-8"))
