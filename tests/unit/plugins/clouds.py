# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two clouds in this process, for what asks several: the simulator, and Lambda Cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuops.cloud.tests.conformance.lambda_cloud import LambdaDoor
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    CLIENT_ID,
    SECRET,
    Cloud,
    Runs,
    run_module,
)

LAMBDA_KEY = "the-key-of-the-account"


@dataclass
class Clouds(Runs):
    """Two clouds, and a controller that has an account at each."""

    verda: Cloud
    door: LambdaDoor

    @property
    def accounts(self) -> dict[str, Any]:
        verda = {"client_id": CLIENT_ID, "client_secret": SECRET}
        return {
            "verda": {**verda, "base_url": f"{self.verda.sim.url}/v1"},
            "lambda": {"api_key": LAMBDA_KEY, "base_url": f"{self.door.url}/v1"},
        }

    def run(
        self, name: str, /, *, check: bool = False, diff: bool = False, **args: Any
    ) -> dict[str, Any]:
        given = {"accounts": self.accounts, **args}
        result, output = run_module(name, given, check=check, diff=diff)
        assert LAMBDA_KEY not in output
        assert SECRET not in output
        return result

    def ask(self, **args: Any) -> dict[str, Any]:
        """Ask what can be bought."""
        return self.ok("gpu_offers", **args)

    def without(self, provider: str) -> dict[str, Any]:
        """Return the accounts but for one."""
        return {name: one for name, one in self.accounts.items() if name != provider}

    def lambda_down(self) -> dict[str, Any]:
        """Return the accounts, one of which leads to nobody who listens."""
        dead = {**self.accounts["lambda"], "base_url": "http://127.0.0.1:1/v1"}
        return {**self.accounts, "lambda": dead}
