# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH keys at several providers: by name where they are registered, or as they are (private).

A public key is registered at the provider at which something is bought, right before that, as a key
of the deployment, and removed with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from .._access.ssh_keys import KeyOptions, SshKeyResource, is_public_key
from .._access.startup_scripts import ScriptOptions, StartupScriptResource
from .._core.plan import Step
from .._instances.prepare import key_ids
from .._providers.accounts import Accounts
from .._providers.base.client import Client
from .state import Desk, Everywhere, step_at


def new_keys(client: Client, keys: Iterable[str]) -> tuple[str, ...]:
    """Return the public keys that a provider takes only once they are registered."""
    return tuple(key for key in keys if is_public_key(key) and not client.unregistered_key(key))


def registered_ids(client: Client, keys: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the other keys that may log in. Raises NotFoundError."""
    new = new_keys(client, keys)
    return key_ids(client, [key for key in keys if key not in new])


def register_keys(desk: Desk, deployment: str) -> None:
    """Register what is not registered at a provider, once, however many instances are bought there."""
    with desk.registering:
        ids = tuple(_registered(desk.client, deployment, text) for text in desk.new_keys)
        desk.found.ssh_key_ids += ids
        desk.new_keys = ()


def _registered(client: Client, deployment: str, public_key: str) -> str:
    resource, want = SshKeyResource(), _key(deployment, "present", public_key)
    found = resource.find(client, want)
    for step in resource.plan(found, want).steps:
        step.call(client)
    return found.made.id if found.made else found.keys[0].id


def look_at_registrations(accounts: Accounts, found: Everywhere) -> None:
    """Add the steps that remove what the deployment has registered anywhere.

    Where nobody can look, the proof that nothing is left fails later.
    """
    asked = accounts.ask(partial(_removals, found.want["deployment"]), tuple(found.at))
    found.removals = [step for one in asked for step in one.answer or []]


def _removals(deployment: str, client: Client) -> list[Step]:
    has, keys, scripts = client.capabilities, SshKeyResource(), StartupScriptResource()
    key, script = _key(deployment, "absent"), _absent_script(deployment)
    plans = [keys.plan(keys.find(client, key), key)] if has.keys else []
    plans += [scripts.plan(scripts.find(client, script), script)] if has.scripts else []
    return [step_at(client, step) for plan in plans for step in plan.steps]


def _key(deployment: str, state: str, public_key: str | None = None) -> KeyOptions:
    """Return the options of the module for keys."""
    return {
        "state": state,
        "id": None,
        "name": None,
        "deployment": deployment,
        "public_key": public_key,
    }


def _absent_script(deployment: str) -> ScriptOptions:
    """Return the options of the module for scripts that removes all of a deployment."""
    return {"state": "absent", "id": None, "name": None, "deployment": deployment, "content": None}
