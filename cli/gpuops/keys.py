# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C, counted: it tears no byte apart, and can mean something else each time."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


class PressedError(Exception):
    """Ctrl-C was pressed, and nobody has answered it yet."""


@dataclass
class Keys:
    """How often Ctrl-C was pressed, and how often that was answered."""

    pressed: int = 0
    answered: int = 0

    def check(self) -> None:
        """Raise PressedError for what is not answered, which answers it."""
        if self.pressed > self.answered:
            self.answered = self.pressed
            raise PressedError

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count instead of raising KeyboardInterrupt anywhere."""

        def count(_signal: int, _frame: FrameType | None) -> None:
            self.pressed += 1

        former = signal.signal(signal.SIGINT, count)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, former)
