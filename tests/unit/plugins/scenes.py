# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes: for every module of the cloud, situations in which it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.plugins.published import SMALL, config_of
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, OTHER_KEY, Cloud

MODULES = sorted(Path(__file__).resolve().parents[3].glob("plugins/modules/datacrunch_*.py"))
TIER = {"tier": "h200_or_less"}
Task = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Scene:
    """A module, its options, and what happens before. ``changes`` says whether it does anything."""

    name: str
    module: str
    args: dict[str, Any] = field(default_factory=dict)
    before: tuple[Task, ...] = ()
    changes: bool = False

    def prepare(self, cloud: Cloud) -> list[dict[str, Any]]:
        """Do what happens before, and return the results."""
        results = [cloud.ok(f"datacrunch_{module}", **args) for module, args in self.before]
        if self.module == "reap":
            cloud.sim.advance(90)  # the shortest lease is over then
        return results

    def run(self, cloud: Cloud, **how: Any) -> dict[str, Any]:
        """Run the module."""
        return cloud.ok(f"datacrunch_{self.module}", **self.args, **how)


def machine(**more: Any) -> Task:
    """Return the task that keeps an instance of the deployment ``llm``."""
    return "instance", {"deployment": "llm", **more}


def key(**more: Any) -> Task:
    """Return the task that keeps a key of the deployment ``llm``."""
    return "ssh_key", {"deployment": "llm", **more}


def volume(**more: Any) -> Task:
    """Return the task that keeps the volume ``data`` of the deployment ``llm``."""
    return "volume", {"deployment": "llm", "name": "data", **more}


def script(**more: Any) -> Task:
    """Return the task that keeps a script of the deployment ``llm``."""
    return "startup_script", {"deployment": "llm", **more}


def lease(**more: Any) -> Task:
    """Return the task that changes the leases of the deployment ``llm``."""
    return "lease", {"deployment": "llm", **more}


def reap(**more: Any) -> Task:
    """Return the task that ends what is over in the whole account, without grace."""
    return "reap", {"everything": True, "grace": "0s", **more}


# A date that the balance outlasts; whole days, so that all processes of a run call tests alike.
LATER = f"{datetime.now(timezone.utc) + timedelta(days=3):%Y-%m-%d}T00:00:00Z"
NEW = {"size_gb": 50, "location": "FIN-03"}
BOUGHT = (machine(**TIER),)
BUDGET = {"per_hour": 50, "total": 1000}
LIMITS = {"budget": BUDGET, "max_lease_cost": 200}
OFF = (*BOUGHT, machine(state="stopped"))
KEYS = (key(public_key=KEY), key(public_key=OTHER_KEY))
DISK = (volume(**NEW),)
SCRIPTS = (script(content="#!/bin/sh\ntrue\n"), script(name="two", content="#!/bin/sh\nfalse\n"))

FULL = (*BOUGHT, machine(**TIER, deployment="other", name="spot", market="spot"), *KEYS, *DISK)
# A lease that is over, a volume that is kept, and a key of which nobody knows the age.
OVER = (
    machine(**TIER, lease="1m", owner="me"),
    volume(deployment="empty", **NEW),
    key(deployment=None, name="gpuops.nowhere.key", public_key=KEY),
)

# What each writing task does: name, task, what happens before, and whether it changes anything.
WRITES: tuple[tuple[str, Task, tuple[Task, ...], bool], ...] = (
    ("buy", machine(**TIER, owner="me", description="x"), (), True),
    ("buy spot", machine(**TIER, market="spot"), (), True),
    ("buy within a budget", machine(**TIER, **LIMITS), (), True),
    ("buy a fleet", machine(**TIER, count=3), (), True),
    ("grow a fleet", machine(**TIER, count=3), BOUGHT, True),
    ("keep", machine(**TIER), BOUGHT, False),
    ("keep running", machine(state="running"), BOUGHT, False),
    ("keep what is stopped", machine(), OFF, False),
    ("start", machine(state="running"), OFF, True),
    ("stop", machine(state="stopped"), BOUGHT, True),
    ("keep stopped", machine(state="stopped"), OFF, False),
    ("end", machine(state="absent"), BOUGHT, True),
    ("end a fleet", machine(state="absent"), (machine(**TIER, count=3),), True),
    ("end nothing", machine(state="absent"), (), False),
    (
        "probe an account",
        ("account_probe", {"deployment": "verify-account", "spend": True}),
        (),
        True,
    ),
    ("rebuild a ledger", ("ledger", {}), (machine(**TIER, ledger="none"),), True),
    ("keep a ledger", ("ledger", {}), BOUGHT, False),
    ("register", key(public_key=KEY), (), True),
    ("keep a key", key(public_key=KEY), KEYS, False),
    ("remove keys", key(state="absent"), KEYS, True),
    ("remove no key", key(state="absent"), (), False),
    ("make a volume", volume(**NEW), (), True),
    ("keep a volume", volume(**NEW), DISK, False),
    ("replace a volume", volume(**NEW), (*DISK, volume(state="absent")), True),
    ("grow a volume", volume(size_gb=60), DISK, True),
    ("attach", volume(instance="llm", power_cycle=True), (*BOUGHT, *DISK), True),
    ("trash a volume", volume(state="absent"), DISK, True),
    ("restore", volume(restore=True), (*DISK, volume(state="absent")), True),
    ("delete no volume", volume(state="absent", policy="delete"), (), False),
    ("register a script", script(content="#!/bin/sh\ntrue\n"), (), True),
    ("keep a script", script(content="#!/bin/sh\ntrue\n"), SCRIPTS, False),
    ("remove scripts", script(state="absent"), SCRIPTS, True),
    ("remove no script", script(state="absent"), (), False),
    ("set a lease", lease(lease=LATER), BOUGHT, True),
    ("set a lease within a budget", lease(lease=LATER, budget=BUDGET), BOUGHT, True),
    ("keep a lease", lease(lease="none", name="llm"), (machine(**TIER, lease="none"),), False),
    ("protect", lease(protect=True), BOUGHT, True),
    ("end a lease", lease(done=True, data_volumes="trash"), BOUGHT, True),
    ("end no lease", lease(done=True), (), False),
    ("reap", reap(mode="delete"), OVER, True),
    ("reap by stopping", reap(mode="stop"), OVER, True),
    ("reap one owner", reap(mode="delete", everything=False, owner="me"), OVER, True),
    ("reap what lives", reap(mode="delete"), FULL, False),
    ("reap for a budget", reap(mode="delete", budget={"per_hour": 0.1}), BOUGHT, True),
    ("report what is over", reap(), OVER, False),
    ("reap nothing", reap(mode="delete"), (), False),
)
# And the tasks that only ask, over an account that has one of everything.
QUESTIONS: tuple[tuple[str, Task], ...] = (
    ("dialect", ("account_info", {})),
    ("all instances", ("instance_info", {})),
    ("instances of a deployment", ("instance_info", {"deployment": "llm"})),
    ("capacity", ("capacity", {**TIER, "market": "any", "max_price_per_hour": 3})),
    ("capacity for a model", ("capacity", {"model": config_of(SMALL)})),
    ("balance", ("balance", {})),
    ("budget", ("balance", {"budget": {"per_hour": 9, "per_day": 50, "total": 900}})),
    ("costs", ("cost_info", {"budget": {"per_day": 100}})),
    ("deployment", ("deployment_info", {"deployment": "llm"})),
    ("keys", ("ssh_key_info", {})),
    ("volumes", ("volume_info", {})),
    ("trash", ("volume_info", {"trash": True})),
    ("scripts", ("startup_script_info", {})),
    ("metrics", ("metrics", {})),
)


def scenes() -> Iterator[Scene]:
    """Yield every scene."""
    for name, (module, args), before, changes in WRITES:
        yield Scene(name, module, args, before, changes)
    thrown = (volume(name="old", **NEW), volume(name="old", state="absent"))
    # It finds nothing, and is seen to watch.
    watching = ("reap", {"mode": "delete", "deployments": ["other"], "owner": "somebody"})
    for name, (module, args) in QUESTIONS:
        yield Scene(name, module, args, (*FULL, *SCRIPTS, *thrown, watching))


SCENES = list(scenes())
