# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role gateway makes and keeps on the controller."""

from __future__ import annotations

import base64
import hashlib
import stat
import subprocess
import sys
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ansible_collections.gpuops.cloud.tests.unit.roles.gateway_support import ROLE, make


def test_keys_are_made_once_and_only_their_digests_are_told(tmp_path: Path) -> None:
    first = make(tmp_path, "alice", "bob")
    again = make(tmp_path, "alice", "bob")
    key = (tmp_path / "users/alice").read_text("utf-8").strip()
    assert key.startswith("gpuops-alice-")
    assert len(key) == len("gpuops-alice-") + 48
    assert again == {**first, "made": []}
    text = f"alice:{key[-48:]}".encode()
    digest = hashlib.md5(text, usedforsecurity=False).digest()
    assert first["digests"]["alice"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert key[-48:] not in str(first)


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    make(tmp_path / "new/folder", "alice")
    files = [path for path in (tmp_path / "new/folder").rglob("*") if path.is_file()]
    secret = [path for path in files if path.name != ".lock"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    assert stat.S_IMODE((tmp_path / "new/folder").stat().st_mode) == 0o700


def test_a_removed_file_gives_a_new_key(tmp_path: Path) -> None:
    first = make(tmp_path, "alice")
    (tmp_path / "users/alice").unlink()
    second = make(tmp_path, "alice")
    assert second["made"] == ["users/alice"]
    assert second["digests"] != first["digests"]


def test_check_mode_makes_nothing_and_says_what_it_would(tmp_path: Path) -> None:
    told = make(tmp_path / "none", "alice", check=True)
    assert "users/alice" in told["made"]
    assert "link/ca.pem" in told["made"]
    assert not (tmp_path / "none").exists()


def test_a_key_of_another_shape_is_refused_and_not_shown(tmp_path: Path) -> None:
    make(tmp_path, "alice")
    (tmp_path / "users/alice").write_text("secret of mine\n", "utf-8")
    asked = f'{{"folder": "{tmp_path}", "users": ["alice"], "check": false}}'
    command = [sys.executable, str(ROLE / "files/controller.py")]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert str(tmp_path / "users/alice") in done.stderr
    assert "secret of mine" not in done.stdout + done.stderr


def usage(path: Path) -> list[x509.ObjectIdentifier]:
    """Return what a certificate may be used for."""
    found = x509.load_pem_x509_certificate(path.read_bytes())
    return list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_a_replica_cannot_pass_for_the_gateway(tmp_path: Path) -> None:
    make(tmp_path)
    assert usage(tmp_path / "link/replica.pem") == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert usage(tmp_path / "link/gateway.pem") == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert b"PRIVATE" not in (tmp_path / "link/ca.crt").read_bytes()


def test_an_authority_that_is_lost_takes_its_certificates_along(tmp_path: Path) -> None:
    make(tmp_path)
    old = (tmp_path / "link/replica.pem").read_bytes()
    (tmp_path / "link/ca.pem").unlink()
    made = make(tmp_path)["made"]
    assert made == ["link/ca.pem", "link/ca.crt", "link/replica.pem", "link/gateway.pem"]
    assert (tmp_path / "link/replica.pem").read_bytes() != old
    for name in ("replica", "gateway"):
        bundle = [tmp_path / "link/ca.crt", tmp_path / f"link/{name}.pem"]
        command = ["openssl", "verify", "-CAfile", *map(str, bundle)]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
