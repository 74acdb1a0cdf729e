# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: python3 tests/simulator."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import daemon
from .doorway import KNOWN
from .simulator import Simulator
from .version import SERVER


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    p = argparse.ArgumentParser(
        prog="python3 tests/simulator",
        description="Imitates the control plane of the DataCrunch/Verda cloud API, and of others.",
    )
    p.add_argument("--host", default="127.0.0.1", help="address to listen on")
    p.add_argument("--port", type=int, default=0, help="port to listen on; 0 picks a free one")
    p.add_argument("--also-host", help="another address to listen on, with the same port")
    p.add_argument("--port-file", type=Path, help="write host:port here once listening")
    p.add_argument("--ports-file", type=Path, help="write each provider's base URL here, as JSON")
    p.add_argument("--pid-file", type=Path, help="write the process id here")
    p.add_argument("--state", type=Path, help="keep the account in this file between runs")
    p.add_argument("--scenario", type=Path, help="JSON file: how the account and the cloud start")
    p.add_argument(
        "--providers",
        action="append",
        default=[],
        help=f"open doors of further providers, by comma: {', '.join(KNOWN)}",
    )
    p.add_argument("--hosts", choices=("none", "podman"), default="none", help="real hosts or none")
    p.add_argument(
        "--host-image",
        choices=("plain", "serving"),
        default="plain",
        help="what real hosts boot from; on serving, vLLM (CPU) and the small model are installed",
    )
    p.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    p.add_argument("--provision-seconds", type=float, help="from order to running (default 5)")
    p.add_argument("--detach", action="store_true", help="go to the background once listening")
    p.add_argument("--log-file", type=Path, help="output of the background process")
    p.add_argument("--watch-pid", type=int, help="end when this process no longer exists")
    p.add_argument("--prepare-hosts", action="store_true", help="build the host image and exit")
    p.add_argument(
        "--sweep-hosts",
        choices=("all", "mine"),
        help="remove the hosts of simulators that are gone, name them, and exit; mine: those of "
        "the session whose process is GPUOPS_WATCH_PID",
    )
    return p


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator until it is told to stop; return the exit status."""
    options = parser().parse_args(arguments)
    try:
        if options.sweep_hosts:
            return _sweep(only_mine=options.sweep_hosts == "mine")
        if options.prepare_hosts:
            print(_hosts(options.host_image)[1])
            return 0
        ready = daemon.detach(options.log_file) if options.detach else _print
        return _serve(options, ready)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"gpuops-simulator: {error}", file=sys.stderr)
        return 1


def _sweep(only_mine: bool) -> int:
    """Remove hosts that nobody looks after; without podman there are none."""
    if shutil.which("podman"):
        from .hosts import PodmanHosts

        for name in PodmanHosts(run_id="sweep", log=_complain).sweep(only_mine):
            _print(name)
    return 0


def _serve(options: argparse.Namespace, ready: daemon.Ready) -> int:
    simulator = _simulator(options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: simulator.want_stop())
    if options.watch_pid:
        daemon.watch(options.watch_pid, simulator.want_stop)
    address = simulator.url.removeprefix("http://")
    addresses = (options.ports_file, json.dumps(simulator.addresses()))
    with daemon.notes_of_us(options.port_file, address, options.pid_file, addresses), simulator:
        ready("\n".join(_said(simulator)))
        simulator.wait()
    return 0


def _said(simulator: Simulator) -> Iterator[str]:
    """Yield a line for each provider that is imitated."""
    yield (
        f"{SERVER} imitates the DataCrunch/Verda API at {simulator.url}/v1: "
        "no real machines, no real money"
    )
    for door in simulator.doors().values():
        yield f"{SERVER} imitates the {door.title} API at {door.base_url}"


def _simulator(options: argparse.Namespace) -> Simulator:
    scenario: dict[str, Any] = {}
    if options.scenario:
        scenario = json.loads(options.scenario.read_text(encoding="utf-8"))
    if options.provision_seconds is not None:
        scenario["provision_seconds"] = options.provision_seconds
    hosts = None
    if options.hosts == "podman":
        hosts, line = _hosts(options.host_image)
        _complain(line)
    return Simulator(
        scenario,
        options.speed,
        provision_seconds=5.0,
        hosts=hosts,
        rate_limits=True,
        address=(options.host, options.port),
        also_host=options.also_host,
        state_file=options.state,
        say=_complain,
        providers=[name for one in options.providers for name in one.split(",") if name],
    )


def _hosts(kind: str) -> tuple[Any, str]:
    """Return a backend whose image is there, and the line that says which it is."""
    try:
        from . import servingimage
        from .hosts import PodmanHosts, runtime
    except ImportError as error:
        raise RuntimeError(f"no host backend: {error}") from error
    image, line = servingimage.prepare(runtime(), _complain) if kind == "serving" else ("", "")
    hosts = PodmanHosts(f"{os.getpid()}-{secrets.token_hex(3)}", _complain, image)
    for name in hosts.sweep():
        _complain(f"removed the stale host {name}")
    return hosts, line or hosts.prepare()


def _print(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
