# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give the environment that runs this the metadata of a distribution "vllm": argument VERSION."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path


def name_distribution(folder: Path, version: str) -> None:
    """Write the least metadata that importlib.metadata finds a version in."""
    place = folder / f"vllm-{version}.dist-info"
    place.mkdir(exist_ok=True)
    metadata = f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n"
    (place / "METADATA").write_text(metadata, encoding="utf-8")
    (place / "RECORD").touch()


if __name__ == "__main__":
    name_distribution(Path(sysconfig.get_paths()["purelib"]), sys.argv[1])
