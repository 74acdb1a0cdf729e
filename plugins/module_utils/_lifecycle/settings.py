# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set once for all runs of a user or of a host: the owner, and the longest lease (private)."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from pathlib import Path

from .._core.errors import InvalidError
from .._core.times import read_duration
from .._models.ownership import check_owner
from .confirmation import this_user

OWNER, LEASE_MAX = "GPUOPS_OWNER", "GPUOPS_LEASE_MAX"
_SECTION = "defaults"
_KEYS = ("owner", "lease_max")
_HOST = Path("/etc/gpuops/settings.ini")


def owner_of(option: str | None) -> str:
    """Return whom something belongs to: option, environment, files, else the user of the play.

    Raises InvalidError for a name that cannot be a tag.
    """
    found = (value for _where, value in _set_once("owner", OWNER))
    return check_owner(option or next(found, "") or this_user())


def lease_max_of(option: str | None, *, override: bool) -> str | None:
    """Return the longest lease that is allowed, None without a limit.

    What is set once is a hard maximum: the shortest of all counts, also against the option, unless
    ``override`` says that the option alone counts. Raises InvalidError.
    """
    given = [("lease_max", option)] if option else []
    if not override:
        given += list(_set_once("lease_max", LEASE_MAX))
    lengths = [(read_duration(text, where), text) for where, text in given]
    return min(lengths)[1] if lengths else None


def _set_once(key: str, variable: str) -> Iterator[tuple[str, str]]:
    """Yield where a value is set once, and the value, what counts first first."""
    if os.environ.get(variable):
        yield variable, os.environ[variable].strip()
    for path in _files():
        value = _read(path).get(key)
        if value:
            yield f"{key} in {path}", value


def _files() -> tuple[Path, Path]:
    home = os.environ.get("GPUOPS_HOME") or "~/.config/gpuops"
    return Path(home).expanduser() / "settings.ini", _HOST


def _read(path: Path) -> dict[str, str]:
    """Return the settings of a file, none where there is no file. Raises InvalidError."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, configparser.Error) as error:
        # A limit that cannot be read is not one that nobody has set.
        why = str(error).splitlines()[0]
        raise InvalidError(f"The settings in {path} cannot be read: {why}") from None
    found = dict(parser[_SECTION]) if parser.has_section(_SECTION) else {}
    strange = sorted({*found, *parser.sections()} - {*_KEYS, _SECTION})
    if strange:
        raise InvalidError(
            f"The settings in {path} hold {strange[0]!r}, which is not known",
            hint=f"Known are {' and '.join(_KEYS)} in the section [{_SECTION}].",
        )
    return found
