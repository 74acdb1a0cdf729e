# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results that do not come: from hosts that answer anything, and for how long it is tried."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import GpuopsError
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.remote import Remote
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.results import fetch, patiently

TEXT = b"results"
FILE = {"path": "out/a", "size": len(TEXT), "content": hashlib.sha256(TEXT).hexdigest()}


def archive_of(*members: tuple[str, bytes]) -> bytes:
    """Return an archive of members by name."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, text in members:
            about = tarfile.TarInfo(name)
            about.size = len(text)
            tar.addfile(about, io.BytesIO(text))
    return packed.getvalue()


def link_to(target: str) -> bytes:
    """Return an archive of a link."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        about = tarfile.TarInfo("0")
        about.type, about.linkname = tarfile.SYMTYPE, target
        tar.addfile(about)
    return packed.getvalue()


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Provide a fetch from a host that answers as it is told."""

    def fetched(files: Any, archive: bytes, max_gb: float = 1) -> dict[str, Any]:
        (tmp_path / "list").write_text(json.dumps(files), encoding="utf-8")
        (tmp_path / "pack").write_bytes(archive)
        liar = tmp_path / "liar"
        liar.write_text(f"[ $1 = list ] || cat > /dev/null\ncat {tmp_path}/$1\n", encoding="utf-8")
        return fetch(
            Remote("liar", ("sh", str(liar))), "job", tmp_path / "home", ["out/**"], max_gb
        )

    return fetched


def test_a_host_that_answers_as_it_should(ask: Callable[..., Any], tmp_path: Path) -> None:
    assert ask([FILE], archive_of(("0", TEXT)))["fetched"] == 1
    assert (tmp_path / "home/out/a").read_bytes() == TEXT


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (archive_of(("x", TEXT)), "archive cannot be read: 'x'"),
        (archive_of(("7", TEXT)), "archive cannot be read: '7'"),
        (archive_of(("-1", TEXT)), "archive cannot be read: '-1'"),
        (archive_of(("0", b"a lie!!")), "are not what the host has, such as 'out/a'"),
        (archive_of(("0", TEXT * 1000)), "are not what the host has"),
        (archive_of(), "are not what the host has"),
        (link_to("/etc/hostname"), "are not what the host has"),
        (b"no archive at all", "liar: pack failed"),
        (archive_of(("0", TEXT))[:600], "liar: pack failed"),
    ],
    ids=str,
)
def test_an_archive_is_believed_by_content_alone(
    ask: Callable[..., Any], tmp_path: Path, archive: bytes, words: str
) -> None:
    with pytest.raises(GpuopsError, match=words):
        ask([FILE], archive)
    left = [path for path in tmp_path.rglob("home/**/*") if path.is_file()]
    assert all(path.stat().st_size <= len(TEXT) for path in left)


def test_more_than_was_asked_for_is_not_read(ask: Callable[..., Any]) -> None:
    assert ask([FILE], archive_of(("0", TEXT), ("0", b"another")))["fetched"] == 1


def test_a_list_of_more_than_may_come_is_refused(ask: Callable[..., Any]) -> None:
    with pytest.raises(GpuopsError, match=r"lists 5\.00 GB, and 1 GB may come"):
        ask([{**FILE, "size": 5_000_000_000}], b"")


# -- how long it is tried --------------------------------------------------------------------------


def trying(faults: list[Exception]) -> tuple[Callable[[], str], list[str], Callable[..., str]]:
    """Return what fails some times, what is told meanwhile, and a patient try of it."""
    told: list[str] = []
    clock = iter(range(0, 10_000, 15))

    def bring() -> str:
        if faults:
            raise faults.pop(0)
        return "home"

    def patient(patience_s: float) -> str:
        return patiently(
            bring, patience_s, told.append, lambda: float(next(clock)), lambda _seconds: None
        )

    return bring, told, patient


def test_what_stands_in_the_way_is_told_once_and_tried_again() -> None:
    full = OSError(28, "No space left on device")
    _bring, told, patient = trying([full, full, GpuopsError("it is gone"), full])
    assert patient(600) == "home"
    assert [line.split(": ", 1)[1] for line in told] == [
        "[Errno 28] No space left on device Trying for 10 minutes.",
        "it is gone. Trying for 10 minutes.",
        "[Errno 28] No space left on device Trying for 10 minutes.",
    ]


@pytest.mark.parametrize(("patience_s", "tries"), [(0, 1), (60, 4)])
def test_patience_ends(patience_s: float, tries: int) -> None:
    faults: list[Exception] = [GpuopsError(f"no {number}") for number in range(100)]
    _bring, _told, patient = trying(faults)
    with pytest.raises(GpuopsError):
        patient(patience_s)
    assert 100 - len(faults) == tries
