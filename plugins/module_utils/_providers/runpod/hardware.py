# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPUs by RunPod's ids, counts and images, and what they are called everywhere else (private, pure).

A type of instance is a count and the id of a GPU, ``2x_NVIDIA_H100_80GB_HBM3``: pods have no types.
"""

from __future__ import annotations

import re

# Of the vendor: sshd, CUDA 12.8 and PyTorch. What its order names no image for would run nothing.
USUAL_IMAGE = "runpod/pytorch:1.0.3-cu1281-torch291-ubuntu2404"
# A pod may have any other number of GPUs; each number asked for is a request.
COUNTS = (1, 2, 4, 8)
_TYPE = re.compile(r"(?P<count>[1-9][0-9]?)x_(?P<gpu>[A-Za-z0-9(][A-Za-z0-9._+()-]*)")
_ID = re.compile(r"[A-Za-z0-9(][A-Za-z0-9.+() -]*")
# What an id holds beside the model.
_BESIDE = re.compile(
    r"\b(NVIDIA|AMD|Instinct|Tesla|GeForce|Generation|Blackwell|Server|Workstation|Edition|Max-Q"
    r"|SXM\d*|PCIE|HBM\w*|NVL|OAM|\d+GB)\b",
    re.IGNORECASE,
)
_CUDA = re.compile(r"[:-](?:.*?[-_])?cu(?:da)?(?P<major>[1-9]\d)\.?(?P<minor>\d)")


def type_named(gpu_id: str, count: int) -> str | None:
    """Return the name of a type, None for an id that no name gives back."""
    return f"{count}x_{gpu_id.replace(' ', '_')}" if _ID.fullmatch(gpu_id) else None


def gpu_of(name: str) -> tuple[str, int] | None:
    """Return id and count of the GPUs that a type has, None for a name of another form."""
    found = _TYPE.fullmatch(name)
    return (found["gpu"].replace("_", " "), int(found["count"])) if found else None


def model_of(gpu_id: str) -> str:
    """Return the model of a GPU: its id without maker, memory and form."""
    return " ".join(re.sub(r"[^A-Za-z0-9]+", " ", _BESIDE.sub(" ", gpu_id)).split())


def cuda_of(image: str) -> str | None:
    """Return the CUDA that an image is of by its tag, and that the driver of its host must know."""
    found = _CUDA.search(image)
    return f"{found['major']}.{found['minor']}" if found else None
