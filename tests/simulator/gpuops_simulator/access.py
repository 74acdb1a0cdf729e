# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH keys and startup scripts."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid
from typing import TYPE_CHECKING, Any

from . import checks, quotas
from .clock import iso
from .errors import invalid
from .views import STRANGER, USER_ID
from .wire import Request, Response

if TYPE_CHECKING:
    from .cloud import Cloud

KEY = re.compile(r"(ssh|ecdsa|sk)-\S+ +(\S+)( .*)?")
MOST_ROWS = 100


def list_keys(cloud: Cloud, request: Request) -> Response:
    """Answer GET /ssh-keys."""
    return Response(200, [_seen(cloud, key) for key in cloud.account.keys.values()])


def get_key(cloud: Cloud, request: Request, key_id: str) -> Response:
    """Answer GET /ssh-keys/{id}: an array of one, as live answers are."""
    return Response(200, [_seen(cloud, _known(cloud, cloud.account.keys, key_id, "ssh key"))])


def post_key(cloud: Cloud, request: Request) -> Response:
    """Answer POST /ssh-keys; the same key may be there several times."""
    body = request.body()
    name, key = checks.text(body, "name"), checks.text(body, "key").strip()
    match = KEY.fullmatch(key)
    if not match:
        raise invalid("Invalid ssh key")
    row: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "name": name,
        "key": key,
        "fingerprint": _fingerprint(match.group(2)),
        "created_by_user_id": USER_ID,
    }
    cloud.account.keys[row["id"]] = row
    return Response(*checks.created(cloud, 201, row["id"]))


def delete_keys(cloud: Cloud, request: Request) -> Response:
    """Answer DELETE /ssh-keys."""
    return _delete(cloud.account.keys, checks.names(request.body(), "keys"))


def delete_key(cloud: Cloud, request: Request, key_id: str) -> Response:
    """Answer DELETE /ssh-keys/{id}."""
    return _delete(cloud.account.keys, [key_id])


def list_scripts(cloud: Cloud, request: Request) -> Response:
    """Answer GET /scripts: one page, newest first."""
    page, size = _count(request, "page", 1), min(_count(request, "pageSize", 10), MOST_ROWS)
    part = (request.one("name") or "").lower()
    rows = [row for row in cloud.account.scripts.values() if part in row["name"].lower()]
    if (request.one("orderDirection") or "desc").lower() != "asc":
        rows.reverse()
    headers = {"X-Page": str(page), "X-Page-Size": str(size), "X-Total-Count": str(len(rows))}
    shown = rows[(page - 1) * size : page * size]
    return Response(200, [_seen(cloud, row) for row in shown], headers=headers)


def get_script(cloud: Cloud, request: Request, script_id: str) -> Response:
    """Answer GET /scripts/{id}: an array of one."""
    row = _known(cloud, cloud.account.scripts, script_id, "startup script")
    return Response(200, [_seen(cloud, row)])


def post_script(cloud: Cloud, request: Request) -> Response:
    """Answer POST /scripts."""
    body = request.body()
    name, script = checks.text(body, "name"), checks.text(body, "script")
    quotas.check_scripts(cloud)
    row = {"id": str(uuid.uuid4()), "name": name, "script": script}
    cloud.account.scripts[row["id"]] = {**row, "created_at": iso(cloud.moment)}
    return Response(*checks.created(cloud, 201, row["id"]))


def delete_scripts(cloud: Cloud, request: Request) -> Response:
    """Answer DELETE /scripts."""
    ids = checks.names(request.body(), "scripts")
    return _delete(cloud.account.scripts, ids)


def delete_script(cloud: Cloud, request: Request, script_id: str) -> Response:
    """Answer DELETE /scripts/{id}."""
    return _delete(cloud.account.scripts, [script_id])


def _delete(rows: dict[str, Any], ids: list[str]) -> Response:
    if not ids:
        raise invalid("ids must be an array of strings")
    for row_id in ids:
        rows.pop(row_id, None)  # one that is not there is no error
    return Response(200)


def _known(cloud: Cloud, rows: dict[str, Any], row_id: str, what: str) -> dict[str, Any]:
    if row_id not in rows:
        raise checks.unknown(cloud, f"Invalid {what} id")
    return rows[row_id]


def _seen(cloud: Cloud, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "field_of_tomorrow": STRANGER} if cloud.scenario.extra_fields else row


def _count(request: Request, name: str, default: int) -> int:
    value = request.one(name)
    if value is None:
        return default
    if not value.isdigit() or int(value) < 1:
        raise invalid(f"{name} must be a positive integer")
    return int(value)


def _fingerprint(body: str) -> str | None:
    try:
        digest = hashlib.md5(base64.b64decode(body, validate=True), usedforsecurity=False)
    except (binascii.Error, ValueError):
        return None
    return digest.digest().hex(":")
