# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a long task sees while it waits, for the callback that prints it (private).

A module cannot print. Where the callback ``gpuops.cloud.progress`` is on, it names a file in the
environment, which modules on the controller inherit.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "GPUOPS_PROGRESS_FILE"


def tell(text: str) -> None:
    """Leave one line for the callback; without it, or when that fails, nothing happens."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text.replace("\n", " ") + "\n")
    except OSError:
        return
