# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the output of a job is shown: as lines of a run, or as bytes on a terminal (private)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

# A line that does not end is shown in pieces of this size.
_LONGEST_LINE = 1 << 16
_MASK = "********"
_NOTHING = b"(?!)"


def values_of(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return the values of secrets that this environment knows, to be masked."""
    return tuple(value for name in secrets if (value := os.environ.get(name, "")))


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the values of secrets."""
    for secret in secrets:
        text = text.replace(secret, _MASK)
    return text


class Screen(Protocol):
    """Takes bytes as they come, and hears when there are no more."""

    def take(self, data: bytes) -> None:
        """Show what can be shown now."""

    def end(self) -> None:
        """Show the rest."""


@dataclass
class Lines:
    """Complete lines out of bytes as they come; of a progress bar, what it shows last."""

    show: Callable[[str], None]
    masked: tuple[str, ...] = ()
    rest: bytes = b""

    def take(self, data: bytes) -> None:
        """Show what is complete now."""
        *whole, self.rest = (self.rest + data).split(b"\n")
        for line in whole:
            self._tell(line)
        if len(self.rest) > _LONGEST_LINE:
            self.end()

    def end(self) -> None:
        """Show what has no end."""
        if self.rest:
            self._tell(self.rest)
        self.rest = b""

    def _tell(self, line: bytes) -> None:
        shown = [part for part in line.split(b"\r") if part]
        text = (shown[-1] if shown else b"").decode(errors="replace")
        self.show(masked(text, self.masked))


@dataclass
class Raw:
    """The bytes themselves, at once, but for secrets.

    Only what may be the beginning of a secret waits for what comes after it.
    """

    descriptor: int
    masked: tuple[str, ...] = ()
    rest: bytes = b""

    def take(self, data: bytes) -> None:
        """Write what cannot become a secret any more."""
        text, out, at = self.rest + data, b"", 0
        begins = self._begins(text, at)
        for found in self._secrets.finditer(text):
            if found.start() >= begins:
                break
            out += text[at : found.start()] + _MASK.encode()
            at = found.end()
            if at > begins:
                begins = self._begins(text, at)
        self.rest = text[begins:]
        self._write(out + text[at:begins])

    def end(self) -> None:
        """Write what has waited, for no more of a secret comes."""
        rest, self.rest = self.rest, b""
        self._write(self._secrets.sub(_MASK.encode(), rest))

    @property
    def _secrets(self) -> re.Pattern[bytes]:
        # The longest first, for one may begin like another.
        ranked = sorted((one.encode() for one in self.masked), key=len, reverse=True)
        return re.compile(b"|".join(map(re.escape, ranked)) or _NOTHING)

    def _begins(self, text: bytes, at: int) -> int:
        """Return where the end of a text may be the beginning of a secret, if anywhere."""
        most = max((len(one.encode()) for one in self.masked), default=1) - 1
        places = range(max(at, len(text) - most), len(text))
        known = [one.encode() for one in self.masked]
        return next(
            (place for place in places if any(one.startswith(text[place:]) for one in known)),
            len(text),
        )

    def _write(self, text: bytes) -> None:
        while text:
            text = text[os.write(self.descriptor, text) :]
