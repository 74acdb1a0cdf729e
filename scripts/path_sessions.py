# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nox sessions that go the whole path as a user does: playbooks, the demo, the guides."""

from __future__ import annotations

import nox
import sessions
import workshop
from bench import NEEDED, Bench, bench, pinned
from workshop import WORK

WATCHING = ("grafana-foundation-sdk", "pytest", "selenium")


def files_of(session: str) -> list[str]:
    """Return the files of tests/e2e that a session covers, by the table of sessions."""
    return [f"tests/e2e/{name}" for name in sessions.covered(session, "e2e")]


def go(at: Bench, name: str, tools: tuple[str, ...], *chosen: str, command: bool = False) -> None:
    """Run some tests of the whole path, where these tools and all that the modules need are.

    ``command`` asks for the command gpuops, installed from this clone.
    """
    found = pinned("ansible-core", "coverage", *NEEDED, *tools)
    programs = workshop.environment_for(name, found)
    if command:
        workshop.install_command(programs)
    at.use(programs)
    at.pytest(f"pytest of {name}", WORK / f"junit-{name}.xml", "-v", "-s", *chosen)


@nox.session
@bench
def e2e(at: Bench) -> None:
    """Run the playbooks on real hosts, from a purchase to the proof that nothing is left."""
    go(at, "e2e", WATCHING, *files_of("e2e"))


@nox.session
@bench
def jobs(at: Bench) -> None:
    """Run jobs to their end on real hosts, and make one to work on."""
    go(at, "jobs", (*WATCHING, "click"), *files_of("jobs"), command=True)


@nox.session(name="job-kills")
@bench
def job_kills(at: Bench) -> None:
    """Kill controllers and instances of jobs at random moments; GPUOPS_CHAOS_SEED plays others."""
    go(at, "job-kills", WATCHING, *files_of("job-kills"))


@nox.session
@bench
def pages(at: Bench) -> None:
    """Run the rest of tests/e2e, which needs no hosts: costs, models, monitoring, a browser."""
    go(at, "pages", WATCHING, *files_of("pages"))


@nox.session
@bench
def demo(at: Bench) -> None:
    """Run what a user runs from the built tarball: the demo, the examples, the rulebook."""
    tools = ("ansible-builder", "ansible-rulebook", "molecule", "pytest")
    go(at, "demo", tools, *files_of("demo"))


@nox.session
@bench
def guides(at: Bench) -> None:
    """Run every command of the guides on one deployment of real hosts, in their order."""
    go(at, "guides", ("docutils", "pytest"), "tests/guides")
