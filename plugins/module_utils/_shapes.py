# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shape an answer must have before anything of it is believed (private).

Fields that are unknown are let through, fields that are missing or null too, but for the few without
which nothing can be said. Amounts of money are checked where they are read.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from typing import Any

from ._answers import Answer
from ._errors import UnavailableError

Row = dict[str, Any]
Check = Callable[[Any], bool]
# What stands in paths, in the settings of SSH and in names of devices.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\Z")


def is_id(value: Any) -> bool:
    """Tell whether a value can be the id of something."""
    return isinstance(value, str) and bool(_ID.match(value))


def is_host_name(value: Any) -> bool:
    """Tell whether a value is a name of a host: no blank, no line break, no dash in front."""
    return isinstance(value, str) and bool(_HOST_NAME.match(value))


def is_address(value: Any) -> bool:
    """Tell whether a value is an IP address, and nothing but one."""
    try:
        return isinstance(value, str) and "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _word(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _texts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(v, str) for v in value))


def _ids(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(is_id(v) for v in value))


def _maybe_id(value: Any) -> bool:
    return value in (None, "") or is_id(value)


def _maybe_address(value: Any) -> bool:
    return value in (None, "") or is_address(value)


def _number(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value is None or (number and math.isfinite(value))


def _record(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _sizes(value: Any) -> bool:
    """Tell whether a value is a part of a machine: a record whose counts and sizes are numbers."""
    counts = ("number_of_cores", "number_of_gpus", "size_in_gigabytes")
    return _record(value) and all(_number((value or {}).get(key)) for key in counts)


def _tags(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, list) and all(
        isinstance(tag, dict) and _text(tag.get("key")) and _text(tag.get("value")) for tag in value
    )


def _records(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(v, dict) for v in value))


_PARTS: dict[str, Check] = dict.fromkeys(("cpu", "gpu", "memory", "gpu_memory"), _sizes)
_DATES: dict[str, Check] = dict.fromkeys(("created_at", "deleted_at"), _text)
_INSTANCE: dict[str, Check] = {
    "id": is_id,
    "status": _word,
    "hostname": _text,
    "description": _text,
    "ip": _maybe_address,
    "instance_type": _text,
    "location": _text,
    "image": _text,
    "os_volume_id": _maybe_id,
    "volume_ids": _ids,
    "ssh_key_ids": _ids,
    "tags": _tags,
    **_PARTS,
    **_DATES,
}
_VOLUME: dict[str, Check] = {
    "id": is_id,
    "name": _text,
    "status": _text,
    "type": _text,
    "location": _text,
    "size": _number,
    "instance_id": _maybe_id,
    "instances": _records,
    "tags": _tags,
    **_DATES,
}
_TYPE: dict[str, Check] = {"instance_type": _word, "supported_os": _texts, **_PARTS}
_STOCK: dict[str, Check] = {"location_code": _word, "availabilities": _texts}
_NAMED: dict[str, Check] = {"id": is_id, "name": _text, **_DATES}
_KEY: dict[str, Check] = {**_NAMED, "key": _text, "fingerprint": _text}
_SCRIPT: dict[str, Check] = {**_NAMED, "script": _text}
_REQUIRED = {"id", "status", "instance_type", "location_code", "type"}

# Path of a read -> what its rows hold. A path that ends in an id gives one of them.
_ROWS: dict[str, dict[str, Check]] = {
    "/instances": _INSTANCE,
    "/volumes": _VOLUME,
    "/volumes/trash": _VOLUME,
    "/instance-types": _TYPE,
    "/instance-availability": _STOCK,
    "/volume-types": {"type": _word, "price": _record},
    "/ssh-keys": _KEY,
    "/scripts": _SCRIPT,
}
_RECORDS: dict[str, dict[str, Check]] = {
    "/instances/{id}": _INSTANCE,
    "/volumes/{id}": _VOLUME,
    "/scripts/{id}": _SCRIPT,
    "/balance": {},
}


def _wrong(answer: Answer, request: str, what: str) -> UnavailableError:
    return UnavailableError(
        f"{request}: {what}",
        status=answer.status_code,
        request=request,
        unclear=not request.startswith("GET "),
    )


def data_of(answer: Answer, request: str) -> Any:
    """Return the JSON of an answer. Raises UnavailableError that says what came back instead."""
    try:
        return answer.json()
    except ValueError:
        kind = answer.headers.get("Content-Type", "no content type")
        raise _wrong(
            answer, request, f"the answer is not JSON ({kind}): {answer.excerpt()}"
        ) from None


def rows_of(answer: Answer, request: str, path: str) -> Any:
    """Return the rows, or the one record, that a read of ``path`` answers.

    Raises UnavailableError for any other shape: an answer that nobody can read is never "nothing".
    """
    data = data_of(answer, request)
    if path in _RECORDS:
        if path == "/scripts/{id}" and isinstance(data, list) and len(data) == 1:
            data = data[0]  # the API wraps it
        return _checked(answer, request, data, _RECORDS[path])
    if path in _ROWS and not isinstance(data, list):
        raise _wrong(answer, request, f"a list is due, and the answer is {answer.excerpt()}")
    if path in _ROWS:
        return [_checked(answer, request, row, _ROWS[path]) for row in data]
    if not isinstance(data, (list, dict)):
        raise _wrong(answer, request, f"the answer is {answer.excerpt()}")
    return data


def _checked(answer: Answer, request: str, row: Any, fields: dict[str, Check]) -> Row:
    """Return a row whose fields are what they must be; a host name that is none is left out."""
    if not isinstance(row, dict):
        raise _wrong(
            answer, request, f"an object is due, and the answer holds {answer.hide(repr(row))[:80]}"
        )
    for name, good in fields.items():
        due = name in row or name in _REQUIRED
        if due and not good(row.get(name)):
            of = f" of {row['id']}" if name != "id" and is_id(row.get("id")) else ""
            shown = answer.hide(repr(row.get(name)))[:80] if name in row else "missing"
            raise _wrong(answer, request, f"the field {name}{of} is not usable: {shown}")
    if (
        row.get("hostname") is not None
        and "hostname" in fields
        and not is_host_name(row["hostname"])
    ):
        return {**row, "hostname": None}
    return row
