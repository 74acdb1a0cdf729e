# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger of a team: a real PostgreSQL server on this machine, started by the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import store
from ansible_collections.gpuops.cloud.tests.unit.plugins.module_utils.test_ledger import (
    NOON,
    PASSWORD,
    event,
    events,
    machine,
)


def programs() -> Path | None:
    """Return the folder with the server's programs, which Debian keeps off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    return next((path.resolve().parent for path in [*found, Path(on_path or "/-")]), None)


BINARIES = programs()
# A server refuses to run as root.
USER = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

pytestmark = pytest.mark.skipif(
    not (BINARIES and (BINARIES / "initdb").exists()),
    reason="no PostgreSQL server here (Debian package postgresql)",
)


def free_port() -> int:
    """Return a port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, *command: object) -> None:
    """Run a program of the server as an unprivileged user."""
    as_user = {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []}
    subprocess.run(
        [str(BINARIES / str(command[0])), *map(str, command[1:])],  # type: ignore[operator]
        cwd=folder,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
        **(as_user if os.geteuid() == 0 else {}),
    )


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server that knows one user by a password; yields its URL up to the database."""
    # Not below the test's own folder: the unprivileged user could not get there.
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ledger-") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        for path in (folder, folder / "password"):
            shutil.chown(path, USER)
        data, port = folder / "data", free_port()
        known = ("-A", "scram-sha-256", "-U", "gpuops", "--pwfile", folder / "password")
        start(folder, "initdb", "-D", data, "-N", "-E", "UTF8", *known)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
        start(folder, "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start")
        try:
            yield f"postgresql://gpuops:{PASSWORD}@127.0.0.1:{port}"
        finally:
            start(folder, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> str:
    """Return the URL of a database of this test's own."""
    psycopg = pytest.importorskip("psycopg")
    name = request.node.name.lower().partition("[")[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server}/{name}"


def test_what_is_written_is_read_once(url: str) -> None:
    assert store.read(url) == []
    story = [event(), event("extend"), event("end", at=NOON + timedelta(hours=1))]
    for _round in range(2):
        assert store.record(url, story, "account", "verda") is None
    assert events(url) == [(name, "machine-1") for name in ("purchase", "extend", "end")]
    more = {"account": "account", "provider": "verda", "mark": "", "seen": None}
    assert store.read(url)[0] == {**event(), **more}
    assert events(url, since=NOON + timedelta(hours=2)) == []
    for hours in (1, 2):
        assert store.saw(url, ["machine-1"], NOON + timedelta(hours=hours)) is None
    assert store.read(url)[0]["seen"] == "2026-11-22T14:00:00Z"


def test_first_events_of_many_controllers_come_at_once(url: str) -> None:
    def write(number: int) -> str | None:
        return store.record(url, [event(row=machine(number % 6))], "account")

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert list(pool.map(write, range(24))) == [None] * 24
    assert len(store.read(url)) == 6


def test_wrong_password_is_a_warning_that_names_none(url: str) -> None:
    bad = url.replace(PASSWORD, "guessed-wrongly")
    warning = str(store.record(bad, [event()], "account"))
    assert "password authentication failed" in warning
    assert "guessed-wrongly" not in warning


def test_unknown_database_is_a_warning(server: str) -> None:
    warning = str(store.record(f"{server}/none-such", [event()], "account"))
    assert 'database "none-such" does not exist' in warning
    assert PASSWORD not in warning
