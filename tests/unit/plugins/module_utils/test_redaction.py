# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report tells of words that others have written, and of the forms of answers."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._account import forms
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.redaction import (
    Redaction,
    values_in,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.questions import (
    fields_of,
)

KEYS = fields_of("/ssh-keys")
UUID = "5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11"


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        (f"no instance {UUID} there", UUID),
        ("bob@corp.example may not", "bob"),
        ("from 192.0.2.10 and 2001:db8::1", "192.0.2.10"),
        ("from 192.0.2.10 and 2001:db8::1", "2001:db8"),
        ("see https://corp.example/secret?x=1 for more", "corp"),
        ('the name "atlas" is taken', "atlas"),
        ("the name 'atlas' is taken", "atlas"),
        ("balance 12.34 is too low", "12.34"),
        ("balance $12 is too low", "$12"),
        ("key ssh-ed25519 AAAAC3NzaC1lZDI1 is known", "AAAAC3"),
        ("tag_0f9a33b2c1 is linked", "0f9a33b2c1"),
        ("project 88123456 is closed", "88123456"),
    ],
)
def test_what_looks_like_the_users_own_is_hidden(text: str, gone: str) -> None:
    told = Redaction().words(text)
    assert gone not in told
    assert "[hidden]" in told


@pytest.mark.parametrize(
    "text",
    [
        "description must be shorter than or equal to 60 characters",
        "Can't discontinue a provisioning instance",
        "A resource can have at most 10 tags",
        "property tags should not exist",
        "Invalid instance id",
    ],
)
def test_words_of_the_api_stay(text: str) -> None:
    row = {"description": "the instance of tags", "hostname": "atlas", "size": 60}
    assert Redaction(values_in([row])).words(text) == text


def test_known_values_are_hidden_wherever_they_stand() -> None:
    row = {
        "hostname": "atlas",
        "description": "work for Globex",
        "tags": [{"key": "team", "value": "blue moon"}],
        "nested": {"deep": ["Hyperion"]},
        "status": "running",
        "Atlantis": 1,
    }
    words = "Atlas is running for globex, blue moon, moon, Hyperion and Atlantis"
    told = Redaction(values_in(row)).words(words)
    assert told == ("[hidden] is running for [hidden], [hidden], [hidden], [hidden] and [hidden]")


def test_long_words_are_cut() -> None:
    assert len(Redaction().words("no " * 200)) == 200


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([], "list, empty"),
        ([{}, {}], "list of objects"),
        ([{}, "x"], "list of objects and text"),
        ({"instances": [], "total": 0}, "object with instances, total"),
        ({"data": [], "atlas": 1}, "object with data, 1 other fields"),
        ({"atlas": {}}, "object"),
        (None, "null"),
        ("x", "text"),
        (3, "numbers"),
    ],
)
def test_shapes_name_no_field_that_may_be_a_name(data: Any, shape: str) -> None:
    assert forms.Told(data).shape() == shape


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (UUID, "uuid"),
        ("17", "digits as text"),
        (17, "numbers"),
        (None, "null"),
        (f'"{UUID}"', "quoted text"),
        ("vol_1", "text"),
    ],
)
def test_forms_of_ids(value: Any, form: str) -> None:
    assert forms.Told(value).id_form() == form


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (3, "number"),
        ("3.5", "text: amount"),
        ("3,5", "unreadable text: amount"),
        (None, "null: amount"),
        (True, "yes or no: amount"),
        (float("nan"), "not finite: amount"),
        ([], "lists: amount"),
    ],
)
def test_forms_of_numbers(value: Any, form: str) -> None:
    assert forms.numbers_of(("amount",), [forms.Record({"amount": value})]) == form


def test_fields_that_are_missing_or_not_documented_are_named() -> None:
    given = ({"id": "1", "name": "x", "key": "y"}, {"id": "2", "Atlas 9": 1, "note": 2})
    rows = [forms.Record(row) for row in given]
    assert forms.missing_fields(KEYS, rows) == ["name", "key", "fingerprint"]
    assert forms.other_fields(KEYS, rows) == ["[name]", "note"]
