# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that are forks of one which has loaded already what all of them need."""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# By which coverage.py begins in a process that is started.
SWITCH = "COVERAGE_PROCESS_START"


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends by which a server is asked, by several processes at a time."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def ask(
    server: socket.socket, task: Any, folder: Path, environment: Mapping[str, str]
) -> tuple[int, str, str]:
    """Let a fork of the server do a task; return its status, and what it said to both streams."""
    mask = os.umask(0o077)
    os.umask(mask)
    around = {"environment": {**environment}, "folder": str(folder), "mask": mask}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as given,
        tempfile.TemporaryFile("w+", encoding="utf-8") as said,
        tempfile.TemporaryFile("w+", encoding="utf-8") as complained,
    ):
        json.dump({**around, "task": task}, given)
        given.flush()
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                files = (given, theirs, said, complained)
                socket.send_fds(server, [b"do"], [file.fileno() for file in files])
            status = ours.makefile().read()
        for file in (said, complained):
            file.seek(0)
        heard = said.read(), complained.read()
    if not status:
        raise ChildProcessError(f"A program ended without a status: {heard}")
    return int(status), *heard


def serve(requests: socket.socket, do: Callable[[Any], object]) -> None:
    """Fork for each task, until nobody is there any more to ask."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        word, files, _flags, _who = socket.recv_fds(requests, 16, 4)
        if not word:
            return
        if os.fork() == 0:
            requests.close()
            _watch(do, *files)
        for file in files:
            os.close(file)


def _watch(do: Callable[[Any], object], given: int, answer: int, said: int, heard: int) -> None:
    """Do a task in a process of its own, and tell its status when that has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        os.close(answer)
        _take_streams(said, heard)
        _do(do, given)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.write(answer, str(status).encode())
    os._exit(0)


def _take_streams(said: int, complained: int) -> None:
    """Write to these what is said from now on; nothing can be read."""
    for number, file in enumerate([os.open(os.devnull, os.O_RDONLY), said, complained]):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _enter(environment: dict[str, str], folder: str, mask: int) -> None:
    """Have what a process that was started by the one that asks would have."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.umask(mask)
    if SWITCH in environment:
        importlib.import_module("coverage").process_startup()


def _do(do: Callable[[Any], object], given: int) -> None:
    """Do a task, and end as an interpreter does."""
    status: Any = 1
    try:
        atexit._clear()  # what the server leaves at its end is not for this process to remove
        with open(given, encoding="utf-8") as file:
            file.seek(0)
            around = json.load(file)
        task = around.pop("task")
        try:
            _enter(**around)
            do(task)
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except Exception:  # noqa: BLE001 - as an interpreter does
            traceback.print_exc()
        atexit._run_exitfuncs()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
