# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options by which every module and the inventory plugin log in."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  client_id:
    description:
      - Client id of the cloud's API credentials.
      - Without it, the environment variables E(DATACRUNCH_CLIENT_ID) and E(VERDA_CLIENT_ID) are read,
        then the credential files C(~/.datacrunch/credentials) and C(~/.verda/credentials).
    type: str
  client_secret:
    description:
      - Client secret that belongs to O(client_id), found in the same places
        (E(DATACRUNCH_CLIENT_SECRET), E(VERDA_CLIENT_SECRET)).
    type: str
  base_url:
    description:
      - Address of the API, with its version. It is C(https), or C(http) for a loopback address.
      - Without it, E(DATACRUNCH_BASE_URL) and E(VERDA_BASE_URL) are read, then the credential file;
        at last V(https://api.verda.com/v1). The address beside a named O(profile) comes before the environment.
    type: str
  profile:
    description:
      - Section of the credential file. A named profile is used in place of the environment.
      - Without it, E(DATACRUNCH_PROFILE) and E(VERDA_PROFILE) are read; then the section C(default) is used, or the only one.
    type: str
  timeout:
    description:
      - Seconds for one request to the API as a whole, with the repeats of a read included, also when the answer drips byte by byte.
      - Only the pauses that a rate limit asks for come on top, at most two of a minute each.
    type: float
    default: 30
requirements:
  - verda >= 1.25, < 2, or datacrunch >= 1.25, < 2, which is its former name (Python package, where the module runs)
notes:
  - Reads are repeated within O(timeout), and requests that were refused for their rate after the pause that the API asks for,
    a minute at most. An order is never repeated blindly.
  - The login is shared by the tasks of a run through a file that only its owner can read, below C(~/.cache/gpuops.cloud).
"""
