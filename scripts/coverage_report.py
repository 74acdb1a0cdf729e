# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say what the tests have covered, lines and branches, and end with 1 below the floor.

usage: coverage_report.py SESSION ... [--more SESSION ...]

The sessions have left their data in .nox/coverage. With --more a second table counts all of them.
A session without data is an error. `nox -s coverage` and `nox -s coverage-all` run this.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
import measuring
from workshop import ROOT

FLOOR = 90.0  # percent of lines, for each part
LEAST = 10  # so many files are named
PARTS = {"plugins": "plugins/**/*.py", "roles/*/files": "roles/*/files/**/*.py"}
MARK = re.compile(r"#\s*pragma[:\s]?\s*no\s*(cover|branch)", re.IGNORECASE)
NOT_MEASURED = "What runs on hosts that are reached by SSH is not measured."


class NoDataError(Exception):
    """Of a session that was to be measured came no data."""


@dataclass(frozen=True)
class Count:
    """Lines and branches: how many there are, how many of them ran."""

    lines: int = 0
    lines_run: int = 0
    branches: int = 0
    branches_run: int = 0

    def __add__(self, other: Count) -> Count:
        """Return both together."""
        return Count(
            self.lines + other.lines,
            self.lines_run + other.lines_run,
            self.branches + other.branches,
            self.branches_run + other.branches_run,
        )

    @property
    def percent(self) -> float:
        """Return how much of the lines ran; of nothing, all."""
        return 100 * self.lines_run / self.lines if self.lines else 100.0

    @property
    def percent_of_branches(self) -> float:
        """Return how much of the branches ran; of nothing, all."""
        return 100 * self.branches_run / self.branches if self.branches else 100.0

    def __str__(self) -> str:
        """Say both in percent and numbers."""
        return (
            f"lines {self.percent:5.1f} % ({self.lines_run} of {self.lines}), "
            f"branches {self.percent_of_branches:5.1f} % ({self.branches_run} of {self.branches})"
        )


def sources(root: Path = ROOT) -> dict[str, list[Path]]:
    """Return the Python files of each part, also those that no test has touched."""
    return {part: sorted(root.glob(pattern)) for part, pattern in PARTS.items()}


def marks(root: Path = ROOT) -> list[str]:
    """Return the places that ask not to be counted, as file:line."""
    return [
        f"{path.relative_to(root)}:{number}"
        for files in sources(root).values()
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MARK.search(line)
    ]


def count(
    sessions: Iterable[str], folder: Path = measuring.FOLDER, root: Path = ROOT
) -> dict[str, dict[str, Count]]:
    """Return part -> file -> what of it ran in any of the sessions; raises NoDataError."""
    data_files = {session: measuring.data_file(session, folder) for session in sessions}
    missing = [session for session, path in data_files.items() if not path.exists()]
    if missing:
        raise NoDataError(f"no coverage data of {', '.join(missing)}: run the whole session")
    everything = sources(root)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        cover = coverage.Coverage(data_file=f"{place}/data", config_file=False, branch=True)
        cover.combine([str(path) for path in data_files.values()], keep=True)
        cover.get_data().touch_files(
            [str(path) for files in everything.values() for path in files], ""
        )
        told = f"{place}/report.json"
        cover.json_report(outfile=told, include=[f"{root}/plugins/*", f"{root}/roles/*/files/*"])
        rows = json.loads(Path(told).read_text(encoding="utf-8"))["files"]
    by_path = {(Path.cwd() / name).resolve(): row["summary"] for name, row in rows.items()}
    return {
        part: {
            str(path.relative_to(root)): _count_of(by_path[path.resolve()])
            for path in files
            if path.resolve() in by_path  # an empty file has no row
        }
        for part, files in everything.items()
    }


def _count_of(row: dict[str, Any]) -> Count:
    """Read the summary of a file in the report of coverage.py."""
    return Count(
        row["num_statements"], row["covered_lines"], row["num_branches"], row["covered_branches"]
    )


def total(files: dict[str, Count]) -> Count:
    """Return what of all these files ran."""
    return sum(files.values(), Count())


def table(title: str, counted: dict[str, dict[str, Count]]) -> list[str]:
    """Return the lines that say how much of each part ran, and which files least."""
    rows = [(one.percent, name) for files in counted.values() for name, one in files.items()]
    return [
        title,
        *(f"  {part:<14} {total(files)}" for part, files in counted.items()),
        "  least covered:",
        *(f"    {percent:5.1f} %  {name}" for percent, name in sorted(rows)[:LEAST]),
    ]


def too_low(counted: dict[str, dict[str, Count]], floor: float = FLOOR) -> list[str]:
    """Return what is wrong: the parts below the floor."""
    return [
        f"only {total(files).percent:.2f} % of the lines of {part} are covered, not {floor:.0f} %"
        for part, files in counted.items()
        if total(files).percent < floor
    ]


def main(sessions: Sequence[str], more: Sequence[str]) -> int:
    """Print the figures; returns 1 when one is too low or data are missing, else 0."""
    wrong = []
    try:
        for title, chosen in (("make test", sessions), ("all", [*sessions, *more])):
            if title == "make test" or more:
                counted = count(chosen)
                print("\n".join(table(f"coverage of {title} ({', '.join(chosen)})", counted)))
                wrong += too_low(counted)
    except NoDataError as error:
        wrong.append(str(error))
    found = marks()
    print(f"no cover: {len(found)} marks {' '.join(found)}\n{NOT_MEASURED}")
    print("".join(f"COVERAGE: {text}\n" for text in wrong), end="", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("sessions", nargs="+")
    parser.add_argument("--more", nargs="+", default=[])
    arguments = parser.parse_args()
    sys.exit(main(arguments.sessions, arguments.more))
