# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of a firewall, loaded by a real nftables into a network of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._host import (
    firewall,
    service_manager,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._host.commands import HostError
from ansible_collections.gpuops.cloud.plugins.module_utils._host.nftables import (
    RulesError,
    networks,
    ports,
    render,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.roles.firewall_host import FOREIGN, WISH, Host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """Provide a host without rules of ours."""
    monkeypatch.setattr(service_manager, "BOOTED", tmp_path)
    found = Host(tmp_path)
    yield found
    found.close()


def door(*numbers: Any, protocol: str = "tcp", sources: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a wish to open something."""
    return {"ports": list(numbers), "protocol": protocol, "sources": list(sources)}


def chain(text: str, name: str) -> list[str]:
    """Return the rules of a chain in a text."""
    part = text.partition(f"chain {name} {{\n")[2].partition("\n\t}")[0]
    return [line.strip() for line in part.splitlines()]


def test_all_but_ssh_and_the_named_is_dropped() -> None:
    wish = {"open": [door("443", "8000-8010"), door(9100, sources=("192.0.2.7", "2001:db8::/32"))]}
    rules = chain(render({**WISH, **wish}), "input")
    assert rules[0] == "type filter hook input priority filter; policy drop;"
    assert [rule for rule in rules if "dport" in rule and "sport" not in rule] == [
        "tcp dport 22 accept",
        "tcp dport 443 accept",
        "tcp dport 8000-8010 accept",
        "ip saddr { 192.0.2.7 } tcp dport 9100 accept",
        "ip6 saddr { 2001:db8::/32 } tcp dport 9100 accept",
    ]
    assert [rule for rule in rules if "echo-request" in rule]


def test_ssh_is_open_to_its_sources_alone() -> None:
    rules = chain(render({**WISH, "ssh_sources": ["203.0.113.0/24"]}), "input")
    assert [rule for rule in rules if "dport 22" in rule] == [
        "ip saddr { 203.0.113.0/24 } tcp dport 22 accept"
    ]


def test_no_echo_where_none_is_wanted() -> None:
    assert "echo-request" not in render({**WISH, "ping": False})


def test_peers_reach_everything_and_what_containers_publish() -> None:
    text = render({**WISH, "peers": ["10.0.0.2", "fd00::2"], "open": [door("80")]})
    assert "ip saddr { 10.0.0.2 } accept" in chain(text, "input")
    assert chain(text, "published") == [
        'iifname "docker*" accept',
        "ip saddr { 10.0.0.2 } accept",
        "ip6 saddr { fd00::2 } accept",
        "meta l4proto tcp ct original proto-dst 80 accept",
        "drop",
    ]


def test_networks_and_ports_that_overlap_become_one() -> None:
    given = ["10.1.0.0/16", "10.0.0.0/8", "192.0.2.1", "2001:db8::1"]
    assert networks(given, 4) == ["10.0.0.0/8", "192.0.2.1"]
    assert networks(given, 6) == ["2001:db8::1"]
    assert ports(["8005-8020", 8000, "8001-8010", "443"]) == ["443", "8000-8020"]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"ssh_ports": []}, "lock everybody out"),
        ({"ssh_ports": ["ssh"]}, "'ssh' is not a port"),
        ({"ssh_ports": ["0"]}, "is not a port"),
        ({"open": [door("65536")]}, "is not a port"),
        ({"open": [door("90-80")]}, "is not a port"),
        ({"open": [door("80 accept; drop")]}, "is not a port"),
        ({"open": [door()]}, "must not be empty"),
        ({"ssh_sources": ["10.0.0.1/8"]}, "has host bits set"),
        ({"peers": ["head.example.com"]}, "is not an address"),
        ({"open": [door("80", sources=("} accept",))]}, "is not an address"),
        ({"interfaces": ['lo" accept; #']}, "is not a valid interface name"),
    ],
)
def test_a_wish_that_cannot_be_meant_is_refused(wish: dict[str, Any], words: str) -> None:
    with pytest.raises(RulesError, match=words):
        render({**WISH, **wish})


EVERYTHING: dict[str, Any] = {
    "ssh_ports": ["22", "2222"],
    "ssh_sources": ["203.0.113.0/24", "2001:db8::/32"],
    "open": [door("443", "8000-8010"), door("53", protocol="udp", sources=("192.0.2.1",))],
    "peers": ["10.0.0.0/8", "fd00::/8"],
    "interfaces": ["docker*", "eth1"],
}


def test_rules_are_on_trial_until_they_are_confirmed(host: Host) -> None:
    assert host.do("trial", **EVERYTHING)[0]
    assert "table inet gpuops" in host.ruleset
    assert not firewall.Files(host.root).kept.exists()
    armed = next(c for c in host.commands if c[0] == "systemd-run")
    loaded = ["nft", "--file", str(host.root / "run/gpuops/firewall.nft")]
    assert host.commands.index(armed) < host.commands.index(loaded)
    host.do("kept", **EVERYTHING)
    assert host.timer == []
    assert host.enabled
    assert host.do("trial", **EVERYTHING) == (False, [])


def test_rules_that_nobody_confirms_go_back_to_none(host: Host) -> None:
    before = host.ruleset
    host.do("trial", ssh_ports=["2222"])
    host.wait()
    assert host.ruleset == before
    with pytest.raises(firewall.FirewallError, match="rolled back"):
        host.do("kept", ssh_ports=["2222"])
    assert not host.enabled


def test_rules_that_nobody_confirms_go_back_to_those_from_before(host: Host) -> None:
    host.keep(**EVERYTHING)
    before = host.ruleset
    host.do("trial", ssh_ports=["2222"])
    assert host.ruleset != before
    host.wait()
    assert host.ruleset == before
    assert host.do("trial", **EVERYTHING) == (False, [])


def test_a_second_trial_keeps_the_way_back_of_the_first(host: Host) -> None:
    host.keep()
    before = host.ruleset
    host.do("trial", ssh_ports=["2222"])
    host.do("trial", ssh_ports=["3333"])
    host.wait()
    assert host.ruleset == before


def test_a_boot_in_the_middle_of_a_trial_goes_back_too(host: Host) -> None:
    host.keep()
    before = host.nft("list table inet gpuops")
    host.do("trial", ssh_ports=["2222"])
    host.reboot()
    assert host.nft("list table inet gpuops") == before


def test_kept_rules_come_back_with_a_boot(host: Host) -> None:
    host.keep(**EVERYTHING)
    host.reboot()
    assert host.do("trial", **EVERYTHING) == (False, [])


@pytest.mark.parametrize("damage", ["flush ruleset", "flush chain inet gpuops input"])
def test_rules_that_somebody_changed_are_loaded_again(host: Host, damage: str) -> None:
    host.keep()
    before = host.nft("list table inet gpuops")
    host.nft(damage)
    assert host.do("trial")[0]
    host.do("kept")
    assert host.nft("list table inet gpuops") == before


def test_tables_of_others_stay(host: Host) -> None:
    theirs = host.nft("list table ip theirs")
    host.keep(**EVERYTHING)
    host.keep(open=[door("80")])
    assert host.nft("list table ip theirs") == theirs
    host.do("absent")
    assert host.ruleset == theirs
    assert FOREIGN.split()[2] in theirs


def test_a_part_is_open_beside_the_rest_and_stays(host: Host) -> None:
    host.keep()
    assert host.do("part", part="gateway", open=[door("443")])[1] == ["open the ports of gateway"]
    assert "tcp dport 443 accept" in host.ruleset
    assert "tcp dport 22 accept" in host.ruleset
    assert host.do("part", part="gateway", open=[door("443")]) == (False, [])
    assert host.do("trial") == (False, [])
    host.keep(open=[door("80")])
    host.reboot()
    assert "tcp dport 443 accept" in host.ruleset
    host.do("part", part="gateway")
    assert "443" not in host.ruleset
    assert host.do("trial", open=[door("80")]) == (False, [])


def test_a_part_without_a_firewall_is_remembered(host: Host) -> None:
    before = host.ruleset
    host.do("part", part="gateway", open=[door("443")])
    assert host.ruleset == before
    host.keep()
    assert "tcp dport 443 accept" in host.ruleset


def test_a_part_waits_for_the_end_of_a_trial(host: Host) -> None:
    host.keep()
    host.do("trial", ssh_ports=["2222"])
    with pytest.raises(firewall.FirewallError, match="waiting for confirmation"):
        host.do("part", part="gateway", open=[door("443")])


@pytest.mark.parametrize("name", ["", "../x", "A", None])
def test_a_part_has_a_plain_name(host: Host, name: str) -> None:
    with pytest.raises(firewall.FirewallError, match="must be small letters"):
        host.do("part", part=name, open=[door("443")])


def test_check_mode_loads_nothing(host: Host) -> None:
    before = host.ruleset
    pending, actions = host.do("trial", dry=True)
    assert not pending
    assert actions
    assert host.ruleset == before
    assert host.timer == []


def test_all_is_removed_once(host: Host) -> None:
    before = host.ruleset
    host.keep()
    assert host.do("absent", dry=True)[1]
    host.do("absent")
    assert host.ruleset == before
    assert not host.enabled
    assert [file for file in (host.root / "etc").rglob("*") if file.is_file()] == []
    assert host.do("absent") == (False, [])


def test_rules_that_nft_does_not_read_are_not_loaded(host: Host) -> None:
    before = host.ruleset
    with pytest.raises(HostError, match="nft --check"):
        host.do("trial", interfaces=["sixteen-letters*"])
    assert host.ruleset == before
    assert host.timer == []


@pytest.mark.every_core("host_firewall")
def test_the_module_says_that_nftables_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(service_manager, "BOOTED", tmp_path)
    found, _unused = run_module("host_firewall", {"ssh_ports": [22]})
    assert (found["missing"], found["changed"], found["pending"]) == (True, False, False)
