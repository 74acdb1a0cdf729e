# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Ansible in this process, as if it had been started for one of them alone."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

from ansible import cli, context
from ansible.cli.playbook import PlaybookCLI
from ansible.parsing import vault
from ansible.utils.context_objects import GlobalCLIArgs
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars, load_options_vars


@contextlib.contextmanager
def own_process(folder: Path) -> Iterator[None]:
    """Forget for a while what Ansible keeps for a whole process, and work in a folder."""
    display = Display()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        # The arguments, what was said once, and how much to say.
        enter(mock.patch.object(context, "CLIARGS", context.CLIARGS))
        enter(mock.patch.object(GlobalCLIArgs, "_Singleton__instance", None))
        for name in ("_warns", "_deprecations", "_errors"):
            enter(mock.patch.object(display, name, type(getattr(display, name))()))
        enter(mock.patch.object(display, "verbosity", 0))
        if hasattr(vault, "VaultSecretsContext"):  # ansible-core 2.19 and later
            enter(mock.patch.object(vault.VaultSecretsContext, "_current", None))
        # Variables made of arguments, kept by the functions that make them.
        enter(mock.patch.object(load_extra_vars, "extra_vars", None, create=True))
        enter(mock.patch.object(load_options_vars, "options_vars", None, create=True))
        # Collections are found as they were when the tests began.
        enter(mock.patch.object(cli, "init_plugin_loader"))
        enter(contextlib.chdir(folder))
        enter(_streams_and_signals())
        yield


@contextlib.contextmanager
def _streams_and_signals() -> Iterator[None]:
    """Restore what Ansible takes: the standard streams from later programs, and two signals."""
    inherited = {stream: os.get_inheritable(stream) for stream in range(3)}
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    yield
    for stream, before in inherited.items():
        os.set_inheritable(stream, before)
    for one, handler in handlers.items():
        signal.signal(one, handler)


def run_playbook(
    *words: str, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run ansible-playbook without starting a process for it, where nobody can be asked."""
    said, complained = io.StringIO(), io.StringIO()
    status: object = None
    with (
        own_process(folder),
        mock.patch.dict(os.environ, environment),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complained),
    ):
        # It forks, which is safe while the simulator's threads have nothing to do.
        warnings.filterwarnings("ignore", ".*multi-threaded.*", DeprecationWarning)
        try:
            PlaybookCLI.cli_executor(["ansible-playbook", *words])
        except SystemExit as ended:
            status = ended.code
    return subprocess.CompletedProcess(
        words, int(str(status)), said.getvalue(), complained.getvalue()
    )
