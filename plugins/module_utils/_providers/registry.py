# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which providers there are, found by name: the one place that knows their clients (private)."""

from __future__ import annotations

from typing import Any

from .._core.errors import InvalidError
from .._core.nearest import nearest
from .base.client import Client
from .lambda_cloud.client import Client as LambdaClient
from .runpod.client import Client as RunPodClient
from .tensordock.client import Client as TensorDockClient
from .vast.client import Client as VastClient
from .verda.client import Client as VerdaClient

PROVIDERS: dict[str, type[Client]] = {
    LambdaClient.name: LambdaClient,
    RunPodClient.name: RunPodClient,
    TensorDockClient.name: TensorDockClient,
    VastClient.name: VastClient,
    VerdaClient.name: VerdaClient,
}
DEFAULT = VerdaClient.name


def provider_named(name: str) -> type[Client]:
    """Return the client of a provider. Raises InvalidError for one that is unknown."""
    try:
        return PROVIDERS[name]
    except KeyError:
        near = nearest(name, PROVIDERS) or tuple(sorted(PROVIDERS))
        raise InvalidError(
            f"Unknown provider {name!r}", hint=f"Known, nearest first: {', '.join(near)}."
        ) from None


def open_client(params: dict[str, Any]) -> Client:
    """Return a client for module options; it logs in unless a token of the run is cached."""
    return provider_named(params.get("provider") or DEFAULT).from_params(params)
