# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build, cache and find the container image that plays an instance.

Two ways lead to it: Ubuntu 24.04 where an image registry answers, else Debian 12 by debootstrap.
The finished root file system is kept as a tarball, so that a lost podman store costs seconds.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

REPOSITORY = "localhost/gpuops-host"
REGISTRY = "https://registry-1.docker.io/v2/"
UBUNTU = "docker.io/library/ubuntu:24.04"
DEBIAN = "bookworm"
PACKAGES = [
    *("systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "python3-venv"),
    *("python3-apt", "iproute2", "procps", "ca-certificates", "sudo", "libnuma1"),
    *("nftables", "e2fsprogs"),
]
# sshd would otherwise share one identity between all hosts; the first boot makes a key for each.
SSH_DROP_IN = """[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
"""
FINISH = f"""set -eu
export DEBIAN_FRONTEND=noninteractive
if [ ! -x /usr/sbin/sshd ]; then
    apt-get update -qq
    apt-get install -qq --no-install-recommends {" ".join(PACKAGES)}
fi
update-ca-certificates >/dev/null
rm -rf /etc/ssh/ssh_host_* /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /finish.sh
: > /etc/machine-id
mkdir -p -m 0700 /root/.ssh
"""
CONTAINERFILE = f"FROM {UBUNTU}\nCOPY files/ /\nCOPY finish.sh /finish.sh\nRUN sh /finish.sh\n"
STALE_SECONDS = 2 * 24 * 3600.0
CONTROLLER_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


class ImageError(RuntimeError):
    """The image could not be made; the message says what was tried."""


def cache_folder() -> Path:
    """GPUOPS_SIMULATOR_CACHE or the user's cache folder of this project, made if it is missing."""
    base = os.environ.get("XDG_CACHE_HOME")
    usual = (Path(base) if base else Path.home() / ".cache") / "gpuops.cloud"
    folder = Path(os.environ.get("GPUOPS_SIMULATOR_CACHE") or usual)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepare(runtime: list[str], log: Callable[[str], None]) -> tuple[str, str]:
    """Return (image, one line that says where it came from); build it if it is nowhere yet."""
    files = _overlay()
    digest = hashlib.sha256(repr((PACKAGES, FINISH, DEBIAN, UBUNTU, files)).encode()).hexdigest()
    image = f"{REPOSITORY}:{digest[:12]}"
    with locked(cache_folder() / "host-image.lock"):
        source = "found"
        if not exists(image):
            tarball = cache_folder() / f"host-image-{digest[:12]}.tar.gz"
            source = f"from {tarball}"
            if not tarball.exists():
                source = _build(tarball, files, runtime, log)
            _run(["podman", "import", "--quiet", str(tarball), image])
        keep(image)
    return image, f"host image {image}: {source}"


def exists(image: str) -> bool:
    """Tell whether podman has an image."""
    return _run(["podman", "image", "exists", image], check=False).returncode == 0


def _build(
    tarball: Path, files: dict[str, str], runtime: list[str], log: Callable[[str], None]
) -> str:
    """Build the root file system into `tarball` and return how."""
    unfinished = tarball.with_name(".host-image.partial")
    with _build_folder(tarball.with_name(".host-image-build")) as context:
        _write_files(context / "files", files)
        (context / "finish.sh").write_text(FINISH, encoding="utf-8")
        (context / "Containerfile").write_text(CONTAINERFILE, encoding="utf-8")
        try:
            how = _from_registry(context, unfinished, runtime, log)
        except ImageError as refused:
            log(f"host image: {refused}; making one with debootstrap, which takes a minute or two")
            how = f"{_from_debootstrap(context, unfinished)} ({refused})"
    for stale in tarball.parent.glob("host-image-*.tar.gz"):
        stale.unlink()
    unfinished.rename(tarball)
    return f"built from {how}"


@contextmanager
def _build_folder(folder: Path) -> Iterator[Path]:
    """Provide an empty folder; what a killed build left there is removed, its mounts first."""
    for mounted in ("proc", "sys"):
        _run(["umount", "--recursive", "--lazy", str(folder / "root" / mounted)], check=False)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(image: str) -> None:
    """Note that an image is in use; remove those of its repository that nobody used for long.

    Another clone may use an image of another recipe at the same time, before a host runs on it.
    """
    marks = cache_folder() / "host-images"
    marks.mkdir(exist_ok=True)
    repository, _unused, tag = image.rpartition(":")
    (marks / tag).touch()
    listed = _run(["podman", "images", "--format", "{{.Repository}}:{{.Tag}}", repository])
    for other in listed.stdout.split():
        name, _unused, tag = other.rpartition(":")
        mark = marks / tag
        if name != repository:
            continue
        if not mark.exists():
            mark.touch()
        stale = time.time() - mark.stat().st_mtime > STALE_SECONDS
        # podman refuses while a host runs on it.
        if stale and _run(["podman", "rmi", other], check=False).returncode == 0:
            mark.unlink()


def _from_registry(
    context: Path, tarball: Path, runtime: list[str], log: Callable[[str], None]
) -> str:
    """Ubuntu 24.04 from the registry; raises ImageError when it does not answer."""
    try:
        urllib.request.urlopen(REGISTRY, timeout=4).close()
    except urllib.error.HTTPError as answer:
        if answer.code != 401:
            raise ImageError("no image registry reachable") from answer
    except OSError as error:
        raise ImageError("no image registry reachable") from error
    log(f"host image: building from {UBUNTU}")
    name = f"gpuops-image-{os.getpid()}"
    try:
        _run(["podman", *runtime, "build", "--quiet", "--network", "host", "--tag", name,
              str(context)], timeout=900)  # fmt: skip
        _run(["podman", *runtime, "create", "--name", name, name, "true"])
        with subprocess.Popen(["podman", "export", name], stdout=subprocess.PIPE) as export:
            assert export.stdout is not None
            _compress(export.stdout, tarball)
        if export.returncode:
            raise ImageError("the built image could not be exported")
    finally:
        _run(["podman", "rm", "--force", "--ignore", name], check=False)
        _run(["podman", "rmi", "--force", name], check=False)
    return UBUNTU


def _from_debootstrap(context: Path, tarball: Path) -> str:
    """Debian 12 from the package mirror of the controller."""
    if not shutil.which("debootstrap"):
        raise ImageError("and debootstrap is not installed: apt-get install debootstrap")
    root = context / "root"
    _run(["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", DEBIAN,
          str(root), *_mirror()], timeout=1800)  # fmt: skip
    shutil.copytree(context / "files", root, dirs_exist_ok=True)
    shutil.copy(context / "finish.sh", root / "finish.sh")
    # The controller's folder for temporary files is not in there.
    _run(["chroot", str(root), "/usr/bin/env", "--unset=TMPDIR", "/bin/sh", "/finish.sh"])
    with subprocess.Popen(
        ["tar", "-C", str(root), "--numeric-owner", "-c", "."], stdout=subprocess.PIPE
    ) as archive:
        assert archive.stdout is not None
        _compress(archive.stdout, tarball)
    if archive.returncode:
        raise ImageError("tar could not pack the root file system")
    return f"debootstrap {DEBIAN}"


def _overlay() -> dict[str, str]:
    """Files of the image: sshd's first boot, the controller's authorities and apt settings."""
    files = {"etc/systemd/system/ssh.service.d/hostkeys.conf": SSH_DROP_IN}
    for number, certificate in enumerate(_authorities()):
        files[f"usr/local/share/ca-certificates/controller-{number:03}.crt"] = certificate
    if _controller_is(DEBIAN):
        for name in ("etc/apt/sources.list", "etc/apt/sources.list.d/debian.sources"):
            own = Path("/", name)
            files[name] = own.read_text(encoding="utf-8") if own.exists() else ""
        # A snapshot mirror's old index and a proxy are settings of the controller's apt, too.
        lines = _run(["apt-config", "dump", "Acquire"], check=False).stdout.splitlines()
        wanted = ("Acquire::http", "Acquire::https", "Acquire::Check-")
        kept = [line for line in lines if line.startswith(wanted)]
        files["etc/apt/apt.conf.d/90controller"] = "\n".join(kept) + "\n"
    return files


def _authorities() -> list[str]:
    """Certificates that the controller trusts, as PEM texts in a stable order."""
    for name in (os.environ.get("SSL_CERT_FILE"), *CONTROLLER_BUNDLES):
        if name and Path(name).is_file():
            text = Path(name).read_text(encoding="utf-8", errors="replace")
            end = "-----END CERTIFICATE-----"
            parts = (part for part in text.split("-----BEGIN CERTIFICATE-----")[1:] if end in part)
            return sorted(
                {f"-----BEGIN CERTIFICATE-----{part.split(end)[0]}{end}\n" for part in parts}
            )
    return []


def _controller_is(codename: str) -> bool:
    release = Path("/etc/os-release")
    return release.exists() and f"VERSION_CODENAME={codename}\n" in release.read_text("utf-8")


def _mirror() -> list[str]:
    """The controller's own Debian mirror; without one debootstrap takes its default."""
    for name in ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"):
        text = Path(name).read_text("utf-8") if Path(name).exists() else ""
        for word in text.split():
            if word.startswith("http") and word.rstrip("/").endswith("/debian"):
                return [word]
    return []


def _write_files(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    # They become those of the image's own folders, so the caller's umask must not show.
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _compress(stream: IO[bytes], target: Path) -> None:
    with gzip.open(target, "wb", compresslevel=1) as archive:
        shutil.copyfileobj(stream, archive, 1 << 20)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that only one process has at a time; it goes with the process."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _run(
    command: list[str], check: bool = True, timeout: float | None = 300
) -> subprocess.CompletedProcess[str]:
    """Run a command; a failure becomes an ImageError with its last words."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ImageError(f"{command[0]}: {error}") from error
    if check and done.returncode:
        words = (done.stderr.strip() or done.stdout.strip())[-500:]
        raise ImageError(f"{' '.join(command[:3])} failed: {words}")
    return done
