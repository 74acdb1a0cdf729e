# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as nothing: an empty text and null, never zero or false."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.filter.given import FilterModule

given = FilterModule().filters()["given"]


@pytest.mark.parametrize("value", [0, 0.0, False, "0", "no", [], {}, " "])
def test_what_was_given_is_kept(value: Any) -> None:
    assert given(value, "omit") is value


@pytest.mark.parametrize("value", ["", None])
def test_nothing_is_something_else(value: Any) -> None:
    assert given(value, "omit") == "omit"
