# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_files
short_description: Manage several files, directories and links in one call
version_added: 0.1.0
description:
  - Compares files with what they are to hold, and writes those that differ, each in one step.
  - M(ansible.builtin.template) and M(ansible.builtin.file) take one or two round trips a file. This takes one for all of them; the content comes
    from the lookup P(ansible.builtin.template#lookup).
author:
  - gpuops.cloud contributors (@gpuops)
options:
  files:
    description: What is to be there, in this order. Without content and target it is a folder, in a folder that is there.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Where it is.
        type: path
        required: true
      content:
        description: What the file holds.
        type: str
      link:
        description: What the link points to.
        type: str
      mode:
        description: Mode in octal digits; V(0644) for files and V(0755) for folders unless given.
        type: str
  secret_files:
    description:
      - What further files hold, by their paths, where nobody may see it in output, difference or log. Only root may read them.
      - They are written after O(files).
    type: dict
attributes:
  check_mode:
    support: full
    description: Compares and says what it would write.
  diff_mode:
    support: full
    description: Shows the difference of files that are no secrets.
  idempotent:
    support: full
    description: A second run writes nothing.
"""

EXAMPLES = r"""
- name: Write settings, a key and a link to the release in use
  gpuops.cloud.host_files:
    files:
      - path: /etc/example
      - path: /etc/example/settings.yaml
        content: "{{ lookup('ansible.builtin.template', 'settings.yaml.j2') }}"
      - path: /opt/example/current
        link: /opt/example/1.2.3
    secret_files:
      /etc/example/key: "{{ example_key }}"
  become: true
"""

RETURN = r"""
paths:
  description: Paths that were not as wanted, and are now, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [/etc/example/settings.yaml]
actions:
  description: What was done, or would be.
  returned: success
  type: list
  elements: str
  sample: [write /etc/example/settings.yaml]
"""

from typing import Any

from ..module_utils._host.files import HostFiles
from ..module_utils._runner.engine import run
from ..module_utils._runner.on_host import HOST

ITEM: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str"},
    "link": {"type": "str"},
    "mode": {"type": "str"},
}
SPEC: dict[str, Any] = {
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": ITEM,
        "mutually_exclusive": [("content", "link")],
    },
    # Not among the files: what is in a list is written to the log of the host.
    "secret_files": {"type": "dict", "no_log": True},
}


def main() -> None:
    """Keep the files."""
    run(SPEC, HostFiles(), HOST)


if __name__ == "__main__":
    main()
