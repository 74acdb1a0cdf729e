# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_info
short_description: Gather information about the GPUs that a language model needs
version_added: 0.1.0
description:
  - Reads a model's published C(config.json) and the size of its weights, on a hub or in a folder, and computes parameters, cache for each
    token, and the smallest number of GPUs of every kind, with the arithmetic.
  - Runs where the task runs, usually on the controller, and asks a hub two or three times. With O(config) no network is needed.
  - How weights are quantised is read from C(hf_quant_config.json), too, where C(config.json) does not say it.
  - What a configuration leaves out or says in an unknown way is never taken for something small. It is an error, or the larger bound and
    a warning, which RV(model) repeats as C(notes).
  - The estimate follows vLLM's own rule and rounds up. It is made to choose a host; vLLM measures once more when it starts.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.changes_nothing
options:
  model:
    description: Model by its name on the hub, such as V(Qwen/Qwen3-8B), or by the path of a folder with C(config.json) and weights.
    type: str
    required: true
  config:
    description: A C(config.json), or a folder with it, on the host where the module runs; then no hub is asked.
    type: path
  weight_bytes:
    description:
      - Bytes of the weights, as C(metadata.total_size) in C(model.safetensors.index.json) says.
      - Without it the sizes of the files are used where they can be seen, else the arithmetic of the configuration.
    type: int
  revision:
    description: Branch, tag or commit of the model on the hub.
    type: str
    default: main
  endpoint:
    description: Address of the hub. Without it the environment variable E(HF_ENDPOINT), else V(https://huggingface.co).
    type: str
  token:
    description: Token for models that ask for one. Without it the environment variable E(HF_TOKEN).
    type: str
  profile:
    description: Profile of P(gpuops.cloud.vllm#role), which sets how much of the memory is used.
    type: str
    choices: [balanced, throughput, latency]
    default: balanced
  settings:
    description:
      - Settings of C(vllm serve), as for P(gpuops.cloud.vllm#role). Those that matter here are C(max-model-len), C(quantization), C(dtype),
        C(kv-cache-dtype), C(gpu-memory-utilization), C(max-num-seqs) and C(max-num-batched-tokens).
      - Without C(max-model-len) 8192 tokens of context must fit, or the model's whole context if that is shorter.
    type: dict
    default: {}
  sequences:
    description: Sequences of the full context that must fit at a time.
    type: int
    default: 1
  gpus:
    description: Kinds of GPUs to answer for, such as V(H100) or V(A100 40). Without it all that are known.
    type: list
    elements: str
  strict:
    description:
      - Whether a model that cannot be read is an error. If not, RV(model) says what the problem is, and a warning does.
      - A name that can be none, and a hub that answers that there is no such model or that the token may not read it, are errors always - no
        host could load it either.
    type: bool
    default: true
  timeout:
    description: Seconds that the hub may take for an answer.
    type: float
    default: 30
attributes:
  check_mode:
    support: full
    description: Only asks, so check mode makes no difference.
seealso:
  - plugin: gpuops.cloud.model_fit
    plugin_type: filter
    description: The same for a model that was read already.
  - module: gpuops.cloud.datacrunch_capacity
"""

EXAMPLES = r"""
- name: Look at a model
  gpuops.cloud.model_info:
    model: Qwen/Qwen3-8B
  register: qwen

- name: Show on how many GPUs of which kind it fits
  ansible.builtin.debug:
    msg: "{{ qwen.fits | gpuops.cloud.table(['gpu_model', 'vram_gb', 'gpu_count', 'max_context', 'text']) }}"

- name: Find the cheapest host that serves it with a context of 32,768 tokens and a cache in 8 bits
  gpuops.cloud.model_info:
    model: Qwen/Qwen3-32B
    settings:
      max-model-len: 32768
      kv-cache-dtype: fp8
  register: large

- name: Ask what can be bought
  gpuops.cloud.datacrunch_capacity:
    model: "{{ large.model }}"
"""

RETURN = r"""
model:
  description: The model, as the option O(gpuops.cloud.datacrunch_capacity#module:model) takes it. If it could not be read, C(name) and C(problem).
  returned: success
  type: dict
  contains:
    name: {type: str, description: Name that it was asked for by., returned: success, sample: Qwen/Qwen3-8B}
    architecture: {type: str, description: Class that the configuration names., returned: success, sample: Qwen3ForCausalLM}
    parameters: {type: int, description: "Parameters, all experts included.", returned: success, sample: 8190427136}
    weight_bytes: {type: int, description: Bytes of the weights as they are loaded., returned: success, sample: 16381517208}
    weights_from: {type: str, description: "V(files) or V(arithmetic).", returned: success, sample: files}
    dtype: {type: str, description: Type of the weights., returned: success, sample: bfloat16}
    quantization: {type: str, description: How weights are quantised; null for those that are not., returned: success, sample: null}
    hidden: {type: int, description: Width of the layers., returned: success, sample: 4096}
    heads: {type: int, description: "Attention heads, which tensor parallelism must divide.", returned: success, sample: 32}
    kv_heads: {type: int, description: Heads of keys and values., returned: success, sample: 8}
    active_width: {type: int, description: Widest feed-forward network that a token meets., returned: success, sample: 12288}
    vocab: {type: int, description: Size of the vocabulary., returned: success, sample: 151936}
    max_context: {type: int, description: Longest context in tokens., returned: success, sample: 40960}
    cache_bytes_per_token: {type: int, description: "Bytes of cache for a token, at 16 bits.", returned: success, sample: 147456}
    cache_bytes_per_token_beyond_window:
      description: The same for a token beyond the window of layers that have one.
      returned: success
      type: int
      sample: 147456
    caches:
      description: What layers of each kind keep; V(full) and V(latent) every token, V(window) and V(chunk) the last ones, V(state) a record.
      returned: success
      type: list
      elements: dict
      sample: [{kind: full, layers: 36, heads: 8, width: 256, window: 0}]
    notes:
      description: What had to be supposed, in sentences.
      returned: success
      type: list
      elements: str
      sample: ["model_type 'new' is not known here: config.json was read by the names of its keys"]
    demand: {type: dict, description: What O(settings) and O(profile) ask for., returned: success, sample: {context: null, sequences: 1}}
source:
  description: File or address of the configuration.
  returned: when the model was read
  type: str
  sample: https://huggingface.co/Qwen/Qwen3-8B/resolve/main/config.json
revision:
  description: Commit of the model on the hub; null for a folder.
  returned: when the model was read
  type: str
  sample: b968826d9c46dd6066d109eabc6255188de91218
fits:
  description: For every kind of GPU the smallest number that serves the model, at most eight, as the filter P(gpuops.cloud.model_fit#filter) returns it.
  returned: success
  type: list
  elements: dict
  sample: [{gpu_model: H100, vram_gb: 80, fits: true, gpu_count: 1}]
"""

from ansible.module_utils.basic import env_fallback

from ..module_utils._runner.cloud import ELSEWHERE
from ..module_utils._runner.engine import run_info
from ..module_utils._sizing.lookup import model_info


def main() -> None:
    """Ask about a model."""
    spec = {
        "model": {"type": "str", "required": True},
        "config": {"type": "path"},
        "weight_bytes": {"type": "int"},
        "revision": {"type": "str", "default": "main"},
        "endpoint": {"type": "str"},
        "token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["HF_TOKEN"])},
        "profile": {
            "type": "str",
            "choices": ["balanced", "throughput", "latency"],
            "default": "balanced",
        },
        "settings": {"type": "dict", "default": {}},
        "sequences": {"type": "int", "default": 1},
        "gpus": {"type": "list", "elements": "str"},
        "strict": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 30},
    }
    run_info(spec, model_info, ELSEWHERE)


if __name__ == "__main__":
    main()
