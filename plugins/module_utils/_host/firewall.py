# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on trial: loaded with their way back armed, kept once a new login has been seen (private)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypedDict

from .._core.plan import Plan, Step
from .._core.resource import Resource
from .commands import Commands, HostError
from .conflicts import foreign_files
from .folders import make
from .nftables import EMPTY, FAMILY, NAME, Door, Wish, render
from .service_manager import no_systemd

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


class Options(Wish):
    """The wish with what is to be done about it: the options of the module."""

    state: str
    part: str | None
    rollback: int


class Outcome(TypedDict):
    """The result of the module: whether rules wait for their confirmation, and for how long."""

    pending: bool
    missing: bool
    rollback: int


class FirewallError(HostError):
    """Rules could not be loaded or kept; the message says what was seen."""


@dataclass(frozen=True)
class Files:
    """Where the files of the firewall lie, below a root that tests choose."""

    root: Path = Path("/")

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


@dataclass(frozen=True)
class Found:
    """What is to be done about the rules, and those that every boot loads, before and after."""

    rollback: int
    before: str = ""
    after: str = ""
    step: Step | None = None
    on_trial: bool = False
    missing: bool = False


@dataclass(frozen=True)
class Rules:
    """The rules as they are wanted, and what they are looked at and loaded by."""

    files: Files
    commands: Commands
    want: Options

    def live(self) -> str:
        """Return our table as the kernel has it, empty without one."""
        rc, out, _err = self.commands.run(["nft", "--stateless", "list", "table", FAMILY, NAME])
        return "" if rc else out

    def armed(self) -> bool:
        """Tell whether a way back is waiting for its time."""
        return self.commands.run(["systemctl", "is-active", "--quiet", f"{ROLLBACK}.timer"])[0] == 0

    def disarm(self) -> None:
        """Let no way back wait any more."""
        self.commands.run(["systemctl", "stop", f"{ROLLBACK}.timer"])

    def found(self, after: str, words: str = "", do: Callable[[], None] | None = None) -> Found:
        """Return what there is, with what has to be done about it if anything."""
        step = Step(words, lambda _commands: do()) if do else None
        return Found(self.want["rollback"], _read(self.files.kept), after, step)


class Firewall(Resource[Commands, Options, Found, Outcome]):
    """Rules that let in what was named: put on trial, kept, opened by a part, or removed."""

    def __init__(self, root: Path = Path("/")) -> None:
        """Take the root of the file system."""
        self.files = Files(root)

    def find(self, commands: Commands, want: Options) -> Found:
        if lacking := no_systemd("which has a firewall of its own"):
            raise FirewallError(lacking)
        if want["state"] in ("trial", "kept") and not commands.has("nft"):
            return Found(want["rollback"], missing=True)
        look = {"trial": attempt, "kept": confirm, "part": open_part, "absent": remove}
        return look[want["state"]](Rules(self.files, commands, want))

    def plan(self, found: Found, _want: Options) -> Plan:
        steps = (found.step,) if found.step else ()
        return Plan(found.before, found.after, steps, title=str(self.files.kept))

    def result(self, _commands: Commands, found: Found, _plan: Plan, *, applied: bool) -> Outcome:
        return {
            "pending": applied and found.on_trial,
            "missing": found.missing,
            "rollback": found.rollback,
        }


def refuse_foreign(rules: Rules) -> None:
    """Raise FirewallError where files that would be written or removed are somebody else's."""
    files = rules.files
    names = [f"/{file.relative_to(files.root)}" for file in (*files.units(), files.kept)]
    if found := foreign_files(names, [], files.root):
        raise FirewallError(f"{'; '.join(found)}. Nothing was changed: move it away first")


def attempt(rules: Rules) -> Found:
    """Put the wanted rules on trial unless they are kept already."""
    refuse_foreign(rules)
    wanted = _wanted(rules, rules.want)
    if _is_kept(rules, wanted):
        return rules.found(wanted)
    _check(rules, wanted)

    def load() -> None:
        if not rules.armed():
            _write(rules.files.way_back, EMPTY + rules.live())
        _arm(rules)
        _load(rules, wanted)
        _write(rules.files.trial, rules.live())

    words = f"load rules, and go back after {rules.want['rollback']} s"
    return replace(rules.found(wanted, words, load), on_trial=True)


def _is_kept(rules: Rules, wanted: str) -> bool:
    files = rules.files
    return (
        _read(files.kept) == wanted
        and _read(files.wish) == _wish(rules.want)
        and all(_read(file) == text for file, text in files.units().items())
        and rules.live() == (_read(files.loaded) or "nothing")
        and rules.commands.run(["systemctl", "is-enabled", "--quiet", SERVICE])[0] == 0
        and not rules.armed()
    )


def _check(rules: Rules, wanted: str) -> None:
    """Let nftables read the rules, of which nothing is loaded. Raises HostError with its words."""
    with NamedTemporaryFile("w", suffix=".nft", encoding="utf-8") as file:
        file.write(wanted)
        file.flush()
        rules.commands.must("nft", "--check", "--file", file.name)


def _load(rules: Rules, wanted: str) -> None:
    file = rules.files.path("run/gpuops/firewall.nft")
    _write(file, wanted)
    rules.commands.must("nft", "--file", str(file))


def _arm(rules: Rules) -> None:
    """Let systemd go back after a while, whatever becomes of us and of the connection."""
    rules.disarm()
    rules.commands.must(
        "systemd-run", "--quiet", "--collect", f"--unit={ROLLBACK}",
        "--description=Go back from firewall rules that nobody confirmed",
        f"--on-active={rules.want['rollback']}s", "--timer-property=AccuracySec=100ms",
        "nft", "--file", str(rules.files.way_back),
    )  # fmt: skip


def confirm(rules: Rules) -> Found:
    """Keep the rules on trial for good; the step raises FirewallError when they are gone already."""
    wanted = _wanted(rules, rules.want)
    if _is_kept(rules, wanted):
        return rules.found(wanted)

    def keep() -> None:
        files, must = rules.files, rules.commands.must
        rules.disarm()
        live = rules.live()
        if not live or live != _read(files.trial):
            raise FirewallError(
                "the new rules are not loaded any more: they were rolled back before the confirmation"
            )
        _write(files.kept, wanted)
        _write(files.loaded, live)
        _write(files.wish, _wish(rules.want))
        for file, text in files.units().items():
            _write(file, text)
        must("systemctl", "daemon-reload")
        must("systemctl", "--quiet", "enable", SERVICE)
        must("systemctl", "reload-or-restart", SERVICE)
        files.trial.unlink()

    return rules.found(wanted, "keep the rules", keep)


def open_part(rules: Rules) -> Found:
    """Open ports for somebody else's sake; where no rules are kept, only remember them.

    Nothing that lets SSH in is changed, so there is no trial.
    """
    want, files = rules.want, rules.files
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", want["part"] or ""):
        raise FirewallError(f"part {want['part']!r} must be small letters, digits and hyphens")
    file = files.parts / f"{want['part']}.json"
    base = _remembered(rules)
    part = _text(want["open"]) if want["open"] else ""
    wanted = _wanted(rules, base, {file: part}) if base else ""
    if _read(file) == part and wanted == _read(files.kept):
        return rules.found(wanted)
    if rules.armed():
        raise FirewallError("other rules are waiting for confirmation: run this again later")
    if base:
        _check(rules, wanted)
    words = f"{'open' if part else 'close'} the ports of {want['part']}"
    return rules.found(wanted, words, lambda: _keep_part(rules, file, part, wanted))


def _keep_part(rules: Rules, file: Path, part: str, wanted: str) -> None:
    if part:
        _write(file, part)
    else:
        file.unlink(missing_ok=True)
    if wanted:
        _load(rules, wanted)
        _write(rules.files.kept, wanted)
        _write(rules.files.loaded, rules.live())


def _wanted(rules: Rules, want: Wish, changed: dict[Path, str] | None = None) -> str:
    """Return the rules of a wish with all parts, some of which may be about to change."""
    parts = {file: _read(file) for file in rules.files.parts.glob("*.json")} | (changed or {})
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


def _remembered(rules: Rules) -> Wish | None:
    """Return the wish of the rules that are kept, None where none are."""
    found: Wish | None = json.loads(_read(rules.files.wish) or "{}") or None
    return found


def _text(data: Wish | list[Door]) -> str:
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def remove(rules: Rules) -> Found:
    """Take our rules and all that loads them away."""
    refuse_foreign(rules)
    files = rules.files
    ours = [*files.units(), files.kept, files.loaded, files.wish, files.trial, files.way_back]
    there = [file for file in ours if file.exists()]
    live = rules.live() if rules.commands.has("nft") else ""

    def clear() -> None:
        rules.disarm()
        if files.unit.exists():
            rules.commands.must("systemctl", "--quiet", "disable", "--now", SERVICE)
        if live:
            _load(rules, EMPTY)
        for file in there:
            file.unlink()
        rules.commands.must("systemctl", "daemon-reload")

    return rules.found("", "remove the rules", clear if live or there else None)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _write(file: Path, text: str) -> None:
    make(file.parent)
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(file)
