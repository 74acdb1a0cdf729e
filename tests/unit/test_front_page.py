# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a newcomer reads first is true: versions, requirements, links; and what a release says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import dist
import sessions

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(ROOT.glob("*.md"))
SAID = re.compile(r"^\s*version_added: *[\"']?([\d.]+)", re.MULTILINE)
MOST_COMMANDS = 5


def load(path: str) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def first_commands() -> list[str]:
    """Return the commands of the first screen."""
    section = README.split("## From nothing to an answer")[1]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return block.group(1).strip().splitlines()


# -- versions --------------------------------------------------------------------------------------


def test_version_added_names_a_release_or_the_next_one() -> None:
    known = {load("galaxy.yml")["version"], *load("changelogs/changelog.yaml")["releases"]}
    files = [path for name in ("plugins", "roles") for path in (ROOT / name).rglob("*")]
    texts = {path: path.read_text("utf-8") for path in files if path.suffix in (".py", ".yml")}
    strange = {
        f"{path.relative_to(ROOT)}: {version}"
        for path, text in texts.items()
        for version in SAID.findall(text)
        if version not in known
    }
    assert strange == set()


def test_tarball_has_the_version_of_the_collection() -> None:
    pages = [README, *(p.read_text("utf-8") for p in (ROOT / "docs/docsite/rst").glob("*.rst"))]
    named = {name for text in pages for name in re.findall(r"gpuops-cloud-[\d.]+\.tar\.gz", text)}
    assert named == {f"gpuops-cloud-{load('galaxy.yml')['version']}.tar.gz"}


def test_table_of_support_has_what_is_tested() -> None:
    rows = re.findall(r"^\| ansible-core (\S+) \|.*\| (\S+) on Python (\S+) \|$", README, re.M)
    assert rows == [(name, core.release, core.python) for name, core in sessions.cores().items()]


# -- the first screen ------------------------------------------------------------------------------


def test_an_answer_is_few_commands_away() -> None:
    assert len(first_commands()) <= MOST_COMMANDS


def test_first_screen_installs_all_requirements() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    needed = {line for line in lines if line and not line.startswith("#")}
    core = f"ansible-core{load('meta/runtime.yml')['requires_ansible'].removesuffix('.0')}"
    (words,) = [line for line in first_commands() if line.startswith("pip install")]
    # The vendor's SDK has two names; the newer one is for people, the other one for what is there.
    named = {word.replace("verda", "datacrunch") for word in re.findall(r"'([^']+)'", words)}
    assert named == {core, *needed}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("name", ["CODE_OF_CONDUCT", "CONTRIBUTING", "MAINTAINERS", "SECURITY"])
def test_page_of_the_project_is_linked(name: str) -> None:
    assert f"({name}.md)" in README


# -- the address of the repository -----------------------------------------------------------------


def test_address_becomes_every_field_of_galaxy() -> None:
    found = yaml.safe_load(dist.addresses("https://example.com/a/b/"))
    assert found["repository"] == "https://example.com/a/b"
    assert found["issues"] == "https://example.com/a/b/issues"
    assert found.keys() == {"repository", "documentation", "homepage", "issues"}


@pytest.mark.parametrize(
    "address",
    ["http://example.com", "example.com/a", "https://me:secret@example.com", "https://a b"],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        dist.addresses(address)


def test_no_address_is_written_down() -> None:
    fields = {"repository", "documentation", "homepage", "issues"}
    assert fields & load("galaxy.yml").keys() == set()


def test_sample_of_the_demo_says_what_the_templates_say() -> None:
    block = README.split("$ make demo\n")[1].split("```")[0]
    titles = re.findall(r"^([a-zA-Z][\w ,()-]+):$", block, re.MULTILINE)
    paths = [*(ROOT / "playbooks/templates").glob("*.j2"), ROOT / "plugins/callback/phases.py"]
    said = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    assert len(titles) > 4
    assert [title for title in titles if title not in said] == []


# Ansible masks a secret wherever it stands in a message, and so takes words out of sentences.
SECRET = re.compile(
    r"(?:client_secret|_token|password|api_key)[=:] *[\"']?([a-z0-9][^\s\"']*)", re.I
)


def test_secret_of_an_example_is_no_word() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.rst"), *(ROOT / "docs").rglob("*.md")]
    pages += [*(ROOT / "playbooks").rglob("*.yml"), *(ROOT / "examples").rglob("*.yml")]
    found = {name for page in pages for name in SECRET.findall(page.read_text(encoding="utf-8"))}
    assert len(found) >= 2
    assert {name for name in found if re.fullmatch(r"[A-Za-z]+", name)} == set()
