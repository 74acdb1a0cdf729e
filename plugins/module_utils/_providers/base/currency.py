# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which currency an account pays, and price lists in that one (private).

The API lists prices in US dollars unless asked for another currency, and the balance says in which
one the account pays. Two currencies are never compared.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from ..._core.errors import GpuopsError, InvalidError
from ..._core.private_files import cache_folder, cache_path, open_private
from ..._models.balance import Balance, Priced, currencies, currency_of

# What the API lists prices in unless it is asked for another one.
DEFAULT = "usd"
_FOLDER = "currencies"
Listed = TypeVar("Listed", bound=Priced)


def remembered(account: str) -> str | None:
    """Return the currency in which an account paid when it was last looked at, None if unknown."""
    try:
        return currency_of((cache_path(_FOLDER) / account).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


def remember(account: str, currency: str) -> None:
    """Note in which currency an account pays; without a writable cache it is found out each time."""
    with contextlib.suppress(OSError):
        path = cache_folder(_FOLDER) / account
        part = path.with_name(f"{path.name}.{os.getpid()}")
        with open_private(part, "w") as file:
            file.write(f"{currency}\n")
        part.replace(path)


class Purse:
    """The balance of an account, asked for once by all who look at the same moment."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._found: Balance | GpuopsError | None = None

    def balance(self) -> Balance:
        """Return the balance. Raises the error of the request, to each who asks."""
        with self._lock:
            if self._found is None:
                try:
                    self._found = self._client.balance()
                except GpuopsError as error:
                    self._found = error
        if isinstance(self._found, GpuopsError):
            raise self._found
        return self._found

    def look_again(self) -> None:
        """Forget the balance, so that the next look asks for it."""
        with self._lock:
            self._found = None

    def problem(self) -> GpuopsError | None:
        """Return why the balance cannot be read, None when it can."""
        try:
            self.balance()
        except GpuopsError as error:
            return error
        return None

    def listed(self, rows: list[Listed], ask: Callable[[str], list[Listed]]) -> list[Listed]:
        """Return a price list in the currency of the account, asked for again where it is not.

        An API that does not know the currency leaves the list as it is.
        """
        currency = self.balance().currency
        if currencies(rows) <= {currency}:
            return rows
        remember(self._client.account, currency)
        try:
            return ask(currency)
        except InvalidError:
            return rows
