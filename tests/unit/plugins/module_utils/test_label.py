# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ownership string: it fits everywhere, says the same again, and nobody imitates it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from random import Random

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import times
from ansible_collections.gpuops.cloud.plugins.module_utils._models import label as _label
from ansible_collections.gpuops.cloud.plugins.module_utils._models import ownership
from ansible_collections.gpuops.cloud.tests.unit.plugins import shown

END = datetime(2026, 12, 1, 20, tzinfo=timezone.utc)
REQUEST = "5f3a9c21"


def test_string_has_the_form_that_every_provider_takes() -> None:
    text = _label.write_label("llm-team", "train-01", END, REQUEST)
    assert text == f"gpo.llm-team.train-01.htmpc.{REQUEST}"
    assert len(text) == 36


def test_string_says_the_same_again() -> None:
    dice = Random("labels")
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
    for _number in range(2000):
        names = [
            "a" + "".join(dice.choices(letters, k=dice.randint(0, 61))) + "z" for _part in (1, 2)
        ]
        end = END + timedelta(minutes=dice.randint(0, 500_000_000)) if dice.random() < 0.9 else None
        text = _label.write_label(names[0], names[1], end, REQUEST)
        assert len(text) <= 60
        label = _label.read_label(f"{text} and more")
        assert label is not None
        assert label.request == REQUEST
        assert times.read_time(label.lease) == end
        assert _label.stands_for(label.deployment, names[0])
        assert _label.stands_for(label.name, names[1])
        assert not _label.stands_for(label.deployment, names[0] + "x")
        if len(names[0]) + len(names[1]) <= 38:
            assert (label.deployment, label.name) == tuple(names)


def test_lease_is_rounded_up_to_a_minute() -> None:
    label = _label.read_label(_label.write_label("a", "b", END + timedelta(seconds=1), REQUEST))
    assert label is not None
    assert label.lease == "2026-12-01T20:01:00Z"


@pytest.mark.parametrize("length", range(36))
def test_cut_string_is_nobodys_and_looks_like_ours(length: int) -> None:
    text = _label.write_label("llm-team", "train-01", END, REQUEST)[:length]
    assert _label.read_label(text) is None
    assert shown.ownership({"description": text}) is None
    assert shown.instance({"description": text}).looks_ours is (length >= 4)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("gpo.a.b.none.00000000", True),
        ("see gpo.a", True),
        ("GPO.A.B", True),
        ("[gpuops d=a", True),
        ("the gpo of gpuops", False),
        ("ticket 5", False),
    ],
)
def test_text_that_imitates_is_known(text: str, ours: bool) -> None:
    assert _label.imitates(text) is ours


def test_single_tags_complete_the_string() -> None:
    text = _label.write_label("llm", "web", END, REQUEST)
    values = {"lease": "none", "owner": "me", "more": "p=research h=mon|08:00-19:00"}
    tags = [{"key": f"gpuops-{key}", "value": value} for key, value in values.items()]
    found = shown.ownership({"description": text, "tags": tags})
    assert found == ownership.Identity(
        "llm", "web", "me", "none", REQUEST, "research", hours="mon 08:00-19:00"
    )


def test_shortened_string_needs_the_tags_that_say_it_wholly() -> None:
    marks = ownership.Identity("d" * 60, "n" * 60, "me", "none", REQUEST)
    assert marks.is_short
    text, tags = marks.label(), marks.tags()
    assert shown.ownership({"description": text}) is None
    assert shown.instance({"description": text}).looks_ours
    assert shown.ownership({"description": text, "tags": tags}) == marks
    without_lease = [tag for tag in tags if tag["key"] != "gpuops-lease"]
    assert shown.ownership({"description": text, "tags": without_lease}) == marks
