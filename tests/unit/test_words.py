# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of the glossary are those of pages, outputs and task names; variables have a page."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RST = ROOT / "docs/docsite/rst"
# What is not said, and what is said for it: docs/docsite/rst/glossary.rst.
INSTEAD = {
    "machine": "instance",
    "machines": "instances",
    "marks": "tags",
    "marker": "tags",
    "welcome": "matching",
    "noun": "resource",
    "nouns": "resources",
    "kept": "retained",
    "end it": "terminate",
}
OLD = re.compile(rf"\b({'|'.join(INSTEAD)})\b", re.IGNORECASE)
# The marker of pytest, and what the simulator prints of itself.
OTHER_MEANING = ("The marker ``gpuops_scenario``", "no real machines, no real money")


def old_words(text: str) -> set[str]:
    """Return the words of a text that the glossary has another one for."""
    for words in OTHER_MEANING:
        text = text.replace(words, "")
    return {word.lower() for word in OLD.findall(text)}


def task_names(path: Path) -> str:
    """Return the names of the plays and tasks of a file."""
    text = path.read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^ *- name: (.+)$", text, re.MULTILINE))


def test_pages_use_the_words_of_the_glossary() -> None:
    pages = [ROOT / "README.md", ROOT / "docs/benchmarks.md", *RST.glob("*.rst")]
    found = {page.name: old_words(page.read_text(encoding="utf-8")) for page in pages}
    assert {name: words for name, words in found.items() if words} == {}


def test_tasks_are_named_by_the_words_of_the_glossary() -> None:
    files = [path for name in ("playbooks", "roles") for path in (ROOT / name).rglob("*.yml")]
    found = {str(path.relative_to(ROOT)): old_words(task_names(path)) for path in files}
    assert {name: words for name, words in found.items() if words} == {}


# What stands in a text all the same, each for its reason.
EXCEPTIONS = (
    r"gpuops_machines?",  # a fact and metrics
    r"[\"'`./({]machines?\b|\bmachines?[=\[:]|--machine\b",  # keys, options and fields
    r"\bmarks:|\bFurther marks|row\.marks",  # an option of host_conflicts; marks of a chart
    r"\bwith marks;|\bmarks them",  # of a chart; the verb
    r"\bmarker:|\{mark\}",  # an option of blockinfile
    r"\bon one machine|\bof this machine|\bin this virtual machine",  # a computer, not rented
    r"\bkept\b",  # a result key, and the verb outside of volumes
)
NAMES = re.compile("|".join(EXCEPTIONS))


def written(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the strings and comments of a program with their lines, without single words."""
    with tokenize.open(path) as file:
        text = file.read()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        several = token.type == tokenize.STRING and " " in token.string
        if several or token.type == tokenize.COMMENT:
            for number, line in enumerate(token.string.splitlines(), token.start[0]):
                yield number, re.sub(r"\{[^{}]*\}", "", line) if token.string[:1] == "f" else line


def test_plugins_use_the_words_of_the_glossary() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "plugins").rglob("*.py"))
        for number, line in written(path)
        if old_words(NAMES.sub("", line))
    ]
    assert found == []


def test_roles_and_playbooks_use_the_words_of_the_glossary() -> None:
    kinds = (".yml", ".md", ".j2")
    paths = [one for name in ("playbooks", "roles") for one in (ROOT / name).rglob("*")]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(paths)
        if path.suffix in kinds
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if old_words(NAMES.sub("", line))
    ]
    assert found == []


def test_variables_of_the_environment_have_a_page() -> None:
    config = yaml.safe_load((ROOT / "docs/docsite/config.yml").read_text(encoding="utf-8"))
    page = (RST / "environment.rst").read_text(encoding="utf-8")
    told = set(re.findall(r"^\.\. envvar:: (\w+)$", page, re.MULTILINE))
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "plugins").rglob("*.py")]
    families = "DATACRUNCH|VERDA|LAMBDA|RUNPOD|TENSORDOCK|VAST|GPUOPS"
    used = set(re.findall(rf"E\(((?:{families})_\w+)\)", "\n".join(texts)))
    assert config["envvar_directives"] == sorted(told)
    assert used - told == set()


def test_short_descriptions_use_the_words_of_the_glossary() -> None:
    files = [*(ROOT / "plugins").glob("*/*.py"), *ROOT.glob("roles/*/meta/argument_specs.yml")]
    lines = [
        line
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.lstrip().startswith("short_description:")
    ]
    assert [line for line in lines if old_words(line)] == []
