# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written into names: the type of an instance, whose it is and when it was ordered (private, pure).

A type is a GPU at one location with sizes of ours, as prices differ by location and sizes are free
there: ``1x-h100-sxm5-80gb-8v-80g-8dd95ff0``. The name of an instance is the ownership string and,
behind one more dot, the time of its order: no answer is sure to tell that, and without it no lease
would ever be over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from ..._core.errors import InvalidError
from ..._core.times import write_time
from ..._models.label import read_label

LONGEST_NAME = 60
_GPU = r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
_TYPE = re.compile(
    rf"(?P<count>\d{{1,2}})x-(?P<gpu>{_GPU})-(?P<vcpu>\d{{1,4}})v-(?P<ram>\d{{1,5}})g-(?P<place>[0-9a-f]{{8}})\Z"
)
_WORD = re.compile(rf"{_GPU}\Z")
_ID = re.compile(r"[0-9a-f]{8}[0-9a-f-]*\Z")
_STAMPED = re.compile(r"(?P<label>gpo\..*)\.(?P<at>[0-9a-z]{6})\Z")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Sized:
    """Some GPUs of a model with CPUs and memory, by the word that orders them; memory in GB."""

    gpu: str
    count: int
    vcpu: int
    ram_gb: int

    def at(self, location: str) -> str | None:
        """Return the name of this type at a location, None where that cannot be a name."""
        place = location.lower()
        if not _WORD.match(self.gpu) or not _ID.match(place):
            return None
        return f"{self.count}x-{self.gpu}-{self.vcpu}v-{self.ram_gb}g-{place[:8]}"


def sized(instance_type: str, location: str) -> Sized:
    """Return what the name of a type means. Raises InvalidError for one that is not of the location."""
    found = _TYPE.match(instance_type)
    if not found or not location.lower().startswith(found["place"]):
        raise InvalidError(f"{instance_type!r} is no type of TensorDock at {location}")
    return Sized(found["gpu"], int(found["count"]), int(found["vcpu"]), int(found["ram"]))


def name_for(description: str, now: datetime) -> str:
    """Return the name of an instance that is ordered now; a user's own text finds no room there.

    Raises InvalidError for an order that nothing could find again.
    """
    label = description.partition(" ")[0]
    if read_label(label) is None:
        raise InvalidError("An instance of TensorDock is ordered with an ownership string only")
    name = f"{label}.{_digits(int(now.timestamp()))}"
    if len(name) > LONGEST_NAME:
        raise InvalidError(
            f"deployment and name are too long for TensorDock, by {len(name) - LONGEST_NAME} "
            "characters together: nothing is bought, since a name that is cut would find nothing again",
            hint="Take names that have up to 33 characters together.",
        )
    return name


def read_name(name: str) -> tuple[str, str | None]:
    """Return ownership string and time of order that a name holds; any other name as it is."""
    found = _STAMPED.match(name)
    if not found or read_label(found["label"]) is None:
        return name, None
    return found["label"], write_time(datetime.fromtimestamp(int(found["at"], 36), timezone.utc))


def _digits(number: int) -> str:
    text = ""
    while number > 0:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text.rjust(6, "0")
