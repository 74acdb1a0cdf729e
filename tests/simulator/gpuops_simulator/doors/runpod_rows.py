# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How RunPod's answers look, and what its API v2 refuses of a body, by its description 2.0.0."""

from __future__ import annotations

import re
from typing import Any

from .door import Reply

EACH, GPU = 1.39, "NVIDIA A100 80GB PCIe"
# Of a GB of the container's disk, an hour.
DISK_PRICE = 0.10 / 730
QUOTA, WINDOW_S = 60, 60
# The first statuses of a pod; it calls itself running some time before its ports are there.
PROVISIONING_S, STARTING_S = 5.0, 12.0
SOLD_OUT = (
    "There are no longer any instances available with the requested specifications. "
    "Please refresh and try again."
)
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}
ALLOWED = {
    "RUNNING": ["stop", "restart", "terminate"],
    "EXITED": ["start", "terminate"],
    "ERROR": ["start", "terminate"],
    "PROVISIONING": ["stop", "terminate"],
    "STARTING": ["stop", "terminate"],
}
VOLUME_FIELDS = {"name": str, "size": int, "dataCenter": str, "type": str}
_CONTAINER_FIELDS = {
    "name": str,
    "image": str,
    "args": str,
    "disk": int,
    "ports": list,
    "env": dict,
    "registry": str,
    "mounts": dict,
    "globalNetworking": bool,
    "templateId": str,
}
POD_FIELDS = {
    **_CONTAINER_FIELDS,
    "cloud": str,
    "cpu": dict,
    "gpu": dict,
    "dataCenterIds": list,
    "startSsh": bool,
    "startJupyter": bool,
}
PATCH_FIELDS = {**_CONTAINER_FIELDS, "locked": bool}
GPU_FIELDS = {"id": str, "count": int, "minCudaVersion": str, "allowedCudaVersions": list}


def gpu_row(
    gpu: str = GPU,
    each: float = EACH,
    memory: int = 80,
    most: int = 8,
    places: tuple[tuple[str, str], ...] = (("US-KS-2", "HIGH"),),
    **more: Any,
) -> dict[str, Any]:
    """Return a row of the catalogue; prices are of one GPU."""
    levels = [level for _place, level in places] or ["NONE"]
    return {
        "id": gpu,
        "name": gpu.removeprefix("NVIDIA "),
        "pool": None,
        "manufacturer": "NVIDIA",
        "memory": memory,
        "secure": True,
        "community": True,
        "price": {"secure": each, "community": round(each * 0.8, 2)},
        "maxCount": {"secure": most, "community": most // 2},
        "availability": levels[0],
        "dataCenters": [{"id": one, "name": one, "availability": level} for one, level in places],
        "cudaVersions": [{"version": "12.8", "available": True}],
        **more,
    }


def problem(status: int, detail: str, *each: str) -> Reply:
    """Return a refusal as RFC 9457 has it."""
    body: dict[str, Any] = {"title": TITLES[status], "status": status, "detail": detail}
    kind = {"Content-Type": "application/problem+json"}
    return Reply(status, {**body, **({"errors": list(each)} if each else {})}, kind)


def wrong_in(body: dict[str, Any], fields: dict[str, type], *due: str) -> Reply | None:
    """Return the refusal of a body with a field that is unknown, missing, or of another type."""
    each = [f"$: additional properties '{name}' not allowed" for name in body if name not in fields]
    each += [f"$: missing property '{name}'" for name in due if not body.get(name)]
    each += [
        f"$.{name}: got {type(value).__name__}, want {fields[name].__name__}"
        for name, value in body.items()
        if name in fields and value.__class__ is not fields[name]
    ]
    return problem(422, "Request validation failed.", *each) if each else None


def version_of(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))
