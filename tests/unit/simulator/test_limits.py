# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits, on real time."""

from __future__ import annotations

from typing import Any

import pytest


def test_every_answer_tells_what_is_left(start: Any) -> None:
    api = start(rate_limits=True)
    api.get("/balance")
    answer = api.get("/balance")
    policy = '"project";q=500;w=60, "endpoint";q=60;w=60'
    assert answer.headers["RateLimit-Policy"] == policy
    assert answer.headers["RateLimit"] == '"project";r=497;t=60, "endpoint";r=58;t=60'
    assert '"endpoint";q=120' in api.get("/instances").headers["RateLimit-Policy"]


def test_nothing_is_refused_unless_the_scenario_says_so(api: Any) -> None:
    assert {api.get("/balance").status for _unused in range(70)} == {200}
    assert "RateLimit" not in api.get("/balance").headers


@pytest.mark.parametrize("switched_on_later", [True, False])
def test_the_documented_limits_can_be_enforced(start: Any, switched_on_later: bool) -> None:
    api = start() if switched_on_later else start(rate_limits=True)
    if switched_on_later:
        api.simulator.switch(rate_limits=True)
    assert {api.get("/balance").status for _unused in range(60)} == {200}
    api.watch.seconds += 20
    answer = api.get("/balance")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "40")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert len(answer.text) == 11
    assert {api.get("/instances").status for _unused in range(100)} == {200}
    api.watch.seconds += 40
    assert api.get("/balance").status == 200


def test_each_path_counts_by_itself_and_the_project_counts_all(start: Any) -> None:
    api = start(rate_limits={"project": 4, "endpoint": 2, "window_s": 10, "json": True})
    paths = ["/balance", "/balance", "/locations", "/images"]  # the token was the first of four
    assert [api.get(path).status for path in paths] == [200, 200, 200, 429]
    answer = api.get("/images")
    assert answer.data["code"] == "rate_limit_exceeded"
    assert answer.headers["Retry-After"] == "10"
    assert "w=10" in answer.headers["RateLimit-Policy"]
