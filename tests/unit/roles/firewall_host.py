# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a real nftables in a network of its own, and a systemd that only remembers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._host import firewall
from ansible_collections.gpuops.cloud.tests.unit.roles.kept import kept

WISH: dict[str, Any] = {
    "ssh_ports": ["22"], "ssh_sources": [], "open": [], "peers": [], "interfaces": ["docker*"],
    "ping": True, "rollback": 60,
}  # fmt: skip
FOREIGN = "table ip theirs { chain c { tcp dport 5 accept; }; }"


class Host:
    """A network namespace, the root of a file system, and the units that would be there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.timer: list[str] = []
        self.enabled = False
        self.commands: list[list[str]] = []
        self.space = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", "echo; exec sleep 600"],
            stdout=subprocess.PIPE,
        )
        assert self.space.stdout is not None
        assert self.space.stdout.readline() == b"\n"
        self.nft(FOREIGN)

    def close(self) -> None:
        """Give the namespace up."""
        self.space.kill()
        self.space.wait()

    def inside(self, *command: str) -> tuple[int, str, str]:
        """Run a command in the host's network."""
        enter = ["nsenter", f"--target={self.space.pid}", "--user", "--net"]
        enter += ["--preserve-credentials", *command]
        done = subprocess.run(enter, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def nft(self, words: str) -> str:
        """Give nft a command; returns what it says."""
        rc, out, err = self.inside("nft", words)
        assert rc == 0, err
        return out

    @property
    def ruleset(self) -> str:
        """Everything that the kernel holds."""
        return self.nft("list ruleset")

    def run(self, command: list[str]) -> tuple[int, str, str]:
        """Run a command; systemd only remembers."""
        self.commands.append(command)
        if command[0] == "nft":
            return self.inside(*command)
        if command[0] == "systemd-run":
            self.timer = command[command.index("nft") :]
            return 0, "", ""
        if command[0] == "systemctl":
            return self._systemctl(command[1:]), "", ""
        return (0 if shutil.which(command[-1].split()[-1]) else 1), "", ""

    def _systemctl(self, words: list[str]) -> int:
        if "is-active" in words:
            return 0 if self.timer else 3
        if "is-enabled" in words:
            return 0 if self.enabled else 1
        if words[0] == "stop":
            self.timer = []
        if "enable" in words:
            self.enabled = True
        if "reload-or-restart" in words:
            self.boot_unit()
        if "disable" in words:
            self.enabled = False
            self.nft("delete table inet gpuops")
        return 0

    def boot_unit(self) -> None:
        """Do what the unit does."""
        assert self.inside("nft", "--file", str(firewall.Files(self.root).kept))[0] == 0

    def wait(self) -> None:
        """Let the time of the trial pass."""
        timer, self.timer = self.timer, []
        assert self.inside(*timer)[0] == 0

    def reboot(self) -> None:
        """Start again with what lies on the disk."""
        self.nft("flush ruleset")
        self.timer = []
        shutil.rmtree(self.root / "run", ignore_errors=True)
        if self.enabled:
            self.boot_unit()

    def do(self, state: str, dry: bool = False, **wish: Any) -> tuple[bool, list[str]]:
        """Take a step as the module does; returns whether rules are pending, and what was done."""
        want = {**WISH, "part": None, **wish, "state": state}
        found = kept(firewall.Firewall(self.root), self.run, want, dry=dry)
        return found["pending"], found["actions"]

    def keep(self, **wish: Any) -> None:
        """Put rules on trial and confirm them."""
        assert self.do("trial", **wish)[0]
        self.do("kept", **wish)
