# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that do not belong into a text which others can read (private)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

# Shorter values are words, and would be found by chance.
_SHORTEST = 12
_TELLING = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_?KEY)$", re.I)
_API_KEYS = ("vllm_api_key", "*/vllm_api_key")
_SHAPES = (
    ("a private key", re.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{30,}")),
    ("a GitHub token", re.compile(r"\b(gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{40,})")),
    ("an AWS access key", re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("an API key", re.compile(r"\bsk-[A-Za-z0-9_-]{32,}")),
)


def _known(secrets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what the user's secrets are called, and the secrets."""
    for value in secrets:
        yield "the client secret of the cloud", value
    for name, value in os.environ.items():
        if _TELLING.search(name):
            yield f"the value of the environment variable {name}", value
    for pattern in _API_KEYS:
        for path in Path("~/.config/gpuops").expanduser().glob(pattern):
            try:
                yield f"the API key in {path}", path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                continue


def find_secret(text: str, secrets: Iterable[str]) -> str | None:
    """Return in words what looks like a secret in a text, or None; ``secrets`` are those of the cloud."""
    for what, value in _known(secrets):
        if len(value) >= _SHORTEST and value in text:
            return what
    shapes = (f"what looks like {what}" for what, shape in _SHAPES if shape.search(text))
    return next(shapes, None)
