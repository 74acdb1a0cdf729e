# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for in one run: from where it counts, and whether it can be meant (private).

An estate uses words such as ``count``, ``owner`` or ``file`` for purposes of its own. So a short name
counts only where somebody has written it for this run.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._billing.purchase_guard import check_limits
from .._catalog.options import SelectionOptions
from .._catalog.stock import selection_from, wish_of
from .._core.business_hours import read_hours
from .._core.errors import InvalidError
from .._core.nearest import nearest
from .._core.numbers import plain, shown, wrong_options
from .._core.times import lease_until, read_duration
from .._jobs.spec import JobFile, JobOptions, flatten, job_of, name_of
from .._ledger.url import files_of, url_of
from .._lifecycle.confirmation import this_user
from .._lifecycle.settings import owner_of
from .._models.ownership import check_name, check_owner, check_project, deployment_of_job
from .._notify.receivers import receivers_of
from .._providers.base.request_log import LOG_VARIABLE
from .._providers.names import FIRST
from .._ssh.idle_report import NEVER, read_idle_after
from .specs import (
    ANYWHERE_BEGINS,
    AT_THE_FIRST,
    OF_THE_FIRST,
    ON_A_JOB,
    ON_ONE,
    SECRET,
    VARIABLES,
    Spec,
    options_for,
    spec_of,
)

Values = Mapping[str, Any]
PREFIX = "gpuops_"
# The name that everybody shared in earlier releases.
FORMER = "gpuops"
_AT_LEAST = {
    **dict.fromkeys(("count", "min_count", "gpu_count", "min_gpu_count", "vllm_nodes"), 1),
    **dict.fromkeys(("requests", "input_tokens", "output_tokens", "max_tokens"), 1),
    **dict.fromkeys(("os_volume_gb", "data_volume_gb"), 1),
    **dict.fromkeys(("min_vcpu", "min_ram_gb", "min_vram_gb", "min_vram_gb_each"), 0),
    **dict.fromkeys(
        ("max_price_per_hour", "wait_timeout", "wait_for_capacity", "start_timeout"), 0
    ),
    **dict.fromkeys(("capacity_timeout", "wait_interval", "capacity_interval", "idle_timeout"), 0),
}
# Of an option of a role: the rest, such as a default, is completed when the role runs.
_TYPED_BY = ("type", "elements", "choices", "no_log")
_DURATIONS = frozenset({"lease_max", "grace", "orphan_age"})


@dataclass(frozen=True)
class Sources:
    """Where variables may stand, what counts first first.

    ``variables`` are all that the play sees, of which only names of ours count. ``job`` is what a
    job file holds, and ``job_files`` where that is, and what it extends.
    """

    command_line: Values
    play: Values
    project: Values
    variables: Values
    job: Values = field(default_factory=dict)
    job_files: tuple[str, ...] = ()
    folder: Path = Path()

    def find(self, name: str) -> tuple[str, Any]:
        """Return where a variable is given and its value; nothing, for what is given nowhere."""
        named = name if name.startswith(PREFIX) else PREFIX + name
        places = [
            ("command line", name, self.command_line),
            ("command line", named, self.command_line),
            ("play", name, self.play),
            ("job file", name, self._of_job),
            ("gpuops.yml", name, self.project),
            ("variables", named, self.variables),
        ]
        if name.startswith(ANYWHERE_BEGINS):
            places.append(("variables", name, self.variables))
        for where, key, values in places:
            value = values.get(key)
            if value is not None and value != "":
                return where, value
        return "", None

    @property
    def _of_job(self) -> Values:
        return flatten(self.job, self.job_files[0]) if self.job_files else {}

    def variable_of(self, name: str) -> str:
        """Return the name of the variable that holds what counts for a secret, none for no one."""
        named = name if name.startswith(PREFIX) else PREFIX + name
        for key, values in (
            (name, self.command_line),
            (named, self.command_line),
            (name, self.play),
        ):
            if values.get(key):
                return key
        return named


def gather(book: str, sources: Sources) -> dict[str, Any]:
    """Return the request of a playbook, checked. Raises InvalidError that says what is wrong."""
    spec = spec_of(book)
    written = {name: value for name in spec if (value := sources.find(name)[1]) is not None}
    _check_empty(spec, sources)
    _check_providers(book, sources)
    given = _typed(spec, written)
    _check_values(given)
    _check_of_the_first(given)
    owner = owner_of(given.get("owner"))
    home = Path(str(given.get("gpuops_home") or _home())).expanduser()
    job = _job(book, given, sources, home)
    if job.get("name"):
        given = {**given, "deployment": deployment_of_job(job["name"])}
    deployment, told = _deployment(book, given, owner, home)
    open_to_all = {name: value for name, value in given.items() if name not in SECRET}
    return {
        "given": open_to_all,
        "options": options_for(open_to_all),
        "ledger_variable": sources.variable_of("ledger"),
        "notify_variable": sources.variable_of("gpuops_notify")
        if given.get("gpuops_notify")
        else "",
        "deployment": deployment,
        "named": "deployment" in given,
        "owner": owner,
        "home": str(home),
        "folder": str(home / deployment) if deployment else str(home),
        "group": f"gpuops_of_{deployment.replace('-', '_')}" if deployment else "",
        "told": told,
        "job": job,
    }


def _job(book: str, given: Values, sources: Sources, home: Path) -> dict[str, Any]:
    """Return the job that is meant, or only its name; nothing for a playbook that knows none."""
    if book not in ON_A_JOB:
        return {}
    if {"deployment", f"{PREFIX}deployment"} & sources.command_line.keys():
        raise InvalidError(
            "a job has a deployment of its own, which ends with it, so none is given",
            hint="Leave deployment out; job_name=NAME gives the job another name.",
        )
    if book == "job_status" and not (sources.job or given.get("job_name")):
        return {}
    wanted = cast(JobOptions, given)
    written = cast(JobFile, sources.job)  # whoever has read it has looked at its keys
    if book != "job":
        return {"name": name_of(wanted, written)}
    base = Path(sources.job_files[0]).parent if sources.job_files else sources.folder
    job = asdict(job_of(wanted, written, str(base), sources.job_files))
    if home.resolve().is_relative_to(Path(job["folder"]).resolve()):
        raise InvalidError(
            f"{job['folder']} would be sent, and holds {home} with the keys of all deployments",
            hint="Run it in the folder of the program, or name that by inputs.path.",
        )
    job["leave_out"] += tuple(_own_files(given, Path(job["folder"])))
    job["file"] = sources.job_files[0] if sources.job_files else ""
    return {key: list(one) if isinstance(one, tuple) else one for key, one in job.items()}


def _own_files(given: Values, folder: Path) -> list[str]:
    """Return what runs of ours write below a folder: it is no part of a job, and changes with each."""
    files = files_of(url_of(given.get("ledger")))
    if log := os.environ.get(LOG_VARIABLE):
        files.append(Path(log))
    paths = [Path(os.path.normpath(path.expanduser().absolute())) for path in files]
    return [str(path) for path in paths if path.is_relative_to(folder)]


def _home() -> str:
    return os.environ.get("GPUOPS_HOME") or "~/.config/gpuops"


def _deployment(book: str, given: Values, owner: str, home: Path) -> tuple[str, str]:
    """Return the deployment that is meant, and what to tell where nobody has named it."""
    if "deployment" in given:
        return str(given["deployment"]), ""
    if book not in ON_ONE:
        return "", ""
    words = re.sub(r"[^a-z0-9]+", "-", owner.lower()).strip("-")[:40].strip("-")
    own = f"{FORMER}-{words or this_user()}"
    if (home / FORMER).is_dir() and not (home / own).is_dir():
        return FORMER, f"Deployment {FORMER}, which this controller has a folder of."
    return own, f"Deployment {own}; deployment=NAME means another one."


# -- values ------------------------------------------------------------------------------------


def _check_empty(spec: Values, sources: Sources) -> None:
    """Raise InvalidError for a limit that was given empty, as by a shell variable that is not set."""
    for name, option in spec.items():
        if sources.command_line.get(name) == "" and option["type"] in ("int", "float"):
            raise InvalidError(f"{name} is empty", hint="Give a number, or leave it out.")


def _check_providers(book: str, sources: Sources) -> None:
    """Raise InvalidError where other providers are meant than the one that a playbook works at."""
    value = sources.find("providers")[1]
    if book not in AT_THE_FIRST or value is None:
        return
    named = _typed({"providers": VARIABLES["providers"]}, {"providers": value})["providers"]
    if named != [FIRST]:
        raise InvalidError(
            f"{book} works at {FIRST} alone, and providers names {', '.join(named)}",
            hint=f"Leave providers out here, or say providers={FIRST} where a variable names others.",
        )


def _check_of_the_first(given: Values) -> None:
    """Raise InvalidError for what only the first provider has, where providers are named."""
    wrong = [name for name, unset in OF_THE_FIRST.items() if given.get(name, unset) != unset]
    if "providers" in given and wrong:
        raise InvalidError(
            f"{', '.join(wrong)}: what {FIRST} alone has does not go with providers",
            hint="Leave one of them out.",
        )


def _typed(spec: Values, written: dict[str, Any]) -> dict[str, Any]:
    for name, error in wrong_options(dict(spec), written).items():
        raise _number_error(name, written[name], error)
    return {name: _pruned(_one(name, spec[name], value)) for name, value in written.items()}


def _one(name: str, option: Spec, value: Any) -> Any:
    """Return a value in its type. Raises InvalidError, with the nearest where it is no choice.

    Ansible is not told that a value is a secret: its release 2.22 would mask it in all that the run
    says, also where it is an ordinary word.
    """
    open_option = {key: one for key, one in option.items() if key != "no_log"}
    try:
        found = ArgumentSpecValidator({name: open_option}).validate({name: value})
    except (TypeError, AttributeError):  # of a number where parts of a dictionary are looked for
        raise InvalidError(f"{name} {shown(value)} is not of the type {option['type']}") from None
    if found.errors.errors:
        raise _type_error(name, option, value, found.error_messages)
    return found.validated_parameters[name]


def _pruned(value: Any) -> Any:
    """Return a value without the parts that nobody has given."""
    if isinstance(value, Mapping):
        return {key: _pruned(one) for key, one in value.items() if one is not None}
    return [_pruned(one) for one in value] if isinstance(value, list) else value


def _number_error(name: str, value: Any, error: InvalidError) -> InvalidError:
    """Return the error for a number as people write one: with a currency, or a decimal comma."""
    meant = re.sub(r"[^0-9.,-]", "", str(value)).replace(",", ".")
    if plain(meant) is not None and isinstance(value, str):
        error.hint = f"Write {meant}: without a currency, and with a point before the decimals."
    return error


def _type_error(name: str, option: Spec, value: Any, messages: list[str]) -> InvalidError:
    """Return the error for a value of another type, or that is no choice."""
    choices = [str(one) for one in option.get("choices") or ()]
    if choices and str(value) not in choices:
        meant = nearest(str(value).lower().replace("-", "_"), choices)
        hint = f"Did you mean {' or '.join(meant)}?" if meant else ""
        return InvalidError(f"{name} {shown(value)} is not one of {', '.join(choices)}", hint=hint)
    if option.get("type") == "bool":
        return InvalidError(f"{name} {shown(value)} is neither true nor false")
    if option.get("no_log"):  # what Ansible says of it shows it
        return InvalidError(f"{name} is not of the type {option.get('type')}")
    return InvalidError(f"{name}: {'; '.join(messages)}")


def check_role(options: Mapping[str, Spec], variables: Values) -> None:
    """Raise InvalidError for variables of a role that are not of their type, or no choice."""
    written = {name: variables[name] for name in options if variables.get(name) is not None}
    _typed({name: _bare(options[name]) for name in written}, written)


def _bare(option: Spec) -> Spec:
    """Return the spec of an option without what only its role completes."""
    found = {key: value for key, value in option.items() if key in _TYPED_BY}
    parts = option.get("options")
    return {**found, "options": {n: _bare(one) for n, one in parts.items()}} if parts else found


def _check_values(given: dict[str, Any]) -> None:
    """Raise InvalidError for what no module would take: names, ranges, durations, tiers, budgets."""
    for name in _CHECKS.keys() & given.keys():
        _CHECKS[name](given[name])
    for name in _DURATIONS & given.keys():
        read_duration(given[name], name)
    for name in _AT_LEAST.keys() & given.keys():
        least = _AT_LEAST[name]
        if not given[name] >= least:
            raise InvalidError(f"{name} must be at least {least} (got {given[name]:g})")
    _check_idle(given)
    if {"budget", "max_lease_cost"} & given.keys():
        check_limits(given.get("budget"), given.get("max_lease_cost"))
    if given.keys() & {"tier", "min_tier", "tiers", "gpus"}:
        wish_of(selection_from(cast(SelectionOptions, given)))
    if (given.get("list"), given.get("format")) == ("tiers", "html"):
        raise InvalidError("format html shows no list of tiers", hint="Take table or json.")


def _check_idle(given: Values) -> None:
    """Raise InvalidError for a limit where only one of several instances sees requests."""
    limit = read_idle_after(given.get("idle_after") or NEVER)
    if limit is not None and given.get("vllm_nodes", 1) > 1:
        hint = "Leave idle_after out; they are terminated when their lease ends."
        raise InvalidError("idle_after goes with one instance for a model", hint=hint)


def _check_lease(value: str) -> None:
    lease_until(value, datetime.now(timezone.utc))


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "deployment": lambda value: check_name(value, "deployment"),
    "machine_name": lambda value: check_name(value, "machine_name"),
    "owner": check_owner,
    "project": check_project,
    "lease": _check_lease,
    "extend": lambda value: read_duration(value.strip().removeprefix("+"), "extend"),
    "hours": read_hours,
    "deployments": lambda names: [check_name(name, "deployments") for name in names],
    "gpuops_notify": receivers_of,
}


# -- the project file ----------------------------------------------------------------------------


def read_project(folder: Path, user: int, load: Callable[[str], Any]) -> tuple[str, Values]:
    """Return path and content of the ``gpuops.yml`` of a folder, or of the nearest one above it.

    One that somebody else may write counts as little as one that is a playbook.
    """
    for place in (folder, *folder.parents):
        path = place / "gpuops.yml"
        try:
            status = path.stat()
        except OSError:  # there is none, or nobody may look there
            continue
        if (
            not stat.S_ISREG(status.st_mode)
            or status.st_uid not in (user, 0)
            or status.st_mode & 0o002
        ):
            return "", {}
        found = load(str(path))
        if not isinstance(found, Mapping):
            return "", {}
        _check_project_names(path, found)
        return str(path), found
    return "", {}


def _check_project_names(path: Path, found: Values) -> None:
    strange = [str(name) for name in found if name not in VARIABLES or name in SECRET]
    if strange:
        meant = nearest(strange[0], VARIABLES)
        raise InvalidError(
            f"{path}: {', '.join(strange)} is no variable of the playbooks",
            hint=f"Did you mean {' or '.join(meant)}?" if meant else "README.md lists them.",
        )
