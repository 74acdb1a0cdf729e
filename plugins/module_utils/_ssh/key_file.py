# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public half of a private key on the controller (private)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .._core.errors import InvalidError

_INSTALL = "On Debian and Ubuntu: apt install openssh-client"


def public_half(path: Path, *, required: bool) -> str:
    """Return the public half of a key, an empty text where there is no key yet and none is required.

    It is derived, since it is what opens an instance, and a file beside the key may belong to another
    one. Raises InvalidError for a key that SSH would not use.
    """
    if not path.is_file():
        if required:
            raise InvalidError(
                f"ssh_private_key_file {path} does not exist",
                hint="Without this variable a key is created for the deployment.",
            )
        return ""
    command = ["ssh-keygen", "-y", "-P", "", "-f", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise InvalidError(f"ssh-keygen cannot be run: {error}", hint=_INSTALL) from None
    beside = path.with_name(f"{path.name}.pub")
    if done.returncode == 0:
        return done.stdout.strip()
    if "UNPROTECTED" not in done.stderr and beside.is_file():
        return beside.read_text(encoding="utf-8").strip()
    said = " ".join(line for line in done.stderr.splitlines() if not line.startswith("@"))
    hint = f"With a passphrase it needs its public half beside it, {beside}, and an agent that holds it."
    if "UNPROTECTED" in done.stderr:
        hint = "Give it mode 0600."
    raise InvalidError(f"{path} cannot be used by SSH: {said}", hint=hint)
