# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What could be bought: types, images, locations, availability; and the balance to pay for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import invalid, missing
from .wire import Request, Response

if TYPE_CHECKING:
    from .cloud import Cloud


def _currency(request: Request) -> str:
    currency = (request.one("currency") or "usd").lower()
    if currency not in {"usd", "eur"}:
        raise invalid("currency must be one of the following values: usd, eur")
    return currency


def list_types(cloud: Cloud, request: Request) -> Response:
    """Answer GET /instance-types."""
    return Response(200, cloud.catalogue.type_answer(_currency(request)))


def get_type(cloud: Cloud, request: Request, name: str) -> Response:
    """Answer GET /instance-types/{type}."""
    return Response(200, cloud.catalogue.type_view(name, _currency(request)))


def list_availability(cloud: Cloud, request: Request) -> Response:
    """Answer GET /instance-availability: on-demand stock unless spot is asked for."""
    is_spot = request.flag("is_spot", "isSpot")
    rows = [
        {
            "location_code": code,
            "availabilities": [n for n, free in cloud.market(code, is_spot).items() if free > 0],
        }
        for code in _codes(cloud, request)
    ]
    return Response(200, rows)


def get_availability(cloud: Cloud, request: Request, name: str) -> Response:
    """Answer GET /instance-availability/{type} with a bare true or false."""
    if name not in cloud.catalogue.types:
        raise missing("Invalid instance type")
    is_spot = request.flag("is_spot", "isSpot")
    codes = _codes(cloud, request)
    return Response(200, any(cloud.market(code, is_spot).get(name, 0) > 0 for code in codes))


def _codes(cloud: Cloud, request: Request) -> list[str]:
    wanted = request.one("location_code", "locationCode")
    if wanted is None:
        return cloud.catalogue.codes
    if wanted not in cloud.catalogue.codes:
        raise invalid(f"Invalid location code: {wanted}")
    return [wanted]


def list_locations(cloud: Cloud, request: Request) -> Response:
    """Answer GET /locations."""
    return Response(200, cloud.catalogue.locations)


def list_images(cloud: Cloud, request: Request) -> Response:
    """Answer GET /images."""
    return Response(200, cloud.catalogue.images(request.one("instance_type")))


def list_cluster_images(cloud: Cloud, request: Request) -> Response:
    """Answer GET /images/cluster: there are none, as there are no clusters here."""
    return Response(200, [])


def list_volume_types(cloud: Cloud, request: Request) -> Response:
    """Answer GET /volume-types."""
    return Response(200, cloud.catalogue.volume_type_answer(_currency(request)))


def get_balance(cloud: Cloud, request: Request) -> Response:
    """Answer GET /balance."""
    amount = round(float(cloud.account.balance), 6)
    return Response(200, {"amount": amount, "currency": cloud.catalogue.currency})
