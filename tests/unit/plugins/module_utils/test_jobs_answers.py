# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host answers is data: read where its shape is known, and one sentence where not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.answers import (
    AnswerError,
    HostFile,
    attempts_from,
    member_of,
    read_changed,
    read_files,
    read_missing,
)

FILE = {"path": "out/a", "size": 1, "content": "0" * 64}
ATTEMPT = {
    "number": 1,
    "started": 1.5,
    "this_boot": True,
    "active": False,
    "stop": "",
    "checkpoint": False,
    "size": 0,
    "last_output": None,
    "exit": None,
}
NO_JSON = [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b"Welcome to Debian!\n[]"]


def test_what_a_host_means_is_read() -> None:
    assert read_files(json.dumps([FILE]).encode()) == [HostFile("out/a", 1, "0" * 64)]
    assert read_missing(b'{"done": false, "missing": ["a"]}') == (False, ["a"])
    assert read_changed(b'{"changed": true}')
    attempts_from([ATTEMPT, {**ATTEMPT, "exit": {"exit_code": 3, "reason": "x", "signal": ""}}])


@pytest.mark.parametrize("text", NO_JSON)
@pytest.mark.parametrize("read", [read_files, read_missing, read_changed])
def test_what_is_no_json_is_one_sentence(read: Any, text: bytes) -> None:
    with pytest.raises(AnswerError, match="cannot be read") as found:
        read(text)
    assert len(str(found.value)) < 300


@pytest.mark.parametrize(
    "rows",
    [
        {},
        None,
        [1],
        [{**FILE, "size": "1"}],
        [{**FILE, "size": True}],
        [{**FILE, "size": -1}],
        [{**FILE, "path": ["out/a"]}],
        [{**FILE, "path": "out/\0a"}],
        [{"path": "out/a"}],
    ],
)
def test_a_list_of_files_is_whole_or_refused(rows: Any) -> None:
    with pytest.raises(AnswerError, match="list of files"):
        read_files(json.dumps(rows).encode())


@pytest.mark.parametrize("row", [{}, [], {"done": 1, "missing": []}, {"done": False}])
def test_an_answer_to_a_folder_is_whole_or_refused(row: Any) -> None:
    with pytest.raises(AnswerError, match="answer to a folder"):
        read_missing(json.dumps(row).encode())
    with pytest.raises(AnswerError, match="answer"):
        read_changed(json.dumps(row).encode())


@pytest.mark.parametrize("name", ["1", "-1", "x", "", "0x0", "1e0", "²", "../0"])
def test_a_member_of_an_archive_is_a_number_of_the_list(name: str) -> None:
    files = [HostFile("a", 1, "")]
    assert member_of(files, "0") == files[0]
    with pytest.raises(AnswerError, match="archive"):
        member_of(files, name)


@pytest.mark.parametrize(
    "row",
    [
        "x",
        {},
        {**ATTEMPT, "number": "1"},
        {**ATTEMPT, "started": "soon"},
        {**ATTEMPT, "started": float("nan")},
        {**ATTEMPT, "active": 1},
        {**ATTEMPT, "exit": []},
        {**ATTEMPT, "exit": {"exit_code": "3", "reason": "x", "signal": ""}},
    ],
)
def test_an_attempt_is_whole_or_refused(row: Any) -> None:
    with pytest.raises(AnswerError, match="attempt"):
        attempts_from([row])
