# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first contact with many new hosts, beside what a plain client of asyncssh takes for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import asyncssh
import jobs

from ansible_collections.gpuops.cloud.plugins.action.ssh_ready import wait_for_all
from ansible_collections.gpuops.cloud.plugins.module_utils._ssh.readiness import SCRIPT, Target

HOSTS, REPEATS = 50, 3
# One host answers under all names; it would refuse most of so many log-ins at a time.
_TAKE_ALL = (
    "echo 'MaxStartups 500' > /etc/ssh/sshd_config.d/00-many.conf"
    " && (systemctl reload ssh 2>/dev/null || systemctl reload sshd)"
)


def run() -> jobs.Pair:
    """Log in to all of them for the first time, and ask each whether it can be worked on."""
    with jobs.host() as (login, place):
        login.run(_TAKE_ALL)
        _reachable(login)
        pairs = [
            (_seconds(_ours, login, place), _seconds(_plain, login)) for _number in range(REPEATS)
        ]
    what = f"first contact with {HOSTS} new hosts, against asyncssh"
    return jobs.Pair(what, median(one for one, _two in pairs), median(two for _one, two in pairs))


def _reachable(login: jobs.Login) -> None:
    target = Target("host", login.address, user="root", key_file=str(login.key), args=_args(login))
    if not wait_for_all([target], 120, 1, (True, True))["host"]["ready"]:
        raise RuntimeError("the host that is measured does not answer")


def _args(login: jobs.Login) -> str:
    return " ".join(login.options)


def _seconds(step: Callable[..., None], *given: jobs.Login | Path) -> float:
    began = time.monotonic()
    step(*given)
    return time.monotonic() - began


def _ours(login: jobs.Login, place: Path) -> None:
    """Do it as the playbooks do: a key that is unknown is taken, and pinned in a file."""
    known = place / f"known-{time.monotonic_ns()}"
    new = f"-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile={known}"
    targets = [
        Target(f"host-{number}", login.address, user="root", key_file=str(login.key), args=new)
        for number in range(HOSTS)
    ]
    answers = wait_for_all(targets, 120, 3, (True, True)).values()
    _check(sum(one["ready"] for one in answers), sum(one["attempts"] for one in answers))


def _plain(login: jobs.Login) -> None:
    """Do it with one event loop; no key of a host is looked at or kept."""
    answers = asyncio.run(_all(login))
    _check(sum("login=ok" in one for one in answers), len(answers))


async def _all(login: jobs.Login) -> list[str]:
    return list(await asyncio.gather(*(_ask(login) for _number in range(HOSTS))))


async def _ask(login: jobs.Login) -> str:
    options = {"username": "root", "client_keys": [str(login.key)], "known_hosts": None}
    async with asyncssh.connect(login.address, **options) as connection:
        done = await connection.run("sh -s", input=SCRIPT, check=True)
        return str(done.stdout)


def _check(ready: int, attempts: int) -> None:
    """Refuse figures of another thing than was meant."""
    if (ready, attempts) != (HOSTS, HOSTS):
        raise RuntimeError(f"{ready} of {HOSTS} hosts were ready after {attempts} attempts")
