# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change a server for the candidate in its folder "next", so that what served can come back.

Arguments: what to do, folder of the settings, file of the unit, link to the environment, device,
seconds after which a trial has failed.

look    print what the candidate changes, and whether there is room to try it beside the server
try     start it as a unit of its own on another port, and print where it is asked; should nobody
        end it, it ends by itself a minute after its time
end     end that trial
switch  restart the server as the candidate; what served is kept in the folder "before"
back    restart the server as it was before, if anything is kept
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

# vLLM takes this share of a GPU's memory unless its settings name another.
SHARE = 0.92
# What the processes of one server take on a CPU beside the cache, in kB.
PROCESSES = 4 * 1024 * 1024
TRIALS = Path("/run/systemd/system")
# Knows the words of systemctl, where the server is a program of supervisord.
SUPERVISED = ["/usr/bin/python3", "-I", "/usr/local/lib/vllm/supervised.py"]


def setting(config: Path, name: str) -> str:
    """Return a plain setting of a server, or an empty text."""
    text = config.read_text(encoding="utf-8") if config.exists() else ""
    found = re.search(rf"^{name}: (\S+)$", text, re.MULTILINE)
    return found.group(1) if found else ""


def listens(port: str) -> bool:
    """Whether something accepts connections there, as vLLM does once it can serve."""
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=5).close()
    except (OSError, ValueError):
        return False
    return True


def same(one: Path, other: Path) -> bool:
    """Whether two files, or what two links point to, are there and equal."""
    if not (os.path.lexists(one) and os.path.lexists(other)):
        return False
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return one.read_bytes() == other.read_bytes()


def put(source: Path, target: Path) -> None:
    """Copy a file with its mode, or a link, over another one in one step."""
    unfinished = target.with_name(f".{target.name}.new")
    unfinished.unlink(missing_ok=True)
    if source.is_symlink():
        unfinished.symlink_to(source.readlink())
    else:
        # From the first byte on nobody else may read a key.
        os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY, 0o600))
        shutil.copyfile(source, unfinished)
        shutil.copymode(source, unfinished)
    unfinished.replace(target)


def memory_lack(config: Path, environment: Path, device: str) -> str:
    """Return why there is no memory for a second server, or an empty text."""
    if device == "cpu":
        text = environment.read_text(encoding="utf-8")
        cache = re.search(r'^VLLM_CPU_KVCACHE_SPACE="(\d+)"$', text, re.MULTILINE)
        needed = PROCESSES + (int(cache.group(1)) if cache else 4) * 1024 * 1024
        meminfo = Path("/proc/meminfo").read_text(encoding="utf-8")
        found = re.search(r"^MemAvailable: +(\d+) kB$", meminfo, re.MULTILINE)
        short = found is None or int(found.group(1)) < needed
        return f"less than {needed >> 20} GiB of memory are free" if short else ""
    command = [
        "nvidia-smi",
        "--query-gpu=memory.free,memory.total",
        "--format=csv,noheader,nounits",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    sizes = [list(map(float, line.split(","))) for line in done.stdout.splitlines() if line.strip()]
    share = float(setting(config, "gpu-memory-utilization") or SHARE)
    if not sizes or any(free < share * total for free, total in sizes):
        return f"not every GPU has {share:.0%} of its memory free"
    return ""


class Server:
    """One server: what it is made of, and what may take its place."""

    def __init__(self, folder: Path, unit_file: Path, link: Path, device: str, limit: int) -> None:
        self.folder, self.device, self.limit = folder, device, limit
        # A unit of systemd, or a program of supervisord.
        self.is_supervised = unit_file.suffix == ".conf"
        self.name = unit_file.stem
        self.unit = f"{self.name}.service"
        self.unit_copy = f"server{unit_file.suffix}"
        self.next, self.before = folder / "next", folder / "before"
        self.live = {
            "config.yaml": folder / "config.yaml",
            "vllm.env": folder / "vllm.env",
            self.unit_copy: unit_file,
            "environment": link,
        }
        self.trial = folder / "trial"
        self.trial_name = f"{self.name}-trial.service"
        trials = unit_file.parent if self.is_supervised else TRIALS
        self.trial_unit = trials / f"{self.name}-trial{unit_file.suffix}"

    def systemctl(self, *words: str, check: bool = True) -> str:
        """Run systemctl, or what stands for it; its own words end the program when it fails."""
        command = SUPERVISED if self.is_supervised else ["systemctl"]
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        if check and done.returncode:
            sys.exit(f"{Path(command[-1]).stem} {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def serves(self) -> bool:
        """Whether the unit runs and accepts connections."""
        active = self.systemctl("is-active", self.unit, check=False) == "active"
        return active and listens(setting(self.live["config.yaml"], "port"))

    def lack(self) -> str:
        """Return why the candidate cannot be tried beside the server, or an empty text."""
        config = self.next / "config.yaml"
        if not self.serves():
            return "nothing serves yet"
        if setting(config, "nnodes") not in ("", "1"):
            return "it needs several hosts"
        return memory_lack(config, self.next / "vllm.env", self.device)

    def look(self) -> dict[str, Any]:
        """Return what the candidate changes and why it is not tried first, reads only."""
        changed = [name for name, live in self.live.items() if not same(self.next / name, live)]
        there = (self.next / "config.yaml").exists()
        lack = self.lack() if changed and there else ""
        return {
            "changed": changed,
            "no_trial": lack,
            "unproven": self.before.exists(),
            "serves": self.serves(),
            "enabled": self.systemctl("is-enabled", self.unit, check=False) == "enabled",
        }

    def stop_trial(self) -> dict[str, Any]:
        """End a trial, or what a run that was broken off has left of one."""
        if self.trial_unit.exists():
            # While it loads it does not answer the signal to stop.
            if not listens(setting(self.trial / "config.yaml", "port")):
                self.systemctl("kill", "--signal=SIGKILL", self.trial_name, check=False)
            self.systemctl("stop", self.trial_name)
            self.systemctl("reset-failed", self.trial_name, check=False)
            self.trial_unit.unlink()
            self.systemctl("daemon-reload")
        shutil.rmtree(self.trial, ignore_errors=True)
        return {}

    def start_trial(self) -> dict[str, Any]:
        """Start the candidate on another port and return how it is asked."""
        self.stop_trial()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.trial.mkdir()
        # The server is another user, and the login may have a strict umask.
        self.trial.chmod(0o755)
        there = (re.escape(str(self.live["environment"])) + "/", f"{self.next}/environment/")
        replaced = {
            "config.yaml": [(r"^port: \d+$", f"port: {port}")],
            "vllm.env": [(rf"/run/{self.name}\b", f"/run/{self.name}-trial"), there],
            self.unit_copy: [
                there,
                (rf"{re.escape(str(self.folder))}/(?=config\.yaml|vllm\.env)", f"{self.trial}/"),
                *self.unit_changes(),
            ],
        }
        for name, pairs in replaced.items():
            put(self.next / name, self.trial / name)
            text = (self.trial / name).read_text(encoding="utf-8")
            for pattern, new in pairs:
                text = re.sub(pattern, new, text, flags=re.MULTILINE)
            (self.trial / name).write_text(text, encoding="utf-8")
        self.trial_unit.parent.mkdir(parents=True, exist_ok=True)
        put(self.trial / self.unit_copy, self.trial_unit)
        self.systemctl("daemon-reload")
        self.systemctl("start", self.trial_name)
        env_file = str(self.trial / "vllm.env")
        return {"unit": self.trial_name, "port": port, "env_file": env_file}

    def unit_changes(self) -> list[tuple[str, str]]:
        """Return what is another in the unit of a trial, but for the files that it reads."""
        seconds = self.limit + 60
        if self.is_supervised:
            return [
                (r"^\[program:.*\]$", f"[program:{self.name}-trial]"),
                (r"^command=", f"command=/usr/bin/timeout --kill-after=30 {seconds} "),
                (rf"(?<=/serve\.sh ){self.name} ", f"{self.name}-trial "),
                (r"^autorestart=.*$", "autorestart=false"),
                (r"^startretries=.*$", "startretries=0"),
                (r"^(stdout_logfile=.*)\.log$", r"\1-trial.log"),
            ]
        return [
            (r"^RuntimeDirectory=.*$", f"RuntimeDirectory={self.name}-trial"),
            (r"^Restart=.*$", f"Restart=no\nRuntimeMaxSec={seconds}"),
            (r"^Description=", "Description=Trial of a "),
        ]

    def restart(self, port: str) -> None:
        """Start the server with the files as they are now; `port` is that of the one that runs."""
        self.systemctl("daemon-reload")
        # Otherwise the limit of a crash loop would also stop the sixth change in half an hour.
        self.systemctl("reset-failed", self.unit, check=False)
        if not listens(port):
            # While it loads it does not answer the signal to stop, and has no request to finish.
            self.systemctl("kill", "--signal=SIGKILL", self.unit, check=False)
        self.systemctl("restart", self.unit)

    def switch(self) -> dict[str, Any]:
        """Take the candidate into use; what is kept from before stays until it is proved."""
        port = setting(self.live["config.yaml"], "port")
        changed = self.look()["changed"]
        if changed and self.serves() and not self.before.exists():
            self.keep()
        for name in changed:
            put(self.next / name, self.live[name])
        self.restart(port)
        return {"changed": changed}

    def keep(self) -> None:
        """Copy what serves to the folder from where it can come back."""
        unfinished = self.folder / ".before"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o755)
        for name, live in self.live.items():
            put(live, unfinished / name)
        unfinished.rename(self.before)

    def back(self) -> dict[str, Any]:
        """Return to what served before, and say where it is asked."""
        if not self.before.exists():
            return {"back": False}
        port = setting(self.live["config.yaml"], "port")
        for name, live in self.live.items():
            put(self.before / name, live)
        shutil.rmtree(self.before)
        self.restart(port)
        return {"back": True, "port": int(setting(self.live["config.yaml"], "port"))}


def main(action: str, *places: str) -> dict[str, Any]:
    """Do one thing and return what it has to say."""
    folder, unit_file, link, device, limit = places
    server = Server(Path(folder), Path(unit_file), Path(link), device, int(limit))
    actions = {
        "look": server.look,
        "try": server.start_trial,
        "end": server.stop_trial,
        "switch": server.switch,
        "back": server.back,
    }
    return actions[action]()


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:7])))
