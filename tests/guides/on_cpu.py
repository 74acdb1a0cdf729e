# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand before ansible-playbook in the tests of the guides: let hosts without a GPU serve.

The arguments are run as they are written in the guide. What they say of the model is answered by a
small one, made on the spot in a folder for each name and served under the name that was asked for.
Nothing is changed where the model alone chooses the instance, which is looked at and not bought.
"""

from __future__ import annotations

import json
import os
import sys

MODELS = "/var/lib/vllm/models"


def model_in(arguments: list[str]) -> str:
    """Return the model that the arguments name, or an empty text."""
    named = [word for word in arguments if word.startswith("vllm_model=")]
    return named[-1].partition("=")[2] if named else ""


def more(arguments: list[str]) -> list[str]:
    """Return what is to be added to the arguments."""
    model = model_in(arguments)
    chosen = any(word.startswith("tier=") for word in arguments)
    if not (model and chosen and "gpuops.cloud.bringup" in arguments):
        return []
    values = json.loads(os.environ["GUIDES_ON_CPU"])
    values["vllm_model"] = f"{MODELS}/{model.replace('/', '--')}"
    values["vllm_served_model_name"] = model
    return ["-e", json.dumps(values)]


if __name__ == "__main__":
    real = os.environ["GUIDES_ANSIBLE_PLAYBOOK"]
    os.execv(real, [real, *sys.argv[1:], *more(sys.argv[1:])])
