# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on trial: loaded with their way back armed, kept once a new login has been seen (private)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from .conflicts import foreign_files
from .folders import make
from .nftables import EMPTY, FAMILY, NAME, Door, Wish, render

SERVICE = "gpuops-firewall.service"
ROLLBACK = "gpuops-firewall-rollback"
UNIT = """# Written by gpuops.cloud.
[Unit]
Description=Firewall that lets in only what was named
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
After=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft --file {rules}
ExecReload=/usr/sbin/nft --file {rules}
ExecStop=/usr/sbin/nft delete table inet gpuops

[Install]
WantedBy=sysinit.target
"""
# The system's own rules begin by flushing everybody's, whenever they are loaded.
DROP_IN = """# Written by gpuops.cloud.
[Service]
ExecStartPost=-/usr/sbin/nft --file {rules}
ExecReload=-/usr/sbin/nft --file {rules}
"""

Run = Callable[[list[str]], tuple[int, str, str]]


class Options(Wish):
    """The wish with what is to be done about it: the options of the module."""

    state: str
    part: str | None
    rollback: int


class Change(TypedDict):
    """The rules that every boot loads, before and after."""

    before: str
    after: str


class Outcome(TypedDict):
    """What a step has found, and whether rules wait for their confirmation."""

    rules: Change
    pending: bool


class FirewallError(Exception):
    """Rules could not be loaded or kept; the message says what was seen."""


@dataclass
class Firewall:
    """The wish in ``want``, how commands run, where files lie, and what was or would be done."""

    want: Options
    run: Run
    dry: bool = False
    root: Path = Path("/")
    actions: list[str] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """Return where a file of ours lies."""
        return self.root / name

    @property
    def kept(self) -> Path:
        """The rules that every boot loads."""
        return self.path("etc/gpuops/firewall.nft")

    @property
    def loaded(self) -> Path:
        """What the kernel said of those rules once they were loaded."""
        return self.path("var/lib/gpuops/firewall.loaded")

    @property
    def wish(self) -> Path:
        """What was wanted of them, for parts that come later."""
        return self.path("var/lib/gpuops/firewall.json")

    @property
    def parts(self) -> Path:
        """What others than the firewall's own caller want to be open, a file for each."""
        return self.path("etc/gpuops/firewall.d")

    @property
    def unit(self) -> Path:
        """The unit that loads them."""
        return self.path(f"etc/systemd/system/{SERVICE}")

    @property
    def drop_in(self) -> Path:
        """What loads them again after the system's own rules."""
        return self.path("etc/systemd/system/nftables.service.d/gpuops.conf")

    def units(self) -> dict[Path, str]:
        """Return what systemd has to know, by file."""
        unit, drop_in = (text.format(rules=self.kept) for text in (UNIT, DROP_IN))
        return {self.unit: unit, self.drop_in: drop_in}

    @property
    def trial(self) -> Path:
        """What the kernel said of rules on trial; gone after a boot, as they are."""
        return self.path("run/gpuops/firewall.trial")

    @property
    def way_back(self) -> Path:
        """What brings back the rules from before the trial."""
        return self.path("run/gpuops/firewall.rollback")

    def must(self, *command: str) -> str:
        """Run a command and return its output; raises FirewallError with its words."""
        rc, out, err = self.run(list(command))
        if rc:
            raise FirewallError(f"{' '.join(command)}: {(err or out).strip()}")
        return out

    def live(self) -> str:
        """Return our table as the kernel has it, empty without one."""
        rc, out, _err = self.run(["nft", "--stateless", "list", "table", FAMILY, NAME])
        return "" if rc else out

    def armed(self) -> bool:
        """Tell whether a way back is waiting for its time."""
        return self.run(["systemctl", "is-active", "--quiet", f"{ROLLBACK}.timer"])[0] == 0


def installed(firewall: Firewall) -> bool:
    """Tell whether nftables is there."""
    return firewall.run(["sh", "-c", "command -v nft"])[0] == 0


def refuse_foreign(firewall: Firewall) -> None:
    """Raise FirewallError where files that would be written or removed are somebody else's."""
    names = [f"/{file.relative_to(firewall.root)}" for file in (*firewall.units(), firewall.kept)]
    if found := foreign_files(names, [], firewall.root):
        raise FirewallError(f"{'; '.join(found)}. Nothing was changed: move it away first")


def attempt(firewall: Firewall) -> Outcome:
    """Put the wanted rules on trial unless they are kept already; returns what there is."""
    refuse_foreign(firewall)
    rules = _rules(firewall, firewall.want)
    found = _untouched(firewall, rules)
    if _is_kept(firewall, rules):
        return found
    _nft(firewall, rules, "--check")
    firewall.actions.append(f"load rules, and go back after {firewall.want['rollback']} s")
    if firewall.dry:
        return found
    if not firewall.armed():
        _write(firewall.way_back, EMPTY + firewall.live())
    _arm(firewall)
    _nft(firewall, rules)
    _write(firewall.trial, firewall.live())
    return {**found, "pending": True}


def _untouched(firewall: Firewall, rules: str) -> Outcome:
    return {"rules": {"before": _read(firewall.kept), "after": rules}, "pending": False}


def _is_kept(firewall: Firewall, rules: str) -> bool:
    return (
        _read(firewall.kept) == rules
        and _read(firewall.wish) == _wish(firewall.want)
        and all(_read(file) == text for file, text in firewall.units().items())
        and firewall.live() == (_read(firewall.loaded) or "nothing")
        and firewall.run(["systemctl", "is-enabled", "--quiet", SERVICE])[0] == 0
        and not firewall.armed()
    )


def _nft(firewall: Firewall, rules: str, *options: str) -> None:
    file = firewall.path("run/gpuops/firewall.nft")
    _write(file, rules)
    firewall.must("nft", *options, "--file", str(file))


def _arm(firewall: Firewall) -> None:
    """Let systemd go back after a while, whatever becomes of us and of the connection."""
    firewall.run(["systemctl", "stop", f"{ROLLBACK}.timer"])
    firewall.must(
        "systemd-run", "--quiet", "--collect", f"--unit={ROLLBACK}",
        "--description=Go back from firewall rules that nobody confirmed",
        f"--on-active={firewall.want['rollback']}s", "--timer-property=AccuracySec=100ms",
        "nft", "--file", str(firewall.way_back),
    )  # fmt: skip


def confirm(firewall: Firewall) -> Outcome:
    """Keep the rules on trial for good; raises FirewallError when they are gone already."""
    rules = _rules(firewall, firewall.want)
    found = _untouched(firewall, rules)
    if _is_kept(firewall, rules):
        return found
    firewall.actions.append("keep the rules")
    if firewall.dry:
        return found
    firewall.run(["systemctl", "stop", f"{ROLLBACK}.timer"])
    live = firewall.live()
    if not live or live != _read(firewall.trial):
        raise FirewallError(
            "the new rules are not loaded any more: they were rolled back before the confirmation"
        )
    _write(firewall.kept, rules)
    _write(firewall.loaded, live)
    _write(firewall.wish, _wish(firewall.want))
    for file, text in firewall.units().items():
        _write(file, text)
    firewall.must("systemctl", "daemon-reload")
    firewall.must("systemctl", "--quiet", "enable", SERVICE)
    firewall.must("systemctl", "reload-or-restart", SERVICE)
    firewall.trial.unlink()
    return found


def open_part(firewall: Firewall) -> Outcome:
    """Open ports for somebody else's sake; where no rules are kept, only remember them.

    Nothing that lets SSH in is changed, so there is no trial.
    """
    want = firewall.want
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", want["part"] or ""):
        raise FirewallError(f"part {want['part']!r} must be small letters, digits and hyphens")
    file = firewall.parts / f"{want['part']}.json"
    base = _remembered(firewall)
    before, part = _read(firewall.kept), _text(want["open"]) if want["open"] else ""
    rules = _rules(firewall, base, {file: part}) if base else ""
    found = _untouched(firewall, rules)
    if _read(file) == part and rules == before:
        return found
    if firewall.armed():
        raise FirewallError("other rules are waiting for confirmation: run this again later")
    if base:
        _nft(firewall, rules, "--check")
    firewall.actions.append(f"{'open' if part else 'close'} the ports of {want['part']}")
    if not firewall.dry:
        _keep_part(firewall, file, part, rules)
    return found


def _keep_part(firewall: Firewall, file: Path, part: str, rules: str) -> None:
    if part:
        _write(file, part)
    else:
        file.unlink(missing_ok=True)
    if rules:
        _nft(firewall, rules)
        _write(firewall.kept, rules)
        _write(firewall.loaded, firewall.live())


def _rules(firewall: Firewall, want: Wish, changed: dict[Path, str] | None = None) -> str:
    """Return the rules of a wish with all parts, some of which may be about to change."""
    parts = {file: _read(file) for file in firewall.parts.glob("*.json")} | (changed or {})
    texts = [text for _file, text in sorted(parts.items()) if text]
    doors: list[Door] = [door for text in texts for door in json.loads(text)]
    return render({**want, "open": [*want["open"], *doors]})


def _wish(want: Wish) -> str:
    """Return what rules depend on, as it is remembered."""
    return _text(
        Wish(
            ssh_ports=want["ssh_ports"],
            ssh_sources=want["ssh_sources"],
            open=want["open"],
            peers=want["peers"],
            interfaces=want["interfaces"],
            ping=want["ping"],
        )
    )


def _remembered(firewall: Firewall) -> Wish | None:
    """Return the wish of the rules that are kept, None where none are."""
    found: Wish | None = json.loads(_read(firewall.wish) or "{}") or None
    return found


def _text(data: Wish | list[Door]) -> str:
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def remove(firewall: Firewall) -> Outcome:
    """Take our rules and all that loads them away."""
    refuse_foreign(firewall)
    ours = [*firewall.units(), firewall.kept, firewall.loaded, firewall.wish]
    ours += [firewall.trial, firewall.way_back]
    there = [file for file in ours if file.exists()]
    live = firewall.live() if installed(firewall) else ""
    found = _untouched(firewall, "")
    if not live and not there:
        return found
    firewall.actions.append("remove the rules")
    if not firewall.dry:
        firewall.run(["systemctl", "stop", f"{ROLLBACK}.timer"])
        if firewall.unit.exists():
            firewall.must("systemctl", "--quiet", "disable", "--now", SERVICE)
        if live:
            _nft(firewall, EMPTY)
        for file in there:
            file.unlink()
        firewall.must("systemctl", "daemon-reload")
    return found


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _write(file: Path, text: str) -> None:
    make(file.parent)
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(file)
