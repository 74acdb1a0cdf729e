# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a job's bytes reaches a terminal, however they are cut on their way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.screen import Raw, values_of

SECRETS = ("hunter2hunter2", "hunter2hunter2-and-more")


def shown(
    tmp_path: Path, *pieces: bytes, end: bool = True, secrets: tuple[str, ...] = SECRETS
) -> bytes:
    """Return what is on the screen after some pieces."""
    path = tmp_path / "screen"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    screen = Raw(descriptor, secrets)
    for piece in pieces:
        screen.take(piece)
    if end:
        screen.end()
    os.close(descriptor)
    return path.read_bytes()


def test_bytes_are_shown_at_once_as_they_are(tmp_path: Path) -> None:
    every = bytes(range(256))
    assert shown(tmp_path, every, b"\rbar 1\rbar 2", end=False) == every + b"\rbar 1\rbar 2"


@pytest.mark.parametrize("cut", range(1, len(b"a hunter2hunter2 b")))
def test_a_secret_is_masked_wherever_it_is_cut(tmp_path: Path, cut: int) -> None:
    text = b"a hunter2hunter2 b"
    assert shown(tmp_path, text[:cut], text[cut:]) == b"a ******** b"


def test_what_only_begins_like_a_secret_is_shown(tmp_path: Path) -> None:
    assert shown(tmp_path, b"hunter2", b"hunter", end=False) == b""
    assert shown(tmp_path, b"hunter2", b"hunter") == b"hunter2hunter"
    assert shown(tmp_path, b"hunter2hunter3") == b"hunter2hunter3"


def test_one_secret_in_another_is_no_way_to_the_longer_one(tmp_path: Path) -> None:
    assert shown(tmp_path, b"hunter2hunter2-and", b"-more.") == b"********."


def test_the_end_of_a_secret_that_could_begin_one_is_masked_with_it(tmp_path: Path) -> None:
    assert shown(tmp_path, b"abcdabcd-ab", secrets=("abcdabcd-ab",), end=False) == b"********"


def test_values_are_those_that_the_environment_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "a value")
    monkeypatch.setenv("EMPTY", "")
    assert values_of(["TOKEN", "EMPTY", "NONE"]) == ("a value",)
