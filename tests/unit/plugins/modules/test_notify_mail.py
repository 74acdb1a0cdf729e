# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails, by a real mail server on this host: sent safely, once, and nothing in them but data."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.receivers import (
    Mailbox,
    mail_server,
    make_certificate,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module

PASSWORD = "the-password-of-the-mail-server"
LOGIN = {"username": "gpuops", "password": PASSWORD}
AT = "2026-11-22T12:00:00Z"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate that nobody trusts by himself."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(autouse=True)
def trusted(home: Path, monkeypatch: pytest.MonkeyPatch, certificate: Path) -> Path:
    """Let this host trust the certificate, as SSL_CERT_FILE does."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return home


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """Run a mail server that wants neither TLS nor a login."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(mail_server())


def to(box: Mailbox, *addresses: str, **smtp: Any) -> dict[str, Any]:
    """Return the receiver that stands in a list."""
    place = {"host": "localhost", "port": box.port, "sender": "gpuops@example.org", "tls": "none"}
    return {"email": list(addresses or ("ada@example.org",)), "smtp": {**place, **smtp}}


def ended(name: str = "llm", **more: Any) -> dict[str, Any]:
    """Return what a reaper says that has ended an instance."""
    row = {"kind": "instance", "id": "id-1", "name": name, "outcome": "ended", "detail": "over"}
    row |= {"deployment": "llm", "owner": "ada", "price_per_hour": 3.555, "lease_end": AT, **more}
    return {"at": AT, "currency": "usd", "reaped": [row]}


def tell(*receivers: dict[str, Any], **args: Any) -> dict[str, Any]:
    """Run the module; what it says and logs holds no password."""
    result, said = run_module("notify", {"receivers": list(receivers), **args})
    assert PASSWORD not in said
    assert not result.get("failed"), result
    return result


def test_each_address_gets_a_mail_of_its_own(box: Mailbox) -> None:
    tell(to(box, "ada@example.org", "bob@example.org"), reap=ended())
    assert sorted(box.envelopes) == [
        ("gpuops@example.org", ["ada@example.org"]),
        ("gpuops@example.org", ["bob@example.org"]),
    ]
    mail = box.mails[0]
    assert mail["Subject"].startswith(
        "[gpuops] Terminated llm, which cost 3.555 usd per hour: over"
    )
    assert mail["From"].addresses[0].addr_spec == "gpuops@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.isoformat() == "2026-11-22T12:00:00+00:00"
    assert "price_per_hour: 3.555" in mail.get_content()
    tell(to(box, "ada@example.org", "bob@example.org"), reap=ended())
    assert len(box.mails) == 2


def test_message_id_is_that_of_the_event_and_the_receiver(box: Mailbox) -> None:
    for ledger in (f"sqlite:///{Path.home()}/one", f"sqlite:///{Path.home()}/two"):
        tell(to(box, "ada@example.org", "bob@example.org"), reap=ended(), ledger=ledger)
    ids = [(mail["To"], mail["Message-ID"]) for mail in box.mails]
    # Two controllers that know nothing of each other send the same, and differ by nothing but whom.
    assert len(ids) == 4
    assert len(set(ids)) == len({name for _to, name in ids}) == 2


@pytest.mark.parametrize(
    "name",
    [
        "llm\r\nBcc: eve@example.org",
        "llm\nSubject: paid",
        "llm\r\n\r\n.\r\nMAIL FROM:<eve@example.org>",
        "llm\u2028Bcc: eve@example.org",
        "=?utf-8?q?llm=0D=0ABcc:_eve@example.org?=",
        "l\u00e4m\u202egnp.exe",
        "x" * 5000,
    ],
)
def test_text_from_outside_makes_no_header_and_no_second_mail(box: Mailbox, name: str) -> None:
    tell(to(box), reap=ended(name))
    (mail,) = box.mails
    assert box.envelopes == [("gpuops@example.org", ["ada@example.org"])]
    headers = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"}
    headers |= {"Content-Type", "Content-Transfer-Encoding", "X-Peer", "X-MailFrom", "X-RcptTo"}
    assert set(mail.keys()) <= headers
    assert all(len(mail.get_all(key)) == 1 for key in mail)
    assert len(mail["Subject"]) < 600
    assert "\u202e" not in mail["Subject"]


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_a_login_goes_over_tls(certificate: Path, way: str) -> None:
    with mail_server(certificate, tls_first=way == "tls") as box:
        result = tell(to(box, tls=way, **LOGIN), reap=ended())
        assert result["warnings"] == []
        assert box.logins == [("gpuops", PASSWORD)]
        assert len(box.mails) == 1


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_an_unknown_certificate_gets_neither_password_nor_mail(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_server(certificate, tls_first=way == "tls") as box:
        (warning,) = tell(to(box, tls=way, **LOGIN), reap=ended())["warnings"]
        assert "certificate verify failed" in warning
        assert warning.startswith(f"The mail to ada@example.org by localhost:{box.port} was not")
        assert (box.logins, box.mails) == ([], [])


def test_without_starttls_there_is_no_mail(box: Mailbox) -> None:
    (warning,) = tell(to(box, tls="starttls", **LOGIN), reap=ended())["warnings"]
    assert "STARTTLS extension not supported" in warning
    assert (box.logins, box.mails) == ([], [])


def test_a_wrong_password_is_not_told(certificate: Path) -> None:
    with mail_server(certificate) as box:
        wrong = {**LOGIN, "password": "some-other-password"}
        result, said = run_module(
            "notify", {"receivers": [to(box, tls="starttls", **wrong)], "reap": ended()}
        )
        assert "535" in result["warnings"][0]
        assert "some-other-password" not in said
        assert box.mails == []


@pytest.mark.parametrize("field", ["says", "says_to_mail"])
def test_what_was_not_taken_is_sent_again(box: Mailbox, field: str) -> None:
    setattr(box, field, "451 come back later")
    (warning,) = tell(to(box), reap=ended())["warnings"]
    assert "451" in warning
    assert "come back later" in warning
    assert "next round" in warning
    assert box.mails == []
    setattr(box, field, "250 OK")
    assert tell(to(box), reap={"at": "2026-11-22T12:05:00Z"})["warnings"] == []
    assert len(box.mails) == 1


def test_one_who_takes_no_mail_keeps_it_from_nobody_else(box: Mailbox) -> None:
    with mail_server() as other:
        other.says = "550 nobody of that name"
        result = tell(to(other, "eve@example.org"), to(box), reap=ended())
        assert len(result["warnings"]) == 1
        assert len(box.mails) == 1


def test_a_server_that_says_nothing_is_left_in_time(home: Path) -> None:
    with create_server(("127.0.0.1", 0)) as silent:
        held: list[Any] = []
        threading.Thread(target=lambda: held.append(accepted(silent)), daemon=True).start()
        place = {"host": "127.0.0.1", "port": silent.getsockname()[1], "sender": "a@example.org"}
        receiver = {"email": ["ada@example.org"], "smtp": {**place, "tls": "none"}}
        (warning,) = tell(receiver, reap=ended(), timeout=0.3)["warnings"]
        assert "took longer than 0.3 s" in warning


def accepted(server: Any) -> Any:
    """Return the next connection to a server, which nobody says a word on."""
    with suppress(OSError):
        return server.accept()
