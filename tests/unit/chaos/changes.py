# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has changed in an account, by the simulator's own record of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.chaos.books import DEAD, GONE
from gpuops_simulator.model import Account, Instance, Volume

Thing = tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """What a run has made, what of that lives, what it has ended, and what else it has changed.

    Ids of what is new differ from run to run, so that it is known by its names.
    """

    made: Counter[Thing] = field(default_factory=Counter)
    lives: Counter[Thing] = field(default_factory=Counter)
    gone: frozenset[str] = frozenset()
    changed: frozenset[tuple[str, str]] = frozenset()
    rates: tuple[float, ...] = ()


def there(thing: Any) -> bool:
    """Tell whether something exists: no instance on its way out, and no volume in the trash."""
    if isinstance(thing, Instance):
        return thing.status not in GONE + DEAD
    if isinstance(thing, Volume):
        return thing.deleted_at is None and thing.status != "deleting"
    return True


def _words(thing: Any) -> Thing:
    if isinstance(thing, Instance):
        return (
            *("instance", thing.hostname, thing.instance_type, thing.location),
            "spot" if thing.is_spot else "on demand",
        )
    if isinstance(thing, Volume):
        return "volume", thing.name.removesuffix(".keep"), str(thing.size)
    return ("key" if "key" in thing else "script"), plain(str(thing["name"]))


def plain(name: str) -> str:
    """Return a name without the time at which it was registered."""
    parts = name.split(".")
    return ".".join(part for part in parts if not (len(part) > 9 and part[:8].isdigit()))


def _facts(thing: Any) -> dict[str, Any]:
    """Return what can be changed of a thing."""
    if isinstance(thing, Instance):
        off = thing.status == "offline"
        return {"off": off, "tags": {tag["key"] for tag in thing.tags}}
    if isinstance(thing, Volume):
        tags = {tag["key"] for tag in thing.tags}
        more = {"size": thing.size, "holders": sorted(thing.instance_ids)}
        return {"name": thing.name, "tags": tags, **more}
    return {"name": thing["name"], "text": thing.get("key") or thing.get("script")}


def things(account: Account) -> dict[str, Any]:
    """Return everything of an account by its id."""
    return {**account.instances, **account.volumes, **account.keys, **account.scripts}


def compare(before: Account, after: Account) -> Changes:
    """Return what has become of an account."""
    old, new = things(before), things(after)
    fresh = [thing for key, thing in new.items() if key not in old]
    lost = {key for key, thing in old.items() if there(thing) and not there(new.get(key, ""))}
    lost |= {key for key, thing in old.items() if there(thing) and key not in new}
    both = {key for key in old.keys() & new.keys() if there(old[key]) and there(new[key])}
    changed = {
        (key, name)
        for key in both
        for name, value in _facts(old[key]).items()
        if _facts(new[key])[name] != value
    }
    changed |= {
        (key, "back") for key in old if not there(old[key]) and key in new and there(new[key])
    }
    living = [thing for thing in fresh if there(thing)]
    return Changes(
        made=Counter(map(_words, fresh)),
        lives=Counter(map(_words, living)),
        gone=frozenset(lost),
        changed=frozenset(changed),
        rates=tuple(float(t.price_per_hour) for t in living if isinstance(t, Instance)),
    )


def touched(before: Account, after: Account, strangers: set[str]) -> Iterator[str]:
    """Yield what of strangers is other than it was."""
    old, new = things(before), things(after)
    for key in sorted(strangers & old.keys()):
        if there(old[key]) and (key not in new or not there(new[key])):
            yield f"{key} of a stranger is gone"
        elif key in new and _facts(old[key]) != _facts(new[key]):
            yield f"{key} of a stranger was changed"
