# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH keys of the account: find, plan (private)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TypedDict

from .._core.errors import InvalidError, NotFoundError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._lifecycle.create_once import create_once
from .._models.ownership import check_name, part_name, plain_name, registered_name
from .._models.resources import SshKey, living_deployments
from .._providers.base.client import Client
from .._providers.base.views import SshKeyRow, describe_ssh_key

# A bring-up that starts now must not lose its key while it waits for an instance.
_FRESH = timedelta(hours=1)
_KINDS = ("ssh-", "ecdsa-", "sk-")
_NEVER = datetime.max.replace(tzinfo=timezone.utc)


def key_body(public_key: str | None) -> str:
    """Return type and base64 of a public key, which make its identity; comments do not."""
    return " ".join((public_key or "").split()[:2])


def is_public_key(text: str) -> bool:
    """Tell whether a text is a public key, and not the name of one."""
    parts = text.split()
    return len(parts) > 1 and parts[0].startswith(_KINDS)


def checked_key(public_key: str) -> str:
    """Return a public key without blanks around it. Raises InvalidError for anything else."""
    text = public_key.strip()
    if "PRIVATE KEY" in text:
        raise InvalidError(
            "public_key holds a private key", hint="Give the content of the .pub file."
        )
    parts = text.split()
    if len(parts) < 2 or not parts[0].startswith(_KINDS) or "\n" in text:
        raise InvalidError("public_key is not one line of an OpenSSH public key")
    return text


def _same(key: SshKey, other: SshKey) -> bool:
    """Tell whether two keys have one name, whenever they were registered, and one body."""
    same = plain_name(key.name or "") == plain_name(other.name or "")
    return same and key_body(key.public_key) == key_body(other.public_key)


def _remove(key_id: str, client: Client) -> None:
    try:
        client.delete_ssh_key(key_id)
    except NotFoundError:
        return  # gone is what was wanted


@dataclass
class FoundKeys:
    """The keys that are meant, and the one made by the plan; ``old`` ones are registered again."""

    keys: list[SshKey]
    name: str | None
    now: datetime
    given: str | None = None
    old: bool = False
    made: SshKey | None = None


class KeyOptions(TypedDict):
    """The options of the module for a key."""

    state: str
    id: str | None
    name: str | None
    deployment: str | None
    public_key: str | None


class KeysListed(TypedDict):
    """The options of the module that lists keys."""

    name: str | None
    deployment: str | None


class KeyResult(TypedDict):
    """What the module for a key tells; ``not_secret`` is what need not be masked."""

    ssh_key: SshKeyRow | None
    not_secret: list[str | None]


class KeysResult(TypedDict):
    """What the module that lists keys tells."""

    ssh_keys: list[SshKeyRow]


class SshKeyResource(Resource[Client, KeyOptions, FoundKeys, KeyResult]):
    """A registered public key, matched by id, by its body, or by name."""

    def find(self, client: Client, want: KeyOptions) -> FoundKeys:
        if want["deployment"]:
            check_name(want["deployment"], "deployment")
        name = want["name"]
        body = key_body(checked_key(want["public_key"])) if want["public_key"] else None
        if not name and body and want["deployment"]:
            digest = hashlib.sha256(body.encode()).hexdigest()[:8]
            name = part_name(want["deployment"], digest)
        keys = [key for key in client.ssh_keys() if self._meant(key, want, body, name)]
        keys.sort(key=lambda key: key.registered_at or _NEVER, reverse=True)  # newest first
        found = FoundKeys(keys, name, client.now(), want["public_key"])
        if body and want["state"] == "present" and not want["name"]:
            found.old = self._is_old(client, found, want)
        return found

    @staticmethod
    def _is_old(client: Client, found: FoundKeys, want: KeyOptions) -> bool:
        """Tell whether keys may soon be taken for left over, as their deployment has no instance."""
        if not found.keys or not want["deployment"]:
            return False
        times = [key.registered_at or found.now for key in found.keys]
        if found.now - max(times) < _FRESH:
            return False
        return want["deployment"] not in living_deployments(client.instances())

    @staticmethod
    def _meant(key: SshKey, want: KeyOptions, body: str | None, name: str | None) -> bool:
        if want["id"]:
            return bool(key.id == want["id"])
        # An own name keeps deployments apart: the same key may be registered once for each.
        named = name is None or name in (key.name, plain_name(key.name or ""))
        if body:
            return named and key_body(key.public_key) == body
        if name:
            return named
        return bool(key.deployment == want["deployment"])

    def plan(self, found: FoundKeys, want: KeyOptions) -> Plan:
        if want["state"] == "absent":
            return self._plan_absent(found)
        if found.keys and not found.old:
            same = describe_ssh_key(found.keys[0])
            return Plan(same, same)
        if want["id"]:
            raise NotFoundError(f"No SSH key has the id {want['id']}")
        if not want["public_key"] or not found.name:
            raise InvalidError("A new key needs public_key, and name or deployment")
        text = checked_key(want["public_key"])
        # Keys bear no time of their own, and one that nobody needs any more must be known by its age.
        name = found.name if want["name"] else registered_name(found.name, found.now)

        known = {key.id for key in found.keys}
        new = SshKey("", name, public_key=text)

        def make(client: Client) -> None:
            def look() -> str | None:
                rows = (k for k in client.ssh_keys() if k.id not in known)
                return next((k.id for k in rows if _same(k, new)), None)

            register = partial(client.add_ssh_key, name, text)
            key_id = create_once(client, register, look, "SSH key")
            found.made = replace(new, id=key_id)

        return Plan(None, describe_ssh_key(new), (Step(f"register SSH key {found.name}", make),))

    @staticmethod
    def _plan_absent(found: FoundKeys) -> Plan:
        steps = tuple(
            Step(f"remove SSH key {key.name}", partial(_remove, key.id)) for key in found.keys
        )
        before = {"ssh_keys": [describe_ssh_key(key) for key in found.keys]}
        return Plan(before, {"ssh_keys": []}, steps, parallel=True)

    def result(self, client: Client, found: FoundKeys, plan: Plan, *, applied: bool) -> KeyResult:
        # What was given proved to be a public key, not a private one by mistake.
        return {"ssh_key": self._shown(found, plan), "not_secret": [found.given]}

    @staticmethod
    def _shown(found: FoundKeys, plan: Plan) -> SshKeyRow | None:
        if found.made:
            return describe_ssh_key(found.made)
        if plan.after == {"ssh_keys": []}:
            return None
        planned: SshKeyRow = plan.after
        return describe_ssh_key(found.keys[0]) if found.keys and not found.old else planned


def list_keys(client: Client, want: KeysListed) -> KeysResult:
    """Return the registered keys, optionally only those of a deployment or of one name."""
    rows = client.ssh_keys()
    if want["deployment"]:
        rows = [row for row in rows if row.deployment == want["deployment"]]
    if want["name"]:
        rows = [row for row in rows if row.name == want["name"]]
    return {"ssh_keys": [describe_ssh_key(row) for row in rows]}
