# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the keys of this controller open an instance that exists (private)."""

from __future__ import annotations

from collections.abc import Iterable

from .._core.errors import InvalidError
from .._models.resources import Instance, SshKey
from .._providers.base.client import Client
from .ssh_keys import is_public_key, key_body


def refuse_locked_out(client: Client, rows: Iterable[Instance], keys: list[str]) -> None:
    """Raise InvalidError for an instance that none of these keys opens, given by id or name.

    The keys of an instance are those of its order, for good. One that was removed and registered anew
    has another id, so keys are compared by what they are, and one that is gone proves nothing.
    """
    keys = [client.unregistered_key(key) or key for key in keys]
    doubtful = [
        row for row in rows if keys and row.ssh_key_ids and not set(keys) & set(row.ssh_key_ids)
    ]
    if not doubtful:
        return
    known = {key.id: key for key in client.ssh_keys()}
    ours = {_material(key) for key in known.values() if {key.id, key.name} & set(keys)}
    ours |= {key_body(key) for key in keys if is_public_key(key)}
    for row in doubtful:
        theirs = [known[one] for one in row.ssh_key_ids if one in known]
        if len(theirs) == len(row.ssh_key_ids) and not ours & set(map(_material, theirs)):
            names = ", ".join(str(key.name or key.id) for key in theirs)
            raise InvalidError(
                f"{row.name} ({row.id}) was ordered with the key {names}, which is not the one of "
                "this controller: nobody could log in from here",
                hint="Copy the private key from the controller that has ordered it, and name it with "
                "ssh_private_key_file; or take another deployment.",
                details={"instance_id": row.id},
            )


def _material(key: SshKey) -> str:
    return key_body(key.public_key)
