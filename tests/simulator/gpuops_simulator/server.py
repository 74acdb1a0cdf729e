# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 over sockets: keep-alive, one thread per connection, quick to start and to stop."""

from __future__ import annotations

import contextlib
import io
import select
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .version import SERVER
from .wire import Request, Response

MOST_BYTES = 4 * 1024 * 1024
MOST_DROPS = 20
PHRASES = {status.value: status.phrase for status in HTTPStatus}
Answer = Callable[[Request, "Handler"], "Response | None"]


class Server(ThreadingHTTPServer):
    """Listens on one address and hands each request to `answer`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], answer: Answer, date: Callable[[], float]) -> None:
        self.answer = answer
        self.date = date
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__(address, Handler)
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    def server_bind(self) -> None:
        """Bind without asking the name service who we are."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.reachable

    @property
    def reachable(self) -> tuple[str, int]:
        """The host and port that were bound."""
        return str(self.server_address[0]), int(self.server_address[1])

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End at once, whatever clients are doing."""
        self.stopping.set()
        if self._thread.is_alive():
            ender = threading.Thread(target=self.shutdown)
            ender.start()
            with contextlib.suppress(OSError):  # wakes the accept loop before its next look
                socket.create_connection(self.reachable, timeout=1).close()
            ender.join()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `stop` can end it."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that is over."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up in the middle is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection; also what faults use to hold it or to break it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def handle_any(self) -> None:
        """Read one request, have it answered, send the answer."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            self.close_connection = True
            self._send(Response(413, {"code": "invalid_request", "message": "too large"}))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            raw=self.rfile.read(length),
        )
        response = self.server.answer(request, self)
        if response is not None:
            self._send(response)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def _send(self, response: Response) -> None:
        body = response.payload()
        headers = {
            "Server": SERVER,
            "Date": formatdate(self.server.date(), usegmt=True),
            "Connection": "close" if self.close_connection else "keep-alive",
        }
        if response.status != 204:
            headers |= {"Content-Type": response.content_type, "Content-Length": str(len(body))}
        headers |= response.headers
        lines = [f"HTTP/1.1 {response.status} {PHRASES.get(response.status, '')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        if response.drip and body:
            self.wfile.write(head)
            self._drip(body, response.drip)
        else:
            self.wfile.write(head + body)

    def _drip(self, body: bytes, seconds: float) -> None:
        """Send a body in drops, so that no pause between two of them is as long as all."""
        drops = min(len(body), MOST_DROPS)
        cuts = [len(body) * number // drops for number in range(drops + 1)]
        for begin, end in pairwise(cuts):
            if not self.pause(seconds / drops):
                return
            self.wfile.write(body[begin:end])

    def pause(self, seconds: float) -> bool:
        """Wait; return false when the simulator is ending."""
        return not self.server.stopping.wait(seconds)

    def hold(self, seconds: float) -> None:
        """Wait until the client gives up or the simulator ends, at most this long."""
        readable = select.select([self.connection], [], [], seconds)[0]
        with contextlib.suppress(OSError):
            if readable and self.connection.recv(1, socket.MSG_PEEK):
                self.pause(seconds)  # the client sent more instead of giving up

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        linger = struct.pack("ii", 1, 0)
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.rfile.close()  # the last holder of the socket but us
        self.connection.close()
        self.rfile, self.wfile = io.BytesIO(), io.BytesIO()
        self.close_connection = True

    def version_string(self) -> str:
        """Return the Server header of answers to what is not HTTP."""
        return SERVER

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Print nothing: the request log is under /_sim/log."""
