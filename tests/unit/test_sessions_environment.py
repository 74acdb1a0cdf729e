# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test session sees of its user, and what it says of others: nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gpuops_simulator import hosts

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))

import home_watch
import surroundings
import workshop
import workspace

GIVEN = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "xterm"}
GIVEN |= {"CI": "true", "https_proxy": "http://127.0.0.1:9", "SSL_CERT_FILE": "/etc/ssl/a.crt"}
GIVEN |= {"GPUOPS_CHAOS_SEED": "300"}
# One of each family that led a tool astray, or would.
POISON = (
    *("ANSIBLE_CONFIG", "ANSIBLE_STDOUT_CALLBACK", "AWS_SECRET_ACCESS_KEY", "COLUMNS"),
    *("CONTAINER_HOST", "DATACRUNCH_CLIENT_SECRET", "GIT_DIR", "GITHUB_TOKEN"),
    *("GPUOPS_HOME", "GPUOPS_LEDGER", "HF_TOKEN", "MOLECULE_GLOB"),
    *("NOX_SESSION", "PIP_REQUIRE_VIRTUALENV", "PYENV_VERSION", "PYTEST_ADDOPTS"),
    *("PYTHONPATH", "PYTHONWARNINGS", "SSH_AUTH_SOCK", "UV_INDEX_URL"),
    *("VERDA_CLIENT_ID", "VIRTUAL_ENV", "VLLM_API_KEY", "XDG_CONFIG_HOME"),
    *("XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
)
SETTINGS = (
    *(".ansible.cfg", ".cache/gpuops.cloud/tokens/other.json", ".config/gpuops/a/vllm_api_key"),
    *(".datacrunch/credentials", ".gitconfig", ".netrc", ".ssh/config", ".vault_pass"),
)
SOURCES = {"index-url": "https://mirror.example/simple", "find-links": "/a\\n/b"}
Session = Callable[[], dict[str, str]]


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a user with settings and tokens of all kinds, who starts a session."""
    home = tmp_path / "user"
    for name in SETTINGS:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("secret of the user", encoding="utf-8")
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in {**GIVEN, **dict.fromkeys(POISON, "poison"), "HOME": str(home)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(workshop, "WORK", tmp_path / "work")
    monkeypatch.setattr(workshop, "pip_settings", SOURCES.copy)
    monkeypatch.setattr(workspace, "_sweep_hosts", lambda _environment, _whose: [])
    monkeypatch.setattr(workspace, "GRACE_SECONDS", 0.0)
    return home


def test_environment_is_what_the_project_names(user: Path) -> None:
    with workspace.workspace(workshop.Result(), "a") as environment:
        assert {name: environment.get(name) for name in POISON} == dict.fromkeys(POISON)
        assert "poison" not in environment.values()
        kept = {name: environment[name] for name in GIVEN if name != "PATH"}
        assert kept == {name: value for name, value in GIVEN.items() if name != "PATH"}
        assert environment["PATH"].endswith(GIVEN["PATH"])
        assert environment["UV_DEFAULT_INDEX"] == SOURCES["index-url"]
        assert not environment["HOME"].startswith(str(user))


def test_home_holds_nothing_of_the_user(user: Path) -> None:
    with workspace.workspace(workshop.Result(), "a") as environment:
        home = Path(environment["HOME"])
        found = {path.relative_to(home): path for path in home.rglob("*") if path.is_file()}
        text = found.pop(Path(".config/pip/pip.conf")).read_text(encoding="utf-8")
        assert "find-links = /a /b" in text
        assert found == {}
        cache = user / ".cache/gpuops.cloud-tests"
        assert (home / ".cache/gpuops.cloud/wheelhouse").resolve() == cache / "wheelhouse"
        assert not (home / ".cache/gpuops.cloud").is_symlink()


def test_cache_of_the_tests_follows_the_cache_of_the_user() -> None:
    asked = surroundings.tests_cache
    assert asked({"XDG_CACHE_HOME": "/elsewhere"}) == Path("/elsewhere/gpuops.cloud-tests")
    usual = Path.home() / ".cache/gpuops.cloud-tests"
    assert asked({}) == asked({"XDG_CACHE_HOME": "relative"}) == usual


def test_only_sources_of_packages_are_read_of_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["global.index-url='https://a'", "install.user='true'", ":env:.cert='/c'"]
    lines += ["global.target='/home/x'", "global.require-virtualenv='1'"]
    done = subprocess.CompletedProcess([], 0, "\n".join(lines))
    monkeypatch.setattr(subprocess, "run", lambda *_words, **_options: done)
    assert workshop.pip_settings() == {"index-url": "https://a", "cert": "/c"}


def test_programs_of_a_session_get_no_other_variables() -> None:
    """Nox would join its own environment to it."""
    program = """
import sys; sys.path.insert(0, "scripts")
import bench, workshop
class Session:
    posargs = []
    def chdir(self, folder):
        import contextlib
        return contextlib.nullcontext()
    def run(self, *words, **options):
        assert options["env"] == {"PATH": "/bin"} and options["include_outer_env"] is False
        print("seen")
bench.Bench(Session(), workshop.Result(), {"PATH": "/bin"}).run("true")
"""
    python = str(ROOT / ".venv/bin/python")
    command = [python, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("seen\n", "")


WRITER = """
import os, pathlib, sqlite3, sys
sys.path.insert(0, sys.argv[1])
import home_watch
home = sys.argv[2]
sys.addaudithook(home_watch.hook(home + "/", (home + "/clone/",), home + "/clone/notes"))
os.chdir(home)
open("read").close()
pathlib.Path("clone").mkdir(exist_ok=True)
open("clone/made", "w").close()
for name in ("/dev/null", 1):
    open(name, "w", closefd=False) if name == 1 else open(name, "w").close()
pathlib.Path(".ansible").mkdir()
pathlib.Path("made").write_text("")
os.rename("made", "moved")
os.symlink("nowhere", b"link")
sqlite3.connect(home + "/ledger").close()
"""


def test_python_notes_what_it_writes_in_the_home_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "clone").mkdir()
    (tmp_path / "read").touch()
    environment = {"PATH": os.environ["PATH"], home_watch.MARK: "/tmp/x"}
    command = [sys.executable, "-B", "-c", WRITER, str(ROOT / "scripts"), str(tmp_path)]
    subprocess.run(command, env=environment, check=True)
    rows = (tmp_path / "clone/notes").read_text(encoding="utf-8").splitlines()
    made = {row.removeprefix(f"/tmp/x\t{tmp_path}/") for row in rows}
    assert made == {".ansible", "made", "moved", "link", "ledger"} or made == {
        *(".ansible", "made", "moved", "nowhere", "ledger"),
    }


STARTER = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
import home_watch
sys.addaudithook(home_watch.hook("/nowhere/", (), "/dev/null"))
home_watch.trace_one_after_another()
died, ran = [], []
sys.unraisablehook = died.append
threading.settrace(lambda *_: None)
sys.setswitchinterval(1e-6)
class Quick(threading.Thread):
    def start(self):  # waiting for one that died would never end
        threading._limbo[self] = self
        threading._start_new_thread(self._bootstrap, ())
for _one in range(800):
    Quick(target=ran.append, args=(1,), daemon=True).start()
limit = time.monotonic() + 30
while len(ran) + len(died) < 800 and time.monotonic() < limit:
    time.sleep(0.01)
print(len(ran), len(died))
"""


def test_threads_that_start_together_under_the_watch_and_a_trace_all_run() -> None:
    command = [sys.executable, "-B", "-c", STARTER, str(ROOT / "scripts")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "800 0\n"


def test_session_answers_for_its_own_writing_alone(user: Path, tmp_path: Path) -> None:
    notes = tmp_path / f"work/unit/{home_watch.NOTES}"
    notes.parent.mkdir(parents=True)
    notes.write_text(f"\t{user}/before\n", encoding="utf-8")
    result = workshop.Result(passed=1)
    with workspace.workspace(result, "a") as environment, notes.open("a") as file:
        (user / ".made_by_another_program").touch()
        file.write(f"/tmp/gpuops-other\t{user}/of-another-session\n")
        file.write(f"{environment[home_watch.MARK]}\t{user}/mine\n\t{user}/of-none\n")
    named = "; ".join(f"{user}/{name} in the user's own home" for name in ("mine", "of-none"))
    assert result.failures == [f"leaves nothing behind; {named}"]


def test_environment_is_made_by_one_at_a_time(
    user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def fill(folder: Path, requirements: list[str], _python: str) -> None:
        time.sleep(0.2)
        (folder / "lib/python3.11/site-packages").mkdir(parents=True)
        made.append(requirements)

    monkeypatch.setattr(workshop, "_fill", fill)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda name: workshop.environment_for(name, ["b==1"]), ["a", "a"]))
    assert both == [tmp_path / "work/a/bin"] * 2
    assert made == [["b==1"]]
    packages = tmp_path / "work/a/lib/python3.11/site-packages"
    assert "home" in (packages / "gpuops_home_watch.pth").read_text(encoding="utf-8")


def sweep(monkeypatch: pytest.MonkeyPatch, **asked: Any) -> list[str]:
    """Sweep where a host is mine, one of a session that lives, two are of nobody who lives."""
    me, gone = hosts.identity(os.getpid()), "boot:1:0"
    mother = hosts.identity(os.getppid())
    rows = [f"mine {gone} {me}", f"of-other {gone} {mother}", f"of-dead {gone} {gone}"]
    rows += [f"of-none {gone} ", f"busy {me} {me}"]
    removed: list[str] = []
    monkeypatch.setenv("GPUOPS_WATCH_PID", str(os.getpid()))
    monkeypatch.setattr(hosts, "_lines", lambda *_words: rows)
    monkeypatch.setattr(hosts, "_podman", lambda *words, **_options: removed.append(words[-1]))
    monkeypatch.setattr(hosts.HostDisks, "sweep", lambda _alive: None)
    assert hosts.PodmanHosts("test", print).sweep(**asked) == removed
    return removed


def test_hosts_of_a_living_session_are_its_own_business(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sweep(monkeypatch) == ["mine", "of-dead", "of-none"]
    assert sweep(monkeypatch, only_mine=True) == ["mine"]
