# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the seam: what only a provider's package may know."""

from __future__ import annotations

import re
from pathlib import Path

UTILS = Path(__file__).resolve().parents[2] / "plugins/module_utils"
PROVIDERS = UTILS / "_providers"
VENDORS = ("lambda_cloud", "runpod", "tensordock", "vast", "verda")
HELPERS = sorted(UTILS.rglob("*.py"))
VENDOR = re.compile(
    "verda|datacrunch|lambda_cloud|lambdaclient|lambda cloud|lambdalabs|runpod|tensordock|vast",
    re.IGNORECASE,
)
# Of its answers, and of what it wants to be sent.
FIELDS = re.compile(
    "os_volume_id|is_os_volume|location_code|is_spot|on_spot_discontinue|keep_detached|delete_stuck"
    "|discontinued|NVMe"
)
# The lists of providers and of their modules, and the names of credentials that users give.
NAMED = {
    "_core/argspecs.py": "DATACRUNCH_CLIENT_SECRET",
    "_providers/names.py": "from .verda.names import",
    "_providers/registry.py": "from .verda.client import",
    "_request/variables.py": "datacrunch_client_secret",
}


def found(pattern: re.Pattern[str], files: list[Path]) -> dict[str, list[str]]:
    """Return the lines of files that hold a pattern, by their paths."""
    rows = {
        str(path.relative_to(UTILS)): [
            line.strip()
            for line in path.read_text(encoding="utf-8").splitlines()
            if pattern.search(line)
        ]
        for path in files
    }
    return {path: lines for path, lines in rows.items() if lines}


def test_vendor_is_named_in_its_own_package_alone() -> None:
    packages = [PROVIDERS / name for name in VENDORS]
    outside = [path for path in HELPERS if not any(map(path.is_relative_to, packages))]
    told = found(VENDOR, outside)
    assert sorted(told) == sorted(NAMED)
    for path, word in NAMED.items():
        assert word in "\n".join(told[path])


def test_fields_and_words_of_the_vendor_are_known_in_its_package_alone() -> None:
    above = [path for path in HELPERS if not path.is_relative_to(PROVIDERS)]
    assert found(FIELDS, above) == {}
