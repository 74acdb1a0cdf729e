# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner and longest lease are set once for all runs; leases that are none are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._lifecycle import settings as _settings
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

TIER = {"tier": "a100"}


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's file of settings; that of the host is beside it."""
    monkeypatch.setattr(_settings, "_HOST", home / "etc.ini")
    path = home / ".config/gpuops/settings.ini"
    path.parent.mkdir(parents=True)
    return path


def buy(cloud: Cloud, **args: Any) -> dict[str, Any]:
    return cloud.buy(**{**TIER, "check": True, **args})


def refused(cloud: Cloud, module: str = "datacrunch_instance", **args: Any) -> str:
    more = TIER if module == "datacrunch_instance" else {}
    result = cloud.fails(module, **{"deployment": "llm", **more, **args})
    assert result["error"]["code"] == "invalid"
    return str(result["msg"])


def test_owner_comes_from_option_environment_or_file(
    cloud: Cloud, settings: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def owner(**args: Any) -> str:
        return str(buy(cloud, **args)["instance"]["owner"])

    user = owner()
    (home / "etc.ini").write_text("[defaults]\nowner = host\n")
    assert owner() == "host" != user
    settings.write_text("[defaults]\nowner = file\n")
    assert owner() == "file"
    monkeypatch.setenv("GPUOPS_OWNER", "environment")
    assert owner() == "environment"
    assert owner(owner="option") == "option"
    monkeypatch.setenv("GPUOPS_OWNER", "no owner")
    assert "(got 'no owner')" in refused(cloud)


def test_owner_set_once_needs_no_confirmation(cloud: Cloud, settings: Path) -> None:
    settings.write_text("[defaults]\nowner = team\n")
    cloud.buy(**TIER)
    assert cloud.machine()["tags"]
    cloud.ok("datacrunch_lease", deployment="llm", done=True)
    assert cloud.machines() == []


def test_longest_lease_of_all_is_a_hard_maximum(
    cloud: Cloud, settings: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPUOPS_LEASE_MAX", "8h")
    assert "lease_max allows 8h" in refused(cloud, lease="9h")
    assert "lease_max allows 8h" in refused(cloud, lease="9h", lease_max="24h")
    assert "lease_max allows 8h" in refused(cloud, lease="none")
    assert "lease_max_override" in refused(cloud, lease="9h")
    settings.write_text("[defaults]\nlease_max = 6h\n")
    assert "lease_max allows 6h" in refused(cloud, lease="7h")
    (home / "etc.ini").write_text("[defaults]\nlease_max = 4h\n")
    assert "lease_max allows 4h" in refused(cloud, lease="5h")
    assert "lease_max allows 2h" in refused(cloud, lease="3h", lease_max="2h")
    assert cloud.orders() == 0
    assert buy(cloud, lease="4h")["changed"]
    assert buy(cloud, lease="20h", lease_max_override=True)["changed"]
    override = {"lease_max_override": True, "lease_max": "10h"}
    assert "lease_max allows 10h" in refused(cloud, lease="11h", **override)


def test_lease_is_not_extended_past_the_maximum(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.buy(**TIER, lease="7h")
    monkeypatch.setenv("GPUOPS_LEASE_MAX", "8h")
    for args in ({"extend": "2h"}, {"lease": "9h"}, {"lease": "none"}):
        assert "lease_max allows 8h" in refused(cloud, "datacrunch_lease", **args)
    cloud.ok("datacrunch_lease", deployment="llm", extend="2h", lease_max_override=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[defaults]\nlease_max = soon\n", "is not a duration"),
        ("[defaults]\nlease-max = 4h\n", "'lease-max', which is not known"),
        ("[other]\nlease_max = 4h\n", "'other', which is not known"),
        ("lease_max = 4h\n", "cannot be read"),
        ("[defaults]\nlease_max = 4h\nlease_max = 5h\n", "cannot be read"),
    ],
)
def test_settings_that_cannot_be_read_are_no_settings_that_nobody_made(
    cloud: Cloud, settings: Path, text: str, words: str
) -> None:
    settings.write_text(text)
    assert words in refused(cloud)
    assert cloud.calls() == []


@pytest.mark.parametrize("lease", ["0.0001s", "1s", "59s", "0.5m"])
def test_lease_shorter_than_a_minute_is_refused(cloud: Cloud, lease: str) -> None:
    assert "is over within a minute" in refused(cloud, lease=lease)
    cloud.buy(**TIER)
    assert "is over within a minute" in refused(cloud, "datacrunch_lease", lease=lease)
    assert buy(cloud, deployment="two", lease="1m")["changed"]


@pytest.mark.parametrize("extend", ["0h", "0s", "+0d", "0.0m"])
def test_extension_by_nothing_says_so(cloud: Cloud, extend: str) -> None:
    cloud.buy(**TIER)
    cloud.sim.clear_log()
    text = refused(cloud, "datacrunch_lease", extend=extend)
    assert text == f"extend {extend!r} asks for nothing. Write for example 2h."
    assert cloud.calls() == []
