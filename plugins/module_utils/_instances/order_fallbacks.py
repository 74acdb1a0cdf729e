# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account may refuse of an order, and how it is ordered without that (private).

Step by step, each with a warning: without tags on the disks, which are tagged after the order then;
without tags at all, where the ownership string in the description serves; without the description.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .._core.errors import (
    AuthError,
    ForbiddenError,
    GpuopsError,
    InvalidError,
    QuotaError,
)
from .._models.label import is_short, read_label
from .._models.orders import InstanceOrder, NewDisk
from .._models.ownership import KEEP_SUFFIX, is_kept
from .._providers.base.client import Client
from .account_findings import note_no_tags

Change = Callable[[InstanceOrder], InstanceOrder]
# A 400 that names one of these is not about tags, whatever else it says.
_OTHER_FIELDS = re.compile(
    r"host ?name|instance.?type|location|image|operating system|ssh.?key|script|contract|pricing"
    r"|coupon|size|volume id|funds|balance",
    re.IGNORECASE,
)
_TAG = re.compile(r"\btags?\b", re.IGNORECASE)
_WARNINGS = {
    "disks": "This account takes no tags on the disks of an order, so they are tagged after it: {}",
    "all": "This account takes no tags in an order, so only the ownership string in the description "
    "tells whose an instance is; its owner, project, hours and protection are not kept: {}",
    "text": "This account refuses the description, so it holds the ownership string alone: {}",
    "description": "This account refuses the description, so only tags tell whose it is: {}",
}


def without_disk_tags(order: InstanceOrder) -> InstanceOrder:
    """Return an order whose new disks bear no tags: then names say which of them are kept."""
    boot, data = order.boot_disk, order.data_disk
    return replace(order, boot_disk=boot and _bare(boot), data_disk=data and _bare(data))


def without_tags(order: InstanceOrder) -> InstanceOrder:
    """Return an order without any tags."""
    return replace(without_disk_tags(order), tags=())


def _bare(disk: NewDisk) -> NewDisk:
    if not disk.tags:
        return disk
    tags = {tag.key: tag.value for tag in disk.tags}
    suffix = KEEP_SUFFIX if is_kept(tags, disk.name) else ""
    return replace(disk, tags=(), name=disk.name + suffix)


def _without_text(order: InstanceOrder) -> InstanceOrder:
    return replace(order, description=order.description.partition(" ")[0])


def _without_description(order: InstanceOrder) -> InstanceOrder:
    return replace(order, description="")


def _as_it_is(order: InstanceOrder) -> InstanceOrder:
    return order


_TAGS: tuple[tuple[str, Change], ...] = (
    ("", _as_it_is),
    ("disks", without_disk_tags),
    ("all", without_tags),
)
_DESCRIPTIONS: tuple[tuple[str, Change], ...] = (
    ("", _as_it_is),
    ("text", _without_text),
    ("description", _without_description),
)


@dataclass(frozen=True)
class Shape:
    """How many steps back an order is: of its tags, and of its description."""

    tags: int = 0
    description: int = 0

    def of(self, order: InstanceOrder) -> InstanceOrder:
        """Return the order in this shape."""
        return _DESCRIPTIONS[self.description][1](_TAGS[self.tags][1](order))

    def names(self) -> tuple[str, str]:
        """Return what is left out."""
        return _TAGS[self.tags][0], _DESCRIPTIONS[self.description][0]

    def next(self, error: GpuopsError) -> Shape | None:
        """Return the next step after a refusal, None when it is not about what can be left out."""
        if _is_about_description(error):
            if self.description + 1 < len(_DESCRIPTIONS):
                return replace(self, description=self.description + 1)
        elif _may_be_about_tags(error) and self.tags + 1 < len(_TAGS):
            return replace(self, tags=self.tags + 1)
        return None

    @property
    def finds_again(self) -> bool:
        """Tell whether something of it says whose the instance is."""
        return self.tags < len(_TAGS) - 1 or self.description < len(_DESCRIPTIONS) - 1


@dataclass
class Fallbacks:
    """What this account takes, as far as the orders of this run have shown, and what to tell."""

    shape: Shape = field(default_factory=Shape)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, client: Client) -> Fallbacks:
        """Return what is known before the first order: a provider may have no tags at all."""
        if client.capabilities.ownership.tags != "none":
            return cls()
        return cls(Shape(tags=len(_TAGS) - 1), [_WARNINGS["all"].format("the provider has none")])

    def tell(self, text: str) -> None:
        """Add a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    @property
    def disks_untagged(self) -> bool:
        """Tell whether disks were ordered without tags that the account takes afterwards."""
        return self.shape.tags == 1

    def send(self, client: Client, order: InstanceOrder) -> str:
        """Send an order in the fullest shape that the account takes; returns the id it answers.

        A refusal that every shape gets is raised as the first one: it was about something else.
        """
        shape, first = self.shape, None
        while True:
            try:
                made = client.order(shape.of(order))
            except GpuopsError as error:
                if error.unclear:
                    self._settle(client, shape, first)
                    raise
                first = first or error
                smaller = _smaller(shape, order, error)
                if smaller is None:
                    raise (first if _is_refusal(error) else error) from None
                _refuse_nameless(smaller, order, error)
                shape = smaller
                continue
            self._settle(client, shape, first)
            return made

    def _settle(self, client: Client, shape: Shape, why: GpuopsError | None) -> None:
        for old, new in zip(self.shape.names(), shape.names(), strict=True):
            if new != old:
                self.tell(_WARNINGS[new].format(why.words if why else "as before"))
        if shape.tags == len(_TAGS) - 1 and self.shape.tags != shape.tags:
            note_no_tags(client)
        self.shape = shape


def _smaller(shape: Shape, order: InstanceOrder, error: GpuopsError) -> Shape | None:
    """Return the next shape that changes this order, None when there is none."""
    found = shape.next(error)
    while found is not None and found.of(order) == shape.of(order):
        found = found.next(error)
    return found if found and found.finds_again else None


def _refuse_nameless(shape: Shape, order: InstanceOrder, error: GpuopsError) -> None:
    """Raise InvalidError before an order that nothing would name wholly."""
    label = read_label(order.description)
    short = label and (is_short(label.deployment) or is_short(label.name))
    if short and shape.tags == len(_TAGS) - 1:
        raise too_long(error.words)


def too_long(why: str) -> InvalidError:
    """Return the refusal of names that an account without tags cannot hold."""
    return InvalidError(
        f"This account takes no tags ({why}), and deployment and name are too long for its "
        "descriptions: nothing is bought, since nothing could find it again",
        hint="Take names that have up to 38 characters together.",
    )


def _is_refusal(error: GpuopsError) -> bool:
    return _is_about_description(error) or _may_be_about_tags(error)


def _is_about_description(error: GpuopsError) -> bool:
    return isinstance(error, InvalidError) and "description" in error.words.lower()


def _may_be_about_tags(error: GpuopsError) -> bool:
    """Tell whether tags may be what was refused: never for quota, money or a field that is named.

    A 403 says so too, where the client may not use tags; credentials get it again without them.
    """
    tags = bool(_TAG.search(error.words))
    if isinstance(error, QuotaError):
        return tags
    if isinstance(error, InvalidError):
        return tags or not _OTHER_FIELDS.search(error.words)
    return error.status == 403 and isinstance(error, (AuthError, ForbiddenError))
