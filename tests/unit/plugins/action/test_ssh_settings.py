# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What OpenSSH makes of a user's settings together with ours: the real ``ssh -G`` reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.action import ssh_settings
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_action

OURS = "Host llm\n  HostName 192.0.2.7\n  User root\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home with a blank in its path, and a deployment in it."""
    home = tmp_path / "my own home"
    (home / ".config/gpuops/llm").mkdir(parents=True)
    home.chmod(0o700)
    (home / ".config/gpuops/llm/ssh_hosts").write_text(OURS, encoding="utf-8")
    return home


def look(home: Path, text: str | None, *names: str) -> dict[str, Any]:
    """Return what the module says of a user's settings."""
    config = home / "config"
    if text is not None:
        config.write_text(text, encoding="utf-8")
    wish = {"config": str(config), "include": f"{home}/.config/gpuops/*/ssh_hosts"}
    result = run_action(ssh_settings, **wish, folder=str(home), names=list(names or ["llm"]))
    assert not result["changed"]
    return result


def test_files_are_written_once_for_their_owner_alone(tmp_path: Path) -> None:
    folder, files = tmp_path / "new", {"ssh_config": "Host llm\n", "ssh_hosts": OURS}
    wish: dict[str, Any] = {"include": f"{tmp_path}/*/ssh_hosts", "names": ["llm"], "files": files}
    wish |= {"folder": str(folder), "config": str(tmp_path / "config")}
    assert run_action(ssh_settings, check=True, **wish)["changed"]
    assert not folder.exists()
    first = run_action(ssh_settings, **wish)
    assert first["changed"]
    assert [row["after"] for row in first["diff"]] == ["", *files.values()]
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == files
    modes = {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
    assert (modes, oct(folder.stat().st_mode & 0o777)) == ({"0o600"}, "0o700")
    assert not run_action(ssh_settings, **wish)["changed"]
    (folder / "ssh_hosts").unlink()
    (folder / "ssh_hosts").mkdir()
    assert "is a folder" in run_action(ssh_settings, **wish)["msg"]


@pytest.mark.every_core("ssh_settings")
def test_line_lets_ssh_know_the_name(home: Path) -> None:
    before = look(home, None)
    assert not before["included"]
    after = look(home, f"{before['line']}\nHost *\n  Port 2222\n  User bob\n")
    assert (after["included"], after["shadowed"], after["problem"]) == (True, [], "")
    asked = ["ssh", "-G", "-F", home / "config", "llm"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {"hostname 192.0.2.7", "user root", "port 2222"} <= set(found)


def test_what_holds_for_all_hosts_shadows_nothing(home: Path) -> None:
    found = look(home, "Host *\n  User bob\n  IdentityFile ~/.ssh/id\n")
    assert (found["included"], found["shadowed"]) == (False, [])


@pytest.mark.parametrize(
    "entry", ["Host llm\n  User bob\n", "Host l?m\n  Port 9\n", "Match host llm\n  Port 9\n"]
)
def test_entry_of_the_user_for_the_name_is_told(home: Path, entry: str) -> None:
    (home / "more").write_text(entry, encoding="utf-8")
    line = look(home, None)["line"]
    for text in (entry, f'{line}\nInclude "{home}/more"\n'):
        found = look(home, text, "llm", "web")
        assert found["shadowed"] == ["llm"], text


def test_line_below_a_host_is_no_use(home: Path) -> None:
    line = look(home, None)["line"]
    assert not look(home, f"Host web\n  User bob\n{line}\n")["included"]


def test_deployment_that_has_ended_leaves_settings_that_work(home: Path) -> None:
    line = look(home, None)["line"]
    (home / ".config/gpuops/llm/ssh_hosts").unlink()
    found = look(home, f"{line}\nHost web\n  User bob\n", "web")
    assert (found["included"], found["problem"]) == (False, "")


def test_settings_that_openssh_cannot_read_are_told_and_no_failure(home: Path) -> None:
    found = look(home, "Host *\n  NoSuchOption yes\n")
    assert "OpenSSH cannot read it: the file" in found["problem"]
    assert "nosuchoption" in found["problem"]
