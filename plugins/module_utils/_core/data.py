# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a text of JSON or YAML can hold, before anything more is known of it (private)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Union

_List = Sequence["Data"]
_Dict = Mapping[str, "Data"]
# Whoever gets it has to look before it is used; a value of Any would be believed.
Data = Union[None, bool, int, float, str, "_List", "_Dict"]
