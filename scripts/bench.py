# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A nox session at work: its workspace, the programs it may run, and what they found."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import measuring
import nox
import sessions
import workshop
from nox.command import CommandFailed
from workshop import ROOT, Result
from workspace import workspace

# What the modules need on a controller, the optional driver of a team's ledger left out.
NEEDED = ("datacrunch", "prometheus-client", "SQLAlchemy")
CORES = sessions.cores()


class Bench:
    """One session at work."""

    def __init__(self, session: nox.Session, result: Result, env: dict[str, str]) -> None:
        """Take the session, the result to fill and the environment of its programs."""
        self.session, self.result, self.env = session, result, env

    def use(self, folder: Path) -> None:
        """Put the programs of a folder first on the path."""
        self.env["PATH"] = os.pathsep.join([str(folder), self.env["PATH"]])

    def run(self, *command: object, cwd: Path = ROOT, silent: bool = False) -> str | None:
        """Run a command; returns None when it failed, else its output if silent."""
        words = [str(word) for word in command]
        words[0] = shutil.which(words[0], path=self.env["PATH"]) or words[0]
        with self.session.chdir(cwd):
            try:
                output = self.session.run(
                    *words, env=self.env, include_outer_env=False, external=True, silent=silent
                )
            except CommandFailed:
                return None
        return output if isinstance(output, str) else ""

    def check(self, name: str, *command: object, cwd: Path = ROOT, silent: bool = False) -> str:
        """Run a command that counts as one check; a failure does not hide the next check.

        Returns the output if silent, and nothing of a command that failed.
        """
        output = self.run(*command, cwd=cwd, silent=silent)
        self.result.check(name, output is not None)
        return output or ""

    def pytest(self, name: str, report: Path, *arguments: str) -> None:
        """Run pytest and count its tests, and that it ended well.

        Who names tests after `--` gets those alone, and not the session's own folder with them.
        """
        report.unlink(missing_ok=True)
        fixed = ("-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}")
        asked = self.session.posargs
        if any((ROOT / word.split("::")[0]).exists() for word in asked):
            arguments = tuple(word for word in arguments if not (ROOT / word).exists())
        with self.measured():
            passed = self.run("python", *fixed, *arguments, *asked) is not None
        self.result.add_junit(report)
        self.result.check(name, passed)

    def python_of(self, core: str) -> str | None:
        """Return the interpreter for a release of ansible-core, or None and say why there is none.

        Only a release that the table of sessions excuses may lack its Python.
        """
        wanted = CORES[core]
        found = workshop.interpreter(wanted.python)
        if found is None:
            words = f"ansible-core {core}: no Python {wanted.python} here"
            if wanted.not_possible_here:
                self.result.not_possible.append(f"{words}; {wanted.not_possible_here}")
            else:
                self.result.not_run.append(words)
        return found

    @contextlib.contextmanager
    def measured(self) -> Iterator[bool]:
        """Measure the coverage of what is run meanwhile, if it counts; yields whether it does.

        A part of the session's tests, named after `--`, does not count.
        """
        session = self.session.name
        if self.session.posargs or not measuring.is_measured(session):
            yield False
            return
        own, self.env = self.env, {**self.env, **measuring.begin(session)}
        yield True
        self.env = own
        tool = workshop.environment_for("measure", pinned("coverage"))
        self.check("its coverage was measured", tool / "coverage", *measuring.combine(session))


def bench(work: Callable[[Bench], None]) -> Callable[[nox.Session], None]:
    """Turn a function of a bench into a session: workspace around it, result kept and told."""

    @functools.wraps(work)
    def session_function(session: nox.Session) -> None:
        result = Result()
        measuring.forget(session.name)
        try:
            with workspace(result, session.name) as env:
                work(Bench(session, result, env))
        except Exception:
            result.check("the session itself", good=False)
            raise
        finally:
            result.write(session.name)
        if result.failed:
            session.error(f"failed: {', '.join(result.failures)}")

    return session_function


def one_for(kind: str, which: str, work: Callable[[str, Bench], None]) -> None:
    """Make the session ``<kind>-<which>``, for a release of ansible-core or a scenario."""
    function = functools.partial(work, which)
    function.__doc__ = f"{work.__doc__} ({which})"
    nox.session(name=f"{kind}-{which}")(bench(function))


def pinned(*names: str) -> list[str]:
    """Return the exact requirements of these tools; raises KeyError for one that is not pinned."""
    files = sorted(ROOT.glob("requirements-*.txt"))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    pins = {line.split("==")[0]: line for line in text.splitlines() if "==" in line}
    return [pins[name] for name in names]
