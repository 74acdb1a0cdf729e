# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of a user at several providers, asked at the same time (private)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .._core.errors import GpuopsError, NoCredentialsError, UnavailableError
from . import registry
from .base.client import Client
from .base.request_log import Call
from .registry import PROVIDERS, provider_named

T = TypeVar("T")
R = TypeVar("R")
NO_CREDENTIALS, NO_ANSWER = "no_credentials", "no_answer"


def accounts_spec() -> dict[str, Any]:
    """Return the options of modules that ask several providers (doc fragment ``accounts``)."""
    options = {
        name: {"type": "dict", "options": kind.options} for name, kind in sorted(PROVIDERS.items())
    }
    return {
        "providers": {"type": "list", "elements": "str", "choices": sorted(PROVIDERS)},
        "accounts": {"type": "dict", "options": options},
        "timeout": {"type": "float", "default": 30},
    }


@dataclass(frozen=True)
class Asked(Generic[T]):
    """What came of asking one provider: its answer, or why there is none."""

    provider: str
    answer: T | None = None
    error: GpuopsError | None = None

    @property
    def reason(self) -> str | None:
        """Why there is no answer, for programs; None where there is one."""
        if self.error is None:
            return None
        return NO_CREDENTIALS if isinstance(self.error, NoCredentialsError) else NO_ANSWER

    def __str__(self) -> str:
        return f"{self.provider}: {str(self.error or 'answered').rstrip('.')}"


def nobody_answered(asked: Iterable[Asked[T]]) -> GpuopsError:
    """Return the error of a round in which no provider told anything."""
    rows = list(asked)
    without = all(one.reason == NO_CREDENTIALS for one in rows)
    kind = NoCredentialsError if without else UnavailableError
    return kind(
        f"No provider answered: {'; '.join(map(str, rows))}",
        hint="Set the credentials of one of them." if without else "Run the same again.",
    )


class Accounts:
    """One account at each provider that is meant: unless options name some, all that are by default."""

    def __init__(self, params: dict[str, Any]) -> None:
        usual = [name for name, kind in PROVIDERS.items() if kind.by_default]
        every = sorted(usual, key=lambda name: (name != registry.DEFAULT, name))
        self.names = tuple(dict.fromkeys(params.get("providers") or every))
        self._credentials = params.get("accounts") or {}
        self._timeout = params.get("timeout")
        self._opened: dict[str, Client] = {}
        self._opening = threading.Lock()

    def secrets(self) -> list[str]:
        """Return what must appear in no text."""
        return [secret for client in self._opened.values() for secret in client.secrets()]

    def ask(self, question: Callable[[Client], T], names: tuple[str, ...] = ()) -> list[Asked[T]]:
        """Ask every provider, or those named, the same, all at the same time.

        An error of one is its answer alone.
        """
        asked = names or self.names
        with ThreadPoolExecutor(max_workers=len(asked)) as pool:
            # Each in a copy of the context, where the end of a wait stands.
            started = [pool.submit(copy_context().run, self._ask, name, question) for name in asked]
            return [one.result() for one in started]

    def calls(self, name: str) -> list[Call]:
        """Return the requests of this process to a provider; none where it was not even opened."""
        client = self._opened.get(name)
        return client.calls if client else []

    def for_each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Do the same for many things at the same time, and return what came of each, in order."""
        rows = list(items)
        with ExitStack() as crowds, ThreadPoolExecutor(max_workers=max(1, len(rows))) as pool:
            for client in [*self._opened.values()]:
                crowds.enter_context(client.crowd(len(rows)))
            return list(pool.map(work, rows))

    def _ask(self, name: str, question: Callable[[Client], T]) -> Asked[T]:
        try:
            return Asked(name, answer=question(self.client(name)))
        except GpuopsError as error:
            return Asked(name, error=error)

    def client(self, name: str) -> Client:
        """Return the client of one provider. Raises NoCredentialsError, and what is wrong with them."""
        with self._opening:
            known = self._opened.get(name)
        if known:
            return known
        given = self._credentials.get(name) or {}
        client = provider_named(name).from_params({**given, "timeout": self._timeout})
        with self._opening:
            return self._opened.setdefault(name, client)
