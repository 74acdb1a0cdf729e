# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as the API shows them, read as the product reads them."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._models.catalogue import (
    InstanceType,
    VolumeType,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._models.ownership import Identity
from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import (
    Instance,
    SshKey,
    StartupScript,
    Volume,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.row import Row, Source
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.parsing import (
    instance_from,
    instance_type_from,
    script_from,
    ssh_key_from,
    volume_from,
    volume_type_from,
)


def instance(row: dict[str, Any]) -> Instance:
    """Return an instance; it has an id and runs unless the row says otherwise."""
    known = {"id": "x", "status": "running", **row}
    return instance_from(Row(Source("GET /instances"), known))


def ownership(row: dict[str, Any]) -> Identity | None:
    """Return whose an instance is, or an order whose body this is."""
    return instance(row).ownership


def volume(row: dict[str, Any]) -> Volume:
    """Return a volume; it has an id unless the row says otherwise."""
    return volume_from(Row(Source("GET /volumes"), {"id": "x", **row}))


def ssh_key(row: dict[str, Any]) -> SshKey:
    """Return a public key."""
    return ssh_key_from(Row(Source("GET /ssh-keys"), {"id": "x", "name": "y", **row}))


def startup_script(row: dict[str, Any]) -> StartupScript:
    """Return a startup script."""
    return script_from(Row(Source("GET /scripts"), {"id": "x", "name": "y", **row}))


def instance_type(row: dict[str, Any]) -> InstanceType:
    """Return a type of the catalogue."""
    return instance_type_from(Row(Source("GET /instance-types"), row))


def volume_type(row: dict[str, Any]) -> VolumeType:
    """Return a type of volume."""
    return volume_type_from(Row(Source("GET /volume-types"), row))
