# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions that draw the pictures in docs/ and write the dashboards anew; no test needs them."""

from __future__ import annotations

import nox
import workshop
from bench import NEEDED, Bench, bench, pinned
from workshop import ROOT, WORK


@nox.session
@bench
def picture(at: Bench) -> None:
    """Draw docs/demo.svg anew: what `make demo` prints, as a picture of a terminal."""
    at.use(workshop.environment_for("picture", pinned("rich")))
    file = ROOT / "docs/demo.svg"
    # Only what changes something or says something; the whole output is four times as long.
    at.env.update(ANSIBLE_DISPLAY_OK_HOSTS="false", ANSIBLE_DISPLAY_SKIPPED_HOSTS="false")
    at.check("make demo", "python", "scripts/picture.py", file, "make demo", "make", "demo")


@nox.session
@bench
def dashboard(at: Bench) -> None:
    """Write the Grafana dashboards anew from scripts/dashboard*.py."""
    at.use(workshop.environment_for("dashboard", pinned("grafana-foundation-sdk")))
    for program in sorted((ROOT / "scripts").glob("dashboard*.py")):
        file = f"{program.stem.replace('_', '-')}.json"
        at.check(file, "python", program, ROOT / "playbooks/files/monitoring" / file)


@nox.session
@bench
def costs(at: Bench) -> None:
    """Draw docs/costs.webp and its dark twin anew: the page of the costs, for the README."""
    at.use(workshop.environment_for("costs", pinned("ansible-core", *NEEDED, "selenium")))
    at.check("pictures", "python", "tests/e2e/cost_pages.py", ROOT / "docs")


@nox.session
@bench
def drawings(at: Bench) -> None:
    """Draw docs/dashboard*.webp anew: both dashboards, by Grafana's own components from npm."""
    needed = ("ansible-core", *NEEDED, "grafana-foundation-sdk", "pytest", "selenium")
    at.use(workshop.environment_for("drawings", pinned(*needed)))
    program = "tests/e2e/drawing/draw.py"
    at.check("drawings", "python", program, WORK / "drawing", ROOT / "docs")
