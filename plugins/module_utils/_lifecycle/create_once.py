# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating exactly once: an unclear answer is looked up before anything is repeated (private)."""

from __future__ import annotations

from collections.abc import Callable

from .._core.errors import GpuopsError
from .._core.write_once import write_once
from .._providers.base.client import Client

# What was made although its answer was lost shows up within a minute; after these looks it was not.
LOOKS_S = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


def create_once(
    client: Client, post: Callable[[], str], look: Callable[[], str | None], what: str
) -> str:
    """Return the id that ``post`` made, or that ``look`` finds after an unclear answer.

    Only when nothing is found the request is sent once more. Raises the error of the request when
    that is unclear too, or when nobody can say whether something was made.
    """

    def seek(problem: GpuopsError) -> str | None:
        found = look_up(client, look, problem, what)
        if not found:  # read only where the second answer is unclear as well
            problem.hint = (
                f"Twice the request got no clear answer and no {what} of it appeared. "
                "Run again: one that appears later is found."
            )
        return found or None

    return write_once(post, seek)


def look_up(
    client: Client, look: Callable[[], str | None], problem: GpuopsError, what: str
) -> str | None:
    """Return the id that ``look`` finds after an unclear answer, or None when nothing was made.

    Raises ``problem``, with what to do, when that cannot be known: it may have been made after the
    last look that worked.
    """
    known = False
    for pause in LOOKS_S:
        client.clock.sleep(pause)
        try:
            found = look()
        except GpuopsError:
            known = False
            continue
        known = True
        if found:
            return found
    if not known:
        problem.hint = (
            f"It is not known whether the {what} was made, because it could not be looked up "
            "either. Run the same again: it is found, not made twice."
        )
        raise problem
    return None
