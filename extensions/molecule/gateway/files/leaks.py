# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look on a host, as root, for keys and prompts in what others may read; print what was found."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

UPSTREAM = Path("/etc/vllm/vllm.env").read_text("utf-8").split("VLLM_API_KEY=")[1].split()[0]
SECRETS = {
    "user's key": rb"gpuops-(?:alice|bob|load)-[A-Za-z0-9]{48}",
    "vLLM's key": re.escape(UPSTREAM.strip('"').encode()),
    # Written so that this file, which Ansible notes in the journal, is not found itself.
    "prompt": b"a prompt that nobody [m]ay log|x{20}",
    "private key": b"PRIVATE [K]EY",
}
COMMANDS = {
    "journal": ["journalctl", "--no-pager", "--output=cat"],
    "processes": ["ps", "-eww", "-o", "args"],
}


def main() -> None:
    """Search."""
    found = []
    texts = {name: subprocess.check_output(command) for name, command in COMMANDS.items()}
    for folder in (
        "/etc/gpuops-gateway",
        "/etc/gpuops-link",
        "/run/gpuops-nginx",
        "/var/log/nginx",
    ):
        for path in Path(folder).rglob("*"):
            if path.is_file() and path.stat().st_mode & 0o077:
                texts[str(path)] = path.read_bytes()
    for place, text in texts.items():
        found += [
            f"{name} in {place}" for name, secret in SECRETS.items() if re.search(secret, text)
        ]
    print(json.dumps({"searched": sorted(texts), "found": found}))


if __name__ == "__main__":
    main()
