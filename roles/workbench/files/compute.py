# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Multiply two matrices on every device, as proof that PyTorch works here."""

from __future__ import annotations

import sys

import torch


def main() -> None:
    """Fail for a device that computes something else than ones times ones."""
    count = torch.cuda.device_count() if torch.version.cuda else 0
    if torch.version.cuda and not count:
        sys.exit(f"PyTorch {torch.__version__} sees no GPU")
    for device in [f"cuda:{number}" for number in range(count)] or ["cpu"]:
        ones = torch.ones(64, 64, device=device)
        if not bool((ones @ ones == 64).all()):
            sys.exit(f"{device} computes wrong")
        print(f"PyTorch {torch.__version__} computes on {device}")


if __name__ == "__main__":
    main()
