# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vllm_completion
short_description: Wait for a vLLM server and send it a prompt
version_added: 0.1.0
description:
  - Runs on the host that serves. Waits until the OpenAI-compatible API answers and asks for one real chat completion,
    because a server whose health check is green may still be unable to generate a token.
  - A model without a chat template is asked for a plain completion instead, and one that embeds for the vector of the prompt.
  - The API key is read from O(env_file) on the host, so it occurs in no argument, result or process list.
  - When the unit dies, or has not answered within O(timeout), the error holds the reasons and last lines in its journal.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.changes_nothing
options:
  url:
    description: Address of the server, without path.
    type: str
    default: http://127.0.0.1:8000
  model:
    description: Name of the model to ask, or of a LoRA adapter; by default the first that the server names.
    type: str
  kind:
    description:
      - What is asked for. V(auto) takes the first of chat completion, plain completion and vector that the server has.
      - V(embeddings) is answered only by a model that embeds, C(runner=pooling) in the settings of vLLM.
    type: str
    choices: [auto, chat, completion, embeddings]
    default: auto
  prompt:
    description: Question, sent as the message of a user, or the text to embed.
    type: str
    default: Say hello.
  max_tokens:
    description: Most tokens that the answer may have.
    type: int
    default: 64
  temperature:
    description: Randomness of the answer; V(0) asks for the likeliest one.
    type: float
    default: 0.0
  env_file:
    description: Environment file of the unit, read for C(VLLM_API_KEY); without that line no key is sent.
    type: path
    default: /etc/vllm/vllm.env
  unit:
    description: Unit whose death ends the wait and whose journal explains it.
    type: str
    default: vllm.service
  service_manager:
    description:
      - What keeps the unit. With V(supervisord) it is the program of that name, without C(.service), and its log is what the role
        P(gpuops.cloud.vllm#role) lets it write.
    type: str
    choices: [systemd, supervisord]
    default: systemd
  timeout:
    description: Seconds until the wait ends with an error.
    type: float
    default: 600
  interval:
    description: Seconds between two attempts.
    type: float
    default: 1
attributes:
  check_mode:
    support: full
    description: Sends nothing and says so.
"""

EXAMPLES = r"""
- name: Prove that the server generates
  gpuops.cloud.vllm_completion:
  become: true

- name: Ask a question
  gpuops.cloud.vllm_completion:
    prompt: What is a lease?
    max_tokens: 128
  become: true
  register: reply

- name: Prove that the model embeds
  gpuops.cloud.vllm_completion:
    kind: embeddings
    prompt: a sentence
  become: true
"""

RETURN = r"""
answer:
  description: What the model said, its reasoning when it said nothing else, or a vector's size and beginning.
  returned: always
  type: str
  sample: Hello!
kind: {type: str, description: "What has answered: V(chat), V(completion) or V(embeddings).", returned: success, sample: chat}
embedding: {type: list, elements: float, description: The vector., returned: when the kind is embeddings, sample: [0.12, -0.31]}
model: {type: str, description: Name of the model that answered., returned: always, sample: Qwen/Qwen3-8B}
prompt: {type: str, description: What was asked., returned: always, sample: Say hello.}
seconds: {type: float, description: From the start of the wait to the answer., returned: always, sample: 48.2}
latency_ms: {type: int, description: From the question to the answer., returned: always, sample: 213}
usage: {type: dict, description: Tokens as the server counts them., returned: always, sample: {prompt_tokens: 9, completion_tokens: 2, total_tokens: 11}}
"""

import math
import re
import time
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.serving import SERVERS, Server
from ..module_utils._host.vllm_http import (
    Answer,
    Choice,
    Message,
    NotYetError,
    Question,
    RefusedError,
    call,
    read_environment,
)

# In this order they are tried; the server has only the paths of what its model can do.
PATHS = {
    "chat": "/v1/chat/completions",
    "completion": "/v1/completions",
    "embeddings": "/v1/embeddings",
}
SPEC: dict[str, Any] = {
    "url": {"type": "str", "default": "http://127.0.0.1:8000"},
    "model": {"type": "str"},
    "kind": {"type": "str", "choices": ["auto", *PATHS], "default": "auto"},
    "prompt": {"type": "str", "default": "Say hello."},
    "max_tokens": {"type": "int", "default": 64, "no_log": False},
    "temperature": {"type": "float", "default": 0.0},
    "env_file": {"type": "path", "default": "/etc/vllm/vllm.env"},
    "unit": {"type": "str", "default": "vllm.service"},
    "service_manager": {"type": "str", "choices": [*SERVERS], "default": "systemd"},
    "timeout": {"type": "float", "default": 600.0},
    "interval": {"type": "float", "default": 1.0},
}
OTHER_KIND = re.compile(r'chat template|"detail": ?"Not Found"')


def ask(params: dict[str, Any], key: str) -> dict[str, Any]:
    """Ask once and return what the model said; raises NotYetError or RefusedError."""
    base = params["url"].rstrip("/")
    model = params["model"] or call(f"{base}/v1/models", key)["data"][0]["id"]
    kinds = list(PATHS) if params["kind"] == "auto" else [params["kind"]]
    began = time.monotonic()
    for kind in kinds:
        try:
            reply = call(f"{base}{PATHS[kind]}", key, {"model": model, **question(kind, params)})
            break
        except RefusedError as refused:
            if kind == kinds[-1] or not OTHER_KIND.search(str(refused)):
                raise
            began = time.monotonic()
    latency = time.monotonic() - began
    usage = reply.get("usage") or {}
    return {
        **(read_vector(reply) if kind == "embeddings" else read_words(reply, usage)),
        "kind": kind,
        "model": reply.get("model", model),
        "latency_ms": round(latency * 1000),
        "usage": {name: count for name, count in usage.items() if isinstance(count, int)},
    }


def question(kind: str, params: dict[str, Any]) -> Question:
    """Return what is sent to the path of a kind, without the model."""
    if kind == "embeddings":
        return {"input": params["prompt"], "encoding_format": "float"}
    limits = Question(max_tokens=params["max_tokens"], temperature=params["temperature"])
    if kind == "chat":
        return {"messages": [{"role": "user", "content": params["prompt"]}], **limits}
    return {"prompt": params["prompt"], **limits}


def read_words(reply: Answer, usage: dict[str, int | None]) -> dict[str, Any]:
    """Return the text of a completion; raises RefusedError when no token was generated."""
    if not usage.get("completion_tokens"):
        raise RefusedError("the server answered without generating a token")
    return {"answer": said_in(reply["choices"][0])}


def read_vector(reply: Answer) -> dict[str, Any]:
    """Return the vector of a text; raises RefusedError for one that says nothing."""
    data = reply.get("data") or [{}]
    vector = data[0].get("embedding") or []
    if not any(vector) or not all(map(math.isfinite, vector)):
        raise RefusedError(f"the server answered with no usable vector: {str(vector)[:100]}")
    start = " ".join(f"{number:.3f}" for number in vector[:3])
    return {"answer": f"{len(vector)} numbers: {start} ...", "embedding": vector}


def said_in(choice: Choice) -> str:
    """Return the text of a chat or plain completion."""
    message: Message = choice.get("message") or {"content": choice.get("text")}
    said = (message.get(name) for name in ("content", "reasoning", "reasoning_content"))
    return next((str(text) for text in said if text), "")


def wait_for_answer(
    attempt: Callable[[], dict[str, Any]], unit: Server, timeout: float, interval: float
) -> dict[str, Any]:
    """Return the first answer; raises RefusedError when there will be none."""
    began = time.monotonic()
    while True:
        try:
            answer = attempt()
            return {**answer, "seconds": round(time.monotonic() - began, 1)}
        except NotYetError as error:
            last = str(error)
        waited = time.monotonic() - began
        if death := unit.death():
            raise RefusedError(f"{death} after {waited:.0f} s")
        if waited >= timeout:
            raise RefusedError(f"no answer after {waited:.0f} s; last seen: {last}")
        time.sleep(interval)


def main() -> None:
    """Ask, and turn whatever prevents an answer into one clear failure."""
    module = AnsibleModule(SPEC, supports_check_mode=True)
    params: dict[str, Any] = module.params
    result: dict[str, Any] = {"changed": False, "prompt": params["prompt"]}
    if module.check_mode:
        nothing = {"answer": "", "model": params["model"] or "", "seconds": 0.0}
        said = "nothing is asked in check mode"
        module.exit_json(**result, **nothing, latency_ms=0, usage={}, skipped=True, msg=said)
    try:
        secrets = read_environment(params["env_file"])
    except OSError as error:
        module.fail_json(msg=f"cannot read the environment file: {error}")

    def run(command: list[str]) -> str:
        return str(module.run_command(command)[1])

    unit = SERVERS[params["service_manager"]](run, params["unit"], secrets)
    key = secrets.get("VLLM_API_KEY", "")
    try:
        found = wait_for_answer(
            lambda: ask(params, key), unit, params["timeout"], params["interval"]
        )
    except RefusedError as error:
        module.fail_json(msg=f"vLLM does not serve: {error}\n{unit.last_words()}", **result)
    module.exit_json(**result, **found)


if __name__ == "__main__":
    main()
