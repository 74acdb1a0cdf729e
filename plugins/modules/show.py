# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: show
short_description: Print text unchanged
version_added: 0.1.0
description:
  - Prints text on the controller without the quotes and line breaks that results get, whatever the output format is.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.changes_nothing
options:
  text:
    description: What to print.
    type: str
    required: true
  secrets:
    description: Names of environment variables of the controller whose values are masked in it.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Prints in check mode too.
"""

EXAMPLES = r"""
- name: Say something
  gpuops.cloud.show:
    text: |
      one line
      another line
"""

RETURN = r"""
lines:
  description: What was printed.
  returned: success
  type: list
  elements: str
  sample: [one line, another line]
"""
