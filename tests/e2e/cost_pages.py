# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write pages of made-up costs as the playbook does; as a program, pictures of one for docs.

usage: python tests/e2e/cost_pages.py FOLDER
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/unit/plugins"))

from browser import NARROW, WIDE, chromium
from cost_data import CASES

TEMPLATE = ROOT / "playbooks/templates/cost.html.j2"
# Name, colours, width and height of the pictures.
PICTURES = (("costs", "light", WIDE, 1440), ("costs-dark", "dark", NARROW, 1500))


def write_pages(folder: Path, names: list[str]) -> dict[str, Path]:
    """Write the pages of these accounts."""
    tasks = []
    for name in names:
        (folder / f"{name}.json").write_text(json.dumps(CASES[name]()), encoding="utf-8")
        cost = "{{ lookup('ansible.builtin.file', '%s') | from_json }}" % (folder / f"{name}.json")
        options = {"src": str(TEMPLATE), "dest": str(folder / f"{name}.html"), "mode": "0644"}
        tasks.append({"ansible.builtin.template": options, "vars": {"_cost": cost}})
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    (folder / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}
    command = ["ansible-playbook", str(folder / "play.yml")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return {name: folder / f"{name}.html" for name in names}


def main(docs: Path) -> None:
    """Keep pictures of the page."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = write_pages(Path(folder), ["usual"])["usual"]
        for name, theme, width, height in PICTURES:
            browser.open(page, theme, width)
            browser.picture(docs / f"{name}.webp", height)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
