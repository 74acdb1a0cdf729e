# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vllm_benchmark
short_description: Benchmark a vLLM server with vLLM's own client
version_added: 0.1.0
description:
  - Runs on the host that serves, in the environment of the server, and asks it at one request rate after the other with C(vllm bench serve)
    and its random data set, which needs no download.
  - The API key is read from O(env_file) on the host, so it occurs in no argument, result or process list.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.changes_nothing
options:
  url:
    description: Address of the server, without path.
    type: str
    default: http://127.0.0.1:8000
  request_rates:
    description: Requests per second, one run for each; V(inf) sends all at once.
    type: list
    elements: str
    default: ['1', '4', '16', inf]
  requests:
    description: Requests of each run.
    type: int
    default: 100
  input_tokens:
    description: Tokens of each question.
    type: int
    default: 512
  output_tokens:
    description: Tokens of each answer.
    type: int
    default: 128
  price_per_hour:
    description: Price of the host per hour, from which the price of tokens follows.
    type: float
  env_file:
    description: Environment file of the unit, read for C(VLLM_API_KEY).
    type: path
    default: /etc/vllm/vllm.env
  executable:
    description: The program C(vllm) of the environment that serves.
    type: path
    default: /opt/vllm/current/bin/vllm
attributes:
  check_mode:
    support: full
    description: Sends nothing and says so.
"""

EXAMPLES = r"""
- name: Measure at three rates
  gpuops.cloud.vllm_benchmark:
    request_rates: ['2', '8', inf]
    price_per_hour: 3.555
  become: true
  register: measured
"""

RETURN = r"""
model: {type: str, description: Name of the model that answered., returned: always, sample: Qwen/Qwen3-8B}
version: {type: str, description: Version of the server., returned: always, sample: 0.33.0}
runs:
  description: What was measured, a row for each rate.
  returned: success
  type: list
  elements: dict
  contains:
    request_rate: {type: str, description: Requests per second that were sent., returned: success, sample: "4"}
    completed: {type: int, description: Requests that were answered., returned: success, sample: 100}
    failed: {type: int, description: Requests that were not., returned: success, sample: 0}
    duration_s: {type: float, description: Seconds from the first request to the last answer., returned: success, sample: 27.3}
    requests_per_s: {type: float, description: Answered requests per second., returned: success, sample: 3.66}
    output_tokens_per_s: {type: float, description: Generated tokens per second., returned: success, sample: 468.9}
    total_tokens_per_s: {type: float, description: Tokens per second of questions and answers., returned: success, sample: 2344.6}
    ttft_ms: {type: dict, description: "Milliseconds to the first token: mean, p50, p95, p99.", returned: success, sample: {p50: 80.2, p95: 171.0}}
    tpot_ms: {type: dict, description: Milliseconds for each further token., returned: success, sample: {mean: 9.1, p50: 8.9, p95: 11.2, p99: 13.0}}
    e2el_ms: {type: dict, description: Milliseconds from question to last token., returned: success, sample: {p50: 1230.0, p95: 1500.0}}
    cost_per_million_output_tokens:
      description: What a million generated tokens cost at this rate; null without O(price_per_hour).
      returned: success
      type: float
      sample: 2.1
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.vllm_http import NotYetError, Part, RefusedError, call, read_environment

SPEC: dict[str, Any] = {
    "url": {"type": "str", "default": "http://127.0.0.1:8000"},
    "request_rates": {"type": "list", "elements": "str", "default": ["1", "4", "16", "inf"]},
    "requests": {"type": "int", "default": 100},
    "input_tokens": {"type": "int", "default": 512, "no_log": False},
    "output_tokens": {"type": "int", "default": 128, "no_log": False},
    "price_per_hour": {"type": "float"},
    "env_file": {"type": "path", "default": "/etc/vllm/vllm.env"},
    "executable": {"type": "path", "default": "/opt/vllm/current/bin/vllm"},
}
TIMES = ("ttft", "tpot", "e2el")
MEASURES = ("mean", "p50", "p95", "p99")
FIXED = (
    "--backend=openai-chat",
    "--endpoint=/v1/chat/completions",
    "--dataset-name=random",
    "--ignore-eos",
    "--temperature=0",
    "--percentile-metrics=ttft,tpot,e2el",
    "--metric-percentiles=50,95,99",
    "--disable-tqdm",
    "--save-result",
)
BYTECODE = Path("/var/cache/vllm/bytecode")
SHOWN = 1500


def command(params: dict[str, Any], served: Part, rate: str, file: Path) -> list[str]:
    """Return the call of vLLM's client for one rate."""
    return [
        params["executable"],
        "bench",
        "serve",
        *FIXED,
        f"--base-url={params['url'].rstrip('/')}",
        f"--model={served['id']}",
        f"--tokenizer={served.get('root') or served['id']}",
        f"--random-input-len={params['input_tokens']}",
        f"--random-output-len={params['output_tokens']}",
        f"--num-prompts={params['requests']}",
        f"--request-rate={rate}",
        f"--result-dir={file.parent}",
        f"--result-filename={file.name}",
    ]


def row_of(found: dict[str, Any], rate: str, price: float | None) -> dict[str, Any]:
    """Return what one run has measured; times in ms, prices in the currency of ``price``."""
    tokens = found["output_throughput"]
    row = {
        "request_rate": rate,
        "completed": found["completed"],
        "failed": found.get("failed", 0),
        "duration_s": round(found["duration"], 2),
        "requests_per_s": round(found["request_throughput"], 3),
        "output_tokens_per_s": round(tokens, 2),
        "total_tokens_per_s": round(found["total_token_throughput"], 2),
    }
    for name in TIMES:
        values = {measure: found.get(f"{measure}_{name}_ms") for measure in MEASURES}
        row[f"{name}_ms"] = {key: None if v is None else round(v, 2) for key, v in values.items()}
    cost = price / 3600 / tokens * 1e6 if price is not None and tokens else None
    return {**row, "cost_per_million_output_tokens": cost and round(cost, 4)}


def measure(module: AnsibleModule, served: Part, key: str) -> list[dict[str, Any]]:
    """Run the client once for each rate; raises RefusedError with its last words."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="vllm-benchmark-", dir=module.tmpdir) as folder:
        quiet = {"HF_HUB_OFFLINE": "1"} if str(served.get("root")).startswith("/") else {}
        settings = {"OPENAI_API_KEY": key or "none", "HOME": folder, "XDG_CACHE_HOME": folder}
        settings |= {"VLLM_NO_USAGE_STATS": "1", "VLLM_CACHE_ROOT": folder, **quiet}
        if BYTECODE.is_dir():  # compiled when the server started
            settings["PYTHONPYCACHEPREFIX"] = str(BYTECODE)
        for number, rate in enumerate(module.params["request_rates"]):
            file = Path(folder, f"{number}.json")
            words = command(module.params, served, rate, file)
            code, out, err = module.run_command(words, environ_update=settings)
            if code or not file.exists():
                said = f"{out}\n{err}".replace(key or "\0", "***").strip()[-SHOWN:]
                raise RefusedError(f"the benchmark client ended with {code}: {said}")
            found = json.loads(file.read_text(encoding="utf-8"))
            rows.append(row_of(found, rate, module.params["price_per_hour"]))
    return rows


def main() -> None:
    """Measure, and turn whatever prevents it into one clear failure."""
    module = AnsibleModule(SPEC, supports_check_mode=True)
    if module.check_mode:
        said = "nothing is asked in check mode"
        module.exit_json(changed=False, model="", version="", runs=[], skipped=True, msg=said)
    base = module.params["url"].rstrip("/")
    try:
        key = read_environment(module.params["env_file"]).get("VLLM_API_KEY", "")
        served = call(f"{base}/v1/models", key)["data"][0]
        version = call(f"{base}/version", key).get("version", "")
        rows = measure(module, served, key)
    except (OSError, RefusedError, NotYetError) as error:
        module.fail_json(msg=f"no benchmark of {base}: {error}")
    module.exit_json(changed=False, model=served["id"], version=version, runs=rows)


if __name__ == "__main__":
    main()
