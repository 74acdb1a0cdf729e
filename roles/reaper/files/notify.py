# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell somebody that a round of the reaper failed; argument: its unit.

Whom to tell stands in the credential "notify": {"command": [...], "webhook": URL, "mail": address}.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LINES, SECONDS = 15, 30
SENDMAIL = "/usr/sbin/sendmail"
# Prefix of a line that the journal takes as priority "crit".
CRIT = "<2>"


def journal(unit: str) -> str:
    """Return the last lines in the journal: of the failed round, where systemd names it."""
    match = os.environ.get("MONITOR_INVOCATION_ID", "")
    chosen = [f"_SYSTEMD_INVOCATION_ID={match}"] if match else [f"--unit={unit}"]
    command = ["journalctl", "--no-pager", "--quiet", "--output=cat", f"--lines={LINES}", *chosen]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.stdout.strip()


def message(unit: str) -> str:
    """Return what is told."""
    return (
        f"{unit} failed on {socket.gethostname()}: machines whose time is over may go on costing "
        f"money. Look: journalctl -u {unit}\n\nIt said last:\n{journal(unit)}\n"
    )


def post(url: str, text: str) -> None:
    """Send the text as JSON."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("the webhook is no http address")
    request = urllib.request.Request(  # noqa: S310
        url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
        pass


def run(command: list[str], text: str) -> None:
    """Give the text to a program."""
    subprocess.run(command, input=text, text=True, timeout=SECONDS, check=True)


def tell(whom: dict[str, Any], unit: str, text: str) -> Iterator[str]:
    """Tell everybody who is to be told; yield what went wrong, without any address."""
    mail = f"To: {whom.get('mail')}\nSubject: {unit} failed\n\n{text}"
    ways = {
        "command": lambda: run(list(whom["command"]), text),
        "webhook": lambda: post(whom["webhook"], text),
        "mail": lambda: run([SENDMAIL, "-t"], mail),
    }
    for way, send in ways.items():
        if whom.get(way):
            try:
                send()
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                yield f"the notification by {way} failed: {type(error).__name__}"


def main(unit: str) -> int:
    """Tell the journal, then the others."""
    text = message(unit)
    print(CRIT + text.splitlines()[0], flush=True)
    whom = json.loads(Path(os.environ["CREDENTIALS_DIRECTORY"], "notify").read_text("utf-8"))
    problems = list(tell(whom, unit, text))
    for problem in problems:
        print(CRIT + problem, flush=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
