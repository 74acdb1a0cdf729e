# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending: one message to one receiver, over HTTPS or SMTP (private).

Each step has a limit here, and all of a round one more where it is started. Nothing that is raised
holds a secret, whatever the other side has said.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Callable, Iterator
from typing import Any, cast

from .._core.errors import UnavailableError
from .event import Event, words
from .messages import body_for, mail_for
from .receivers import PLAIN, TLS, Mail, Receiver, Webhook

MISSING: str | None = None
try:
    import requests
except ImportError as error:  # only needed where the module runs
    MISSING = str(error)

STEP_S = 8.0
_SAID = 500
Send = Callable[[Event], None]


class UntoldError(UnavailableError):
    """A receiver has not taken a message, or nobody knows whether it has."""

    code = "untold"
    default_hint = "It is tried again in the next round."


@contextlib.contextmanager
def sender(receiver: Receiver) -> Iterator[Send]:
    """Yield what sends to a receiver. Raises UntoldError, from the sending as well."""
    try:
        with _webhook(receiver) if isinstance(receiver, Webhook) else _mail(receiver) as send:
            yield send
    except UntoldError:
        raise
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise UntoldError(f"The {receiver} was not reached: {_reason(receiver, error)}") from None


def _reason(receiver: Receiver, error: BaseException) -> str:
    """Return what came back, without the secrets of the receiver.

    The texts of requests hold the address, which is a secret. What lies below them does not.
    """
    while below := error.__cause__ or error.__context__:
        error = below
    told = not type(error).__module__.startswith("requests") and str(error)
    return hidden(receiver, told or type(error).__name__)


def hidden(receiver: Receiver, text: str) -> str:
    """Return a text of the other side as one short line without the secrets of the receiver."""
    for secret in sorted(receiver.secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return words(text).rstrip(".")


# -- webhooks --------------------------------------------------------------------------------------


@contextlib.contextmanager
def _webhook(receiver: Webhook) -> Iterator[Send]:
    if MISSING:
        raise UntoldError(
            f"The {receiver} was not contacted: the Python package requests is missing ({MISSING})"
        )
    with requests.Session() as session:
        session.auth = _as_it_is  # else a .netrc would be sent there

        def send(event: Event) -> None:
            with session.post(
                receiver.url,
                json=cast(Any, body_for(receiver, event)),  # any object of JSON
                headers={"Idempotency-Key": event.id},
                timeout=STEP_S,
                allow_redirects=False,
                stream=True,
            ) as answer:
                _judge(receiver, answer)

        yield send


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _judge(receiver: Webhook, answer: requests.Response) -> None:
    """Raise UntoldError unless the message was taken; what is said with a yes is not even read."""
    status = answer.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise UntoldError(
            f"The {receiver} answered {status}, a redirect",
            hint="It is not followed, since its address is a secret. Give the address it leads to.",
        )
    said = b""
    with contextlib.suppress(requests.RequestException):
        said = next(answer.iter_content(_SAID), b"")
    text = hidden(receiver, said.decode("utf-8", "replace"))
    raise UntoldError(f"The {receiver} answered {status}{f': {text}' if text else ''}")


# -- mail ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _mail(receiver: Mail) -> Iterator[Send]:
    context = ssl.create_default_context()
    client = _connected(receiver, context)
    try:
        if receiver.tls not in (PLAIN, TLS):
            client.starttls(context=context)
        if receiver.password:
            client.login(receiver.username, receiver.password)

        def send(event: Event) -> None:
            client.send_message(mail_for(receiver, event))

        yield send
        with contextlib.suppress(OSError, smtplib.SMTPException):
            client.quit()
    finally:
        client.close()


def _connected(receiver: Mail, context: ssl.SSLContext) -> smtplib.SMTP:
    place = (receiver.host, receiver.port)
    if receiver.tls == TLS:
        return smtplib.SMTP_SSL(*place, timeout=STEP_S, context=context)
    return smtplib.SMTP(*place, timeout=STEP_S)
