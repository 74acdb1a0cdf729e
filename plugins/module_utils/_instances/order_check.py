# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of an order would be refused, or could not be found again: known before it is sent (private)."""

from __future__ import annotations

import re

from .._core.errors import InvalidError
from .._core.times import NO_LEASE
from .._lifecycle.retained_volumes import Kept
from .._models.label import LIMIT, REQUEST_DIGITS, imitates
from .._models.ownership import LONGEST_VALUE, Identity
from .._providers.base.client import Client
from .account_findings import refuse_lost_ownership, takes_no_tags
from .options import InstanceOptions
from .order_fallbacks import too_long
from .state import Found


def check_description(text: str | None) -> None:
    """Raise InvalidError for a description that could be taken for an ownership string of ours."""
    if text and imitates(text):
        raise InvalidError(
            f"description must not contain what looks like an ownership string (got {text!r})"
        )


def check_orderable(client: Client, found: Found, want: InstanceOptions) -> None:
    """Refuse orders for what is missing that the cloud is known to refuse, or that nobody could find.

    Raises InvalidError, and OwnershipError where the account did not show whose an instance is.
    """
    refuse_lost_ownership(client)
    _check_capabilities(client, want)
    for name in found.missing:
        if not re.search("[a-z]", name):
            raise InvalidError(
                f"name must contain a letter, as the cloud demands of host names (got {name!r})"
            )
        _check_marks(client, found, name, want)
    new = [name for name in found.missing if not found.kept.get(name, Kept()).os_volume]
    least = client.capabilities.least_boot_gb
    if new and want["os_volume_gb"] < least:
        raise InvalidError(
            f"os_volume_gb must be at least {least}, as the cloud demands (got {want['os_volume_gb']})"
        )


def _check_capabilities(client: Client, want: InstanceOptions) -> None:
    """Raise InvalidError for what the provider does not have at all."""
    has = client.capabilities
    asked = {
        "data_volume_gb": want["data_volume_gb"] and has.volumes == "none",
        "os_volume=keep": want["os_volume"] == "keep" and has.volumes != "own",
        "startup_script_id": want["startup_script_id"] and not has.scripts,
        "market=spot": want["market"] == "spot" and has.spot == "none",
    }
    wrong = [name for name, lacks in asked.items() if lacks]
    if wrong:
        raise InvalidError(
            f"{', '.join(wrong)}: the provider {client.name} has no such thing",
            hint="Leave it out, or take another provider.",
        )


def _check_marks(client: Client, found: Found, name: str, want: InstanceOptions) -> None:
    marks = Identity(
        want["deployment"],
        name,
        want["owner"],
        found.lease or NO_LEASE,
        "0" * REQUEST_DIGITS,
        want["project"] or "",
        bool(want["protect"]),
        want["hours"] or "",
        "0" * REQUEST_DIGITS,
    )
    if len(marks.more()) > LONGEST_VALUE:
        raise InvalidError("project and hours are too long together: they share one tag")
    never = client.capabilities.ownership.tags == "none"
    if marks.is_short and (never or takes_no_tags(client)):
        raise too_long("the provider has none" if never else "seen within a day")
    text = want["description"]
    if text and len(f"{marks.label()} {text}") > LIMIT:
        found.notes.append(
            f"The description of {name} is left out: behind the ownership string there is room "
            f"for {max(0, LIMIT - len(marks.label()) - 1)} characters."
        )
