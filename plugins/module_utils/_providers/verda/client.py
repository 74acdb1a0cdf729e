# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of Verda: typed answers, and ids of orders (private)."""

from __future__ import annotations

from dataclasses import asdict
from itertools import count
from typing import Any

from ..._core.errors import GpuopsError, InvalidError
from ..._core.wait import SystemClock
from ..._models.balance import Balance
from ..._models.catalogue import InstanceType, Stock, VolumeType
from ..._models.orders import Disposal, InstanceOrder, VolumeOrder
from ..._models.resources import Instance, SshKey, StartupScript, Tag, Volume
from ..base import client as base
from ..base.answers import Answer
from ..base.currency import DEFAULT, remembered
from ..base.error_mapping import from_row
from ..base.provider import Keys, Power, Scripts, Tagging, Trash, Volumes
from ..base.questions import Question
from ..base.row import Source
from .capabilities import CAPABILITIES
from .credentials import OPTIONS, find_credentials
from .journal import is_eviction
from .names import NAME
from .orders import disposal_body, instance_body, volume_body
from .parsing import (
    balance_of,
    instance_from,
    instance_type_from,
    made_id,
    refused_rows,
    script_from,
    ssh_key_from,
    stock_from,
    tag_from,
    trashed_from,
    volume_from,
    volume_type_from,
)
from .questions import questions
from .session import open_http

LONGEST_TIMEOUT_S = 86400.0


class Client(Tagging, Power, Volumes, Trash, Keys, Scripts, base.Client):
    """Calls of the API that the collection uses."""

    name = NAME
    capabilities = CAPABILITIES
    options = OPTIONS

    @classmethod
    def complete(cls, params: dict[str, Any]) -> dict[str, str]:
        return asdict(find_credentials(params))

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Client:
        """Return a client for module options; it logs in unless a token of the run is cached."""
        timeout, clock = float(params.get("timeout") or 30), SystemClock()
        if not 0 < timeout <= LONGEST_TIMEOUT_S:
            raise InvalidError(
                f"timeout must be above zero and at most a day, in seconds (got {timeout:g})"
            )
        return cls(open_http(find_credentials(params), timeout, clock), clock)

    # -- reads ---------------------------------------------------------------------------------

    def _instances(self) -> list[Instance]:
        return self.get("/instances").rows(instance_from)

    def ended_instances(self) -> list[Instance]:
        return self.get("/instances", params={"status": "discontinued"}).rows(instance_from)

    def instance(self, instance_id: str) -> Instance:
        return self.get("/instances/{id}", id=instance_id).one(instance_from, instance_id)

    def _currency(self, asked: str | None) -> dict[str, str] | None:
        """Return the query for prices in a currency: the account's, as far as it is remembered."""
        currency = asked or remembered(self.account)
        return {"currency": currency} if currency and (asked or currency != DEFAULT) else None

    def instance_types(self, currency: str | None = None) -> list[InstanceType]:
        answer = self.get("/instance-types", params=self._currency(currency))
        return answer.rows(instance_type_from)

    def availability(self, market: str) -> list[Stock]:
        spot = "true" if market == "spot" else "false"
        return self.get("/instance-availability", params={"is_spot": spot}).rows(stock_from)

    def _volumes(self) -> list[Volume]:
        return self.get("/volumes").rows(volume_from)

    def volume(self, volume_id: str) -> Volume:
        return self.get("/volumes/{id}", id=volume_id).one(volume_from, volume_id)

    def trashed_volumes(self) -> list[Volume]:
        return self.get("/volumes/trash").rows(trashed_from)

    def volume_types(self, currency: str | None = None) -> list[VolumeType]:
        return self.get("/volume-types", params=self._currency(currency)).rows(volume_type_from)

    def ssh_keys(self) -> list[SshKey]:
        return self.get("/ssh-keys").rows(ssh_key_from)

    def startup_scripts(self) -> list[StartupScript]:
        """Return the scripts of all pages; oldest first, so that a new one moves none of them."""
        found: dict[str, StartupScript] = {}
        order = {"pageSize": 100, "orderBy": "created_at", "orderDirection": "asc"}
        for page in count(1):
            answer = self.get("/scripts", {"page": page, **order})
            before = len(found)
            found.update((script.id, script) for script in answer.rows(script_from))
            total = answer.header("X-Total-Count")
            if len(found) == before or (total.isdigit() and len(found) >= int(total)):
                break
        return list(found.values())

    def startup_script(self, script_id: str) -> StartupScript:
        return self.get("/scripts/{id}", id=script_id).one(script_from, script_id, wrapped=True)

    def balance(self) -> Balance:
        return self.get("/balance").one(balance_of)

    def is_eviction(self, instance_id: str) -> bool | None:
        """Tell whether an instance was taken away, None where its journal names no reason."""
        try:
            data = self.get("/journal/compute/{id}", id=instance_id).data()
        except GpuopsError:
            return None
        return is_eviction(data)

    def questions(self) -> tuple[Question, ...]:
        """Return what tells which dialect an account speaks."""
        return questions()

    # -- writes --------------------------------------------------------------------------------

    def order(self, order: InstanceOrder) -> str:
        path = "/instances"
        return self._made(path, self._http.request("POST", path, json=instance_body(order)))

    def terminate(self, instance_id: str, disposal: Disposal, *, stuck: bool = False) -> None:
        action = "delete_stuck" if stuck else "delete"
        self.instance_action(action, instance_id, **disposal_body(disposal))

    def start(self, instance_id: str) -> None:
        self.instance_action("start", instance_id)

    def shut_down(self, instance_id: str) -> None:
        self.instance_action("shutdown", instance_id)

    def add_volume(self, order: VolumeOrder) -> str:
        return self.create("/volumes", volume_body(order))

    def attach_volume(self, volume_id: str, instance_id: str) -> None:
        self.volume_action("attach", volume_id, instance_id=instance_id)

    def detach_volume(self, volume_id: str, instance_id: str | None = None) -> None:
        which = {"instance_id": instance_id} if instance_id else {}
        self.volume_action("detach", volume_id, **which)

    def resize_volume(self, volume_id: str, size_gb: int) -> None:
        self.volume_action("resize", volume_id, size=size_gb)

    def rename_volume(self, volume_id: str, name: str) -> None:
        self.volume_action("rename", volume_id, name=name)

    def restore_volume(self, volume_id: str) -> None:
        self.volume_action("restore", volume_id)

    def delete_volume(self, volume_id: str, *, for_good: bool) -> None:
        self.volume_action("delete", volume_id, is_permanent=for_good)

    def add_ssh_key(self, name: str, public_key: str) -> str:
        return self.create("/ssh-keys", {"name": name, "key": public_key})

    def add_startup_script(self, name: str, content: str) -> str:
        return self.create("/scripts", {"name": name, "script": content})

    def create(self, path: str, body: dict[str, Any]) -> str:
        """POST, and return the id of what was made; never repeated after an unclear answer."""
        return self._made(path, self._http.request("POST", path, json=body))

    def _made(self, path: str, answer: Answer) -> str:
        """Return the id of what a POST has made."""
        self._note_date(answer)
        source = Source(f"POST {path}", answer)
        found = made_id(source)
        if found is None:
            raise source.wrong(f"accepted, but the answer holds no id: {answer.excerpt()}")
        return found

    def instance_action(self, action: str, instance_id: str, **extra: Any) -> None:
        """Run an action on one instance; a refusal inside a 207 answer is raised like any other."""
        body = {"action": action, "id": [instance_id], **extra}
        self._act("/instances", body, f"{action} {instance_id}")

    def tag(self, kind: str, item_id: str, key: str, value: str) -> Tag:
        """Add a tag to one of ``instances`` or ``volumes``, and return it with its id."""
        body = {"key": key, "value": value}
        answer = self._http.request(
            "POST", f"/{kind}/{{id}}/tags", json=body, path_params={"id": item_id}
        )
        made = Source(f"POST /{kind}/{item_id}/tags", answer).one(tag_from)
        return Tag(key, value, made.id)

    def untag(self, kind: str, item_id: str, tag_id: str) -> None:
        path_params = {"id": item_id, "tag": tag_id}
        self._http.request("DELETE", f"/{kind}/{{id}}/tags/{{tag}}", path_params=path_params)

    def volume_action(self, action: str, volume_id: str, **extra: Any) -> None:
        """Run an action on one volume."""
        body = {"action": action, "id": [volume_id], **extra}
        self._act("/volumes", body, f"{action} {volume_id}")

    def _act(self, path: str, body: dict[str, Any], what: str) -> None:
        answer = self._http.request("PUT", path, json=body)
        self._note_date(answer)
        for row in refused_rows(Source(f"PUT {path}", answer)):
            raise from_row(row, f"PUT {path}", what)

    def delete_ssh_key(self, key_id: str) -> None:
        self._http.request("DELETE", "/ssh-keys/{id}", path_params={"id": key_id})

    def delete_startup_script(self, script_id: str) -> None:
        self._http.request("DELETE", "/scripts/{id}", path_params={"id": script_id})
