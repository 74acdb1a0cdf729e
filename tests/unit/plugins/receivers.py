# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers of notifications on this host: web and mail servers that note what they get."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module

PATH = "/services/T0/B0/the-secret-of-the-webhook"


@dataclass
class Hook:
    """A web server: what was posted to it, and how it answers."""

    url: str = ""
    posted: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    status: int = 200
    says: str = "ok"
    sends: dict[str, str] = field(default_factory=dict)
    # Called before the answer, such as a wait.
    before: Callable[[], Any] = lambda: None

    @property
    def receiver(self) -> dict[str, Any]:
        """The receiver that a list names."""
        return {"webhook": self.url, "format": "json"}

    @property
    def ids(self) -> list[str]:
        """The ids of all messages, in their order."""
        return [row["id"] for row in self.posted]

    @property
    def kinds(self) -> list[str]:
        """The kinds of all messages, in their order."""
        return [row["event"] for row in self.posted]


@contextlib.contextmanager
def web_server(certificate: Path | None = None) -> Iterator[Hook]:
    """Run a web server for a while, with a certificate where one is given."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Note what was posted, and answer."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.before()
            if 200 <= hook.status < 300:
                hook.posted.append(json.loads(body))
                hook.headers.append(dict(self.headers))
            hook.paths.append(self.path)
            with contextlib.suppress(OSError):  # whoever asked may have left
                self.send_response(hook.status)
                for name, value in hook.sends.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(hook.says.encode())

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        scheme, host = ("https", "localhost") if certificate else ("http", "127.0.0.1")
        hook.url = f"{scheme}://{host}:{server.server_address[1]}{PATH}"
        yield hook
        server.shutdown()


def programs() -> list[str]:
    """Return the command lines of all processes, which everybody on a host can read."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text(encoding="utf-8", errors="replace"))
    return found


@dataclass
class Mailbox:
    """A mail server: what it took, who logged in, and what it says to a recipient."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    says: str = "250 OK"
    says_to_mail: str = "250 taken"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take a recipient, or not."""
        if self.says.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.says

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Note a mail."""
        if self.says_to_mail.startswith("250"):
            self.raw.append(envelope.content)
            mail = BytesParser(policy=default).parsebytes(envelope.content)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return self.says_to_mail

    def login(
        self, _server: Any, _session: Any, _envelope: Any, _way: str, given: Any
    ) -> AuthResult:
        """Let everybody in who says the right password."""
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login.decode(), given.password.decode()))
        right = given.password == b"the-password-of-the-mail-server"
        return AuthResult(success=right, handled=False)


@contextlib.contextmanager
def mail_server(certificate: Path | None = None, *, tls_first: bool = False) -> Iterator[Mailbox]:
    """Run a mail server for a while; with a certificate it wants TLS and a login."""
    box, loop = Mailbox(), asyncio.new_event_loop()
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    def session() -> SMTP:
        later = None if tls_first else context
        return SMTP(
            box,
            hostname="mail.test",
            loop=loop,
            tls_context=later,
            require_starttls=later is not None,
            authenticator=box.login,
            auth_required=later is not None,
            auth_require_tls=later is not None,
        )

    place = {"host": "127.0.0.1", "port": 0, "ssl": context if tls_first else None}
    server = loop.run_until_complete(loop.create_server(session, **place))
    box.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield box
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    loop.close()


def make_certificate(folder: Path) -> Path:
    """Return a file with a key and its own certificate, for this host."""
    path = folder / "localhost.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        [*command, "-keyout", str(path), "-out", str(folder / "certificate")],
        check=True,
        capture_output=True,
    )
    with path.open("a", encoding="ascii") as file:
        file.write((folder / "certificate").read_text(encoding="ascii"))
    return path


# -- what they are told ---------------------------------------------------------------------------

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)


def at(minutes: float = 0) -> str:
    """Return the time so long after noon."""
    return f"{NOON + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def ended(number: int = 1, **more: Any) -> dict[str, Any]:
    """Return the row of an instance that a reaper has ended."""
    row = {"kind": "instance", "id": f"id-{number}", "name": f"llm-{number}", "outcome": "ended"}
    row |= {"detail": "its lease ended", "reason": "expired", "price_per_hour": 3.555}
    return {**row, "deployment": "llm", "owner": "ada", "lease_end": at(), **more}


def reap(minutes: float = 0, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the result of a round of a reaper."""
    return {"at": at(minutes), "currency": "usd", "reaped": list(rows), **more}


def tell(*receivers: dict[str, Any], **args: Any) -> dict[str, Any]:
    """Run the module; what it says and logs holds no address of a webhook."""
    result, said = run_module("notify", {"receivers": list(receivers), **args})
    assert "the-secret-of-the-webhook" not in said
    assert not result.get("failed"), result
    return result
