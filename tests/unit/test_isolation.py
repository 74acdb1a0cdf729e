# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests neither see nor change what a user has: files in the home, settings, credentials."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# They read credentials, cached tokens and Ansible's settings, in this process and in others.
ASKING = ("tests/unit/plugins/inventory", "tests/unit/plugins/module_utils/test_credentials.py")
ACCOUNT = "[default]\nclient_id = of-the-user\nclient_secret = of-the-user\n"
FILES = {
    ".ansible.cfg": "[defaults]\ncollections_path = /nowhere\ninventory = /nowhere\n",
    ".ansible/tmp/kept": "x",
    ".cache/gpuops.cloud/tokens/0.json": '{"access_token": "of-the-user"}',
    ".config/gpuops/llm/ssh_config": "Host *\n",
    ".datacrunch/credentials": ACCOUNT,
    ".local/share/gpuops/ledger.sqlite3": "of the user",
    ".netrc": "machine 127.0.0.1 login user password of-the-user\n",
    ".ssh/config": "Host *\n  ProxyCommand false\n",
    ".verda/credentials": ACCOUNT,
    "cache/gpuops.cloud/tokens/0.json": '{"access_token": "of-the-user"}',
    "huggingface/token": "hf_of_the_user",
}
VARIABLES = {
    "ANSIBLE_COLLECTIONS_PATH": "/nowhere",
    "ANSIBLE_CONFIG": "{home}/.ansible.cfg",
    "ANSIBLE_INVENTORY_ENABLED": "ini",
    "ANSIBLE_STDOUT_CALLBACK": "nowhere.nothing.at_all",
    "DATACRUNCH_BASE_URL": "http://127.0.0.1:9/v1",
    "DATACRUNCH_CLIENT_ID": "of-the-user",
    "DATACRUNCH_CLIENT_SECRET": "of-the-user",
    "GPUOPS_LEDGER": "sqlite:///{home}/.local/share/gpuops/ledger.sqlite3",
    "GPUOPS_PHASES_FILE": "{home}/phases.json",
    "HF_ENDPOINT": "http://127.0.0.1:9",
    "HF_HOME": "{home}/huggingface",
    "HF_TOKEN": "hf_of_the_user",
    "HOME": "{home}",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "VERDA_CLIENT_ID": "of-the-user",
    "VERDA_CLIENT_SECRET": "of-the-user",
    "VERDA_PROFILE": "of-the-user",
    "XDG_CACHE_HOME": "{home}/cache",
    "XDG_CONFIG_HOME": "{home}/.config",
    "XDG_DATA_HOME": "{home}/.local/share",
    "http_proxy": "http://127.0.0.1:9",
}


def furnish(home: Path) -> dict[str, str]:
    """Fill the home of a user who has everything; return the variables of their environment."""
    for name, text in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    return {name: value.format(home=home) for name, value in VARIABLES.items()}


def seen(home: Path) -> dict[str, tuple[int, bytes]]:
    """Return what stands in a home: every file and folder, when it changed, what it holds."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (home, *home.rglob("*"))
    }


def test_home_and_environment_of_the_user_are_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, **furnish(home)}
    before = seen(home)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *ASKING]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert seen(home) == before


def test_each_test_has_an_empty_home(own_home: Path) -> None:
    assert Path.home() == own_home
    assert list(own_home.iterdir()) == []
