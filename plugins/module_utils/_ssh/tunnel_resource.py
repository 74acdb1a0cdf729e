# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tunnel that is to be open, or tunnels that are to be closed (private)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TypedDict

from .._core.apply import Threads
from .._core.errors import InvalidError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .tunnel import Tunnel, Tunnels, free_port, names_in


class Options(TypedDict):
    """The options of the module."""

    settings: str
    state: str
    name: str | None
    port: int | None
    local_port: int | None
    address: str
    timeout: float


class Row(TypedDict):
    """A tunnel as the module tells it."""

    name: str
    port: int
    address: str
    local_port: int
    unit: str
    pid: int


class Told(TypedDict, total=False):
    """The result of the module."""

    tunnel: Row


@dataclass
class Found:
    """The tunnel that is open or will be, and those in its way or to be closed."""

    tunnel: Tunnel | None = None
    opens: bool = False
    closes: list[Tunnel] = field(default_factory=list)


def wanted(want: Options) -> Tunnel:
    """Return the tunnel that is asked for. Raises InvalidError for one that cannot be."""
    settings, known = want["settings"], names_in(Path(want["settings"]))
    if not known:
        raise InvalidError(
            f"{settings} lists no instance", hint="Bring up the deployment from this controller."
        )
    name = want["name"] or known[0]
    if name not in known:
        raise InvalidError(f"{settings} does not name {name}", hint=f"Known: {', '.join(known)}.")
    port = want["port"] or 8000
    for one in (port, want["local_port"] or port):
        if not 0 < one < 65536:
            raise InvalidError(f"port must be between 1 and 65535 (got {one})")
    try:
        address = str(ip_address(want["address"]))
    except ValueError:
        raise InvalidError(f"address {want['address']!r} is no IP address") from None
    return Tunnel(name, port, address, want["local_port"] or 0)


def port_for(wish: Tunnel) -> int:
    """Return the port on the controller. Raises InvalidError where one that was named is taken."""
    first = wish.local_port or wish.port
    found = free_port(wish.address, first)
    if wish.local_port and found != first:
        raise InvalidError(
            f"Port {first} of {wish.address} is in use or not permitted",
            hint=f"{found} is free; without local_port one is found.",
        )
    return found


class SshTunnel(Resource[Threads, Options, Found, Told]):
    """A tunnel to a port of an instance; what there is of it under another address is closed."""

    def find(self, _workers: Threads, want: Options) -> Found:
        there = [*Tunnels(Path(want["settings"])).there()]
        if want["state"] == "absent":
            return Found(closes=[one for one in there if _is_meant(one, want)])
        wish = wanted(want)
        same = [one for one in there if (one.name, one.port) == (wish.name, wish.port)]
        for have in same:
            fits = have.address == wish.address and wish.local_port in (0, have.local_port)
            if have.is_open and fits:
                return Found(have)
        return Found(wish, opens=True, closes=same)

    def plan(self, found: Found, want: Options) -> Plan:
        tunnels = Tunnels(Path(want["settings"]))
        if not (found.opens or any(one.is_open for one in found.closes)):
            return Plan()
        steps = [_closing(tunnels, one, want["state"]) for one in found.closes]
        if found.opens and found.tunnel:
            steps.append(_opening(tunnels, found, found.tunnel, want["timeout"]))
        return Plan(steps=tuple(steps))

    def result(self, _workers: Threads, found: Found, _plan: Plan, *, applied: bool) -> Told:
        if not found.tunnel:
            return {}
        one = found.tunnel
        return {"tunnel": Row(name=one.name, port=one.port, address=one.address,
                              local_port=one.local_port, unit=one.unit, pid=one.pid)}  # fmt: skip


def _is_meant(tunnel: Tunnel, want: Options) -> bool:
    return want["name"] in (None, tunnel.name) and want["port"] in (None, tunnel.port)


def _closing(tunnels: Tunnels, tunnel: Tunnel, state: str) -> Step:
    """Return the step that closes a tunnel, or forgets one that has ended by itself."""
    far = f" to port {tunnel.port} of {tunnel.name}" if state == "absent" else ""

    def close(_workers: Threads) -> str | None:
        said = None if tunnel.is_open else ""
        tunnels.close(tunnel)
        return said

    return Step(f"close {tunnel.address}:{tunnel.local_port}{far}", close)


def _opening(tunnels: Tunnels, found: Found, wish: Tunnel, timeout: float) -> Step:
    """Return the step that opens a tunnel: which port is free shows once others are closed."""
    first = wish.local_port or wish.port
    if not found.closes:
        first = port_for(wish)
    found.tunnel = replace(wish, local_port=first)

    def words(port: int) -> str:
        return f"open {wish.address}:{port} to port {wish.port} of {wish.name}"

    def open_it(_workers: Threads) -> str:
        opened = replace(wish, local_port=port_for(wish))
        found.tunnel = tunnels.open(opened, timeout)
        return words(opened.local_port)

    return Step(words(first), open_it)
