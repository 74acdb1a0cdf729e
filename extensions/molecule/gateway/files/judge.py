# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what came of a load: `judge.py OUT MARKS`, with MARKS as JSON: {phase: seconds since 1970}.

Printed: requests, those that failed by the phase in which they began, and who answered in it. A
phase lasts until the next one. What was in flight when a server was killed began before that phase.
"""

from __future__ import annotations

import collections
import json
import sys
from pathlib import Path


def main(out: str, marks: str) -> None:
    """Read and count."""
    rows = [json.loads(line) for line in Path(out).read_text("utf-8").splitlines()]
    begins = sorted((float(when), phase) for phase, when in json.loads(marks).items())
    failed: dict[str, list[str]] = {phase: [] for _unused, phase in begins}
    who: dict[str, collections.Counter[str]] = {p: collections.Counter() for _unused, p in begins}
    for row in rows:
        phase = next((p for when, p in reversed(begins) if row["began"] >= when), begins[0][1])
        if row["complete"]:
            who[phase][row["who"]] += 1
        else:
            failed[phase].append(f"{row['status']} {row.get('said', '')}")
    print(json.dumps({"requests": len(rows), "failed": failed, "who": who}))


if __name__ == "__main__":
    main(*sys.argv[1:])
