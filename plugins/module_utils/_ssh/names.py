# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the OpenSSH settings of a user say of names, as OpenSSH itself reads them (private).

Nothing is parsed here but our own line: includes, patterns and quotes are OpenSSH's.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .._core.errors import InvalidError

SECONDS = 10
# No pattern but * and its like matches it, so it shows what holds for every host.
NOBODY = "0-a-name-that-nobody-has"


@dataclass(frozen=True)
class Names:
    """``included``: the names that the settings take from our file; ``shadowed``: those with an entry of their own."""

    included: tuple[str, ...] = ()
    shadowed: tuple[str, ...] = ()


def include_line(pattern: str) -> str:
    """Return the line that makes names of all deployments known to OpenSSH."""
    return f'Include "{pattern}"'


def look(config: Path, pattern: str, names: list[str]) -> Names:
    """Return what the settings say of the names. Raises InvalidError where OpenSSH cannot read them."""
    if not config.exists():
        return Names()
    text = config.read_text(encoding="utf-8", errors="surrogateescape")
    line = include_line(pattern)
    own = "".join(row for row in text.splitlines(keepends=True) if row.strip() != line)
    alone = _settings(own, NOBODY)
    shadowed = [name for name in names if _settings(own, name) != alone]
    ours = [name for name in names if _settings(text, name) != _settings(own, name)]
    return Names(tuple(ours), tuple(shadowed))


def _settings(text: str, name: str) -> str:
    """Return every setting that OpenSSH would use for a name, but the name itself."""
    try:
        done = subprocess.run(
            ["ssh", "-G", "-F", "/dev/stdin", name],
            input=text,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InvalidError(f"ssh -G {name} failed: {error}") from None
    if done.returncode:
        said = done.stderr.strip().replace("/dev/stdin", "the file")
        raise InvalidError(f"OpenSSH cannot read it: {said}")
    return "\n".join(row for row in done.stdout.splitlines() if not row.endswith(f" {name}"))
