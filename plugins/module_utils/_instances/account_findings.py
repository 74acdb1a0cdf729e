# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found out about an account, kept for the next run of any controller of this user (private).

One small file an account, beside the ledger: that it did not show the ownership of an instance after
its order, so that nothing may be bought, and that it takes no tags, so that long names cannot be.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from .._core.data import Data
from .._core.errors import OwnershipError
from .._core.private_files import private_folder
from .._core.times import read_time, write_time
from .._providers.base.client import Client

# An account may learn to take tags.
_GOOD_FOR = timedelta(days=1)


def _path(client: Client) -> Path:
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "gpuops" / "accounts" / f"{client.account}.json"


def _read(client: Client) -> dict[str, Data]:
    try:
        found = json.loads(_path(client).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(client: Client, **values: Data) -> None:
    """Add to what is known; a folder that cannot be written costs the knowledge, nothing else."""
    path = _path(client)
    try:
        private_folder(path.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".account-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({**_read(client), **values}, file)
        Path(temporary).replace(path)
    except OSError:
        return


def note_lost_ownership(client: Client, instance: str) -> Path:
    """Keep that the ownership of an instance was not shown; returns the file that says so."""
    _write(client, ownership={"instance": instance, "at": write_time(client.now())})
    return _path(client)


def refuse_lost_ownership(client: Client) -> None:
    """Raise OwnershipError when an earlier order's ownership was not shown by this account."""
    found = _read(client).get("ownership")
    if not found:
        return
    instance = found.get("instance") if isinstance(found, dict) else found
    when = found.get("at") if isinstance(found, dict) else "an unknown time"
    raise OwnershipError(
        f"Nothing is bought in this account, since it did not show whose {instance} is after its "
        f"order at {when}",
        hint="Look in the console that it is terminated and that new instances show their tags or "
        f"their description, then delete {_path(client)}.",
    )


def note_no_tags(client: Client) -> None:
    """Keep that this account takes no tags."""
    _write(client, no_tags=write_time(client.now()))


def takes_no_tags(client: Client) -> bool:
    """Tell whether this account took no tags, when that was last seen within a day."""
    found = _read(client).get("no_tags")
    seen: datetime | None = read_time(found) if isinstance(found, str) else None
    return seen is not None and client.now() - seen < _GOOD_FOR


def findings(client: Client) -> dict[str, tuple[str, str]]:
    """Return in words what is known of an account from before, and what follows, by its name."""
    lost = bool(_read(client).get("ownership"))
    return {
        "remembered_ownership": (
            ("lost", "nothing is bought until that is looked at") if lost else ("nothing", "")
        ),
        "remembered_no_tags": (
            ("no tags", "long names are refused") if takes_no_tags(client) else ("nothing", "")
        ),
    }
