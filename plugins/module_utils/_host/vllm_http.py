# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules on the serving host need to speak to vLLM there (private)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TypedDict
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

SECRETS = ("VLLM_API_KEY", "HF_TOKEN")
REQUEST_SECONDS = 120.0


class Message(TypedDict, total=False):
    """What somebody says in a chat."""

    role: str
    content: str | None
    reasoning: str | None
    reasoning_content: str | None


class Question(TypedDict, total=False):
    """What is asked: a chat, a text to go on with, or a text to be put into numbers."""

    model: str
    messages: list[Message]
    prompt: str
    input: str
    encoding_format: str
    max_tokens: int
    temperature: float


class Choice(TypedDict, total=False):
    """One answer to a chat or to a text."""

    message: Message | None
    text: str | None


class Part(TypedDict, total=False):
    """A model that is served, with the place it was read from; or the numbers of a text."""

    id: str
    root: str | None
    embedding: list[float] | None


class Answer(TypedDict, total=False):
    """What is read of the answers of vLLM."""

    data: list[Part]
    version: str
    model: str
    choices: list[Choice]
    usage: dict[str, int | None] | None


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


def call(url: str, key: str, body: Question | None = None) -> Answer:
    """Return the server's JSON; raises NotYetError, or RefusedError with the server's own words."""
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    data = None if body is None else json.dumps(body)
    try:
        answer = open_url(url, data=data, headers=headers, timeout=REQUEST_SECONDS, use_proxy=False)
        found: Answer = dict(json.load(answer))  # type: ignore[assignment]
        return found
    except HTTPError as error:
        said = error.read().decode("utf-8", "replace")[:500]
        if error.code >= 500:
            raise NotYetError(f"HTTP {error.code}: {said}") from error
        if error.code == 401:
            raise RefusedError("the server refused the API key of the environment file") from error
        raise RefusedError(f"HTTP {error.code}: {said}") from error
    except (OSError, ValueError) as error:
        raise NotYetError(str(getattr(error, "reason", error))) from error
