# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a folder are sent: git's own list, and what cannot be sent is said before."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs import folder
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.folder import read_folder


def write(root: Path, *names: str) -> None:
    """Write files that hold their names."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")


def git(root: Path, *words: str) -> None:
    """Run git in a folder."""
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=root, check=True
    )


def sent(root: Path) -> list[str]:
    """Return the paths that are sent."""
    return [entry.path for entry in read_folder(root, 1).entries]


def test_it_is_what_git_knows_or_would_add(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    write(tmp_path, "kept", "gone", "tracked.bin", "new", ".env", "data/x.bin", "line\nbreak")
    (tmp_path / ".gitignore").write_text("*.bin\n.env\n", encoding="utf-8")
    git(tmp_path, "add", "--force", "kept", "gone", "tracked.bin")
    (tmp_path / "gone").unlink()
    assert sent(tmp_path) == [".gitignore", "kept", "line\nbreak", "new", "tracked.bin"]


@pytest.mark.parametrize("repository", [True, False])
def test_an_ignore_file_of_its_own_leaves_out_what_git_knows_too(
    tmp_path: Path, repository: bool
) -> None:
    write(tmp_path, "a", "docs/b", "weights.pt", "keep.pt")
    (tmp_path / folder.IGNORE).write_text("*.pt\n!keep.pt\ndocs/\n", encoding="utf-8")
    if repository:
        git(tmp_path, "init", "--quiet")
        git(tmp_path, "add", ".")
    assert sent(tmp_path) == [folder.IGNORE, "a", "keep.pt"]


def test_a_repository_within_is_sent_with_it_and_no_history_ever(tmp_path: Path) -> None:
    write(tmp_path, "a", "inner/b")
    git(tmp_path / "inner", "init", "--quiet")
    git(tmp_path / "inner", "add", ".")
    git(tmp_path / "inner", "commit", "--quiet", "-m", "x")
    git(tmp_path, "init", "--quiet")
    assert sent(tmp_path) == ["a", "inner/b"]


def test_results_that_came_home_are_not_sent(tmp_path: Path) -> None:
    write(tmp_path, "a", "results/x/out", "results/y")
    found = read_folder(tmp_path, 1, [tmp_path / "results/x"])
    assert [entry.path for entry in found.entries] == ["a", "results/y"]


def test_a_folder_that_is_too_large_is_refused_with_its_largest(tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(b"x" * 900_000)
    (tmp_path / "bigger.bin").write_bytes(b"x" * 1_100_000)
    with pytest.raises(InvalidError) as found:
        read_folder(tmp_path, 1)
    assert "has 2.0 MB in 2 files, and 1 MB may be sent" in str(found.value)
    assert "bigger.bin (1.1 MB), big.bin (0.9 MB)" in str(found.value)


@pytest.mark.parametrize("target", ["/etc/hostname", "../other"])
def test_a_link_that_leads_out_is_refused(tmp_path: Path, target: str) -> None:
    root = tmp_path / "root"
    write(tmp_path, "other", "root/a")
    (root / "link").symlink_to(target)
    with pytest.raises(InvalidError, match="link is a link to"):
        read_folder(root, 1)


def test_files_that_cannot_be_read_are_told_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a", "secret.key", "line\nbreak")
    closed = ("secret.key", "line\nbreak")
    monkeypatch.setattr(folder.os, "access", lambda path, _mode: path.name not in closed)
    with pytest.raises(InvalidError) as found:
        read_folder(tmp_path, 1)
    assert "2 files of" in str(found.value)
    assert r"cannot be read: 'line\nbreak', secret.key" in str(found.value)


def test_links_within_stay_links(tmp_path: Path) -> None:
    write(tmp_path, "a/b")
    (tmp_path / "a/link").symlink_to("../a/b")
    found = {entry.path: entry.link for entry in read_folder(tmp_path, 1).entries}
    assert found == {"a/b": "", "a/link": "../a/b"}


def test_content_is_what_identifies_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "a")
    before = read_folder(tmp_path, 1).identity
    (tmp_path / "a").touch()
    assert read_folder(tmp_path, 1).identity == before
    write(tmp_path, "b")
    assert read_folder(tmp_path, 1).identity != before


def test_without_a_folder_there_is_nothing_to_send(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="is not a folder"):
        read_folder(tmp_path / "none", 1)
