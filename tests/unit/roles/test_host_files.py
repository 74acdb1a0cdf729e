# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a host that are kept in one call: compared, written in one step, never half."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module

SECRET = "ak-0c41a7d255ad4a36a2a7b1c5b8e8a0017"


@pytest.fixture(autouse=True)
def strict_umask() -> Iterator[None]:
    """Let the login have the umask of a host that is kept closed."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def rows(folder: Path) -> list[dict[str, Any]]:
    """Return one of each kind, in a folder that is made first."""
    return [
        {"path": str(folder)},
        {"path": str(folder / "settings"), "content": "port: 8000\n"},
        {"path": str(folder / "current"), "link": "/opt/1.2.3"},
    ]


def secrets(folder: Path) -> dict[str, str]:
    """Return a file that nobody may see."""
    return {str(folder / "key"): f"KEY={SECRET}\n"}


def keep(
    files: list[dict[str, Any]], secrets: dict[str, str] | None = None, **how: Any
) -> dict[str, Any]:
    """Run the module; nothing that it prints or logs holds the secret."""
    result, printed = run_module(
        "host_files", {"files": files, "secret_files": secrets or {}}, **how
    )
    assert SECRET not in printed
    return result


def modes(folder: Path) -> dict[str, int]:
    """Return the modes of what is there."""
    return {path.name: path.lstat().st_mode & 0o777 for path in (folder, *folder.iterdir())}


@pytest.mark.every_core("host_files")
def test_all_is_written_once_with_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    first = keep(rows(folder), secrets(folder), diff=True)
    assert first["paths"] == [*(row["path"] for row in rows(folder)), *secrets(folder)]
    assert (folder / "key").read_text(encoding="utf-8") == f"KEY={SECRET}\n"
    assert str((folder / "current").readlink()) == "/opt/1.2.3"
    expected = {"etc": 0o755, "settings": 0o644, "key": 0o600}
    assert {name: modes(folder)[name] for name in expected} == expected
    again = keep(rows(folder), secrets(folder), diff=True)
    assert (again["changed"], again["paths"], again["diff"]) == (False, [], [])


@pytest.mark.parametrize("spoilt", ["settings", "key", "current"])
@pytest.mark.parametrize("how", ["other", "mode", "gone", "link"])
def test_what_somebody_has_changed_is_put_right_alone(
    tmp_path: Path, spoilt: str, how: str
) -> None:
    folder = tmp_path / "etc"
    keep(rows(folder), secrets(folder))
    path = folder / spoilt
    if how == "mode" and spoilt != "current":
        path.chmod(0o666)
    else:
        path.unlink()
    if how == "other":
        path.write_text("something else", encoding="utf-8")
    if how == "link":
        path.symlink_to("/nowhere")
    assert keep(rows(folder), secrets(folder))["paths"] == [str(path)]
    assert not keep(rows(folder), secrets(folder))["changed"]


def test_check_mode_says_what_it_would_write(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    found = keep(rows(folder), secrets(folder), check=True, diff=True)
    assert (len(found["paths"]), folder.exists()) == (4, False)
    assert [row["after"] for row in found["diff"]] == [
        "",
        "port: 8000\n",
        "/opt/1.2.3\n",
        "(not shown)\n",
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"content": ""}, "is a folder, and a file or link is to be there"),
        ({"link": "/x"}, "is a folder, and a file or link is to be there"),
        ({"content": "", "link": ""}, "mutually exclusive"),
        ({"mode": "rw"}, "is not octal"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    result = keep([{"path": str(tmp_path), **row}])
    assert result["failed"]
    assert said in result["msg"]


def test_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    """One server among several has a folder below that of all."""
    keep([{"path": str(tmp_path / "vllm/embeddings")}])
    assert modes(tmp_path / "vllm") == {"vllm": 0o755, "embeddings": 0o755}


def test_folder_where_a_file_is_stays_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert keep([{"path": str(tmp_path / "file")}])["msg"].endswith("is there and no folder.")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_nothing_unfinished_stays_behind(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "full").mkdir()
    assert keep([{"path": str(tmp_path / "full/not/there"), "content": "x"}])["failed"]
    assert json.dumps(sorted(path.name for path in tmp_path.rglob("*"))) == '["full"]'
