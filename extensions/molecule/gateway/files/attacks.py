# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an attacker may send: other paths, other spellings, hidden requests, wrong keys."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import NamedTuple

GONE = frozenset({404})
# nginx itself refuses what is no valid request: 400, or 405 and 501 for methods it does not know.
REFUSED = frozenset({400, 404, 405, 501})
STRANGER = frozenset({401})
# The first request of two is good or refused; a second answer is never right.
ONE = frozenset({0, 200, 400, 404, 405, 501})

HERE = Path(__file__).parent
BODY = b'{"model":"small","prompt":"x","messages":[{"role":"user","content":"x"}],"max_tokens":1}'


def lines(name: str) -> list[str]:
    """Return the lines of a file beside this one, without remarks."""
    text = (HERE / name).read_text("utf-8")
    return [line for line in text.splitlines() if not line.startswith("# ")]


class Attack(NamedTuple):
    """What is sent, and with which statuses it may be answered; 0 is a closed connection."""

    name: str
    raw: bytes
    allowed: frozenset[int]


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """Return a request as bytes, exactly as given."""
    length = [f"Content-Length: {len(body)}"] if body or method == "POST" else []
    lines = [f"{method} {path} HTTP/1.1", *headers, *length, "Content-Type: application/json"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


SECOND = request("POST", "/invocations", "Host: vllm", body=BODY)
CHUNK = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
TE, SIZE = "Transfer-Encoding: chunked", f"Content-Length: {len(BODY)}"
# Headers, and the body that they may or may not describe.
LENGTHS: dict[str, tuple[tuple[str, ...], bytes]] = {
    "chunked": ((TE,), CHUNK),
    "both": ((TE, f"Content-Length: {len(CHUNK + SECOND)}"), CHUNK),
    "both, the other way round": (("Content-Length: 4", TE), CHUNK),
    "two": ((SIZE, "Content-Length: 4"), BODY),
    "list": (("Content-Length: 4, 400",), BODY),
    "sign": ((f"Content-Length: +{len(BODY)}",), BODY),
    "negative": (("Content-Length: -1",), BODY),
    "hexadecimal": (("Content-Length: 0x10",), BODY),
    "space before the colon": ((f"Content-Length : {len(BODY)}",), BODY),
    "folded": (("Content-Length:\r\n 4",), BODY),
    "chunked, space before the colon": (("Transfer-Encoding : chunked", SIZE), CHUNK),
    "chunked by a tab": (("Transfer-Encoding:\tchunked",), CHUNK),
    "chunked by a vertical tab": (("Transfer-Encoding:\x0bchunked", SIZE), CHUNK),
    "chunked by another name": (("Transfer-Encoding: xchunked", SIZE), CHUNK),
    "chunked, then not": ((TE, "Transfer-Encoding: identity"), CHUNK),
    "chunked in a list": (("Transfer-Encoding: identity, chunked",), CHUNK),
    "chunked by an underscore": (("Transfer_Encoding: chunked", SIZE), CHUNK),
    "chunk of a wrong size": ((TE,), b"ffffffffffffffff\r\n" + BODY),
    "chunk with an extension": ((TE,), b"1;a=\n\r\nx\r\n0\r\n\r\n"),
    "none": ((), b""),
}


def paths(*good: str) -> list[Attack]:
    """Other paths and spellings, by GET and by POST, with a valid key."""
    found = []
    for file, allowed in (("paths.txt", GONE), ("spellings.txt", REFUSED)):
        for path in lines(file):
            found.append(Attack(f"GET {path}", request("GET", path, *good), allowed))
            found.append(Attack(f"POST {path}", request("POST", path, *good, body=BODY), allowed))
    return found


def methods(*good: str) -> list[Attack]:
    """Methods that the allowed paths do not have."""
    wrong = ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "post", "GETX"]
    pairs = [(method, path) for method in wrong for path in ("/v1/models", "/v1/chat/completions")]
    pairs += [("GET", "/v1/chat/completions"), ("GET", "/v1/completions"), ("POST", "/v1/models")]
    pairs += [("CONNECT", "127.0.0.1:8000"), ("OPTIONS", "*")]
    return [Attack(f"{m} {p}", request(m, p, *good), REFUSED) for m, p in pairs]


def headers(*good: str) -> list[Attack]:
    """Headers that some proxies and servers let choose the path, the method or the host."""
    tricks = [
        "X-Original-URL: /invocations",
        "X-Rewrite-URL: /invocations",
        "X-Forwarded-Path: /invocations",
        "X-Forwarded-Prefix: /invocations",
        "X-HTTP-Method-Override: POST",
        "X-Forwarded-For: 127.0.0.1",
        "Upgrade: h2c",
        "Upgrade: websocket",
        "X-Accel-Redirect: /invocations",
        "Connection: X-Request-Id",
    ]
    found = [Attack(t, request("GET", "/other", *good, t), GONE) for t in tricks]
    hosts = ("Host: a/invocations?", "Host: a, b", "Host: vllm\tx", "Host: [::1", "Host: a@b/..")
    key = good[-1]
    found += [Attack(h, request("GET", "/other", h, key), REFUSED) for h in hosts]
    double = request("GET", "/v1/models", *good, "Host: other")
    return [*found, Attack("two hosts", double, frozenset({400}))]


def with_lengths(*good: str) -> list[Attack]:
    """A second request behind a first of which two parsers may find the end in two places."""
    found = []
    for name, (given, body) in LENGTHS.items():
        lines = ["POST /v1/completions HTTP/1.1", *good, *given, "Content-Type: application/json"]
        raw = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        found.append(Attack(f"length: {name}", raw + SECOND, ONE))
    return found


def hidden(*good: str) -> list[Attack]:
    """A second request in or behind the first, by other means than its length."""
    first = request("POST", "/v1/completions", *good, body=BODY)
    head = first.removesuffix(BODY)
    tries = {
        "pipelined": first + SECOND,
        "pipelined after GET": request("GET", "/v1/models", *good) + SECOND,
        "lines without a return": head.replace(b"\r\n", b"\n") + BODY + SECOND,
        "HTTP/1.0": first.replace(b"HTTP/1.1", b"HTTP/1.0", 1) + SECOND,
        "HTTP/0.9": b"GET /invocations\r\n",
        "HTTP/2 in clear": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(64),
        "line end in a header": request(
            "POST", "/other", *good, "X: a\nPOST /invocations HTTP/1.1"
        ),
        "null in a header": request("POST", "/v1/completions", *good, "X: a\x00b", body=BODY),
    }
    return [Attack(f"hidden: {name}", raw, ONE) for name, raw in tries.items()]


def strangers(host: str, key: str, upstream: str) -> list[Attack]:
    """Keys that are none, on paths that exist."""
    last = "a" if key[-1] != "a" else "b"
    basic = base64.b64encode(f"alice:{key}".encode()).decode()
    wrong = [
        "",
        "Authorization:",
        "Authorization: Bearer",
        "Authorization: Bearer x",
        f"Authorization: {key}",
        f"Authorization: Bearer {key[:-1]}",
        f"Authorization: Bearer {key}x",
        f"Authorization: Bearer {key[:-1]}{last}",
        f"Authorization: Bearer {key.upper()}",
        f"Authorization: Bearer {key} x",
        f"Authorization: Basic {basic}",
        f"Authorization: Bearer {key.replace('alice', 'bob')}",
        f"Authorization: Bearer {key.replace('alice', 'nobody')}",
        f"Authorization: Bearer {upstream}",
        f"X-Api-Key: {key}",
        f"Api-Key: {key}",
        f"Cookie: key={key}",
        f"Authorization: Bearer gpuops-alice-{'0' * 48}",
        f"Authorization: Bearer gpuops--{key[-48:]}",
    ]
    found = []
    for header in wrong:
        given = [one for one in (host, header) if one]
        for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions")):
            raw = request(method, path, *given, body=BODY if method == "POST" else b"")
            found.append(Attack(f"{method} {path} {header[:40]}", raw, STRANGER))
    return found


def attacks(key: str, upstream: str) -> list[Attack]:
    """Return everything that is tried."""
    host, good = "Host: gateway", f"Authorization: Bearer {key}"
    tried = paths(host, good) + methods(host, good) + headers(host, good)
    tried += with_lengths(host, good) + hidden(host, good)
    return tried + strangers(host, key, upstream)
