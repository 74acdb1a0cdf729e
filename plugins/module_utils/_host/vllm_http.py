# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules on the serving host need to speak to vLLM there (private)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

SECRETS = ("VLLM_API_KEY", "HF_TOKEN")
REQUEST_SECONDS = 120.0


class RefusedError(Exception):
    """The server answered, and waiting longer will not change its answer."""


class NotYetError(Exception):
    """The server does not answer yet; the text says what was seen."""


def read_environment(path: str) -> dict[str, str]:
    """Return the secrets in a systemd environment file; raises OSError."""
    found = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, _unused, value = line.strip().partition("=")
        if name in SECRETS:
            quoted = len(value) > 1 and value[0] == value[-1] == '"'
            found[name] = re.sub(r'\\(["\\$`])', r"\1", value[1:-1]) if quoted else value
    return found


def call(url: str, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the server's JSON; raises NotYetError, or RefusedError with the server's own words."""
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    data = None if body is None else json.dumps(body)
    try:
        answer = open_url(url, data=data, headers=headers, timeout=REQUEST_SECONDS, use_proxy=False)
        return dict(json.load(answer))
    except HTTPError as error:
        said = error.read().decode("utf-8", "replace")[:500]
        if error.code >= 500:
            raise NotYetError(f"HTTP {error.code}: {said}") from error
        if error.code == 401:
            raise RefusedError("the server refused the API key of the environment file") from error
        raise RefusedError(f"HTTP {error.code}: {said}") from error
    except (OSError, ValueError) as error:
        raise NotYetError(str(getattr(error, "reason", error))) from error
