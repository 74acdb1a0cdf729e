# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account can be asked to learn which dialect it speaks (private, pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .row import Row

# In which prices are asked for beside the API's default.
OTHER_CURRENCY = "eur"


@dataclass(frozen=True)
class Fields:
    """The fields of the rows of an answer: numbers with their paths, documented ones, and others.

    A documented field is always there, an optional one may be missing.
    """

    numbers: tuple[str, ...] = ()
    documented: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """One read: ``reader`` is how this collection reads a row of its answer.

    ``is_private`` says that the answer holds what is the user's own, ``is_one`` that it is no list.
    """

    name: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    path_params: dict[str, str] = field(default_factory=dict)
    reader: Callable[[Row], Any] | None = None
    is_private: bool = False
    is_one: bool = False
    fields: Fields = field(default_factory=Fields)

    @property
    def request(self) -> str:
        """Return it as a report names it."""
        query = "&".join(f"{key}={value}" for key, value in self.params.items())
        return f"GET {self.path}" + (f"?{query}" if query else "")
