# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The marks that need not be there, what is kept on purpose, and how long a lease may be."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors, times
from ansible_collections.gpuops.cloud.plugins.module_utils._models import ownership
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.views import (
    describe_instance,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins import shown
from ansible_collections.gpuops.cloud.tests.unit.plugins.first_release import old_marker

NOW = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)
PLAIN = ownership.Identity("llm", "web", "me", "2026-11-22T20:00:00Z", "0" * 32)
HOURS = "mon-fri 08:00-19:00 America/New_York"
FULL = ownership.Identity(
    "llm", "web", "me", "2026-11-22T20:00:00Z", "0" * 32, "research", True, HOURS
)
OLD_MARKER = re.compile(r"\[gpuops d=(\S+) n=(\S+) o=(\S+) l=(\S+) r=(\S+)\]")


def changed(tags: list[dict[str, str]], **values: str | None) -> list[dict[str, str]]:
    """Return tags with other values; None takes one away."""
    found = {tag["key"]: tag["value"] for tag in tags}
    found.update({f"gpuops-{key.replace('_', '-')}": value for key, value in values.items()})  # type: ignore[misc]
    return [{"key": key, "value": value} for key, value in found.items() if value is not None]


@pytest.mark.parametrize("marks", [PLAIN, FULL], ids=["plain", "full"])
def test_marks_are_read_as_they_were_written(marks: ownership.Identity) -> None:
    assert shown.ownership({"tags": marks.tags()}) == marks
    assert shown.ownership({"description": f"x {old_marker(marks)} y"}) == marks


def test_tags_leave_room_for_those_of_users() -> None:
    most = replace(FULL, replaces="01234567")
    assert len(most.tags()) + len(["gpuops-next-lease"]) == ownership.MOST_TAGS == 7
    assert all(len(tag["value"]) <= 127 for tag in most.tags())
    assert shown.ownership({"tags": most.tags()}) == most


def test_disk_of_an_order_has_room_for_a_tag_more() -> None:
    tags = ownership.part_tags("llm", owner="me", project="research", lease="none")
    assert len([*tags, "gpuops-keep"]) == 5


def test_marker_can_be_read_by_who_knows_only_the_first_marks() -> None:
    found = OLD_MARKER.search(old_marker(FULL))
    assert found
    assert found.groups() == ("llm", "web", "me", "2026-11-22T20:00:00Z", "0" * 32)
    assert OLD_MARKER.fullmatch(old_marker(PLAIN))


def test_marks_show_in_results() -> None:
    full = describe_instance(shown.instance({"tags": FULL.tags()}))
    assert (full["project"], full["protected"], full["hours"]) == ("research", True, HOURS)
    bare = describe_instance(shown.instance({"tags": PLAIN.tags()}))
    assert (bare["project"], bare["protected"], bare["hours"]) == (None, False, None)


def test_tags_say_what_is_no_longer_so() -> None:
    tags = changed(FULL.tags(), protect=None, project="other")
    found = shown.ownership({"tags": tags, "description": old_marker(FULL)})
    assert found
    assert (found.protected, found.project) == (False, "other")


def test_new_lease_wins_while_the_old_one_is_still_there_or_there_no_longer() -> None:
    new = "2026-11-23T20:00:00Z"
    for lease in (PLAIN.lease, None):
        tags = changed(PLAIN.tags(), lease=lease, next_lease=new)
        found = shown.ownership({"tags": tags, "description": old_marker(PLAIN)})
        assert found
        assert found.lease == new


def test_tag_that_went_missing_leaves_the_marker() -> None:
    tags = changed(PLAIN.tags(), lease=None)
    assert shown.ownership({"tags": tags, "description": old_marker(FULL)}) == FULL
    assert shown.ownership({"tags": tags}) is None


@pytest.mark.parametrize(
    ("value", "protected"), [("yes", True), ("1", True), ("no", False), ("False", False)]
)
def test_protection_counts_unless_it_is_denied(value: str, protected: bool) -> None:
    for tags in (changed(PLAIN.tags(), protect=value), changed([], protect=value)):
        found = shown.ownership({"tags": tags, "description": old_marker(PLAIN)})
        assert found
        assert found.protected is protected


@pytest.mark.parametrize(
    ("row", "marks"),
    [
        ({"tags": changed([], name="x")}, True),
        ({"description": "[gpuops d=llm n=llm]"}, True),
        ({"description": "gpo.llm.ll"}, True),
        ({"description": "gpuops d=llm"}, False),
        ({"description": "about gpo.llm.llm.none.00000000"}, False),
        ({"tags": [{"key": "mygpuops-name", "value": "x"}], "description": None}, False),
        ({}, False),
    ],
)
def test_what_looks_like_marks(row: dict[str, Any], marks: bool) -> None:
    assert shown.instance(row).looks_ours is marks


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ({"name": "any", "tags": changed([], keep="yes")}, True),
        ({"name": "gpuops.llm.llm.os", "tags": changed([], deployment="llm")}, False),
        ({"name": "gpuops.llm.models", "tags": changed([], deployment="llm")}, False),
        ({"name": "gpuops.llm.llm.os", "tags": changed([], keep="no")}, False),
        # where tags are refused
        ({"name": "gpuops.llm.llm.os.keep"}, True),
        ({"name": "gpuops.llm.llm.data", "tags": []}, False),
        ({"name": "gpuops.llm.models", "tags": []}, True),
        ({"name": "a.b.c"}, False),
        ({}, False),
    ],
)
def test_what_is_kept_on_purpose(row: dict[str, Any], kept: bool) -> None:
    assert shown.volume(row).is_kept is kept


@pytest.mark.parametrize("text", ["8h", "24h", "2026-11-23T08:00:00Z"])
def test_lease_within_the_limit(text: str) -> None:
    assert times.lease_until(text, NOW, "1d") == times.lease_until(text, NOW)


@pytest.mark.parametrize("text", ["25h", "2026-11-23T08:00:01Z", "none", "NONE"])
def test_lease_beyond_the_limit(text: str) -> None:
    with pytest.raises(errors.InvalidError, match="lease_max allows 1d"):
        times.lease_until(text, NOW, "1d")


def test_limit_that_cannot_be_read() -> None:
    for most in ("", "none", "2026-11-23", "1e9h"):
        with pytest.raises(errors.InvalidError, match="lease_max"):
            times.lease_until("1h", NOW, most)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_time_out_of_this_world_is_none(text: str) -> None:
    assert times.read_time(text) is None
