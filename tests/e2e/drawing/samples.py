# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples over time, as promtool takes them into a Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class Samples:
    """Series by metric and labels, and the moment until which they are to be shown."""

    def __init__(self) -> None:
        self.end = 0.0
        self._rows: dict[str, dict[str, list[str]]] = {}

    def add(self, name: str, labels: Mapping[str, str], moment: float, value: float) -> None:
        """Add a sample; those of a series in the order of time."""
        text = ",".join(f'{key}="{one}"' for key, one in sorted(labels.items()))
        series = self._rows.setdefault(name, {}).setdefault(text, [])
        series.append(f"{name}{{{text}}} {value!r} {moment:.0f}".replace(" inf ", " +Inf "))

    def write(self, file: Path) -> None:
        """Write them as OpenMetrics."""
        with file.open("w", encoding="utf-8") as stream:
            for name, family in self._rows.items():
                stream.write(f"# TYPE {name} unknown\n")
                for series in family.values():
                    stream.writelines(f"{line}\n" for line in series)
            stream.write("# EOF\n")
