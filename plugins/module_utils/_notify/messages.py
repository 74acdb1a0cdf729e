# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an event looks where it arrives: to Slack, to programs, in a mail (private, pure)."""

from __future__ import annotations

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TypedDict

from .event import Event, EventRow
from .receivers import SLACK, Mail, Webhook

# Slack reads these three as markup, and nothing else once they are written so.
_SLACK = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Look-alikes of Slack also take @all for a call, and all make links of addresses.
_BREAK = "\u200b"


class SlackBody(TypedDict):
    """What Slack gets: plain text, of which it makes nothing."""

    text: str
    mrkdwn: bool
    unfurl_links: bool
    unfurl_media: bool


class JsonBody(EventRow):
    """What programs get."""

    version: int


def body_for(receiver: Webhook, event: Event) -> SlackBody | JsonBody:
    """Return what a webhook gets as JSON."""
    if receiver.format == SLACK:
        return {
            "text": for_slack(event.text),
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
    return {"version": 1, **event.as_row()}


def for_slack(text: str) -> str:
    """Return a text in which nothing is markup, a mention or a link."""
    plain = "".join(_SLACK.get(sign, sign) for sign in text)
    return plain.replace("@", f"@{_BREAK}").replace("://", f":{_BREAK}//")


def mail_for(receiver: Mail, event: Event) -> EmailMessage:
    """Return a mail whose Message-ID is the same whoever sends it, and however often."""
    mail = EmailMessage(policy=SMTP)
    sender = Address(addr_spec=receiver.sender)
    mail["From"] = Address("gpuops.cloud", addr_spec=receiver.sender)
    mail["To"] = Address(addr_spec=receiver.to)
    # A word that is encoded would be decoded here, with the ends of lines that hide in it.
    mail["Subject"] = f"[gpuops] {event.text}".replace("=?", "= ?")
    mail["Date"] = format_datetime(event.at)
    mail["Message-ID"] = f"<{_hash(event.id, receiver.key)}@{sender.domain}>"
    # No program is to answer it.
    mail["Auto-Submitted"] = "auto-generated"
    facts = (f"{key}: {value}" for key, value in event.facts.items() if value is not None)
    mail.set_content("\n".join([event.text, "", *facts, f"event: {event.kind}", f"id: {event.id}"]))
    return mail


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
