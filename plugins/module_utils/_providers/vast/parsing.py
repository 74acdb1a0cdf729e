# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From answers of Vast.ai to types, at one place (private)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..._core.numbers import plain
from ..._models.balance import Balance
from ..._models.label import read_label
from ..._models.offer import ON_DEMAND, SPOT
from ..._models.resources import Instance, SshKey
from ..._models.status import FAILED
from ..base.row import Row
from ..base.shapes import is_host_name
from .market import CURRENCY, gpu_of, place_of, ram_of, time_of, type_name, vram_each
from .states import BROKEN, OUTBID, PROVISIONING, state_of

_HALTED = ("stopped", "exited")
_CANNOT_RUN = "OCI runtime create failed"
_SSH = "22/tcp"


@dataclass(frozen=True)
class Page:
    """A part of the list of instances, and of how many; ``token`` asks for the next part."""

    instances: tuple[Instance, ...]
    total: int
    token: str


def page_from(row: Row) -> Page:
    """Return a page of the list; one of another shape is an error, and never an empty list."""
    if row.data.get("success") is False or not isinstance(row.data.get("instances"), list):
        raise row.source.wrong(f"a list of instances is due, and there is {row.shown(row.data)}")
    total = row.number("total_instances")
    if total is None or total < 0:
        raise row.source.wrong("the field total_instances is missing")
    found = tuple(instance_from(one) for one in row.records("instances"))
    return Page(found, int(total), row.text("next_token") or "")


def status_of(row: Row) -> str:
    """Return the status as people see it; a bid that stands still was outbid."""
    told = row.text("actual_status")
    wanted = [row.text(field) for field in ("intended_status", "cur_state", "next_state")]
    halted = told in _HALTED or all(one == "stopped" for one in wanted)
    if halted and row.flag("is_bid"):
        return OUTBID
    if told == "created" and _CANNOT_RUN in (row.text("status_msg") or ""):
        return BROKEN
    return told or ("stopped" if halted else PROVISIONING)


def instance_from(row: Row) -> Instance:
    """Return an instance; its label says whose it is, and its name."""
    status = status_of(row)
    state = state_of(status)
    label, gpu = row.text("label") or "", row.word("gpu_name")
    gpus = int(row.number("num_gpus") or 0)
    cores = row.number("cpu_cores_effective")
    ours = read_label(label)
    ip, host, port = reached_at(row)
    return Instance(
        id=row.int_id(),
        name=ours.name if ours else None,
        description=label,
        created_at=time_of(row, "start_date"),
        status=status,
        state=state,
        still_costs=state == FAILED,
        ip=ip,
        ssh_host=host,
        ssh_port=port,
        instance_type=type_name(row),
        location=place_of(row),
        market=SPOT if row.flag("is_bid") else ON_DEMAND,
        price=replace(row.price("dph_total"), currency=CURRENCY),
        gpu_model=gpu_of(gpu),
        gpu_count=gpus,
        vram_gb=vram_each(gpu, row.number("gpu_ram")) * gpus,
        vcpu=None if cores is None else int(cores),
        ram_gb=ram_of(row),
        contract_end=time_of(row, "end_date"),
    )


def reached_at(row: Row) -> tuple[str | None, str | None, int | None]:
    """Return the address of an instance, and host and port of its SSH: by a proxy where it is not direct.

    A list of ports does not say which of them is that of SSH.
    """
    text = (row.text("public_ipaddr") or "").strip()
    ip = Row(row.source, {**row.data, "public_ipaddr": text}).address("public_ipaddr")
    direct = _mapped(row.data.get("ports"))
    if ip and direct:
        return ip, None, direct
    host, port = row.text("ssh_host"), _port(row.data.get("ssh_port"))
    return (ip, host, port) if is_host_name(host) and port else (ip, None, None)


def _mapped(ports: Any) -> int | None:
    rows = ports.get(_SSH) if isinstance(ports, dict) else None
    first = rows[0] if isinstance(rows, list) and rows else None
    return _port(first.get("HostPort")) if isinstance(first, dict) else None


def _port(value: Any) -> int | None:
    number = plain(value)
    return int(number) if number and number.is_integer() and 0 < number < 65536 else None


def balance_from(row: Row) -> Balance:
    """Return what can be spent: the credit, less what is owed; the balance where there is no credit."""
    owed, credit = row.number("balance"), row.number("credit")
    if owed is None and credit is None:
        raise row.source.wrong("neither credit nor balance is told")
    return Balance((owed or 0.0) if credit is None else credit + min(owed or 0.0, 0.0), CURRENCY)


def key_from(row: Row) -> SshKey:
    """Return a registered public key, which has no name but its comment."""
    text = row.text("public_key") or row.word("key")
    parts = text.split(None, 2)
    name = parts[2].strip() if len(parts) > 2 else None
    return SshKey(
        row.int_id(), name=name, created_at=row.text("created_at"), public_key=" ".join(parts[:2])
    )
