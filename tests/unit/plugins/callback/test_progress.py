# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sign of life while a task takes long."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from ansible_collections.gpuops.cloud.plugins.callback import progress
from ansible_collections.gpuops.cloud.plugins.module_utils._core import progress as _progress

Plugin = Any  # Ansible's classes are not typed


class Rounds:
    """An event that ends after some rounds, each of which moves the clock by a second."""

    def __init__(self, count: int, clock: list[float], each: Callable[[int], None]) -> None:
        self.count, self.clock, self.each = count, clock, each
        self.round = 0

    def wait(self, seconds: float) -> bool:
        """Let time pass."""
        self.clock[0] += seconds
        self.round += 1
        self.each(self.round)
        return self.round > self.count

    def set(self) -> None:
        """End at once."""
        self.count = 0


@pytest.fixture
def plugin(home: Path) -> Iterator[Plugin]:
    """Return the callback, with an interval of five seconds."""
    made: Plugin = progress.CallbackModule()
    made.get_option = lambda _name: "5"
    yield made
    os.environ.pop(_progress.VARIABLE, None)


def spoken(
    plugin: Plugin,
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
    each: Callable[[int], None] = lambda _round: None,
) -> list[str]:
    """Return what a task of this length makes the callback say."""
    clock: list[float] = [0.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(plugin, "_ended", Rounds(seconds, clock, each))
    monkeypatch.setattr(plugin, "_thread", mock.Mock())
    monkeypatch.setattr(plugin, "_seen", plugin._make_file())
    with tempfile.TemporaryFile("w+") as heard:
        monkeypatch.setattr(progress, "sys", SimpleNamespace(stdout=heard))
        plugin.v2_playbook_on_task_start(mock.Mock(get_name=lambda: " Buy it "))
        plugin._watch()
        heard.seek(0)
        return heard.read().split("  ... ")[1:]


def test_short_task_is_silent(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    assert spoken(plugin, monkeypatch, 4) == []


def test_long_task_speaks_at_every_interval(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spoken(plugin, monkeypatch, 12) == ["Buy it: 5 s\n", "Buy it: 10 s\n"]


def test_results_of_hosts_are_signs_of_life(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def result(number: int) -> None:
        if number in (4, 8):
            plugin.v2_runner_on_ok(mock.Mock())

    assert spoken(plugin, monkeypatch, 14, result) == ["Buy it: 13 s\n"]


def test_what_a_module_sees_is_told(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(number: int) -> None:
        if number in (2, 3):
            _progress.tell("llm: last seen\nprovisioning")

    assert spoken(plugin, monkeypatch, 12, tell) == [
        "Buy it: 5 s\n      llm: last seen provisioning\n",
        "Buy it: 10 s\n",
    ]


def test_file_is_private_and_goes_with_the_run(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    folder = home / "cache/gpuops.cloud"
    folder.mkdir(parents=True)
    (folder / "progress-999999999-x").write_text("of a run that was killed")
    spoken(plugin, monkeypatch, 1)
    (file,) = folder.glob("progress-*")
    assert os.environ[_progress.VARIABLE] == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    plugin.v2_playbook_on_stats(mock.Mock())
    assert list(folder.glob("progress-*")) == []


def test_telling_nobody_is_no_fault(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(_progress.VARIABLE, raising=False)
    _progress.tell("x")
    monkeypatch.setenv(_progress.VARIABLE, str(home / "not" / "there"))
    _progress.tell("x")


def test_cache_that_cannot_be_written_is_no_fault(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
    assert spoken(plugin, monkeypatch, 6) == ["Buy it: 5 s\n"]


def test_thread_prints_and_ends_with_the_run(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ended = threading.Event()
    quick = SimpleNamespace(wait=lambda _seconds: ended.wait(0.01), set=ended.set)
    monkeypatch.setattr(plugin, "_ended", quick)
    monkeypatch.setattr(plugin, "get_option", lambda _name: "0.01")
    plugin.v2_playbook_on_task_start(mock.Mock(get_name=lambda: "Wait"))
    thread, text = plugin._thread, ""
    assert thread is not None
    deadline = time.monotonic() + 10
    while "... Wait: 0 s\n" not in text and time.monotonic() < deadline:
        time.sleep(0.01)
        text += capfd.readouterr().out
    plugin.v2_playbook_on_stats(mock.Mock())
    thread.join(timeout=10)
    assert "  ... Wait: 0 s\n" in text
    assert not thread.is_alive()
