# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the Grafana dashboards with Grafana's own panel components, over a real Prometheus.

usage: python tests/e2e/drawing/draw.py WORK DOCS

WORK keeps what npm installs. No Grafana server is needed, and none was asked.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import servers
import week
from browser import chromium
from samples import Samples
from test_monitoring import FILES, Prometheus, free_port, program, running, until

Answers = dict[int, list[dict[str, Any]]]
WIDTH, THEME = 1280, "dark"
SCRAPE = 60  # what Grafana's data source is told of Prometheus
DAY = 86400
# Name of the dashboard, seconds shown, and where the samples come from.
PICTURES: tuple[tuple[str, int, Callable[[], Samples]], ...] = (
    ("dashboard", 5 * DAY, week.samples),
    ("dashboard-serving", DAY // 4, servers.samples),
)
OPTIONS = ("--bundle", "--format=iife", "--jsx=automatic", "--log-level=error")
HEAD = '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="page.css">'


def build(work: Path) -> None:
    """Bundle the page; icons and fonts lie where the components look for them."""
    for name in ("package.json", "package-lock.json", "page.jsx"):
        shutil.copy(HERE / name, work)
    npm = shutil.which("npm")
    assert npm, "npm is not installed"
    subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=work, check=True)
    modules, site = work / "node_modules", work / "site"
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(modules / "@grafana/ui/dist/public/img", site / "public/build/img")
    fonts = site / "public/fonts/inter"
    fonts.mkdir(parents=True)
    for weight, name in ((400, "Regular"), (500, "Medium")):
        file = modules / f"@fontsource/inter/files/inter-latin-{weight}-normal.woff2"
        shutil.copy(file, fonts / f"Inter-{name}.woff2")
    loaders = [f"--loader:.{kind}=dataurl" for kind in ("woff2", "woff", "ttf", "svg")]
    define = '--define:process.env.NODE_ENV="production"'
    command = [modules / ".bin/esbuild", "page.jsx", *OPTIONS, *loaders, define]
    subprocess.run([*command, f"--outfile={site}/page.js"], cwd=work, check=True)


def seconds(text: str | None) -> int:
    """Return a duration of one unit, as in ``5m``, in seconds; 0 for none."""
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]] if text else 0


def filled(query: str, step: int, shown: int, least: int, variables: dict[str, str]) -> str:
    """Return a query as Grafana sends it."""
    rate = max(step + (least or SCRAPE), 4 * (least or SCRAPE))
    own = {"__interval": f"{step}s", "__range": f"{shown}s", "__rate_interval": f"{rate}s"}
    return re.sub(r"[$](\w+)", lambda name: {**variables, **own}[name[1]], query)


def asked(dashboard: dict[str, Any], found: Prometheus, end: float, shown: int) -> Answers:
    """Ask as Grafana does: with its steps, and everything that variables can choose."""
    variables = {one["name"]: one.get("allValue", "") for one in dashboard["templating"]["list"]}
    answers: Answers = {}
    for panel in dashboard["panels"]:
        answers[panel["id"]] = []
        for target in panel["targets"]:
            least = seconds(target.get("interval"))
            step = max(shown // 720, 15, least)
            query = filled(target["expr"], step, shown, least, variables)
            if target["instant"]:
                rows = found.get("query", query=query, time=str(end))
            else:
                span = {"start": str(end - shown), "end": str(end), "step": str(step)}
                rows = found.get("query_range", query=query, **span)
            answers[panel["id"]].append({"step": step, "rows": rows["result"]})
    return answers


def answered(dashboard: dict[str, Any], samples: Samples, shown: int) -> Answers:
    """Return what a Prometheus with these samples answers."""
    address = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples.write(folder / "samples.txt")
        (folder / "prometheus.yml").write_text("{}", encoding="utf-8")
        fill = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics"]
        files = [folder / "samples.txt", folder / "data"]
        subprocess.run([*fill, *files], check=True, stdout=subprocess.DEVNULL)
        server = (
            program("prometheus"),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            "--storage.tsdb.retention.time=10y",
            f"--web.listen-address={address}",
        )
        with running(*server, log=folder / "log"):
            found = Prometheus(f"http://{address}")
            until(lambda: found.get("query", query="vector(1)")["result"])
            return asked(dashboard, found, samples.end, shown)


def draw(site: Path, name: str, shown: int, samples: Samples, picture: Path) -> None:
    """Draw one dashboard."""
    dashboard = json.loads((FILES / f"{name}.json").read_text(encoding="utf-8"))
    drawn = {
        "dashboard": dashboard,
        "answers": answered(dashboard, samples, shown),
        "from": (samples.end - shown) * 1000,
        "to": samples.end * 1000,
        "theme": THEME,
        "width": WIDTH,
    }
    script = f"<script>window.DRAWN = {json.dumps(drawn)}</script>"
    body = f'<div id="root"></div>{script}<script src="page.js"></script>'
    (site / f"{name}.html").write_text(HEAD + body, encoding="utf-8")
    port = free_port()
    website = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1")
    with running(*website, "--directory", str(site), log=site / "log"), chromium() as browser:
        time.sleep(1)
        browser.visit(f"http://127.0.0.1:{port}/{name}.html", THEME, WIDTH)
        until(lambda: browser.ask("return document.querySelectorAll('[data-panel]').length"))
        time.sleep(5)  # fonts, icons and tables come by and by
        wrong = [text for text in browser.complaints() if "favicon" not in text]
        assert not wrong, wrong
        browser.picture(picture, 5000)


def main(work: Path, docs: Path) -> None:
    """Draw all dashboards."""
    work.mkdir(parents=True, exist_ok=True)
    build(work)
    for name, shown, samples in PICTURES:
        draw(work / "site", name, shown, samples(), docs / f"{name}.webp")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
