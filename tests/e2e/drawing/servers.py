# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up hours of three servers: one model meets a burst that it has no room for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

from samples import Samples

BEGIN, HOURS, STEP = 1_800_410_100, 6.3, 15
HOUR = 3600
FIRST = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0)
BETWEEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
MIB = 81079  # of a GPU


def rise(hour: float, begin: float, end: float) -> float:
    """Return 0 before, 1 afterwards, and a soft way between."""
    part = min(max((hour - begin) / (end - begin), 0.0), 1.0)
    return part * part * (3 - 2 * part)


def asked_of_chat(hour: float) -> float:
    """Return requests per second: a morning, and a burst of half an hour."""
    burst = rise(hour, 4.1, 4.4) * (1 - rise(hour, 4.55, 4.8))
    return 1.5 + 1.4 * rise(hour, 0, 3.2) + 1.6 * burst + 0.2 * math.sin(hour * 9)


def asked_of_coder(hour: float) -> float:
    """Return requests per second: up and down."""
    return 0.8 + 0.5 * math.sin(hour * 1.3) + 0.3 * rise(hour, 2, 3)


@dataclass
class Server:
    """A server and what it has counted."""

    name: str
    model: str
    gpus: int
    share: float
    room: float  # requests per second
    waiting: float = 0.0
    running: float = 0.0
    kv: float = 0.2
    counts: dict[str, float] = field(default_factory=dict)
    buckets: dict[str, list[float]] = field(default_factory=dict)

    def step(self, hour: float, dice: Random) -> tuple[float, float]:
        """Serve for a step; returns the requests done and the load."""
        asked = asked_of_chat(hour) if self.gpus == 2 else asked_of_coder(hour)
        asked *= self.share * dice.lognormvariate(0, 0.12)
        done = min(asked + self.waiting / STEP, self.room)
        self.waiting = max(self.waiting + (asked - done) * STEP, 0.0)
        load = done / self.room
        self.running += 0.25 * ((8 + 92 * load**1.5) * self.gpus / 2 - self.running)
        self.kv += 0.2 * (min(0.04 + 0.94 * load**1.3, 0.985) - self.kv)
        return done * STEP, load

    def count(self, name: str, more: float) -> float:
        """Return what a counter has come to."""
        self.counts[name] = self.counts.get(name, 0.0) + more
        return round(self.counts[name], 2)


class Series:
    """All that is told of the servers."""

    def __init__(self) -> None:
        self.samples = Samples()
        self._dice = Random(11)
        self._moment, self._hour = 0, 0.0

    def play(self, servers: list[Server]) -> Samples:
        """Return the hours of the servers."""
        for number in range(int(HOURS * HOUR / STEP)):
            self._moment = BEGIN + number * STEP
            self._hour = number * STEP / HOUR - 0.25
            for one in servers:
                done, load = one.step(self._hour, self._dice)
                self._tell_vllm(one, done, load)
                self._tell_gpus(one, load)
                self._tell_host(one, load)
        self.samples.end = BEGIN + 6.25 * HOUR
        return self.samples

    def _add(self, one: Server, job: str, name: str, value: float, **labels: str) -> None:
        base = {"deployment": one.model.partition("-")[0], "instance": one.name, "job": job}
        self.samples.add(name, {**base, **labels}, self._moment, value)

    def _tell_vllm(self, one: Server, done: float, load: float) -> None:
        labels = {"model_name": one.model, "engine": "0"}
        tokens, prompt = (310, 900) if one.gpus == 2 else (180, 2100)
        full = one.kv > 0.955
        saved = (0.41 if one.gpus == 2 else 0.62) + 0.05 * math.sin(self._hour * 2)
        told = {
            "num_requests_running": round(one.running),
            "num_requests_waiting": round(one.waiting),
            "kv_cache_usage_perc": min(one.kv * self._dice.lognormvariate(0, 0.015), 0.998),
        }
        more = {
            "generation_tokens_total": done * tokens,
            "prompt_tokens_total": done * prompt,
            "prefix_cache_queries_total": done * prompt,
            "prefix_cache_hits_total": done * prompt * (saved - (0.1 if full else 0)),
            "num_preemptions_total": max(0, self._dice.gauss(0.35, 0.4)) if full else 0,
        }
        told |= {name: one.count(name, value) for name, value in more.items()}
        for name, value in told.items():
            self._add(one, "vllm", f"vllm:{name}", value, **labels)
        for reason, part in (("stop", 0.9), ("length", 0.085), ("abort", 0.015)):
            value = one.count(reason, done * part)
            name = "vllm:request_success_total"
            self._add(one, "vllm", name, value, finished_reason=reason, **labels)
        self._add(one, "vllm", "up", 1)
        wait = one.waiting / one.room
        first = (0.16 if one.gpus == 2 else 0.22) * (1 + 1.6 * load**3)
        between = (0.021 if one.gpus == 2 else 0.012) * (1 + 0.9 * load**2)
        self._times(one, "time_to_first_token", FIRST, done, (first, 0.45, wait))
        self._times(one, "inter_token_latency", BETWEEN, done * tokens, (between, 0.3, 0.0))

    def _times(
        self,
        one: Server,
        name: str,
        edges: tuple[float, ...],
        count: float,
        shape: tuple[float, float, float],
    ) -> None:
        """Add to a histogram: so many times around the middle, after a wait."""
        middle, spread, wait = shape
        buckets = one.buckets.setdefault(name, [0.0] * (len(edges) + 1))
        for _draw in range(100):
            took = self._dice.lognormvariate(math.log(middle), spread)
            took += wait * self._dice.uniform(0.3, 1)
            buckets[sum(took > edge for edge in edges)] += count / 100
        labels = {"model_name": one.model, "engine": "0"}
        for number, edge in enumerate((*map(str, edges), "+Inf")):
            value = round(sum(buckets[: number + 1]), 2)
            self._add(one, "vllm", f"vllm:{name}_seconds_bucket", value, le=edge, **labels)

    def _tell_gpus(self, one: Server, load: float) -> None:
        for number in range(one.gpus):
            used = round(74200 + self._dice.gauss(0, 6) + number * 60)
            broken = one.name == "coder-1" and self._hour > 2.6
            told = {
                "GPU_UTIL": round(min(100, 30 + 68 * load**0.6 + self._dice.gauss(0, 3))),
                "FB_USED": used,
                "FB_FREE": MIB - used,
                "POWER_USAGE": round(180 + 470 * load**0.8 + self._dice.gauss(0, 12), 1),
                "XID_ERRORS": 31 if broken else 0,
            }
            for name, value in told.items():
                self._add(one, "gpu", f"DCGM_FI_DEV_{name}", value, gpu=str(number))

    def _tell_host(self, one: Server, load: float) -> None:
        idle = one.count("idle", STEP * (0.88 - 0.35 * load * self._dice.uniform(0.8, 1.2)))
        self._add(one, "node", "node_cpu_seconds_total", idle, cpu="0", mode="idle")
        self._add(one, "node", "node_memory_MemTotal_bytes", 377e9)
        self._add(one, "node", "node_memory_MemAvailable_bytes", 377e9 * (0.78 - 0.12 * load))
        for place, size, free in (("/", 100e9, 0.62), ("/data", 500e9, 0.44 - self._hour / 100)):
            labels = {"mountpoint": place, "fstype": "ext4"}
            self._add(one, "node", "node_filesystem_size_bytes", size, **labels)
            self._add(one, "node", "node_filesystem_avail_bytes", size * free, **labels)


def samples() -> Samples:
    """Return the hours of three servers."""
    chat = [Server(f"chat-{number}", "chat-70b", 2, 0.5, 2.1) for number in (1, 2)]
    return Series().play([*chat, Server("coder-1", "coder-30b", 1, 1.0, 4.0)])
