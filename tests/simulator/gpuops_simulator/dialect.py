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
    "description_limit": (60, 100, None),
    "order_tags": ("accepted", "refused_400", "refused_403", "refused_on_disks"),
    "untag": ("both", "id", "key"),
    "tag_conflict": ("key", "tag"),
    "order_answer": (None, 301, 303, 404, 409, 499, 500, 502, 504, 520, 522, 524),
    "list_shape": ("array", "data", "object", "null"),
    "numbers": ("plain", "nan", "null", "comma"),
    "slow_bodies": ("all", "writes"),
}


@dataclass(frozen=True)
class Dialect:
    """The habits of one account. Limits in characters, looks in requests, times in seconds."""

    refusal_code: int = 403
    first_delete: str = "ok"
    trash: str = "late"
    volume_ids: str = "shown"
    ended_disks: str = "released"
    description_limit: int | None = 60
    order_tags: str = "accepted"
    untag: str = "both"
    tag_conflict: str = "key"
    order_answer: int | None = None
    answer_tags: bool = True
    answer_description: int | None = None
    unknown_looks: int = 0
    list_lag_seconds: float = 0.0
    list_shape: str = "array"
    numbers: str = "plain"
    slow_body_seconds: float = 0.0
    slow_bodies: str = "all"
    date_offset_seconds: float = 0.0

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

    def shown(self, description: str) -> str:
        """Return as much of a description as answers hold."""
        return description[: self.answer_description]

    def drip(self, *, write: bool) -> float:
        """Return how long the body of an answer, to a write that was done or not, takes to come."""
        return self.slow_body_seconds if write or self.slow_bodies == "all" else 0.0
