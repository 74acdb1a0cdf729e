# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Startup scripts of the account: find, plan, replace when the text changes (private)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TypedDict

from .._core.errors import InvalidError, NotFoundError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._lifecycle.create_once import create_once
from .._models.ownership import check_name, part_name
from .._models.resources import StartupScript
from .._providers.base.client import Client
from .secret_scan import find_secret

DEFAULT_NAME = "startup"
NOTICE = (
    "The text of a startup script is readable through the API to everyone with credentials of the "
    "account."
)


class ScriptOptions(TypedDict):
    """The options of the module for a script."""

    state: str
    id: str | None
    name: str | None
    deployment: str | None
    content: str | None


class ScriptsListed(TypedDict):
    """The options of the module that lists scripts."""

    id: str | None
    name: str | None
    deployment: str | None


class ScriptRow(TypedDict):
    """A startup script as results show it."""

    id: str | None
    name: str | None
    deployment: str | None
    content: str | None
    created_at: str | None


class _Told(TypedDict, total=False):
    """What only a script that stays adds; ``not_secret`` is what need not be masked."""

    warnings: list[str]
    not_secret: list[str]


class ScriptResult(_Told):
    """What the module for a script tells."""

    startup_script: ScriptRow | None
    notice: str | None


class ScriptsResult(TypedDict):
    """What the module that lists scripts tells."""

    startup_scripts: list[ScriptRow]


def describe_startup_script(row: StartupScript) -> ScriptRow:
    """Return a startup script as results show it."""
    return {
        "id": row.id or None,
        "name": row.name,
        "deployment": row.deployment,
        "content": row.content,
        "created_at": row.created_at,
    }


def same_text(row: StartupScript, content: str) -> bool:
    """Tell whether a script has this text, whatever blank lines the cloud has cut off."""
    return (row.content or "").strip() == content.strip()


def _remove(script_id: str, client: Client) -> None:
    try:
        client.delete_startup_script(script_id)
    except NotFoundError:
        return  # gone is what was wanted


@dataclass
class FoundScripts:
    """The scripts that are meant, oldest first, and the one that stays."""

    rows: list[StartupScript]
    name: str | None
    stays: StartupScript | None = None
    absent: bool = False
    made: StartupScript | None = None


class StartupScriptResource(Resource[Client, ScriptOptions, FoundScripts, ScriptResult]):
    """A registered startup script, matched by id or by name."""

    # -- find ----------------------------------------------------------------------------------

    def find(self, client: Client, want: ScriptOptions) -> FoundScripts:
        self._check(client, want)
        name = _full_name(want)
        rows = [row for row in client.startup_scripts() if _is_meant(row, want, name)]
        if want["id"]:
            self._refuse_foreign(rows, want)
            name = rows[0].name if rows else None
        rows = [_with_text(client, row) for row in rows]
        rows.sort(key=lambda row: row.age_key)
        return FoundScripts(rows, name, absent=want["state"] == "absent")

    @staticmethod
    def _check(client: Client, want: ScriptOptions) -> None:
        if want["deployment"]:
            check_name(want["deployment"], "deployment")
            if want["name"]:
                prefix = part_name(want["deployment"]) + "."
                check_name(want["name"].removeprefix(prefix), "name")
        if want["content"] is None:
            return
        if not want["content"].strip():
            raise InvalidError("content is empty")
        secret = find_secret(want["content"], client.secrets())
        if secret:
            raise InvalidError(
                f"content holds {secret}. {NOTICE}",
                hint="Let the instance get the secret in another way, for example by a play over SSH.",
            )

    @staticmethod
    def _refuse_foreign(rows: list[StartupScript], want: ScriptOptions) -> None:
        for row in rows:
            if want["deployment"] and row.deployment != want["deployment"]:
                raise InvalidError(
                    f"Startup script {row.name} ({row.id}) is not of deployment "
                    f"{want['deployment']!r}",
                    hint="Omit deployment to manage it anyway.",
                )

    # -- plan ----------------------------------------------------------------------------------

    def plan(self, found: FoundScripts, want: ScriptOptions) -> Plan:
        if found.absent:
            before = "\n".join(row.content or "" for row in found.rows)
            return Plan(before, "", tuple(map(_remove_step, found.rows)), parallel=True)
        content = want["content"]
        if content is None:
            return self._unchanged(found)
        old = [row for row in found.rows if not same_text(row, content)]
        same = [row for row in found.rows if same_text(row, content)]
        found.stays = same[0] if same else None
        if not same:
            self._refuse_nameless(found, want)
        make = () if same else (_make_step(found, content),)
        before = next((row.content or "" for row in (*old, *same)), "")
        # The new one first: a run that ends in between leaves one too many, not one too few.
        gone = tuple(map(_remove_step, [*old, *same[1:]]))
        return Plan(before, content, (*make, *gone))

    @staticmethod
    def _unchanged(found: FoundScripts) -> Plan:
        if not found.rows:
            raise InvalidError("There is no such startup script yet, and a new one needs content")
        found.stays = found.rows[-1]
        text = found.stays.content or ""
        return Plan(text, text)

    @staticmethod
    def _refuse_nameless(found: FoundScripts, want: ScriptOptions) -> None:
        if not found.name:
            raise NotFoundError(f"There is no startup script {want['id']}")

    # -- result --------------------------------------------------------------------------------

    def result(
        self, client: Client, found: FoundScripts, plan: Plan, *, applied: bool
    ) -> ScriptResult:
        if found.absent:
            return {"startup_script": None, "notice": None}
        planned = StartupScript("", found.name, content=plan.after)
        row = found.made or found.stays or planned
        return {
            "startup_script": describe_startup_script(row),
            "notice": NOTICE,
            "warnings": [NOTICE] if plan.changed else [],
            "not_secret": [plan.after],
        }


def _full_name(want: ScriptOptions) -> str | None:
    """Return the name in the cloud, or None for an id and for all scripts of a deployment."""
    name, deployment = want["name"], want["deployment"]
    if want["id"] or not deployment:
        return name
    if not name and want["state"] == "absent":
        return None
    prefix = part_name(deployment) + "."
    return prefix + (name or DEFAULT_NAME).removeprefix(prefix)


def _is_meant(row: StartupScript, want: ScriptOptions, name: str | None) -> bool:
    if want["id"]:
        return bool(row.id == want["id"])
    return row.name == name if name else row.deployment == want["deployment"]


def _with_text(client: Client, row: StartupScript) -> StartupScript:
    """Return a script with its text, which a list may leave out."""
    if row.content is not None:
        return row
    return replace(row, content=client.startup_script(row.id).content)


def _make_step(found: FoundScripts, content: str) -> Step:
    known = {row.id for row in found.rows}

    def look(client: Client) -> str | None:
        named = (row for row in client.startup_scripts() if row.name == found.name)
        new = (_with_text(client, row) for row in named if row.id not in known)
        return next((row.id for row in new if same_text(row, content)), None)

    def make(client: Client) -> None:
        register = partial(client.add_startup_script, found.name or "", content)
        script_id = create_once(client, register, lambda: look(client), "startup script")
        found.made = StartupScript(script_id, found.name, content=content)

    return Step(f"register startup script {found.name}", make)


def _remove_step(row: StartupScript) -> Step:
    return Step(f"remove startup script {row.name} ({row.id})", partial(_remove, row.id))


def list_startup_scripts(client: Client, want: ScriptsListed) -> ScriptsResult:
    """Return the registered scripts, all pages, optionally of a deployment, a name or an id."""
    rows = client.startup_scripts()
    if want["id"]:
        rows = [row for row in rows if row.id == want["id"]]
    if want["deployment"]:
        rows = [row for row in rows if row.deployment == want["deployment"]]
    if want["name"]:
        names = (want["name"], part_name(want["deployment"] or "", want["name"]))
        rows = [row for row in rows if row.name in names]
    rows = [_with_text(client, row) for row in rows]
    return {"startup_scripts": [describe_startup_script(row) for row in rows]}
