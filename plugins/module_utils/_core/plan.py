# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan: what is, what should be, and the steps between (private, pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict


@dataclass(frozen=True)
class Step:
    """One write: a sentence, and the call that does it.

    The call may return a sentence that says better what was really done, for example which offer
    was taken after a refusal; it then stands in ``actions`` instead of the summary. An empty one says
    that there was nothing to do, which could only be seen after the steps before. ``first`` are those
    that independent ones wait for as well: where one of them fails, nothing else is done.
    """

    summary: str
    call: Callable[[Any], str | None]
    first: bool = False


class Diff(TypedDict, total=False):
    """Both ends of a plan as Ansible compares them, empty where there is none, and whose they are."""

    before: Any
    after: Any
    before_header: str
    after_header: str


@dataclass(frozen=True)
class Plan:
    """Before, after and steps; ``changed``, ``actions`` and ``diff`` are views of it.

    ``parallel`` says that the steps do not depend on each other, ``title`` whose difference it is.
    A plan of several files has a plan for each in ``parts``, which only say how these differ.
    """

    before: Any = None
    after: Any = None
    steps: tuple[Step, ...] = ()
    parallel: bool = False
    title: str = ""
    parts: tuple[Plan, ...] | None = None

    @property
    def changed(self) -> bool:
        return bool(self.steps)

    @property
    def actions(self) -> list[str]:
        return [step.summary for step in self.steps]

    @property
    def diff(self) -> Diff | list[Diff]:
        if self.parts is not None:
            return [part.difference for part in self.parts]
        return self.difference

    @property
    def difference(self) -> Diff:
        before, after = ({} if one is None else one for one in (self.before, self.after))
        found: Diff = {"before": before, "after": after}
        if self.title:
            found |= {"before_header": self.title, "after_header": self.title}
        return found
