# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate expressions as they stand in a role: by templating in this process, or by a run.

Both take the same playbook. In this process no task is executed: its arguments are templated,
which is all that a set_fact does, with the variables that ansible-playbook gathers for it. Cases
share the compiled form of a template: most of the time would go into compiling the same texts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import jinja2
from ansible.cli.playbook import PlaybookCLI
from ansible.playbook import Playbook
from ansible.plugins.filter.core import to_json

from ansible_collections.gpuops.cloud.tests.unit.in_process import own_process
from ansible_collections.gpuops.cloud.tests.unit.roles.support import COLLECTIONS, ROOT

try:  # what tasks are templated with
    from ansible._internal._templating._engine import TemplateEngine as Templating
except ImportError:  # ansible-core 2.18
    from ansible.template import Templar as Templating

Cases = dict[str, dict[str, Any]]
# The folder to work in, the role, sets of variables by name, and the expression: values by name.
Way = Callable[[Path, str, Cases, str], dict[str, Any]]

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars_files: [{place}/defaults/main.yml, {place}/vars/main.yml]
  tasks:
{tasks}
    - ansible.builtin.copy:
        content: "{{{{ results | to_json }}}}"
        dest: {target}
"""
TASK = """
    - ansible.builtin.set_fact:
        results: "{{{{ results | default({{}}) | combine({{'{name}': {expression}}}) }}}}"
      vars: {variables}
"""


# What a compiled template depends on beside its text.
_SYNTAX = (
    "block_start_string", "block_end_string", "comment_start_string", "comment_end_string",
    "keep_trailing_newline", "line_comment_prefix", "line_statement_prefix", "lstrip_blocks",
    "newline_sequence", "trim_blocks", "variable_start_string", "variable_end_string",
)  # fmt: skip
_compile = jinja2.Environment.compile
_compiled: dict[tuple[object, ...], Any] = {}


def compile_once(self: jinja2.Environment, source: Any, *names: Any, **more: Any) -> Any:
    """Compile a template of Jinja, or return what the same text was compiled to before."""
    if not isinstance(source, str):
        return _compile(self, source, *names, **more)
    syntax = tuple(getattr(self, name) for name in _SYNTAX)
    key = (type(self), str(source), syntax, names, tuple(sorted(more.items())))
    if key not in _compiled:
        _compiled[key] = _compile(self, source, *names, **more)
    return _compiled[key]


def write_playbook(folder: Path, role: str, cases: Cases, expression: str) -> tuple[Path, Path]:
    """Write a playbook that evaluates an expression for each case; return it and its results."""
    place = ROOT / "roles" / role
    common = {"role_path": str(place)}
    tasks = [
        TASK.format(name=name, expression=expression, variables=json.dumps({**common, **given}))
        for name, given in cases.items()
    ]
    playbook, target = folder / "play.yml", folder / "results.json"
    text = PLAY.format(place=place, tasks="".join(tasks), target=target)
    playbook.write_text(text, encoding="utf-8")
    return playbook, target


def evaluate(folder: Path, role: str, cases: Cases, expression: str) -> dict[str, Any]:
    """Evaluate an expression in a role once for each set of variables, in this process."""
    playbook, _target = write_playbook(folder, role, cases, expression)
    results: dict[str, Any] = {}
    with own_process(folder), mock.patch.object(jinja2.Environment, "compile", compile_once):
        program = PlaybookCLI(["ansible-playbook", str(playbook)])
        program.parse()
        loader, inventory, variables = program._play_prereqs()
        given = {"variable_manager": variables, "loader": loader}
        (play,) = Playbook.load(str(playbook), **given).get_plays()
        host = inventory.get_host("localhost")
        for task in play.get_tasks()[0][: len(cases)]:
            known = variables.get_vars(play=play, host=host, task=task)
            task.post_validate(templar=Templating(loader=loader, variables=known))
            results |= json.loads(to_json(task.args["results"]))
    return results


def evaluate_by_playbook(folder: Path, role: str, cases: Cases, expression: str) -> dict[str, Any]:
    """Evaluate an expression in a role once for each set of variables, by ansible-playbook."""
    playbook, target = write_playbook(folder, role, cases, expression)
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "HOME": str(folder),
    }
    command = [sys.executable, "-m", "ansible", "playbook", str(playbook)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(target.read_text(encoding="utf-8")))
