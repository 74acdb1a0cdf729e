# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /instances: every check of an order, then the order itself."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import billing, checks, disks, quotas
from .errors import invalid, no_capacity, no_funds
from .model import Instance, Meter, Volume
from .wire import Request, Response

if TYPE_CHECKING:
    from .cloud import Cloud

# The rule of the vendor's console and command line: no dots, and not digits alone.
HOSTNAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
DEFAULT_OS_SIZE = 50
OS_SIZES = (50, 10240)  # GiB
ORDERED_SHARE = 0.2  # of the time to `running`


@dataclass
class Order:
    """A checked order; nothing of the account has changed yet."""

    body: dict[str, Any]
    hostname: str
    instance_type: str
    location: str
    is_spot: bool
    image: str
    os_name: str
    boot_volume: Volume | None
    wishes: list[dict[str, Any]]
    existing: list[Volume]
    key_ids: list[str]
    script_id: str | None
    contract: str
    tags: list[dict[str, str]]


def post_instance(cloud: Cloud, request: Request, fate: str | None = None) -> Response:
    """Answer POST /instances with the bare id of the new instance."""
    order = _read(cloud, request.body())
    quotas.check_machine(cloud, order.instance_type, order.is_spot)
    quotas.check_volumes(cloud, len(order.wishes), sum(wish["size"] for wish in order.wishes))
    _check_funds(cloud, order)
    _take_stock(cloud, order)
    instance = _place(cloud, order, fate)
    status = cloud.scenario.dialect.order_answer
    if status is not None:  # a proxy answers, although the order was executed
        return Response(status, f"<html><head><title>{status}</title></head></html>")
    return Response(*checks.created(cloud, 202, instance.id))


def _read(cloud: Cloud, body: dict[str, Any]) -> Order:
    instance_type = checks.text(body, "instance_type")
    hostname = checks.text(body, "hostname")
    location = checks.location(cloud, body)
    if instance_type not in cloud.catalogue.types:
        raise invalid("Invalid instance type")
    if not HOSTNAME.fullmatch(hostname):
        raise invalid(
            "hostname must contain only letters, digits and hyphens, and at least one letter"
        )
    is_spot = body.get("is_spot") is True
    image = checks.text(body, "image")
    os_name, boot_volume = _image(cloud, image, instance_type, location)
    _check_description(cloud, body)
    return Order(
        body=body,
        hostname=hostname,
        instance_type=instance_type,
        location=location,
        is_spot=is_spot,
        image=image,
        os_name=os_name,
        boot_volume=boot_volume,
        wishes=_wishes(cloud, body, is_spot, hostname, boot_volume),
        existing=[_existing(cloud, i, location) for i in checks.names(body, "existing_volumes")],
        key_ids=_keys(cloud, body),
        script_id=_script(cloud, body),
        contract=_contract(body, is_spot),
        tags=cloud.order_tags(body.get("tags")),
    )


def _check_description(cloud: Cloud, body: dict[str, Any]) -> None:
    limit = cloud.scenario.dialect.description_limit
    if limit is not None and len(str(body.get("description") or "")) > limit:
        raise invalid(f"description must be shorter than or equal to {limit} characters")


def _image(cloud: Cloud, image: str, kind: str, location: str) -> tuple[str, Volume | None]:
    volume = cloud.account.volumes.get(image)
    if volume is not None:
        if not volume.is_os_volume or volume.status != "detached":
            raise invalid("Image volume must be a detached OS volume")
        if volume.location != location:
            raise invalid("Image volume is in another location")
        return volume.name, volume
    name = cloud.catalogue.image_named(image)
    if name is None:
        raise invalid("Invalid image")
    if name not in cloud.catalogue.supported_os(kind):
        raise invalid("Operating system is not valid for this instance type")
    return name, None


def _wishes(
    cloud: Cloud, body: dict[str, Any], is_spot: bool, hostname: str, boot: Volume | None
) -> list[dict[str, Any]]:
    """Return the new volumes of an order, the OS volume first unless one is booted again."""
    raw = body.get("os_volume") or {"name": f"OS-{hostname}", "size": DEFAULT_OS_SIZE}
    wishes = [] if boot else [_root_wish(cloud, raw)]
    more = body.get("volumes") or []
    if not isinstance(more, list):
        raise invalid("volumes must be an array")
    wishes += [checks.volume_wish(cloud, item) for item in more]
    if not is_spot and any(wish["on_spot_discontinue"] for wish in wishes):
        raise invalid("on_spot_discontinue is only valid for spot instances")
    for wish in wishes:
        cloud.order_tags(wish["tags"], disk=True)
    return wishes


def _root_wish(cloud: Cloud, raw: Any) -> dict[str, Any]:
    wish = checks.volume_wish(cloud, raw, kind="NVMe")
    least, most = OS_SIZES
    if not least <= wish["size"] <= most:
        raise invalid(f"os_volume.size must be between {least} and {most}")
    return wish


def _existing(cloud: Cloud, volume_id: str, location: str) -> Volume:
    volume = cloud.account.volumes.get(volume_id)
    if volume is None:
        raise invalid("Invalid volume id")
    shared = disks.shared(cloud, volume)
    if volume.is_os_volume or volume.location != location:
        raise invalid("Existing volume must be a data volume in the same location")
    if volume.status != "detached" and not (shared and volume.status == "attached"):
        raise invalid("Existing volume must be detached")
    return volume


def _keys(cloud: Cloud, body: dict[str, Any]) -> list[str]:
    key_ids = checks.names(body, "ssh_key_ids")
    if not set(key_ids) <= cloud.account.keys.keys():
        raise invalid("Invalid ssh key id")
    return key_ids


def _script(cloud: Cloud, body: dict[str, Any]) -> str | None:
    script_id = body.get("startup_script_id")
    if script_id is not None and script_id not in cloud.account.scripts:
        raise invalid("Invalid startup script id")
    return script_id


def _contract(body: dict[str, Any], is_spot: bool) -> str:
    contract = body.get("contract") or ("SPOT" if is_spot else "PAY_AS_YOU_GO")
    if contract not in {"PAY_AS_YOU_GO", "SPOT", "LONG_TERM"} or (contract == "SPOT") != is_spot:
        raise invalid("Invalid contract")
    if body.get("pricing") not in {None, "FIXED_PRICE"}:
        raise invalid("Invalid pricing")
    return contract


def _check_funds(cloud: Cloud, order: Order) -> None:
    hourly = cloud.catalogue.price(order.instance_type, order.is_spot)
    for wish in order.wishes:
        hourly += cloud.catalogue.volume_price(wish["type"], wish["size"])[1]
    if cloud.account.balance < billing.first_step(hourly):
        raise no_funds()


def _take_stock(cloud: Cloud, order: Order) -> None:
    market = cloud.market(order.location, order.is_spot)
    free = market.get(order.instance_type, 0)
    if free < 1 or cloud.scenario.lies(order.instance_type, order.location):
        raise no_capacity()
    market[order.instance_type] = free - 1


def _place(cloud: Cloud, order: Order, fate: str | None) -> Instance:
    price: Decimal = cloud.catalogue.price(order.instance_type, order.is_spot)
    now = cloud.moment
    instance = Instance(
        id=str(uuid.uuid4()),
        hostname=order.hostname,
        instance_type=order.instance_type,
        location=order.location,
        image=order.image,
        os_name=order.os_name,
        is_spot=order.is_spot,
        contract=order.contract,
        price_per_hour=str(price),
        created_at=now,
        description=str(order.body.get("description") or ""),
        ssh_key_ids=order.key_ids,
        startup_script_id=order.script_id,
        tags=order.tags,
        plan=_plan(now, cloud.scenario.provision_seconds, fate),
    )
    cloud.account.instances[instance.id] = instance
    billing.open_meter(
        cloud.account, Meter(instance.id, "instance", instance.hostname, price, now, now)
    )
    _add_disks(cloud, order, instance)
    if fate != "no_capacity_later":
        cloud.hosts.start(instance)
    return instance


def _add_disks(cloud: Cloud, order: Order, instance: Instance) -> None:
    made = [
        disks.make(cloud, wish, order.location, ordered_with=instance.id) for wish in order.wishes
    ]
    root = order.boot_volume or made[0]
    if order.boot_volume:
        instance.keys_injected = False
    else:
        root.is_os_volume = True
        root.ssh_key_ids = order.key_ids
        root.authorized_keys = [cloud.account.keys[i]["key"] for i in order.key_ids]
    instance.authorized_keys = root.authorized_keys
    instance.os_volume_id = root.id
    for volume in dict.fromkeys([root.id, *(v.id for v in made), *(v.id for v in order.existing)]):
        disks.attach(cloud, cloud.account.volumes[volume], instance)


def _plan(now: float, seconds: float, fate: str | None) -> list[list[Any]]:
    built: list[Any] = [now + seconds * ORDERED_SHARE, "provisioning"]
    ready = now + seconds
    if fate == "no_capacity_later":
        return [[ready, "no_capacity"]]
    if fate == "stuck_provisioning":
        return [built]
    if fate in {"error_later", "installation_failed_later"}:
        return [built, [ready, fate.removesuffix("_later")]]
    return [built, [ready, "running"]]
