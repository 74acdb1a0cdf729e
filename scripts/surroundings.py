# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests take from their caller, and where they keep what they download.

Everything else of the caller stays outside: settings, tokens, caches and variables. The one
exception is how packages are had: pip's index and certificates.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PASSED = frozenset(
    {
        "CI",
        "LANG",
        "LANGUAGE",
        "PATH",
        "SUDO_UID",  # by which git trusts a clone of the user who called sudo
        "TERM",
        "TZ",
        *("CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"),
        *("SSL_CERT_DIR", "SSL_CERT_FILE"),
        *(f"{scheme}_proxy" for scheme in ("all", "ftp", "http", "https", "no")),
        *(f"{scheme}_PROXY" for scheme in ("ALL", "FTP", "HTTP", "HTTPS", "NO")),
    }
)
# The tests' own switches, besides the locale.
PASSED_BEGINNINGS = ("GPUOPS_CHAOS_", "GPUOPS_MATRIX_", "GPUOPS_MONTH_", "LC_")
# Settings of pip that say where packages come from, by their bare names.
SOURCES = frozenset(
    {
        *("cert", "client-cert", "default-timeout", "extra-index-url", "find-links", "index-url"),
        *("no-index", "proxy", "retries", "timeout", "trusted-host"),
    }
)


def passed_on(caller: Mapping[str, str]) -> dict[str, str]:
    """Return what a session is given of its caller's environment."""
    return {
        name: value
        for name, value in caller.items()
        if name in PASSED or name.startswith(PASSED_BEGINNINGS)
    }


def for_git(caller: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for git without settings of the user, or of another repository."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    # Told so because of these settings git would not know that the clone is trusted.
    trust = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory"}
    return {**passed_on(caller), **settings, **trust, "GIT_CONFIG_VALUE_0": "*"}


def tests_cache(caller: Mapping[str, str]) -> Path:
    """Return the folder that all clones share: packages, wheelhouse, images of hosts.

    Below XDG_CACHE_HOME, which counts as unset unless it is absolute.
    """
    base = Path(caller.get("XDG_CACHE_HOME", ""))
    base = base if base.is_absolute() else Path.home() / ".cache"
    return base / "gpuops.cloud-tests"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that only one process has at a time; it goes with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write(path: Path, text: str) -> None:
    """Make a file appear whole, though others may read or write it at the same time."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
