# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON whether a program is there, and which wheels the host takes; reads only.

Argument: path of the program.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

if __name__ == "__main__":
    print(
        json.dumps(
            {
                "there": Path(sys.argv[1]).exists(),
                "python": ".".join(map(str, sys.version_info[:2])),
                "machine": platform.machine(),
                "glibc": platform.libc_ver()[1],
            }
        )
    )
