# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers that run the modules one after the other, and may be killed at any request."""

from __future__ import annotations

import importlib
from random import Random
from typing import Any, NoReturn

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.gpuops.cloud.tests.unit.chaos.wire import Killed
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import PLUGINS, SECRET

VERDA_URL = "http://cloud.localhost/v1"
DEPLOYMENT = "llm"
NAMES = ("llm", "web")
ANY_GPU = "gb300_or_less"
TYPES = ("1H200.141S.44V", "1H100.80S.32V", "1A100.22V", "1L40S.20V", "1V100.6V")
Action = tuple[str, dict[str, Any]]


class Outcome(BaseException):
    """The end of a module, with its result."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__()
        self.result = result


class Controller:
    """One controller with credentials of its own; after a kill it is started again."""

    def __init__(self, number: int, seed: int, mortality: float = 0.0) -> None:
        self.client_id = f"controller-{number}"
        self.args: dict[str, Any] = {}
        self.warned: list[str] = []
        self.requests = 0
        self._dice = Random(f"controller {number} {seed}")
        self._mortality = mortality
        self._doom: tuple[int, bool] | None = None
        self._fate: tuple[int, bool] | None = None
        self._dead = False

    def draw(self) -> list[Action]:
        """Return what this controller is going to do."""
        return [draw(self._dice) for _action in range(self._dice.choice([1, 1, 2, 3]))]

    def die_at(self, request: int, *, late: bool) -> None:
        """Die at the n-th request from now on, before it is sent or once it has been served."""
        self._fate = (self.requests + request, late)

    def run(self, module: str, **args: Any) -> dict[str, Any]:
        """Run a module and return its result; ``killed`` is true in it when it did not end."""
        self.args = {**self.login(module), **args}
        self.warned = []
        self._dead, self._doom = False, self._fate
        if not self._doom and self._dice.random() < self._mortality:
            steps = self._dice.choice([3, 8, 20, 60])
            self._doom = (self.requests + self._dice.randint(1, steps), self._dice.random() < 0.7)
        try:
            importlib.import_module(f"{PLUGINS}.modules.{module}").main()
        except Outcome as outcome:
            return outcome.result
        except Killed:
            return {"killed": True}
        raise AssertionError(f"{module} ended without a result")

    def login(self, _module: str) -> dict[str, Any]:
        """Return the options that name the account."""
        auth = {"client_id": self.client_id, "client_secret": SECRET, "timeout": 30.0}
        return {**auth, "base_url": VERDA_URL}

    # -- what the wire asks --------------------------------------------------------------------

    def sends(self) -> None:
        """Count a request, and die before it is sent if that is to be."""
        self.requests += 1
        self._die(late=False)

    def served(self) -> None:
        """Die before the answer is read, if that is to be."""
        self._die(late=True)

    def _die(self, late: bool) -> None:
        if self._doom and self.requests >= self._doom[0] and late >= self._doom[1]:
            self._dead = True
        if self._dead:  # with all its threads
            raise Killed


def draw(dice: Random) -> Action:
    """Return a module and its options."""
    name, count = dice.choice(NAMES), dice.choice([1, 1, 1, 1, 2, 3])
    base: dict[str, Any] = {"deployment": DEPLOYMENT, "name": name, "count": count}
    base["wait_timeout"] = dice.choice([60, 300])
    base["wait_interval"] = dice.choice([8, 20])
    kind = dice.choice(["present", "running"] * 4 + ["replace", "absent"] * 2 + ["stopped"])
    return _end(dice, base) if kind == "absent" else _buy(dice, base, kind)


def purchase(dice: Random) -> Action:
    """Return the purchase of one instance or of a few."""
    base = {"deployment": DEPLOYMENT, "name": dice.choice(NAMES), "count": dice.choice([1, 1, 2])}
    module, args = _buy(dice, {**base, "wait_interval": 20}, "running")
    return module, {**args, "wait": True}


def _buy(dice: Random, base: dict[str, Any], kind: str) -> Action:
    base.update(state="running" if kind == "replace" else kind, tier=ANY_GPU, owner="me")
    base["wait"] = dice.random() < 0.7
    base["market"] = dice.choice(["on_demand", "on_demand", "spot_first", "spot", "any"])
    base["ssh_keys"] = dice.choice([None, None, ["gpuops.llm.key"]])
    base["wait_for_capacity"] = dice.choice([0, 0, 0, 90])
    base["data_volume_gb"] = dice.choice([None, None, None, 50])
    base["os_volume"] = dice.choice(["trash", "trash", "keep", "delete"])
    base["min_count"] = dice.choice([None, 1])
    base["keep_short_fleet"] = dice.random() < 0.3
    if kind == "replace":
        base.update(replace=True, instance_type=dice.choice(TYPES), market="on_demand")
    return "datacrunch_instance", base


def _end(dice: Random, base: dict[str, Any]) -> Action:
    if dice.random() < 0.2:
        base = {key: value for key, value in base.items() if key not in ("name", "count")}
    base["os_volume"] = dice.choice(["trash", "keep", "delete"])
    base["data_volumes"] = dice.choice([None, "keep", "trash", "delete"])
    return "datacrunch_instance", {**base, "state": "absent", "owner": "me"}


class Module:
    """What stands in for an AnsibleModule: options come from the controller that runs."""

    def __init__(self, args: dict[str, Any], spec: dict[str, Any], warned: list[str]) -> None:
        checked = ArgumentSpecValidator(spec).validate(args)
        assert not checked.error_messages, checked.error_messages
        self.params = dict(checked.validated_parameters)
        self.check_mode = False
        self._diff = False
        self.no_log_values: set[str] = set()
        self.wrong: dict[str, Any] = {}
        self._warned = warned

    def warn(self, text: str) -> None:
        """Take a note of a warning, which is no part of the result."""
        self._warned.append(text)

    def exit_json(self, **result: Any) -> NoReturn:
        """End well."""
        raise Outcome(result)

    def fail_json(self, **result: Any) -> NoReturn:
        """End badly, with a sentence."""
        raise Outcome({**result, "failed": True})
