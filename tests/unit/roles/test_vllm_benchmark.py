# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring a server, with stand-ins for the server and for the program that measures."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.filter.benchmark_chart import benchmark_chart
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.roles.test_vllm_completion import (
    KEY,
    MODELS,
    Server,
)

FOUND = {
    "completed": 8,
    "failed": 0,
    "duration": 4.0,
    "request_throughput": 2.0,
    "output_throughput": 100.0,
    "total_token_throughput": 500.0,
    **{f"{m}_{t}_ms": 10.5 for m in ("mean", "p50", "p95") for t in ("ttft", "tpot", "e2el")},
}
# Writes what it was asked, and the key that it was given, beside the result.
PROGRAM = """#!{python}
import json, os, sys
words = dict(word.lstrip("-").split("=", 1) for word in sys.argv if "=" in word)
with open("{folder}/asked", "a") as file:
    file.write(json.dumps([words, sys.argv, os.environ["OPENAI_API_KEY"]]) + "\\n")
if words["request-rate"] == "9":
    sys.exit("no answer with " + os.environ["OPENAI_API_KEY"])
with open(os.path.join(words["result-dir"], words["result-filename"]), "w") as file:
    file.write({result!r})
"""


@pytest.fixture
def server() -> Iterator[Server]:
    """Start a server that serves one model from a path."""
    running = Server()
    running.answers[MODELS] = [(200, {"data": [{"id": "tiny", "root": "/srv/tiny"}]})]
    running.answers["/version"] = [(200, {"version": "0.33.0"})]
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """Make a host with an environment file and a program that measures."""
    text = PROGRAM.format(python=sys.executable, folder=tmp_path, result=json.dumps(FOUND))
    (tmp_path / "vllm").write_text(text, encoding="utf-8")
    (tmp_path / "vllm").chmod(0o755)
    (tmp_path / "env").write_text(f'VLLM_API_KEY="{KEY}"\n', encoding="utf-8")
    return tmp_path


def measure(host: Path, url: str, **more: Any) -> dict[str, Any]:
    """Run the module; whatever comes out of it, the key is not in it."""
    args = {"url": url, "env_file": str(host / "env"), "executable": str(host / "vllm"), **more}
    check = args.pop("check", False)
    result, output = run_module("vllm_benchmark", args, check=check)
    assert KEY not in output
    return result


def asked(host: Path) -> list[Any]:
    """Return how the program was called."""
    lines = (host / "asked").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.every_core("vllm_benchmark")
def test_each_rate_is_measured_and_priced(host: Path, server: Server) -> None:
    result = measure(host, server.url, request_rates=["2", "inf"], price_per_hour=3.6)
    assert [run["request_rate"] for run in result["runs"]] == ["2", "inf"]
    run = result["runs"][0]
    assert (run["output_tokens_per_s"], run["requests_per_s"]) == (100, 2)
    assert run["ttft_ms"] == {"mean": 10.5, "p50": 10.5, "p95": 10.5, "p99": None}
    # 3.6 an hour is 0.001 a second, in which 100 tokens are made
    assert run["cost_per_million_output_tokens"] == pytest.approx(10)
    assert (result["model"], result["version"], result["changed"]) == ("tiny", "0.33.0", False)


def test_the_key_travels_by_the_environment_only(host: Path, server: Server) -> None:
    measure(host, server.url, request_rates=["1"], requests=5, input_tokens=6, output_tokens=7)
    ((words, argv, key),) = asked(host)
    assert key == KEY
    assert KEY not in json.dumps(argv)
    assert (words["model"], words["tokenizer"]) == ("tiny", "/srv/tiny")
    sizes = ("num-prompts", "random-input-len", "random-output-len")
    assert [words[size] for size in sizes] == ["5", "6", "7"]


def test_without_a_price_tokens_have_none(host: Path, server: Server) -> None:
    (run,) = measure(host, server.url, request_rates=["1"])["runs"]
    assert run["cost_per_million_output_tokens"] is None


def test_a_client_that_fails_is_quoted(host: Path, server: Server) -> None:
    result = measure(host, server.url, request_rates=["9"])
    assert "the benchmark client ended with 1: no answer with ***" in result["msg"]


def test_a_server_that_is_away_is_told(host: Path) -> None:
    assert "no benchmark of http://127.0.0.1:9" in measure(host, "http://127.0.0.1:9")["msg"]


def test_check_mode_sends_nothing(host: Path, server: Server) -> None:
    assert measure(host, server.url, check=True)["skipped"]
    assert server.asked == []
    assert not (host / "asked").exists()


def run_at(rate: str, tokens: float, first: float) -> dict[str, Any]:
    """Return what a run at a rate has measured."""
    times = {"p50": first, "p95": first * 2}
    return {"request_rate": rate, "output_tokens_per_s": tokens, "ttft_ms": times}


def test_rates_stand_in_order_and_all_at_once_last() -> None:
    runs = [run_at("inf", 90, 40), run_at("10", 50, 30), run_at("2", 10, 20)]
    chart = benchmark_chart([{"label": "a", "runs": runs}], width=300, height=100)
    assert [rate["text"] for rate in chart["rates"]] == ["2", "10", "all at once"]
    assert [rate["x"] for rate in chart["rates"]] == [50, 150, 250]
    tokens, first = chart["panels"]
    assert tokens["ticks"][-1] == {"y": 0, "text": "100"}
    assert {(p["x"], p["y"]) for p in tokens["lines"][0]["points"]} == {
        (50, 90),
        (150, 50),
        (250, 10),
    }
    assert [line["dashed"] for line in first["lines"]] == [False, True]


def test_results_with_other_rates_share_one_axis() -> None:
    results = [{"runs": [run_at("1", 1, 1)]}, {"runs": [run_at("4", 2, 1)]}]
    chart = benchmark_chart(results)
    assert [rate["text"] for rate in chart["rates"]] == ["1", "4"]
    assert [line["series"] for line in chart["panels"][0]["lines"]] == [0, 1]
