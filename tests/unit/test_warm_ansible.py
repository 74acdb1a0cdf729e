# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A playbook does and says the same, whether it is started or is a fork of what is loaded."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import warm_ansible
from ansible_collections.gpuops.cloud.tests.unit.roles.support import COLLECTIONS
from ansible_collections.gpuops.cloud.tests.unit.test_estates import WISH, Estate, estate

__all__ = ["estate"]
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - gpuops.cloud.gpu_offers:
        accounts: {lambda: {api_key: none}}
        providers: [lambda]
      environment: {LAMBDA_API_URL: "http://127.0.0.1:1"}
      ignore_errors: true
    - ansible.builtin.copy: {content: "", dest: made}
    - ansible.builtin.debug:
        msg: "{{ lookup('env', 'WORD') }} {{ lookup('config', 'DEFAULT_FORKS') }}"
    - ansible.builtin.fail: {msg: no}
"""


def started(estate: Estate, book: str, variables: dict[str, Any], *words: str) -> Any:
    """Run a playbook by starting ansible-playbook."""
    command, around = estate.command(book, variables)
    return subprocess.run(
        [*command, *words], cwd=estate.home, env=around, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.every_core
@pytest.mark.parametrize("book", ["capacity", "bringup"])
def test_it_says_the_same(estate: Estate, book: str) -> None:
    done = started(estate, book, WISH, "--check")
    again = estate.run(book, "--check", variables=WISH)
    assert done.returncode == again.returncode == 0, again.stderr
    assert (done.stdout, done.stderr) == (again.stdout, again.stderr)


@pytest.mark.every_core
def test_settings_folder_rights_and_status_are_those_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAY, encoding="utf-8")
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_FORKS": "3",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        # Its default is in the real home, whatever HOME is.
        "ANSIBLE_REMOTE_TMP": str(tmp_path / "tmp"),
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "WORD": "told",
    }
    before = os.umask(0o027)
    try:
        done = warm_ansible.run("playbook", ["play.yml"], folder=tmp_path, environment=environment)
    finally:
        os.umask(before)
    assert done.returncode == 2
    assert '"msg": "told 3"' in done.stdout
    assert "127.0.0.1" in done.stdout + done.stderr
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o640
