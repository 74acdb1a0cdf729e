# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes to a host and comes back: by content, by byte, and never out of its folder."""

from __future__ import annotations

import fcntl
import io
import json
import os
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.action.job_send import send
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import (
    ConflictError,
    GpuopsError,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.folder import Folder, read_folder
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.remote import Remote, RemoteError
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.results import (
    Follower,
    PeerFailedError,
    fetch,
    with_parent,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.screen import Lines
from ansible_collections.gpuops.cloud.tests.unit.roles.job_host import FILES_PROGRAM, Host, host

__all__ = ["host"]
TRAIN = (sys.executable, "-c")


def folder_of(path: Path, files: dict[str, str]) -> Folder:
    """Return a folder with files, as it is sent."""
    for name, text in files.items():
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return read_folder(path, 100)


# -- a folder goes ---------------------------------------------------------------------------------


def test_a_folder_arrives_as_it_is(host: Host, tmp_path: Path) -> None:
    source = tmp_path / "source"
    folder_of(source, {"train.py": "print(1)", "twin.py": "print(1)", "a/line\nbreak": "x"})
    (source / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (source / "run.sh").chmod(0o700)
    (source / "a/link").symlink_to("../train.py")
    found = send(host.remote, str(host.jobs / "job"), read_folder(source, 100))
    assert found == {"changed": True, "sent_files": 3, "sent_bytes": 19}, "twins are sent once"
    work = host.jobs / "job/work"
    assert read_folder(work, 100).manifest == read_folder(source, 100).manifest
    assert os.access(work / "run.sh", os.X_OK)
    assert send(host.remote, str(work.parent), read_folder(source, 100)) == {"changed": False}


def test_what_was_broken_off_goes_on(host: Host, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "source", {"a": "one", "b": "two"})
    place = host.jobs / "job"
    host.remote.call("missing", str(place), text=folder.manifest)
    there = next(entry for entry in folder.entries if entry.path == "a")
    (place / "incoming" / there.content).write_text("one", encoding="utf-8")
    assert send(host.remote, str(place), folder)["sent_files"] == 1
    assert (place / "work/a").read_text(encoding="utf-8") == "one"


def test_another_folder_is_refused_once_there_is_one(host: Host, tmp_path: Path) -> None:
    send(host.remote, str(host.jobs / "job"), folder_of(tmp_path / "one", {"a": "1"}))
    with pytest.raises(RemoteError, match="the job has another folder already"):
        send(host.remote, str(host.jobs / "job"), folder_of(tmp_path / "two", {"a": "2"}))


def test_content_is_believed_only_with_its_hash(host: Host, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "source", {"a": "one"})
    (tmp_path / "source/a").write_text("two", encoding="utf-8")
    with pytest.raises(RemoteError, match="a file changed while it was sent"):
        send(host.remote, str(host.jobs / "job"), folder)
    assert not (host.jobs / "job/work").exists()


@pytest.mark.parametrize("path", ["../evil", "/tmp/evil"])
def test_a_manifest_leads_nowhere_else(host: Host, path: str) -> None:
    row = {"path": path, "size": 0, "mode": 0o644, "content": "", "link": "x"}
    with pytest.raises(RemoteError, match="leads out of the folder"):
        host.remote.call("missing", str(host.jobs / "job"), text=json.dumps(row).encode())


# -- output comes ----------------------------------------------------------------------------------


def follower(
    host: Host, tmp_path: Path, name: str = "job", **more: Any
) -> tuple[Follower, list[str]]:
    """Return what follows a job, and the lines that it shows."""
    shown: list[str] = []
    lines = Lines(shown.append, ("very-secret-value",))
    place = str(host.jobs / name)
    made = Follower(host.remote, place, 1, tmp_path / "home/output.log", lines, 60, **more)
    return made, shown


def test_output_comes_to_its_last_byte(host: Host, tmp_path: Path) -> None:
    words = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 40000)"
    host.keep("job", *TRAIN, words)
    made, _shown = follower(host, tmp_path)
    assert made.follow()
    assert made.file.read_bytes() == bytes(range(256)) * 40000


def test_lines_are_shown_whole_and_bars_as_they_stand(host: Host, tmp_path: Path) -> None:
    words = r"print('one\n\rbar 1\rbar 2\r\nvery-secret-value', end='')"
    host.keep("job", *TRAIN, words)
    made, shown = follower(host, tmp_path)
    made.follow()
    assert shown == ["one", "bar 2", "********"]
    assert b"bar 1\rbar 2\r\nvery-secret-value" in made.file.read_bytes()


def test_output_without_an_end_of_line_is_shown_in_pieces() -> None:
    shown: list[str] = []
    lines = Lines(shown.append)
    for step in range(20_000):
        lines.take(b"\rstep %d" % step)
    assert 1 <= len(shown) < 10
    lines.end()
    assert shown[-1] == "step 19999"


def test_a_follower_goes_on_where_another_was_killed(host: Host, tmp_path: Path) -> None:
    host.ended("job", *TRAIN, "print('0123456789')")
    made, shown = follower(host, tmp_path)
    made.file.parent.mkdir()
    made.file.write_bytes(b"01234")
    assert made.follow()
    assert made.file.read_bytes() == b"0123456789\n"
    assert shown == ["56789"]


def test_two_followers_do_not_write_one_file(host: Host, tmp_path: Path) -> None:
    host.ended("job", "true")
    made, _shown = follower(host, tmp_path, pause=lambda _seconds: None)
    made.file.parent.mkdir()
    with made.file.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ConflictError, match="another run writes"):
            made.follow()


def test_a_follower_ends_with_the_run_that_shows_it(host: Host, tmp_path: Path) -> None:
    host.keep("job", "sleep", "60")
    made, _shown = follower(host, tmp_path, wanted=with_parent(1))
    with pytest.raises(GpuopsError, match="is gone"):
        made.follow()


@pytest.mark.parametrize(("status", "fails"), [(3, True), (0, False)])
def test_a_node_that_fails_ends_the_others(
    host: Host, tmp_path: Path, status: int, fails: bool
) -> None:
    marker = tmp_path / "home/output-0001.failed"
    host.ended("first", *TRAIN, f"raise SystemExit({status})")
    made, _shown = follower(host, tmp_path, "first", marker=marker)
    assert made.follow()
    assert marker.exists() is fails
    host.keep("other", "sleep", "60")
    if fails:
        waits, _shown = follower(host, tmp_path, "other", marker=marker)
        with pytest.raises(PeerFailedError, match="host"):
            waits.follow()


def test_lost_connections_cost_no_byte(host: Host, tmp_path: Path) -> None:
    host.ended("job", *TRAIN, "print('x' * 100000)")
    login = tmp_path / "ssh"
    # Each connection brings some bytes, and dies as those of OpenSSH do; the last one holds.
    script = "n=$(cat {0}/n 2>/dev/null || echo 0); echo $((n+1)) > {0}/n\n"
    script += '[ $n -lt 3 ] || exec sh -c "$1"\nsh -c "$1" | head -c 20000; exit 255\n'
    login.write_text("#!/bin/sh\n" + script.format(tmp_path), encoding="utf-8")
    login.chmod(0o755)
    made, _shown = follower(host, tmp_path, pause=lambda _seconds: None)
    made.remote = Remote("host", FILES_PROGRAM, (str(login),))
    assert made.follow()
    assert made.file.read_bytes() == b"x" * 100000 + b"\n"
    assert len(made.lost) == 3


def test_a_host_that_is_out_of_reach_is_not_taken_for_gone(host: Host, tmp_path: Path) -> None:
    host.ended("job", "true")
    clock = iter(range(0, 10000, 50))
    made, _shown = follower(
        host, tmp_path, now=lambda: float(next(clock)), pause=lambda _seconds: None
    )
    made.remote = Remote("host", FILES_PROGRAM, ("sh", "-c", "exit 255"))
    assert made.follow() is False


def test_a_connection_that_held_is_no_silence(host: Host, tmp_path: Path) -> None:
    host.ended("job", "true")
    # Each call of the clock is an hour later: a laptop that slept, or a job that printed nothing.
    clock = iter(range(0, 10**9, 3600))
    made, _shown = follower(
        host, tmp_path, now=lambda: float(next(clock)), pause=lambda _seconds: None
    )
    login = tmp_path / "ssh"
    script = "n=$(cat {0}/n 2>/dev/null || echo 0); echo $((n+1)) > {0}/n\n"
    script += '[ $n -lt 3 ] && exit 255\nexec sh -c "$1"\n'
    login.write_text("#!/bin/sh\n" + script.format(tmp_path), encoding="utf-8")
    login.chmod(0o755)
    made.remote = Remote("host", FILES_PROGRAM, (str(login),))
    made.patience_s = 4000
    assert made.follow()
    assert len(made.lost) == 3


def test_an_attempt_that_was_lost_is_followed_to_what_it_wrote(host: Host, tmp_path: Path) -> None:
    host.ended("job", *TRAIN, "print('last words')")
    host.boot("job")
    made, shown = follower(host, tmp_path)
    began = time.monotonic()
    assert made.follow()
    assert shown == ["last words"]
    assert time.monotonic() - began < 30


# -- results come ----------------------------------------------------------------------------------


def test_results_come_home_and_only_once(host: Host, tmp_path: Path) -> None:
    work = host.jobs / "job/work"
    folder_of(work, {"out/model.bin": "m" * 100000, "out/a/b.txt": "b", "train.py": "x"})
    (work / "out/link").symlink_to("/etc/hostname")
    (work / "out/folder").symlink_to("/etc")
    first = fetch(host.remote, str(work.parent), tmp_path / "home", ["out/**"], 1)
    assert first["files"] == ["out/a/b.txt", "out/model.bin"]
    assert first["fetched"] == 2
    (tmp_path / "home/out/model.bin").write_text("broken off", encoding="utf-8")
    again = fetch(host.remote, str(work.parent), tmp_path / "home", ["out/**"], 1)
    assert (again["fetched"], again["changed"]) == (1, True)
    assert (tmp_path / "home/out/model.bin").read_bytes() == b"m" * 100000
    assert not fetch(host.remote, str(work.parent), tmp_path / "home", ["out/**"], 1)["changed"]


def test_too_many_results_are_told_and_nothing_comes(host: Host, tmp_path: Path) -> None:
    folder_of(host.jobs / "job/work", {"out/a": "x" * 2000})
    with pytest.raises(RemoteError, match="may be fetched"):
        fetch(host.remote, str(host.jobs / "job"), tmp_path / "home", ["out/**"], 1e-6)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("path", ["../evil", "/tmp/gpuops-evil", "link/evil"])
def test_a_host_writes_nothing_outside_the_results(tmp_path: Path, path: str) -> None:
    home, liar = tmp_path / "home", tmp_path / "liar"
    home.mkdir()
    (home / "link").symlink_to(tmp_path)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        about = tarfile.TarInfo("0")
        about.size = 1
        tar.addfile(about, io.BytesIO(b"x"))
    (tmp_path / "tar").write_bytes(archive.getvalue())
    rows = json.dumps([{"path": path, "size": 1, "content": "0" * 64}])
    liar.write_text(f"[ $1 = list ] && echo '{rows}' || cat {tmp_path}/tar\n", encoding="utf-8")
    with pytest.raises(GpuopsError, match="leads out of"):
        fetch(Remote("liar", ("sh", str(liar))), "job", home, ["out/**"], 1)
    assert not (tmp_path / "evil").exists()


def test_a_program_of_a_host_that_fails_says_why(host: Host) -> None:
    with pytest.raises(RemoteError, match="host: pack failed"):
        host.remote.call("pack", str(host.jobs / "none"), text=b"[]")
