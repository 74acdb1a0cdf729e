# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that says how to add a provider, followed word by word: what it makes is a provider."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._providers import registry
from ansible_collections.gpuops.cloud.tests.conformance.checks import CHECKS
from ansible_collections.gpuops.cloud.tests.conformance.door import DoorWorld, opened
from ansible_collections.gpuops.cloud.tests.unit.plugins.test_conformance import FAST

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/add-a-provider.md"
COLLECTION = "ansible_collections.gpuops.cloud"
PACKAGE = "plugins/module_utils/_providers/toy"
WORLD = "tests/conformance/toy.py"
_BLOCK = re.compile(r"^```(?P<kind>\w+)(?: file=(?P<file>\S+))?\n(?P<text>.*?)^```$", re.M | re.S)


def _follow(tree: Path) -> None:
    """Do what the page says in a folder that holds what it names."""
    (tree / "examples").symlink_to(ROOT / "examples")
    (tree / PACKAGE).parent.mkdir(parents=True)
    (tree / WORLD).parent.mkdir(parents=True)
    for block in _BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["kind"] == "sh":
            subprocess.run(["bash", "-euc", block["text"]], cwd=tree, check=True)
        elif block["file"]:
            (tree / block["file"]).write_text(block["text"], encoding="utf-8")


def _named(path: str) -> str:
    return f"{COLLECTION}.{path.removesuffix('.py').replace('/', '.')}"


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[DoorWorld]]:
    """Return the world of the provider that the page makes."""
    tree = tmp_path_factory.mktemp("added")
    _follow(tree)
    package = ModuleType(_named(PACKAGE))
    package.__path__ = [str(tree / PACKAGE)]
    before = set(sys.modules)
    sys.modules[package.__name__] = package
    spec = importlib.util.spec_from_file_location(_named(WORLD), tree / WORLD)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.Toy
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def world(
    toy: type[DoorWorld],
    home: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[DoorWorld]:
    """Return an account of the toy cloud."""
    speed = FAST.get(getattr(request, "param", ""), 0.0)
    with opened(toy, speed, monkeypatch) as found:
        yield found


@pytest.mark.parametrize(("world", "name"), [(one, one) for one in CHECKS], indirect=["world"])
def test_added_provider_shows_what_any_must(world: DoorWorld, name: str) -> None:
    CHECKS[name](world)


def test_page_names_the_line_of_the_registry() -> None:
    source = Path(registry.__file__).read_text(encoding="utf-8")
    known = re.search(r"^    (\w+)Client\.name: \1Client,$", source, re.M)
    assert known, "the page shows a line as the registry has them"
    line = known[0].replace(known[1], "Toy")
    assert line in PAGE.read_text(encoding="utf-8")


def test_provider_is_found_by_its_name(world: DoorWorld) -> None:
    assert registry.open_client({**world.auth(), "provider": "toy"}).name == "toy"
    with pytest.raises(InvalidError) as caught:
        registry.open_client({**world.auth(), "provider": "tpy"})
    assert "toy" in str(caught.value)


def test_template_holds_each_file_that_the_page_lists() -> None:
    listed = set(re.findall(r"^\| `(\w+\.py)`", PAGE.read_text(encoding="utf-8"), re.M))
    assert listed == {path.name for path in (ROOT / "examples/provider").glob("*.py")}


def test_what_is_lacking_is_said_before_anything_is_bought(world: DoorWorld) -> None:
    wishes = ({"data_volume_gb": 100}, {"os_volume": "keep"}, {"startup_script_id": "x"})
    for wish in wishes:
        told = world.fails("instance", **world.wish(**wish))["msg"]
        assert "the provider toy has no such thing" in told
    assert (world.orders(), world.living()) == (0, [])
