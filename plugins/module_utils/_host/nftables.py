# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is let in, as a table of nftables of its own (private, pure)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import TypedDict

from .commands import HostError

FAMILY, NAME = "inet", "gpuops"
TABLE = f"{FAMILY} {NAME}"
# One transaction: the first line makes a table to delete where there is none.
EMPTY = f"table {TABLE}\ndelete table {TABLE}\n"
HIGHEST_PORT = 65535
# Without these a host finds neither its neighbours nor the size of packets that reach them.
ICMP = ["destination-unreachable", "time-exceeded", "parameter-problem"]
ICMPV6 = [
    *("destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"),
    *("nd-router-advert", "nd-neighbor-solicit", "nd-neighbor-advert", "nd-redirect"),
    *("mld-listener-query", "mld-listener-report", "mld-listener-done", "mld2-listener-report"),
]


class Door(TypedDict):
    """Ports that are open, to some sources or to all."""

    ports: list[str]
    protocol: str
    sources: list[str]


class Wish(TypedDict):
    """What is to be let in."""

    ssh_ports: list[str]
    ssh_sources: list[str]
    open: list[Door]
    peers: list[str]
    interfaces: list[str]
    ping: bool


class RulesError(HostError):
    """A wish cannot be written as rules; the message names it."""


def render(want: Wish) -> str:
    """Return the text that ``nft -f`` loads in one transaction; raises RulesError."""
    if not want["ssh_ports"]:
        raise RulesError("ssh_ports is empty: that would lock everybody out")
    ssh: Door = {"ports": want["ssh_ports"], "protocol": "tcp", "sources": want["ssh_sources"]}
    doors = [ssh, *want["open"]]
    inside = [f'iifname "{name}" accept' for name in interfaces(want["interfaces"])]
    peers = [f"{source} accept" for source in _from(want["peers"]) if want["peers"]]
    incoming = [
        "type filter hook input priority filter; policy drop;",
        'iifname "lo" accept',
        "ct state established,related accept",
        *_icmp(want["ping"]),
        "ct state invalid drop",
        *inside,
        "udp sport 67 udp dport 68 accept",
        "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
        *peers,
        *_open(doors, "{protocol} dport {port}"),
    ]
    # Ports that containers publish are forwarded and never come by the other chain.
    passing = [
        "type filter hook forward priority filter; policy accept;",
        "ct state new ct status dnat jump published",
    ]
    asked_for = "meta l4proto {protocol} ct original proto-dst {port}"
    published = [*inside, *peers, *_open(want["open"], asked_for), "drop"]
    chains = {"published": published, "input": incoming, "forward": passing}
    return EMPTY + f"table {TABLE} {{\n{''.join(_chains(chains))}}}\n"


def _chains(chains: dict[str, list[str]]) -> Iterator[str]:
    for name, rules in chains.items():
        yield f"\tchain {name} {{\n" + "".join(f"\t\t{rule}\n" for rule in rules) + "\t}\n"


def _icmp(ping: bool) -> list[str]:
    asked = ["echo-request"] if ping else []
    return [
        f"icmp type {_set([*ICMP, *asked])} accept",
        f"icmpv6 type {_set([*ICMPV6, *asked])} accept",
    ]


def _open(doors: list[Door], pattern: str) -> Iterator[str]:
    for door in doors:
        # One rule for each: nft lists a set of original ports in a form that it cannot read.
        for port in ports(door["ports"]):
            place = pattern.format(protocol=door["protocol"], port=port)
            yield from (f"{source} {place} accept".strip() for source in _from(door["sources"]))


def _from(given: list[str]) -> Iterator[str]:
    """Yield a match for the sources of each family; one that matches all without sources."""
    if not given:
        yield ""
    for version, word in ((4, "ip"), (6, "ip6")):
        found = networks(given, version)
        if found:
            yield f"{word} saddr {_set(found)}"


def _set(members: Iterable[str]) -> str:
    return "{ " + ", ".join(members) + " }"


def networks(given: Iterable[str], version: int) -> list[str]:
    """Return the networks of one family, those within others left out; raises RulesError."""
    found = []
    for text in given:
        try:
            network = ipaddress.ip_network(text.strip())
        except ValueError as error:
            raise RulesError(f"{text!r} is not an address or network: {error}") from error
        if network.version == version:
            found.append(network)
    return [
        str(network.network_address) if network.num_addresses == 1 else str(network)
        for network in ipaddress.collapse_addresses(found)  # type: ignore[type-var]
    ]


def ports(given: Iterable[int | str]) -> list[str]:
    """Return ports and ranges in order, those that touch as one; raises RulesError."""
    spans = sorted(_span(str(item).strip()) for item in given)
    if not spans:
        raise RulesError("open[].ports must not be empty")
    joined = [spans[0]]
    for first, last in spans[1:]:
        if first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return [str(first) if first == last else f"{first}-{last}" for first, last in joined]


def _span(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= first <= last <= HIGHEST_PORT:
        raise RulesError(f"{text!r} is not a port or port range")
    return first, last


def interfaces(given: Iterable[str]) -> list[str]:
    """Return names of interfaces, which may end in a star; raises RulesError."""
    names = [name.strip() for name in given]
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,15}\*?", name):
            raise RulesError(f"{name!r} is not a valid interface name")
    return names
