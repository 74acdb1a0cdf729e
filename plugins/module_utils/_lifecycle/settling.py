# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes of an instance that is gone: removed as asked, or free to be used again (private)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from .._core.errors import NotFoundError, UnavailableError, WaitTimeoutError, WrongStateError
from .._core.wait import wait_until
from .._models.resources import Volume
from .._providers.base.client import Client
from .._providers.names import module_of
from .tagging import keep_volume
from .termination_policy import STAYS, Ending, Outcome

# A refusal that the next look explains.
_LATER = (NotFoundError, UnavailableError, WrongStateError)
# A volume follows the end of its instance by itself. One that does not is detached by name.
_PATIENCE = 4


def mark_kept(client: Client, end: Outcome) -> None:
    """Write on the volumes that are retained on purpose that they are, before nobody has them."""
    for volume_id, policy in end.policies.items():
        if policy == "keep" and volume_id not in end.marked:
            with contextlib.suppress(NotFoundError):  # or it is there later, and marked then
                keep_volume(client, volume_id)
                end.marked.add(volume_id)


def settle_volumes(client: Client, end: Outcome) -> set[str]:
    """Remove the volumes whose policy asks for it and which did not go with their instance.

    Those that stay are waited for as well, until they can be used again. Returns the ids of those
    that exist then. Raises WaitTimeoutError that names each volume that is not as wanted, with its
    price per hour.
    """
    mine, looks, there = end.row.id, 0, set[str]()

    def unsettled() -> list[Volume]:
        nonlocal looks, there
        looks += 1
        policies = end.policies
        rows = [v for v in client.volumes() if v.id in policies or mine in v.holders]
        there = {v.id for v in rows if v.is_alive}
        end.add_volumes([*policies, *(v.id for v in rows)])
        if any(policies.get(v.id) == "keep" for v in rows):
            mark_kept(client, end)
        wanted = [(v, policies.get(v.id) or end.how.policy(v)) for v in rows]
        left = [(v, policy) for v, policy in wanted if not _is_settled(v, policy, mine)]
        for volume, policy in left:
            with contextlib.suppress(*_LATER):
                _push(client, volume, policy, mine, looks)
        return [volume for volume, _policy in left]

    what = f"the volumes of {end.row.name}"
    try:
        _wait(client, unsettled, what, end.how)
    except WaitTimeoutError as error:
        error.hint = (
            f"The instance {mine} is gone. What is named here continues to cost money: remove it with "
            f"{module_of('volume')}, or let {module_of('reap')} find it."
        )
        raise
    return there


def _push(client: Client, volume: Volume, policy: str, instance_id: str, looks: int) -> None:
    """Ask for what a volume still lacks."""
    has = volume.holders
    if not has and volume.status == "detached":
        client.delete_volume(volume.id, for_good=policy == "delete")
    elif volume.status == "attached" and instance_id in has and looks > _PATIENCE:
        client.detach_volume(volume.id, instance_id if len(has) > 1 else None)


def _is_settled(volume: Volume, policy: str, instance_id: str) -> bool:
    """Tell whether a volume is gone, or stays and this instance has it no longer.

    What others have stays, whatever the policy: the last of them takes it along.
    """
    if not volume.is_alive:
        return True
    if volume.others(instance_id) and instance_id not in volume.holders:
        return True
    return policy in STAYS and volume.status == "detached"


def wait_detached(client: Client, volume_ids: list[str], name: str, how: Ending) -> None:
    """Wait until disks of an earlier instance can be used: they follow its end after a while."""

    def attached() -> list[Volume]:
        rows = [row for row in client.volumes() if row.id in volume_ids]
        return [row for row in rows if row.status != "detached"]

    _wait(client, attached, f"the volumes of {name}", how)


def _wait(client: Client, look: Callable[[], list[Volume]], what: str, how: Ending) -> None:
    wait_until(
        look,
        lambda left: not left,
        what=f"{what} to settle",
        timeout=how.timeout,
        interval=how.interval,
        clock=client.clock,
        seen=lambda rows: ", ".join(map(_words, rows)),
    )


def _words(volume: Volume) -> str:
    return f"{volume.id} {volume.status} ({volume.rate:.4f} per hour)"
