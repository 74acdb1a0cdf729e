# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make on the controller what only it may know, once, and print what hosts may know.

Standard input: {"folder": PATH, "users": [NAME, ...], "check": BOOL}. The folder then holds
`users/NAME`, an API key each, and `link/`, the certificates by which gateway and replicas know each
other. Printed: the digest of each key, and what was made. A key itself is never printed.
"""

from __future__ import annotations

import base64
import datetime
import fcntl
import hashlib
import json
import os
import re
import secrets
import string
import sys
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ALPHABET = string.ascii_letters + string.digits
SECRET_LENGTH = 48
# Whoever has a certificate of this name, signed by the link's authority, is a replica.
REPLICA_NAME = "replica.gpuops.internal"
GATEWAY_NAME = "gateway.gpuops.internal"
CA_DAYS, LEAF_DAYS, RENEW_DAYS = 3650, 730, 60
# The clock of a rented machine may be behind that of the controller.
SKEW = datetime.timedelta(hours=1)


class Folder:
    """The controller's folder of secrets; in check mode nothing in it is made."""

    def __init__(self, path: Path, check: bool) -> None:
        self.path = path
        self.check = check
        self.made: list[str] = []

    def write(self, name: str, text: str) -> None:
        """Write a file that only its owner may read, whole or not at all."""
        self.made.append(name)
        if self.check:
            return
        target = self.path / name
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
            stream.write(text)
        unfinished.rename(target)

    def remove(self, *names: str) -> None:
        """Remove files, whether or not they are there."""
        for name in names:
            if not self.check:
                (self.path / name).unlink(missing_ok=True)

    def read(self, name: str) -> str:
        """Return what a file holds, or an empty text without one."""
        target = self.path / name
        return target.read_text("utf-8") if target.exists() else ""


def user_digest(folder: Folder, name: str) -> str:
    """Return the digest of a user's key, which is made when there is none."""
    file = f"users/{name}"
    key = folder.read(file).strip()
    if not key:
        key = f"gpuops-{name}-" + "".join(
            secrets.choice(ALPHABET) for _unused in range(SECRET_LENGTH)
        )
        folder.write(file, f"{key}\n")
    if not re.fullmatch(rf"gpuops-{re.escape(name)}-[A-Za-z0-9]{{{SECRET_LENGTH}}}", key):
        shape = f"gpuops-{name}- and {SECRET_LENGTH} random letters and digits"
        sys.exit(f"{folder.path / file} must hold {shape}; remove it to have one made")
    # What nginx can compute by itself. Of MD5 only finding the text of a digest would matter here,
    # which nobody can for a random text of 285 bits; that two texts may collide helps nobody.
    text = f"{name}:{key[-SECRET_LENGTH:]}".encode()
    digest = hashlib.md5(text, usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def certificate(
    name: str, days: int, issuer: tuple[x509.Certificate, Any] | None, usage: Any
) -> tuple[str, str]:
    """Return certificate and key as PEM; without an issuer those of an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
    )
    if issuer:
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        builder = builder.add_extension(names, critical=False)
        # The certificate of a replica opens no other replica.
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
    signed = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return signed.public_bytes(Encoding.PEM).decode(), private.decode()


def lasts(folder: Folder, name: str) -> bool:
    """Tell whether there is a certificate that is not near its end."""
    text = folder.read(name)
    if not text:
        return False
    found = x509.load_pem_x509_certificate(text.encode())
    # Since cryptography 42 the old name warns; Debian 12 brings 38.
    end = getattr(found, "not_valid_after_utc", None)
    end = end or found.not_valid_after.replace(tzinfo=datetime.timezone.utc)
    return end > datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(RENEW_DAYS)


def link(folder: Folder) -> None:
    """See to the certificates of the link between gateway and replicas."""
    fresh = not lasts(folder, "link/ca.pem")
    if fresh:
        # First, so that a run that is broken off here leaves none of another authority.
        folder.remove("link/ca.crt", "link/replica.pem", "link/gateway.pem")
        folder.write("link/ca.pem", "".join(certificate("gpuops link", CA_DAYS, None, None)))
    leaves = {
        "link/replica.pem": (REPLICA_NAME, ExtendedKeyUsageOID.SERVER_AUTH),
        "link/gateway.pem": (GATEWAY_NAME, ExtendedKeyUsageOID.CLIENT_AUTH),
    }
    wanted = [file for file in leaves if fresh or not lasts(folder, file)]
    if folder.check:
        folder.made += wanted
        return
    both = folder.read("link/ca.pem").encode()
    issuer = (x509.load_pem_x509_certificate(both), load_pem_private_key(both, None))
    if not folder.read("link/ca.crt"):
        folder.write("link/ca.crt", issuer[0].public_bytes(Encoding.PEM).decode())
    for file in wanted:
        name, usage = leaves[file]
        folder.write(file, "".join(certificate(name, LEAF_DAYS, issuer, usage)))


def main() -> None:
    """Do it under a lock, because several runs may start at once."""
    asked = json.load(sys.stdin)
    folder = Folder(Path(asked["folder"]).expanduser(), asked["check"])
    if folder.check:
        link(folder)
        digests = {name: user_digest(folder, name) for name in asked["users"]}
    else:
        for name in (".", "users", "link"):
            (folder.path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder.path / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            link(folder)
            digests = {name: user_digest(folder, name) for name in asked["users"]}
    print(json.dumps({"digests": digests, "made": folder.made}))


if __name__ == "__main__":
    main()
