# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which operating system image fits a type (private, pure)."""

from __future__ import annotations

import re
from functools import lru_cache

# Both naming schemes of the cloud: ubuntu-24.04-cuda-13.0-open[-docker] and 24.04.cuda13.0[.docker]
_IMAGE = re.compile(
    r"^(?:ubuntu-)?(?P<os>\d\d\.\d\d)(?:[.-]base|[.-]cuda-?(?P<cuda>\d+\.\d+))?(?P<open>-open)?(?P<docker>[.-]docker)?(?:\.cc)?$"
)
# The releases that the roles are made for, best first.
_RELEASES = ("24.04", "22.04", "26.04", "20.04")
# What the pinned vLLM needs of a driver, and on which plain releases the role cuda installs one.
_CUDA_TO_SERVE, _INSTALLABLE = (13, 0), ("24.04", "22.04")


def _image_rank(name: str, serving: bool) -> tuple[float, ...] | None:
    match = _IMAGE.match(name)
    if not match or match["os"] not in _RELEASES:
        return None
    # CUDA 13 first: the driver of these images is what current vLLM needs. Docker last: its pinned
    # containerd and its firewall rules get in the way of everything else.
    cuda = tuple(int(part) for part in match["cuda"].split(".")) if match["cuda"] else (0, 0)
    old = cuda < _CUDA_TO_SERVE
    # The role leaves a driver alone that works, also one that is too old to serve.
    if serving and old and (match["cuda"] or match["os"] not in _INSTALLABLE):
        return None
    return (old, bool(match["docker"]), _RELEASES.index(match["os"]), -cuda[0], -cuda[1])


# Asked for every type of every look, and few types differ in what they boot.
@lru_cache(maxsize=256)
def best_image(supported: tuple[str, ...], serving: bool = False) -> str | None:
    """Return the image that the roles like best of those that a type boots, None when none fits.

    For ``serving``, it brings the driver that vLLM needs, or none, so that it can be installed.
    """
    ranked = sorted(
        (rank, name) for name in supported if (rank := _image_rank(name, serving)) is not None
    )
    return ranked[0][1] if ranked else None
