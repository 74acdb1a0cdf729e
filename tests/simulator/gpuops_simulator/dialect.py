# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How accounts of the real cloud are known to differ: one switch each, the strictest by default.

The README names the public source of each.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

CHOICES: dict[str, tuple[Any, ...]] = {
    "refusal_code": (403, 400, 409, 207),
    "first_delete": ("ok", "404"),
    "trash": ("late", "immediate"),
    "volume_ids": ("shown", "missing"),
    "ended_disks": ("released", "attached"),
}


@dataclass(frozen=True)
class Dialect:
    """The habits of one account."""

    refusal_code: int = 403
    first_delete: str = "ok"
    trash: str = "late"
    volume_ids: str = "shown"
    ended_disks: str = "released"

    @classmethod
    def read(cls, data: Any) -> Dialect:
        """Return the dialect that plain data describes; ValueError for what there is not."""
        if isinstance(data, Dialect):
            return data
        unknown = data.keys() - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"unknown dialect keys: {', '.join(sorted(unknown))}")
        for name, known in CHOICES.items():
            if name in data and data[name] not in known:
                raise ValueError(f"{name} is one of {', '.join(map(str, known))}")
        return cls(**data)
