# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: what is written is there once, and what cannot be written is a warning."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import schema, store
from ansible_collections.gpuops.cloud.plugins.module_utils._ledger.history import things_of
from ansible_collections.gpuops.cloud.tests.unit.plugins import shown

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
PASSWORD = "swordfish"


def machine(number: int = 1, **more: Any) -> dict[str, Any]:
    """Return an instance as the API shows it."""
    marks = {"deployment": "llm", "name": "llm", "owner": "me", "request": "r", "project": "apollo"}
    tags = {**marks, "lease": "2026-11-22T20:00:00Z", **more.pop("tags", {})}
    return {
        "id": f"machine-{number}",
        "hostname": "llm",
        "instance_type": "1H100.80S.32V",
        "gpu": {"number_of_gpus": 1},
        "gpu_memory": {"size_in_gigabytes": 80},
        "location": "FIN-03",
        "is_spot": False,
        "price_per_hour": 3.5,
        "created_at": "2026-11-22T12:00:00.000Z",
        "tags": [{"key": f"gpuops-{key}", "value": value} for key, value in tags.items()],
        **more,
    }


def event(name: str = "purchase", row: Any = None, at: datetime = NOON, **more: Any) -> Any:
    """Return an event of an instance."""
    return store.event_of(name, shown.instance(row or machine()), at, source="test", **more)


def events(url: str, **span: Any) -> list[tuple[str, str]]:
    """Return the events of a ledger, as (event, thing)."""
    return [(row["event"], row["thing_id"]) for row in store.read(url, **span)]


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python that finds what this one finds."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={"PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the URL of a ledger that does not exist yet."""
    return f"sqlite:///{tmp_path / 'books' / 'ledger.sqlite3'}"


def test_event_tells_whose_and_what_it_is() -> None:
    assert event() == {
        "at": "2026-11-22T12:00:00Z",
        "event": "purchase",
        "kind": "instance",
        "thing_id": "machine-1",
        "name": "llm",
        "deployment": "llm",
        "owner": "me",
        "project": "apollo",
        "gpu_model": "H100",
        "gpu_count": 1,
        "instance_type": "1H100.80S.32V",
        "market": "on_demand",
        "location": "FIN-03",
        "price_per_hour": 3.5,
        "lease_end": "2026-11-22T20:00:00Z",
        "started": "2026-11-22T12:00:00Z",
        "source": "test",
        "cost": None,
        "estimated": False,
    }


def test_volume_belongs_to_whom_its_machine_belongs() -> None:
    disk = {"id": "disk", "name": "gpuops.llm.llm.os", "base_hourly_cost": 0.0274}
    alone = store.event_of("purchase", shown.volume(disk), NOON, source="test")
    assert (alone["deployment"], alone["owner"], alone["project"]) == ("llm", None, None)
    whose = {"source": "test", "machine": shown.instance(machine())}
    found = store.event_of("purchase", shown.volume(disk), NOON, **whose)
    assert (found["deployment"], found["owner"], found["project"]) == ("llm", "me", "apollo")
    assert (found["price_per_hour"], found["gpu_model"], found["lease_end"]) == (0.0274, None, None)


def test_what_is_written_is_read(url: str) -> None:
    assert store.read(url) == []
    assert not Path(url.removeprefix("sqlite:///")).exists()
    assert store.record(url, [event()], "account", "lambda") is None
    (row,) = store.read(url)
    more = {"account": "account", "provider": "lambda", "mark": "", "seen": None}
    assert row == {**event(), **more}


def test_ledger_without_providers_is_read_and_goes_on(url: str) -> None:
    assert store.record(url, [event()], "account", "verda") is None
    path = url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.execute("ALTER TABLE gpuops_events DROP COLUMN provider")
        old.commit()
    (row,) = store.read(url)
    assert "provider" not in row
    schema._MADE.clear()  # as in another process
    assert (
        store.record(url, [event("end", at=NOON + timedelta(hours=1))], "account", "verda") is None
    )
    assert [row["provider"] for row in store.read(url)] == [None, "verda"]
    (thing,) = things_of(store.read(url))
    assert (thing.provider, thing.until) == (None, NOON + timedelta(hours=1))


def test_event_is_written_once(url: str) -> None:
    later = event("extend", machine(tags={"lease": "2026-11-23T00:00:00Z"}))
    story = [event(), event("extend"), later, event("end", at=NOON + timedelta(hours=1))]
    for _round in range(2):
        assert store.record(url, story, "one") is None
        assert store.record(url, [event("end", at=NOON + timedelta(hours=2))], "two") is None
    assert [name for name, _thing in events(url)] == ["purchase", "extend", "extend", "end"]
    assert store.read(url)[-1]["at"] == "2026-11-22T13:00:00Z"


def test_what_came_back_can_end_again(url: str) -> None:
    ends = [event("end", at=NOON + timedelta(hours=hour)) for hour in (1, 3)]
    back = event("restore", at=NOON + timedelta(hours=2))
    for row in (event(), ends[0], back, ends[1], ends[1]):
        assert store.record(url, [row], "account") is None
    assert [name for name, _thing in events(url)] == ["purchase", "end", "restore", "end"]


def test_only_what_cost_in_a_span_is_read(url: str) -> None:
    rows = []
    for number in range(3):  # each lives for an hour, one after the other
        start = NOON + timedelta(hours=number)
        rows += [
            event(row=machine(number), at=start),
            event("end", machine(number), start + timedelta(hours=1)),
        ]
    store.record(url, rows, "account")
    half_past_one = NOON + timedelta(minutes=90)
    assert events(url, until=half_past_one) == [
        ("purchase", "machine-0"),
        ("end", "machine-0"),
        ("purchase", "machine-1"),
    ]
    assert {thing for _name, thing in events(url, since=half_past_one)} == {
        "machine-1",
        "machine-2",
    }


def test_last_look_is_kept_with_each_event(url: str) -> None:
    store.record(url, [event(), event(row=machine(2))], "account")
    for hours in (1, 2):
        assert store.saw(url, ["machine-1"], NOON + timedelta(hours=hours)) is None
    assert [row["seen"] for row in store.read(url)] == ["2026-11-22T14:00:00Z", None]


# -- where it is -----------------------------------------------------------------------------------


def test_place_is_option_then_environment_then_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("GPUOPS_LEDGER", raising=False)
    home = f"sqlite:///{tmp_path}/.local/share/gpuops/ledger.sqlite3"
    assert store.url_of(None) == store.url_of("") == home
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert store.url_of(None) == f"sqlite:///{tmp_path}/data/gpuops/ledger.sqlite3"
    monkeypatch.setenv("GPUOPS_LEDGER", "none")
    assert store.url_of(None) is None
    assert store.url_of("sqlite:////x") == "sqlite:////x"
    assert store.url_of("NONE") is None


def test_ledger_that_is_off_writes_nothing(tmp_path: Path) -> None:
    assert store.record("none", [event()], "account") is None
    assert store.saw("none", ["machine-1"], NOON) is None
    assert store.read("none") == []


def test_only_its_owner_can_read_the_file(url: str) -> None:
    store.record(url, [event()], "account")
    file = Path(url.removeprefix("sqlite:///"))
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_call_without_an_event_does_not_import_the_library() -> None:
    helper = store.__name__
    module = helper.replace("module_utils._ledger.store", "modules.datacrunch_instance")
    code = f"import sys, {helper}, {module}; print('sqlalchemy' in sys.modules)"
    assert python(code).communicate(timeout=60)[0].strip() == "False"


# -- what goes wrong -------------------------------------------------------------------------------


def test_missing_library_is_a_warning(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    assert "pip install 'SQLAlchemy>=2,<3'" in str(store.record(url, [event()], "account"))


def test_folder_that_cannot_be_made_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    url = f"sqlite:///{tmp_path}/file/ledger.sqlite3"
    assert "cannot be used" in str(store.record(url, [event()], "account"))


def test_file_that_is_no_database_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("no database, but a long text " * 100)
    assert "not a database" in str(store.record(f"sqlite:///{tmp_path}/ledger", [event()], "a"))


def test_locked_database_is_a_warning(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store.record(url, [event()], "account")
    monkeypatch.setattr(schema, "WAIT_S", 0.05)
    schema._engine.cache_clear()
    with sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in str(store.record(url, [event("end")], "account"))
        assert len(store.read(url)) == 1  # a reader does not wait for a writer
        other.execute("ROLLBACK")
    other.close()
    assert store.record(url, [event("end")], "account") is None


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (PASSWORD, "cannot be read"),
        (f"://{PASSWORD}", "cannot be read"),
        (f"postgresql://u:{PASSWORD}@h:port/d", "cannot be read"),
        (f"mysql://u:{PASSWORD}@127.0.0.1/d", "only sqlite and postgresql"),
        (f"postgresql://u:{PASSWORD}@127.0.0.1:9/d", "refused"),
        (f"postgresql+psycopg2://u:{PASSWORD}@127.0.0.1:9/d", "refused"),
        (f"postgresql://127.0.0.1:9/d?user=u&password={PASSWORD}", "refused"),
        (f"postgresql://u:{PASSWORD}@127.0.0.1:9/d?{PASSWORD}=1", "***"),
    ],
)
def test_bad_url_is_a_warning_without_its_password(bad: str, why: str) -> None:
    warning = str(store.record(bad, [event()], "account"))
    assert why in warning
    assert PASSWORD not in warning
    with pytest.raises(store.LedgerError, match="ledger"):
        store.read(bad)


WRITER = """
import sys
from ansible_collections.gpuops.cloud.tests.unit.plugins.module_utils import test_ledger as here
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 20):
    warning = here.store.record(sys.argv[1], [here.event(row=here.machine(number))], "account")
    if warning:
        sys.exit(warning)
"""


def test_several_processes_write_at_once(url: str) -> None:
    running = [python(WRITER, url, str(first)) for first in (0, 10, 40, 60)]
    assert [process.communicate(timeout=60)[0] for process in running] == [""] * 4
    assert len(store.read(url)) == 70
