# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options by which modules that ask several providers log in."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  providers:
    description:
      - Providers to ask, at the same time. Without it all of them but V(tensordock), V(verda) being the first.
      - V(tensordock) is asked only where it is named. Others that rented there saw most orders come to nothing, some of them after they were paid for.
      - One without credentials is left out, and one that does not answer spoils nothing of the others. Both have a row that says why.
    type: list
    elements: str
    choices: [lambda, runpod, tensordock, vast, verda]
  accounts:
    description:
      - Credentials by provider. What is not given is found where each vendor's users keep it.
    type: dict
    suboptions:
      lambda:
        description: Credentials of Lambda Cloud.
        type: dict
        suboptions:
          api_key:
            description:
              - Key of the API. Without it, the environment variable E(LAMBDA_API_KEY) is read,
                then the line C(api_key = KEY) of C(~/.lambda_cloud/lambda_keys).
            type: str
          base_url:
            description:
              - Address of the API, with its version. It is C(https), or C(http) for a loopback address.
              - Without it, E(LAMBDA_API_URL) is read, else it is V(https://cloud.lambda.ai/api/v1).
            type: str
      runpod:
        description: Credentials of RunPod.
        type: dict
        suboptions:
          api_key:
            description:
              - Key of the API. Without it, the environment variable E(RUNPOD_API_KEY) is read,
                then C(apikey), or C(api_key) of C([default]), in C(~/.runpod/config.toml).
            type: str
          base_url:
            description:
              - Address of the API, with or without its version. It is C(https), or C(http) for a loopback address.
              - Without it, E(RUNPOD_API_BASE_URL) is read, else it is V(https://api.runpod.io/v2).
            type: str
          cloud:
            description:
              - Which hosts are meant, V(secure) unless it says otherwise. Those of V(community) belong to others, who can read what is on them.
            type: str
            choices: [secure, community]
      tensordock:
        description: Credentials of TensorDock.
        type: dict
        suboptions:
          api_key:
            description:
              - Token of the API, version 2. Without it, the environment variables E(TENSORDOCK_API_TOKEN) and E(TENSORDOCK_API_KEY) are read.
            type: str
          base_url:
            description:
              - Address of the API, with its version. It is C(https), or C(http) for a loopback address.
              - Without it, E(TENSORDOCK_API_URL) is read, else it is V(https://dashboard.tensordock.com/api/v2).
            type: str
      vast:
        description: Credentials of Vast.ai.
        type: dict
        suboptions:
          api_key:
            description:
              - Key of the API. Without it, the environment variable E(VAST_API_KEY) is read,
                then the file of the vendor's command, C(~/.config/vastai/vast_api_key).
            type: str
          base_url:
            description:
              - Address of the API, without its version. It is C(https), or C(http) for a loopback address.
              - Without it, E(VAST_URL) is read, else it is V(https://console.vast.ai).
            type: str
          rents:
            description: What is rented. Containers have no systemd, no reboot and no network of their own, so not every role applies.
            type: str
            choices: [vm, container]
            default: vm
      verda:
        description: Credentials of Verda, formerly DataCrunch.
        type: dict
        suboptions:
          client_id:
            description:
              - Client id. Without it, the environment variables E(DATACRUNCH_CLIENT_ID) and E(VERDA_CLIENT_ID) are read,
                then the credential files C(~/.datacrunch/credentials) and C(~/.verda/credentials).
            type: str
          client_secret:
            description: Client secret that belongs to the client id, found in the same places.
            type: str
          base_url:
            description:
              - Address of the API, with its version.
              - Without it, E(DATACRUNCH_BASE_URL) and E(VERDA_BASE_URL) are read, then the credential file; at last V(https://api.verda.com/v1).
            type: str
          profile:
            description: Section of the credential file. A named profile is used in place of the environment.
            type: str
  timeout:
    description:
      - Seconds for one request to an API as a whole, with the repeats of a read included.
      - The pauses that a rate limit asks for come on top.
    type: float
    default: 30
requirements:
  - requests (Python package, where the module runs)
"""
