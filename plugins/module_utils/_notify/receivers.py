# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told: webhooks and mail addresses, as they are given, checked (private, pure)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Any, TypedDict, Union
from urllib.parse import urlsplit

from .._core.errors import InvalidError
from .event import KINDS, TEST, Event, words

SLACK, JSON = FORMATS = ("slack", "json")
STARTTLS, TLS, PLAIN = WAYS = ("starttls", "tls", "none")
_PORTS = {STARTTLS: 587, TLS: 465, PLAIN: 25}
_LOCAL = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"[A-Za-z0-9._:-]+")

# Doc fragment: none; module notify documents it, and playbooks take the same list.
RECEIVERS_SPEC: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "no_log": False,
    "options": {
        "webhook": {"type": "str", "no_log": True},
        "format": {"type": "str", "choices": list(FORMATS), "default": JSON},
        "email": {"type": "list", "elements": "str"},
        "smtp": {
            "type": "dict",
            "options": {
                "host": {"type": "str", "required": True},
                "port": {"type": "int"},
                "tls": {"type": "str", "choices": list(WAYS), "default": STARTTLS},
                "username": {"type": "str"},
                "password": {"type": "str", "no_log": True},
                "sender": {"type": "str", "required": True},
            },
        },
        "events": {"type": "list", "elements": "str", "choices": [k for k in KINDS if k != TEST]},
    },
    "mutually_exclusive": [("webhook", "email")],
    "required_one_of": [("webhook", "email")],
    "required_by": {"email": ["smtp"]},
}


class Smtp(TypedDict, total=False):
    """A server that takes mail, as somebody names it."""

    host: str | None
    port: int | None
    tls: str | None
    username: str | None
    password: str | None
    sender: str | None


class Given(TypedDict, total=False):
    """Who is to be told, as somebody names it: a webhook, or addresses and a server."""

    webhook: str | None
    format: str | None
    email: list[str] | None
    smtp: Smtp | None
    events: list[str] | None


@dataclass(frozen=True)
class Webhook:
    """An address that gets a POST. It is a secret, so only its host is ever named."""

    url: str = field(repr=False)
    format: str = JSON
    events: frozenset[str] = frozenset(KINDS)

    @property
    def secrets(self) -> tuple[str, ...]:
        return (
            self.url,
            *(
                part
                for part in (urlsplit(self.url).path, urlsplit(self.url).query)
                if len(part) > 1
            ),
        )

    @property
    def key(self) -> str:
        return _key("webhook", self.url)

    def __str__(self) -> str:
        return f"webhook at {urlsplit(self.url).hostname}"


@dataclass(frozen=True)
class Mail:
    """One address, and the server that takes mail for it."""

    to: str
    sender: str
    host: str
    port: int
    tls: str = STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    events: frozenset[str] = frozenset(KINDS)

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.password,) if self.password else ()

    @property
    def key(self) -> str:
        return _key("mail", self.to.lower())

    def __str__(self) -> str:
        return f"mail to {self.to} by {self.host}:{self.port}"


Receiver = Union[Webhook, Mail]  # noqa: UP007 - pylint of an older Python reads it


def _key(*parts: str) -> str:
    """Return what a receiver is called where notes are kept: it does not tell its address."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def wants(receiver: Receiver, event: Event) -> bool:
    """Tell whether a receiver is to hear of an event."""
    return event.kind == TEST or event.kind in receiver.events


def receivers_of(rows: Iterable[Given]) -> list[Receiver]:
    """Return each receiver once. Raises InvalidError, which names no secret."""
    found = [one for number, row in enumerate(rows, 1) for one in _of(row, f"receiver {number}")]
    return list({one.key: one for one in found}.values())


def _of(row: Given, what: str) -> Iterator[Receiver]:
    events = frozenset(row.get("events") or KINDS)
    if webhook := row.get("webhook"):
        yield Webhook(_checked_url(str(webhook).strip(), what), row.get("format") or JSON, events)
        return
    smtp: Smtp = row.get("smtp") or {}
    tls, host = smtp.get("tls") or STARTTLS, str(smtp.get("host") or "")
    port = smtp.get("port") or _PORTS[tls]
    user, password = smtp.get("username") or "", smtp.get("password") or ""
    if not _HOST.fullmatch(host) or not 0 < port < 65536:
        raise InvalidError(f"{what}: smtp.host {words(host)!r} and port {port} are no address")
    if bool(user) != bool(password):
        raise InvalidError(f"{what}: smtp.username and smtp.password go together")
    if password and tls == PLAIN and host not in _LOCAL:
        raise InvalidError(
            f"{what}: smtp.password would leave this host unencrypted",
            hint="Set tls: starttls or tls.",
        )
    addresses = row.get("email")
    if not addresses:
        raise InvalidError(f"{what}: neither webhook nor email is given")
    sender = _checked_address(smtp.get("sender"), f"{what}: smtp.sender")
    for to in addresses:
        address = _checked_address(to, f"{what}: email")
        yield Mail(address, sender, host, port, tls, user, password, events)


def _checked_url(url: str, what: str) -> str:
    """Return an address that a secret may be sent to."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    local = parts.scheme == "http" and host in _LOCAL
    if not host or not (parts.scheme == "https" or local) or not url.isprintable() or " " in url:
        raise InvalidError(
            f"{what}: webhook is no address that begins with https://",
            hint="Who knows the address can write there, so http:// is for this host alone.",
        )
    if parts.username or parts.password:
        raise InvalidError(f"{what}: webhook holds a user, which is not supported")
    return url


def _checked_address(value: str | None, what: str) -> str:
    """Return one plain mail address."""
    text = str(value or "").strip()
    try:
        found = Address(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError):
        found = None
    if found is None or not found.username or not found.domain or not text.isprintable():
        raise InvalidError(
            f"{what} {words(text)!r} is no mail address", hint="Write it as ada@example.org."
        )
    return text
