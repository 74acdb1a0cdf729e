# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the module request, which alone knows the command line and the play."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ansible import context
from ansible.errors import AnsibleUndefinedVariable
from ansible.module_utils.common.yaml import yaml_load
from ansible.parsing.splitter import split_args
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

from ..module_utils._core.errors import GpuopsError, InvalidError
from ..module_utils._core.terminal import is_interactive
from ..module_utils._jobs.job_file import read_job
from ..module_utils._jobs.spec import checked_keys
from ..module_utils._request.gather import Sources, check_role, gather, read_project
from ..module_utils._request.specs import ON_A_JOB, ON_HOSTS, ROLES, VARIABLES
from ..module_utils._request.variables import known_names, unknown
from ..module_utils._several.options import grouped
from ..plugin_utils._limit import reaches

COLLECTION = Path(__file__).parents[2]
_OURS = "gpuops.cloud."
_LARGEST_FLEET = 100
SPEC = {
    "playbook": {
        "type": "str",
        "required": True,
        "choices": [
            "benchmark",
            "bringup",
            "capacity",
            "cost",
            "demo",
            "demo_job",
            "demo_stop",
            "gateway",
            "hibernate",
            "job",
            "job_cancel",
            "job_logs",
            "job_result",
            "job_status",
            "lease",
            "metrics",
            "monitor",
            "observed",
            "preflight",
            "reap",
            "reaper",
            "restore",
            "scheduled",
            "status",
            "teardown",
            "tunnel",
            "verify_account",
            "wizard",
        ],
    }
}
display = Display()


@cache
def role_specs() -> dict[str, dict[str, Any]]:
    """Return the variables of each role, by its argument specs."""
    found: dict[str, dict[str, Any]] = {}
    for path in COLLECTION.glob("roles/*/meta/argument_specs.yml"):
        specs = yaml_load(path.read_text(encoding="utf-8"))["argument_specs"]
        rows = found.setdefault(path.parents[1].name, {})
        for spec in specs.values():
            rows.update(spec.get("options", {}))
    return found


def role_options() -> frozenset[str]:
    """Return the names of the variables of the roles."""
    return frozenset(name for options in role_specs().values() for name in options)


def ours(called: str) -> bool:
    """Tell whether a playbook that was called is one of this collection."""
    folder = (COLLECTION / "playbooks").resolve()
    return called.startswith(_OURS) or folder in Path(called).resolve().parents


def words_of(options: Iterable[str]) -> dict[str, str]:
    """Return the texts of several words of the command line, which Ansible cuts at the first blank.

    Raises InvalidError for words that belong to no text.
    """
    found: dict[str, str] = {}
    for option in options:
        if not option or option[0] in "@{[/.":
            continue
        name, before = "", ""
        for word in split_args(option):
            key, is_pair, value = word.partition("=")
            if is_pair and key.isidentifier():
                name, before = key, value
                continue
            if VARIABLES.get(name, {}).get("type") != "str":
                after = f" after {name}={before}" if name else ""
                raise InvalidError(
                    f"{word!r}{after} on the command line belongs to no variable",
                    hint='Write NAME=VALUE, and what has blanks as JSON: -e \'{"NAME": "A B"}\'.',
                )
            found[name] = before = f"{before} {word}"
    return found


class ActionModule(ActionBase):
    """Gathers and checks the request."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the request; fails for what cannot be meant, before anything is done."""
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=SPEC)
        variables = task_vars or {}
        strange = self._unknown(variables.get("gpuops_extra_names") or [])
        if strange:
            return {**result, "failed": True, **strange}
        try:
            sources = self._sources(args["playbook"], variables)
            found = gather(args["playbook"], sources)
            self._check_limit(args["playbook"], found, variables)
            for role in ROLES.get(args["playbook"], ()):
                check_role(role_specs()[role], _Here(variables, self._templar))
            found["options"]["gpu_instance"] = grouped(found["options"]["gpu_instance"])
        except GpuopsError as error:
            fault = {"msg": f"{error} Nothing was done.", "error": error.as_result()}
            return {**result, "failed": True, **fault}
        if found["told"]:
            display.display(f"\n{found['told']}\n")
        return {**result, "changed": False, "interactive": is_interactive(), **found}

    def _check_limit(
        self, book: str, found: Mapping[str, Any], variables: Mapping[str, Any]
    ) -> None:
        """Raise InvalidError for a limit that leaves out the hosts that a playbook is to work on."""
        limit, name = variables.get("ansible_limit"), found["deployment"]
        if not limit or book not in ON_HOSTS:
            return
        first = found["given"].get("machine_name", name)
        hosts = [first, *(f"{first}-{number}" for number in range(2, _LARGEST_FLEET))]
        hosts += filter(None, [found["given"].get("gateway_host")])
        groups = dict.fromkeys((*ON_HOSTS[book], found["group"]), hosts)
        if not reaches(limit, {**variables["groups"], **groups}, ":".join(groups), self._loader):
            group = ON_HOSTS[book][0]
            raise InvalidError(
                f"--limit {limit} leaves out {group}, the instances of {name}, on which {book} works",
                hint=f"Leave the limit out, or add them: --limit '{limit},{group}'.",
            )

    def _unknown(self, extra: Any) -> dict[str, Any]:
        """Return what to say of names on the command line that nobody knows, nothing for none."""
        names = [extra] if isinstance(extra, str) else extra
        known = known_names(role_options(), names)
        roles = [path.name for path in (COLLECTION / "roles").iterdir()]
        found = unknown(load_extra_vars(self._loader), known, roles)
        if not any(map(ours, context.CLIARGS.get("args") or ())):
            found = [one for one in found if one.nearest]
        if not found:
            return {}
        return {
            "msg": f"Not known on the command line: {', '.join(map(str, found))}. Nothing was done. "
            "README.md lists the variables of the playbooks; names of your own go into "
            "gpuops_extra_names.",
            "unknown": [{"name": one.name, "nearest": list(one.nearest)} for one in found],
        }

    def _sources(self, book: str, variables: Mapping[str, Any]) -> Sources:
        """Return where variables stand. Raises InvalidError for words that belong to nothing."""
        extra = load_extra_vars(self._loader)
        texts = words_of(context.CLIARGS.get("extra_vars") or ())
        folder = Path(os.environ.get("PWD") or Path.cwd())
        _path, project = read_project(folder, os.getuid(), self._loader.load_from_file)
        found = Sources(
            command_line={**self._templated(extra, VARIABLES), **texts},
            play=self._templated(self._task.get_play().vars, VARIABLES),
            project=project,
            variables=_Lazy(variables, self._templar),
            folder=folder,
        )
        job = str(found.find("job")[1] or "") if book in ON_A_JOB else ""
        return self._with_job(found, folder / Path(job).expanduser()) if job else found

    def _with_job(self, found: Sources, path: Path) -> Sources:
        """Return sources with a job file. Raises InvalidError for one that cannot be read."""
        job, files = read_job(path, self._loader.load_from_file)
        return replace(found, job={**checked_keys(job, files[0])}, job_files=files)

    def _templated(self, values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        keys = (key for name in names for key in (name, f"gpuops_{name}") if key in values)
        return {key: self._templar.template(values[key]) for key in keys}


class _Lazy(Mapping[str, Any]):
    """Variables of the play, each templated when somebody asks for it."""

    def __init__(self, variables: Mapping[str, Any], templar: Any) -> None:
        self._variables, self._templar = variables, templar

    def __getitem__(self, name: str) -> Any:
        return self._templar.template(self._variables[name])

    def __iter__(self) -> Any:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


class _Here(_Lazy):
    """Those that have a value here: a variable of a role may be made of those of its host."""

    def __getitem__(self, name: str) -> Any:
        try:
            return super().__getitem__(name)
        except AnsibleUndefinedVariable:
            raise KeyError(name) from None
