# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes of an instance that is gone: removed as asked, or free to be used again (private)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from ._client import Client
from ._ending import STAYS, Ending, others_of
from ._errors import NotFoundError, UnavailableError, WaitTimeoutError, WrongStateError
from ._marking import keep_volume
from ._spend import volume_rate
from ._statuses import holders, volume_is_alive
from ._wait import wait_until

Row = dict[str, Any]
# A refusal that the next look explains.
_LATER = (NotFoundError, UnavailableError, WrongStateError)
# A volume follows the end of its instance by itself. One that does not is detached by name.
_PATIENCE = 4


def mark_kept(client: Client, instance: Row, how: Ending) -> None:
    """Write on the volumes that are kept on purpose that they are, before nobody has them."""
    marked = instance.setdefault("kept_on_purpose", set())
    for volume_id, policy in how.policies(instance).items():
        if policy == "keep" and volume_id not in marked:
            with contextlib.suppress(NotFoundError):  # or it is there later, and marked then
                keep_volume(client, volume_id)
                marked.add(volume_id)


def settle_volumes(client: Client, instance: Row, how: Ending) -> set[str]:
    """Remove the volumes whose policy asks for it and which did not go with their instance.

    Those that stay are waited for as well, until they can be used again. Returns the ids of those
    that exist then. Raises WaitTimeoutError that names each volume that is not as wanted, with its
    price per hour.
    """
    mine, looks, there = instance["id"], 0, set[str]()

    def unsettled() -> list[Row]:
        nonlocal looks, there
        looks += 1
        policies = how.policies(instance)
        rows = [v for v in client.volumes() if v["id"] in policies or mine in holders(v)]
        there = {v["id"] for v in rows if volume_is_alive(v)}
        instance["volume_ids"] = [*policies, *(v["id"] for v in rows if v["id"] not in policies)]
        if any(policies.get(v["id"]) == "keep" for v in rows):
            mark_kept(client, instance, how)
        wanted = [(v, policies.get(v["id"]) or how.policy(v)) for v in rows]
        left = [(v, policy) for v, policy in wanted if not _is_settled(v, policy, mine)]
        for volume, policy in left:
            with contextlib.suppress(*_LATER):
                _push(client, volume, policy, mine, looks)
        return [volume for volume, _policy in left]

    what = f"the volumes of {instance.get('hostname')}"
    try:
        _wait(client, unsettled, what, how)
    except WaitTimeoutError as error:
        error.hint = (
            f"The instance {mine} is gone. What is named here goes on costing: remove it with "
            "datacrunch_volume, or let datacrunch_reap find it."
        )
        raise
    return there


def _push(client: Client, volume: Row, policy: str, instance_id: str, looks: int) -> None:
    """Ask for what a volume still lacks."""
    has = holders(volume)
    if not has and volume["status"] == "detached":
        client.volume_action("delete", volume["id"], is_permanent=policy == "delete")
    elif volume["status"] == "attached" and instance_id in has and looks > _PATIENCE:
        extra = {"instance_id": instance_id} if len(has) > 1 else {}
        client.volume_action("detach", volume["id"], **extra)


def _is_settled(volume: Row, policy: str, instance_id: str) -> bool:
    """Tell whether a volume is gone, or stays and this instance has it no longer.

    What others have stays, whatever the policy: the last of them takes it along.
    """
    if not volume_is_alive(volume):
        return True
    if others_of(volume, instance_id) and instance_id not in holders(volume):
        return True
    return policy in STAYS and volume["status"] == "detached"


def wait_detached(client: Client, volume_ids: list[str], name: str, how: Ending) -> None:
    """Wait until disks of an earlier instance can be used: they follow its end after a while."""

    def attached() -> list[Row]:
        rows = [row for row in client.volumes() if row["id"] in volume_ids]
        return [row for row in rows if row["status"] != "detached"]

    _wait(client, attached, f"the volumes of {name}", how)


def _wait(client: Client, look: Callable[[], list[Row]], what: str, how: Ending) -> None:
    wait_until(
        look,
        lambda left: not left,
        what=f"{what} to settle",
        timeout=how.timeout,
        interval=how.interval,
        clock=client.clock,
        seen=lambda rows: ", ".join(map(_words, rows)),
    )


def _words(volume: Row) -> str:
    return f"{volume['id']} {volume['status']} ({volume_rate(volume):.4f} per hour)"
