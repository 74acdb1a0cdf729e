# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of jobs: which of them are due, what a round runs, and that two rounds take turns."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import ConflictError
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.keeper import Due, Keeper, due

ROOT = Path(__file__).resolve().parents[4]
COLLECTIONS = ROOT / ".collections"
BASE = {"gpu": {"tier": "any_a100"}, "limits": {"time": "1h"}}


def load(path: str) -> Any:
    """Return what a file holds."""
    text = Path(path).read_text(encoding="utf-8")
    if text.startswith("!"):
        raise ValueError("it is no YAML")
    return yaml.safe_load(text)


def write(folder: Path, **jobs: Any) -> None:
    """Write job files."""
    for name, found in jobs.items():
        (folder / f"{name}.job.yml").write_text(yaml.safe_dump(found), encoding="utf-8")


def came_home(folder: Path, name: str, **result: Any) -> None:
    """Let the results of a job be home."""
    place = folder / "results" / name
    place.mkdir(parents=True)
    (place / "result.json").write_text(json.dumps({"exit_code": 3, **result}), encoding="utf-8")


def test_a_job_is_due_until_its_instance_has_ended(tmp_path: Path) -> None:
    write(
        tmp_path,
        base=BASE,
        a={"extends": "base.job.yml", "command": "python a.py"},
        b={"name": "bee", "command": "python b.py"},
        c={"command": "python c.py", "outputs": {"to": "results/sea"}},
        d={"command": "python d.py"},
    )
    came_home(tmp_path, "bee", closed=False)
    came_home(tmp_path, "sea", closed=True)
    came_home(tmp_path, "d", closed=True)
    assert due(tmp_path, load) == (
        [Due("a", tmp_path / "a.job.yml"), Due("bee", tmp_path / "b.job.yml")],
        [],
    )


def test_files_that_are_wrong_are_told_and_keep_no_other_from_running(tmp_path: Path) -> None:
    twin = {"name": "twin", "command": "python a.py"}
    write(tmp_path, a={"comand": "x"}, b=twin, c=twin, d={"command": "python d.py"}, e=["x"])
    (tmp_path / "f.job.yml").write_text("!", encoding="utf-8")
    jobs, faults = due(tmp_path, load)
    assert [job.name for job in jobs] == ["d"]
    assert [fault.split(":")[0] for fault in faults] == [
        "a.job.yml",
        "e.job.yml",
        "f.job.yml",
        "b.job.yml and c.job.yml are both called twin; give one of them another name",
    ]


@pytest.fixture
def player(tmp_path: Path) -> Path:
    """Return a program that plays ansible-playbook: it notes its words, and fails for one job."""
    script = tmp_path / "bin/ansible-playbook"
    script.parent.mkdir()
    text = f"#!{sys.executable}\nimport json, os, sys\ngiven = json.loads(sys.argv[3])\n"
    text += "given |= {'token': os.environ.get('TOKEN'), 'PWD': os.environ['PWD']}\n"
    text += f"open({str(tmp_path / 'played')!r}, 'a').write(json.dumps(given) + '\\n')\n"
    text += "print('said something'); sys.exit('bad' in given['job'])\n"
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    return script


def played(tmp_path: Path) -> list[dict[str, Any]]:
    """Return what was run, by the name of the job file."""
    lines = (tmp_path / "played").read_text(encoding="utf-8").splitlines()
    return sorted((json.loads(line) for line in lines), key=lambda row: str(row["job"]))


def test_a_round_runs_what_is_due_and_says_what_failed(tmp_path: Path, player: Path) -> None:
    folder = tmp_path / "jobs"
    folder.mkdir()
    write(folder, good={"command": "python a.py"}, bad={"command": "python b.py"})
    said: list[str] = []
    given, secrets = {"owner": "ada"}, {"TOKEN": "very-secret"}
    keeper = Keeper(folder, load, [str(player)], given, secrets, said.append)
    assert not keeper.round()
    wish = {"owner": "ada", "follow": False, "ask": False, "token": "very-secret"}
    assert played(tmp_path) == [
        {**wish, "job": str(folder / f"{name}.job.yml"), "PWD": str(folder)}
        for name in ("bad", "good")
    ]
    assert sorted(said) == ["<3>b: said something", "<6>a: said something"]


def test_two_keepers_of_a_folder_take_turns(tmp_path: Path, player: Path) -> None:
    write(tmp_path, good={"command": "python a.py"})
    keeper = Keeper(tmp_path, load, [str(player)])
    assert keeper.round()
    with (tmp_path / "results/.keeper.lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ConflictError, match="another keeper is at work"):
            keeper.round()
    assert len(played(tmp_path)) == 1


def test_the_program_of_the_role_takes_what_systemd_gives_it(tmp_path: Path, player: Path) -> None:
    folder, kept = tmp_path / "jobs", tmp_path / "credentials"
    folder.mkdir()
    kept.mkdir()
    write(folder, good={"command": "python a.py"})
    (kept / "variables").write_text('{"owner": "ada"}', encoding="utf-8")
    (kept / "secrets").write_text('{"TOKEN": "very-secret"}', encoding="utf-8")
    (kept / "ssh_key").write_text("key", encoding="utf-8")
    environment = player.parents[1]
    venv.create(environment, symlinks=True)
    (site,) = environment.glob("lib/python*/site-packages")
    # What these tests have installed, with what else begins there by itself.
    places = [path for path in sys.path if path.endswith("-packages")]
    lines = "".join(f"import site; site.addsitedir({path!r})\n" for path in places)
    (site / "of-the-tests.pth").write_text(lines, encoding="utf-8")
    program = ROOT / "roles/job_keeper/files/keep_jobs.py"
    done = subprocess.run(
        [str(player.parent / "python"), str(program), str(folder), str(COLLECTIONS)],
        env={**os.environ, "CREDENTIALS_DIRECTORY": str(kept)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "<6>a: said something\n"), done.stderr
    (row,) = played(tmp_path)
    assert (row["owner"], row["token"]) == ("ada", "very-secret")
    assert row["ssh_private_key_file"] == str(kept / "ssh_key")
