# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: each command is one playbook with variables, or a way to what it made."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem, get_completion_class

from . import __version__, names
from .collection import open_collection
from .exits import FAILED, INTERRUPTED, UNREAD, UnreadError

Command = TypeVar("Command", bound=Callable[..., Any])
_VARIABLE = "_GPUOPS_COMPLETE"
_MARKETS = click.Choice(["on_demand", "spot", "spot_first", "any"])
# Options of the command and variables of the playbooks are the same thing by two names.
_CHOICE = (
    ("--tier", "tier", str, "Rank of GPU models, such as h100_or_less."),
    ("--gpus", "gpu_count", int, "Number of GPUs."),
    ("--market", "market", _MARKETS, "On demand unless given."),
    ("--max-price", "max_price_per_hour", float, "Highest price per hour."),
)
_JOB = (
    ("--name", "job_name", str, "Name of the job; without it, after the program."),
    ("--time", "time", str, "Limit of time of all attempts together, such as 2h."),
    ("--cost", "cost", float, "Limit of cost of all attempts together."),
    ("--volume", "data_volume_gb", int, "GB of a volume that outlives an instance."),
    ("--to", "results", str, "Folder that results come into."),
)
_SERVED = (
    ("--model", "vllm_model", str, "Model to serve, as the hub names it."),
    ("--lease", "lease", str, "Time until which it may live, such as 4h."),
)


def options(*rows: tuple[str, str, Any, str]) -> Callable[[Command], Command]:
    """Return a decorator that gives a command options, each named after its variable."""

    def decorate(command: Command) -> Command:
        for flag, variable, kind, words in reversed(rows):
            command = click.option(flag, variable, type=kind, help=words)(command)
        return command

    return decorate


def passes_on(command: Command) -> Command:
    """Give a command what it passes on to Ansible as it is."""
    words = "Any other variable of the playbook; may be given several times."
    command = click.option("-e", "extra", metavar="NAME=VALUE", multiple=True, help=words)(command)
    words = "Show what Ansible does; -vv shows more."
    return click.option("-v", "verbose", count=True, help=words)(command)


def _jobs(_context: Any, _parameter: Any, begin: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names.jobs() if name.startswith(begin)]


def _hosts(_context: Any, _parameter: Any, begin: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names.short_hosts() if name.startswith(begin)]


def _files(_context: Any, _parameter: Any, begin: str) -> list[CompletionItem]:
    return [CompletionItem(begin, type="file")]


a_job = click.argument("job", metavar="NAME|FILE", shell_complete=_jobs)
a_deployment = click.argument("deployment", required=False)
asks_nothing = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
only_checks = click.option("--check", is_flag=True, help="Only say what would be done.")
as_json = click.option("--json", "json", is_flag=True, help="One line of JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gpuops")
def main() -> None:
    """Run a command on the best GPU within your budget as if it were here.

    What goes wrong outside the job itself ends with status 125.
    """


# -- jobs ------------------------------------------------------------------------------------------


@main.command(context_settings={"allow_interspersed_args": False})
@options(*_JOB, *_CHOICE)
@click.option("-d", "--detach", is_flag=True, help="Return once the program has begun.")
@click.option("--detach-on-interrupt", is_flag=True, help="Let Ctrl-C only stop looking.")
@click.option("--again", is_flag=True, help="Forget an earlier job of the name, and begin anew.")
@asks_nothing
@only_checks
@passes_on
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=_files)
def run(
    command: tuple[str, ...],
    detach: bool,
    detach_on_interrupt: bool,
    again: bool,
    yes: bool,
    check: bool,
    extra: tuple[str, ...],
    verbose: int,
    **given: Any,
) -> int:
    """Run a job file, a script, or a command, and end with its exit code.

    \b
    gpuops run train.job.yml
    gpuops run --tier h100_or_less --time 2h --cost 10 train.py --epochs 3

    The same again attaches to it, goes on where it stopped, or brings home what is missing.
    """
    wish = {**wish_of(command), **known(given), **known({"again": again or None})}
    if yes:
        wish["ask"] = False
    open_collection()
    from .attached import Attached, result_of
    from .keys import Keys
    from .plays import Play, start

    # It returns when the program has begun: what follows is seen here, or not at all.
    play = Play("job", wish, extra, {"follow": False}, verbose=verbose, check=check)
    if not (detach or check):
        keys = Keys()
        with keys.counted():
            return Attached(start, play, detach_on_interrupt, keys).to_the_end()
    status, report = start(play)
    result = result_of(report)
    return result if result is not None else FAILED if status else 0


def wish_of(command: tuple[str, ...]) -> dict[str, Any]:
    """Return what is to be run: a job file, a text for a shell, or the words of a command."""
    first = command[0]
    if first.endswith((".yml", ".yaml")):
        if command[1:]:
            raise click.UsageError(
                f"{first} is a job file, which stands alone; options come before."
            )
        return {"job": first}
    if not command[1:] and first.split() != [first]:
        return {"run": first}
    return {"run": shlex.join(("python", *command) if first.endswith(".py") else command)}


def named(job: str) -> dict[str, Any]:
    """Return which job is meant, by its name or by its file."""
    return {"job": job} if job.endswith((".yml", ".yaml")) else {"job_name": job}


def known(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was given."""
    return {name: value for name, value in given.items() if value is not None}


def play_it(
    book: str, wish: dict[str, Any], extra: tuple[str, ...], verbose: int, check: bool = False
) -> int:
    """Run a playbook whose words are what was asked for."""
    open_collection()
    from .plays import OUT, Play, start

    status, _report = start(Play(book, wish, extra, verbose=verbose, check=check), out=OUT)
    return FAILED if status else 0


@main.command()
@click.argument("job", metavar="[NAME|FILE]", required=False, shell_complete=_jobs)
@as_json
@passes_on
def status(job: str | None, json: bool, extra: tuple[str, ...], verbose: int) -> int:
    """Say how a job stands, or without a name what lives and costs money."""
    if job:
        return play_it("job_status", named(job), extra, verbose)
    return play_it("status", {"format": "json"} if json else {}, extra, verbose)


@main.command()
@a_job
@click.option("-f", "--follow", is_flag=True, help="Go on until it has ended.")
@click.option("--attempt", type=click.IntRange(1), help="Only of this attempt.")
@click.option("--task", type=click.IntRange(0), help="Of this task of an array.")
@passes_on
def logs(
    job: str,
    follow: bool,
    attempt: int | None,
    task: int | None,
    extra: tuple[str, ...],
    verbose: int,
) -> int:
    """Show what a job has printed, byte by byte from its first one."""
    open_collection()
    from .logs import show_all
    from .plays import Play, hidden

    _status, report = hidden(Play("job_status", named(job), extra, verbose=verbose))
    if not report.states:
        return FAILED
    try:
        return show_all(report, follow=follow, attempt=attempt, task=task)
    except BrokenPipeError:
        raise UnreadError from None


@main.command()
@a_job
@click.option("--waiting", is_flag=True, help="Only tasks of an array that have not begun.")
@passes_on
def cancel(job: str, waiting: bool, extra: tuple[str, ...], verbose: int) -> int:
    """Tell a job to end, bring home what it has made, and terminate its instance."""
    return play_it("job_cancel", named(job) | known({"waiting": waiting or None}), extra, verbose)


@main.command()
@a_job
@click.option("--to", "results", help="Folder that they come into.")
@passes_on
def result(job: str, results: str | None, extra: tuple[str, ...], verbose: int) -> int:
    """Bring the results of a job home once more."""
    return play_it("job_result", {**named(job), **known({"results": results})}, extra, verbose)


# -- instances -------------------------------------------------------------------------------------


@main.command(context_settings={"allow_interspersed_args": False})
@click.argument("name", shell_complete=_hosts)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(name: str, command: tuple[str, ...]) -> None:
    """Log in to an instance or to that of a job, or run a command there."""
    words = names.login(name, command)
    os.execvp(words[0], words)


@main.command()
@a_deployment
@options(*_SERVED, *_CHOICE)
@click.option("--shell", is_flag=True, help="Serve nothing: PyTorch, and a login to work with.")
@asks_nothing
@only_checks
@passes_on
def up(
    deployment: str | None,
    shell: bool,
    yes: bool,
    check: bool,
    extra: tuple[str, ...],
    verbose: int,
    **given: Any,
) -> int:
    """Bring an instance up, and serve a model on it."""
    wish = known({"deployment": deployment, **given})
    wish |= {"purpose": "shell"} if shell else {}
    wish |= {"ask": False} if yes else {}
    return play_it("bringup", wish, extra, verbose, check)


@main.command()
@a_deployment
@asks_nothing
@passes_on
def down(deployment: str | None, yes: bool, extra: tuple[str, ...], verbose: int) -> int:
    """Terminate a deployment, prove that nothing is left, and show the bill."""
    wish = known({"deployment": deployment}) | ({"confirm": True} if yes else {})
    return play_it("teardown", wish, extra, verbose)


@main.command()
@options(*_CHOICE)
@as_json
@passes_on
def offers(json: bool, extra: tuple[str, ...], verbose: int, **given: Any) -> int:
    """Say what can be bought now, best first, and why not the rest."""
    wish = known(given) | ({"format": "json"} if json else {})
    return play_it("capacity", wish, extra, verbose)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what lets a shell complete commands, options, jobs and instances.

    \b
    source <(gpuops completion bash)
    """
    made = get_completion_class(shell)
    if made:
        click.echo(made(main, {}, "gpuops", _VARIABLE).source())


def entry() -> int:
    """Run the command; returns its status."""
    try:
        return int(main(prog_name="gpuops", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except UnreadError:
        # Nothing more may be written when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return UNREAD
