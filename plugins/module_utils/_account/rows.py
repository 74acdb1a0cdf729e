# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of a report about an account (private, pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .._providers.base.redaction import Redaction

UNKNOWN = "unknown until spend=yes"

# What a purchase alone shows, and the request that shows it.
BY_PURCHASE = {
    "order_tags": "POST /instances",
    "order_answer": "POST /instances",
    "description_limit": "POST /instances",
    "answer_description": "GET /instances/{id}",
    "answer_tags": "GET /instances/{id}",
    "volume_ids": "GET /instances/{id}",
    "unknown_looks": "GET /instances/{id}",
    "list_lag": "GET /instances",
    "time_to_run": "GET /instances/{id}",
    "later_tags": "POST /instances/{id}/tags",
    "tag_conflict": "POST /instances/{id}/tags",
    "untag": "DELETE /instances/{id}/tags/{tag}",
    "extend_lease": "POST /instances/{id}/tags",
    "refused_volume_action": "PUT /volumes",
    "refused_instance_action": "PUT /instances",
    "first_delete": "PUT /instances",
    "time_to_end": "GET /instances/{id}",
    "ended_disks": "GET /volumes",
    "trash": "GET /volumes/trash",
    "slowest_write": "",
    "left_over": "GET /volumes",
    "trial": "",
}


@dataclass(frozen=True)
class Fact:
    """One thing that is known of an account: how, by which request, and in which words of the API."""

    name: str
    value: str
    how_known: str = "read"
    source_request: str = ""
    words: str = ""

    def as_row(self, redaction: Redaction) -> dict[str, str]:
        """Return it for the report. Values are our own words, and only those of others are redacted."""
        return {**vars(self), "words": redaction.words(self.words)}


def unknown(known: Iterable[Fact] = ()) -> list[Fact]:
    """Return a row for each thing that only a purchase shows, but those that are known already."""
    names = {fact.name for fact in known}
    return [
        Fact(name, UNKNOWN, "not seen", request)
        for name, request in BY_PURCHASE.items()
        if name not in names
    ]


def ordered(facts: Iterable[Fact]) -> list[Fact]:
    """Return what a purchase has shown, in the order of the report, with what it has not."""
    found = {fact.name: fact for fact in facts}
    return [
        found.get(name) or Fact(name, "not seen", "not seen", request)
        for name, request in BY_PURCHASE.items()
    ]
