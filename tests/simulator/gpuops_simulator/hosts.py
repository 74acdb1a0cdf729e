# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real hosts for simulated instances: podman containers with systemd and sshd."""

from __future__ import annotations

import functools
import os
import resource
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import hostimage
from .hostdisks import HostDisks

RUN_LABEL = "gpuops.simulator.run"
OWNER_LABEL = "gpuops.simulator.process"
SESSION_LABEL = "gpuops.simulator.session"
INSTANCE_LABEL = "gpuops.simulator.instance"
CAP_SYS_RESOURCE = 24
READY_SECONDS = 90.0
COMMIT_SECONDS = 900.0
# An instance has half of its memory there, a container 64 MB, and vLLM wants 160 MB.
SHARED_MEMORY = "2g"
# Its own network alone: an instance has a firewall.
RIGHTS = ["--cap-add", "NET_ADMIN"]
# To mount a disk, and to run containers; block devices of major number 7 are loops.
DISK_RIGHTS = ["--cap-add", "SYS_ADMIN", "--cap-add", "MKNOD", "--device-cgroup-rule", "b 7:* rmw"]
# Names that a machine's kernel and udev give: the disk, and a link with the end of the volume's id.
# Mounts are shared on a machine, or systemd's own of credentials do not reach a service.
NAME_DISK = """set -eu
mount --make-rshared /
mkdir -p /dev/disk/by-id
[ -e "$1" ] || mknod -m 0600 "$1" b 7 "$2"
ln -sfn "$1" "$3"
ln -sfn "$1" "/dev/disk/by-id/virtio-$4"
"""
# Who logs in with the keys; anybody but root becomes root by sudo, and root has no key then.
ADMIT = """set -eu
umask 077
if [ "$1" != root ]; then
    id -u "$1" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$1"
    echo "$1 ALL=(ALL) NOPASSWD:ALL" > "/etc/sudoers.d/90-$1"
fi
home=$(getent passwd "$1" | cut -d: -f6)
mkdir -p "$home/.ssh"
cat > "$home/.ssh/authorized_keys"
chown -R "$1:$(id -g "$1")" "$home/.ssh"
"""


class HostError(RuntimeError):
    """A host could not be started; the message carries podman's own words."""


class PodmanHosts:
    """The hosts of one simulator run; methods may be called from several threads.

    They boot from `image`, or without one from the plain image.
    """

    def __init__(self, run_id: str, log: Callable[[str], None], image: str = "") -> None:
        self._run_id = run_id
        self._log = log
        self._image = image
        self._runtime = runtime()
        self._disks = HostDisks(run_id, identity(os.getpid()))

    def prepare(self) -> str:
        """Find or build the plain image; returns one line that says which was used."""
        self._image, line = hostimage.prepare(self._runtime, self._log)
        return line

    def sweep(self, only_mine: bool = False) -> list[str]:
        """Remove the containers of simulators that no longer exist; returns their names.

        A session, the process GPUOPS_WATCH_PID, is alone responsible for its hosts while it lives.
        """
        swept = []
        labels = " ".join(
            f'{{{{index .Labels "{name}"}}}}' for name in (OWNER_LABEL, SESSION_LABEL)
        )
        form = f"{{{{.Names}}}} {labels}"
        for line in _lines("ps", "--all", "--filter", f"label={OWNER_LABEL}", "--format", form):
            name, owner, whose = [*line.split(" "), ""][:3]
            mine = whose == session() != ""
            if not _alive(owner) and (mine or not (only_mine or _alive(whose))):
                _podman("rm", "--force", "--time", "0", "--volumes", "--ignore", name)
                swept.append(name)
        HostDisks.sweep(_alive)
        return swept

    def start(
        self,
        instance_id: str,
        hostname: str,
        authorized_keys: list[str],
        disks: Sequence[tuple[str, int]] = (),
        user: str = "root",
    ) -> str:
        """Boot a new host that the keys open for a user; returns its ip once sshd answers.

        `disks` are id and size in GiB of its data volumes, which it sees as block devices.
        """
        if not self._image:
            self._log(self.prepare())
        try:
            self._boot_new(instance_id, hostname, DISK_RIGHTS if disks else [])
            self._admit(self._name(instance_id), user, authorized_keys)
            self._plug(self._name(instance_id), disks)
            return self._address(self._name(instance_id))
        except HostError:
            self.remove(instance_id)
            raise

    def _boot_new(self, instance_id: str, hostname: str, rights: list[str]) -> None:
        name = self._name(instance_id)
        _podman(
            *self._runtime, "run", "--detach", "--systemd=always", "--pull=never",
            "--name", name, "--hostname", hostname, "--env", f"HOSTNAME={hostname}",
            "--label", f"{RUN_LABEL}={self._run_id}",
            "--label", f"{OWNER_LABEL}={identity(os.getpid())}",
            "--label", f"{SESSION_LABEL}={session()}",
            "--label", f"{INSTANCE_LABEL}={instance_id}",
            "--shm-size", SHARED_MEMORY, *RIGHTS, *rights, *limits(), *share(), self._image,
            "/sbin/init",
        )  # fmt: skip

    def _admit(self, name: str, user: str, authorized_keys: list[str]) -> None:
        _podman(
            *self._runtime, "exec", "--interactive", name, "sh", "-c", ADMIT, "sh", user,
            text="".join(f"{key.strip()}\n" for key in authorized_keys),
        )  # fmt: skip

    def _plug(self, name: str, disks: Sequence[tuple[str, int]]) -> None:
        """Give a host its disks, which a boot forgets; none where there are no loop devices."""
        for letter, (volume_id, size) in zip("bcdefghijklmnop", disks, strict=False):
            try:
                loop = self._disks.attach(volume_id, size)
            except OSError as reason:
                self._log(f"host {name} has no disk for volume {volume_id}: {reason}")
                continue
            serial = volume_id.replace("-", "")[-12:]
            number = loop.removeprefix("/dev/loop")
            _podman(*self._runtime, "exec", "--privileged", name, "sh", "-c", NAME_DISK, "sh",
                    loop, number, f"/dev/vd{letter}", serial)  # fmt: skip

    def stop(self, instance_id: str) -> None:
        """Shut a host down, keeping its disk."""
        _podman(*self._runtime, "stop", "--time", "10", self._name(instance_id))

    def boot(self, instance_id: str, disks: Sequence[tuple[str, int]] = ()) -> str:
        """Start a stopped host again; returns its ip, which may be another one."""
        name = self._name(instance_id)
        _podman(*self._runtime, "start", name)
        self._plug(name, disks)
        return self._address(name)

    def keep(self, instance_id: str, forget: str, image: str) -> None:
        """Make an image of a host, after a shell script has removed what is the host's alone."""
        name = self._name(instance_id)
        _podman(*self._runtime, "exec", name, "sh", "-c", forget)
        _podman(*self._runtime, "stop", "--time", "10", name)
        _podman("commit", "--quiet", name, image, seconds=COMMIT_SECONDS)

    def remove(self, instance_id: str) -> None:
        """Remove a host and its disk; a host that is not there is fine."""
        _podman("rm", "--force", "--time", "0", "--volumes", "--ignore", self._name(instance_id))

    def close(self) -> None:
        """Remove every host of this run."""
        names = _lines("ps", "--all", "--filter", f"label={RUN_LABEL}={self._run_id}",
                       "--format", "{{.Names}}")  # fmt: skip
        if names:
            _podman("rm", "--force", "--time", "0", "--volumes", "--ignore", *names)
        self._disks.close()

    def _name(self, instance_id: str) -> str:
        return f"gpuops-{self._run_id}-{instance_id}"

    def _address(self, name: str) -> str:
        """Wait for sshd's greeting and return the address it came from."""
        form = "{{.State.Running}} {{.NetworkSettings.IPAddress}}"
        limit = time.monotonic() + READY_SECONDS
        last = "no address yet"
        while time.monotonic() < limit:
            state = _lines("inspect", "--format", form, name)
            running, _unused, address = state[0].partition(" ") if state else ("gone", "", "")
            if running != "true":
                raise HostError(f"host {name} ended while it booted")
            last = _greeting(address) if address else last
            if last.startswith("SSH-"):
                return address
            time.sleep(0.3)
        raise HostError(f"host {name} has no sshd after {READY_SECONDS:.0f} s: {last}")


def _greeting(address: str) -> str:
    """The first words of port 22, or why there are none."""
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            return connection.recv(64).decode("ascii", "replace")
    except OSError as error:
        return str(error)


def runtime() -> list[str]:
    """Global podman options: crun refuses to start systemd on hybrid cgroups, runc does not."""
    runc = next((p for p in ("/usr/sbin/runc", "/usr/bin/runc") if Path(p).exists()), "")
    return ["--runtime", runc] if runc and not _unified() else []


def _unified() -> bool:
    """Whether there is one hierarchy of control groups alone (version 2)."""
    return Path("/sys/fs/cgroup/cgroup.controllers").exists()


def limits() -> list[str]:
    """The caller's own limits, where it may not raise them to podman's defaults."""
    status = Path("/proc/self/status").read_text("utf-8")
    held = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff")), "0")
    if int(held, 16) >> CAP_SYS_RESOURCE & 1:
        return []
    # podman lowers its own process limit to pid_max, and a container cannot have more than podman.
    most = {"nofile": 1 << 20, "nproc": int(Path("/proc/sys/kernel/pid_max").read_text("ascii"))}
    found = []
    for name, key in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        hard = resource.getrlimit(key)[1]
        value = most[name] if hard == resource.RLIM_INFINITY else min(hard, most[name])
        found += ["--ulimit", f"{name}={value}:{value}"]
    return found


@functools.cache
def share() -> tuple[str, ...]:
    """Let each host have its own share of the CPU, where podman itself makes control groups.

    It would put all hosts of a computer into one group, which gets no more than a single process,
    and which may go with the last host of another session while one of ours starts again.
    """
    manager = _podman("info", "--format", "{{.Host.CgroupManager}}").strip()
    return ("--cgroup-parent", "/") if manager == "cgroupfs" and not _unified() else ()


def identity(pid: int) -> str:
    """Boot, process id and start time: a name that no later process can have; empty when gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
    except OSError:
        return ""
    return f"{boot}:{pid}:{fields[19]}"


def session() -> str:
    """The identity of the process that watches over us, GPUOPS_WATCH_PID; empty without one."""
    pid = os.environ.get("GPUOPS_WATCH_PID", "")
    return identity(int(pid)) if pid.isdigit() else ""


def _alive(owner: str) -> bool:
    pid = owner.split(":")[1] if owner.count(":") == 2 else ""
    return pid.isdigit() and identity(int(pid)) == owner


def _lines(*arguments: str) -> list[str]:
    return [line for line in _podman(*arguments).splitlines() if line.strip()]


def _podman(*arguments: str, text: str | None = None, seconds: float = 180) -> str:
    """Run podman and return its output; a failure becomes a HostError."""
    try:
        done = subprocess.run(
            ["podman", *arguments], input=text, capture_output=True, text=True,
            timeout=seconds, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"podman: {error}") from error
    if done.returncode:
        raise HostError(f"podman {' '.join(arguments[:6])}: {done.stderr.strip()[-500:]}")
    return done.stdout
