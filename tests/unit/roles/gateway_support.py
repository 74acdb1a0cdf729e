# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of the role gateway share: its variables, and what it makes on the controller."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT

ROLE = ROOT / "roles/gateway"
UPSTREAM_KEY = "upstream-key-of-the-tests"
LOOK = "lookup('ansible.builtin.template', role_path ~ '/templates/%s')"


def make(folder: Path, *users: str, check: bool = False) -> dict[str, Any]:
    """Let the role's own program make what the controller keeps."""
    asked = json.dumps({"folder": str(folder), "users": users, "check": check})
    command = [sys.executable, str(ROLE / "files/controller.py")]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def variables(folder: Path, **given: Any) -> dict[str, Any]:
    """Return variables of a gateway for alice, whose files are in a folder."""
    key_file = folder / "vllm_api_key"
    key_file.write_text(UPSTREAM_KEY, encoding="utf-8")
    return {
        "inventory_hostname": "front",
        "ansible_host": "192.0.2.1",
        "ansible_managed": "Ansible managed",
        "gateway_users": [{"name": "alice"}],
        "gateway_upstream_key_file": str(key_file),
        "_gateway_digests": {"alice": "digest"},
        "_gateway_probe": {"ipv6": True, "file": False, "missing_packages": []},
        **given,
    }
