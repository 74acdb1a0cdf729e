# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round over a folder of job files. Arguments: the folder, and that of the collections.

Run by the Python that has Ansible. In CREDENTIALS_DIRECTORY lie variables of the playbook, the
secrets of the jobs, and the key that opens instances, if one was given.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

BUSY = 75


def load(path: str) -> Any:
    """Return what a file holds. Raises ValueError for one that is no YAML."""
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"it is no YAML: {error}") from error


def main() -> None:
    """Make a round; ends with 75 beside another keeper, and with 1 where something went wrong."""
    folder, collections = Path(sys.argv[1]), sys.argv[2]
    sys.path.insert(0, collections)
    from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import ConflictError
    from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.keeper import Keeper

    kept = Path(os.environ["CREDENTIALS_DIRECTORY"])
    given = json.loads((kept / "variables").read_text(encoding="utf-8"))
    if (kept / "ssh_key").exists():
        given["ssh_private_key_file"] = str(kept / "ssh_key")
    keeper = Keeper(
        folder,
        load,
        [str(Path(sys.executable).with_name("ansible-playbook"))],
        given,
        json.loads((kept / "secrets").read_text(encoding="utf-8")),
    )
    try:
        sys.exit(0 if keeper.round() else 1)
    except ConflictError as error:
        print(f"<5>{error}; nothing was done.")
        sys.exit(BUSY)


if __name__ == "__main__":
    main()
