# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures say what they take: how many still take anything, by package, and no more."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[2] / "plugins/module_utils"
# The two doors that stay untyped: what a provider answers, and the parameters of a module.
DOORS = {"_providers", "_runner", "_request"}
# What an error carries besides its sentence is any key of a module's result.
CEILINGS = {"_core": 1}
_UNTYPED = ("dict[str, Any", "Mapping[str, Any", "Mapping[str, object", "dict[str, object")


def aliases_of(tree: ast.Module) -> set[str]:
    """Return the names that a file gives to a dict or mapping of anything."""
    return {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith(_UNTYPED)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def untyped_names(tree: ast.Module, aliases: dict[str, set[str]]) -> set[str]:
    """Return ``Any``, ``object``, ``Mapping``, and the aliases of a dict that a file knows."""
    imported = {
        one.asname or one.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for one in node.names
        if one.name in aliases.get((node.module or "").rpartition(".")[2], set())
    }
    return {"Any", "object", "Mapping", *aliases_of(tree), *imported}


def annotations(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the annotations of all parameters and results."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given = node.args
            for one in (*given.posonlyargs, *given.args, *given.kwonlyargs):
                if one.annotation:
                    yield one.annotation
            if node.returns:
                yield node.returns


def untyped() -> Counter[str]:
    """Return how many parameters and results of each package say nothing of what they hold."""
    files = sorted(PACKAGES.rglob("*.py"))
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    aliases: dict[str, set[str]] = {}
    for path, tree in trees.items():
        aliases.setdefault(path.stem, set()).update(aliases_of(tree))
    found: Counter[str] = Counter()
    for path, tree in trees.items():
        names = untyped_names(tree, aliases)
        found[path.relative_to(PACKAGES).parts[0]] += sum(
            any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(one))
            for one in annotations(tree)
        )
    return found


def test_signatures_say_no_more_often_anything() -> None:
    found = untyped()
    rows = {name: count for name, count in found.items() if name not in DOORS and count}
    assert {name: n for name, n in rows.items() if n > CEILINGS.get(name, 0)} == {}
