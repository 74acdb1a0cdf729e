# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a model's config.json and the size of its weights: from a folder, or a hub (private).

The hub's interface: https://huggingface.co/docs/hub/api. Its token goes to the hub's own host alone,
never to a place that an answer redirects to.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urljoin, urlsplit

from ansible.module_utils.urls import open_url

from .._core.errors import AuthError, GpuopsError, InvalidError, NotFoundError, UnavailableError
from .._core.version import VERSION
from .quantisation import stored_quantisation

HUB = "https://huggingface.co"
# Where older exports of NVIDIA's Model Optimizer say how weights are quantised.
QUANTISATION = "hf_quant_config.json"


class ImpossibleNameError(InvalidError):
    """What was given is not a valid model id."""


# What a hub answers about a model that nobody can load, or not with this token.
REFUSALS = (AuthError, ImpossibleNameError, NotFoundError)
# Configurations have some kB, and the list of a repository's files some hundred.
LARGEST = 16 * 2**20
REDIRECTS = 5
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True)
class Published:
    """A model's configuration, where it is from, and the bytes of its weights when known."""

    config: dict[str, Any]
    source: str
    revision: str | None = None
    weight_bytes: int | None = None


def is_path(name: str) -> bool:
    """Tell whether a model is named by a path, not by its name on a hub."""
    return name.startswith(("/", "./", "../", "~"))


def read_folder(path: str) -> Published:
    """Read config.json, or a folder with it and the weights; raises NotFoundError without it."""
    place = Path(path).expanduser()
    file = place / "config.json" if place.is_dir() else place
    if not file.is_file():
        raise NotFoundError(f"There is no {file} on this host")
    if file.stat().st_size > LARGEST:
        raise InvalidError(f"{file} is too large for a configuration")
    try:
        config = _object(file.read_bytes(), str(file))
        beside = file.parent / QUANTISATION
        if beside.is_file() and beside.stat().st_size <= LARGEST:
            config = _quantised(config, _object(beside.read_bytes(), str(beside)))
        return Published(config, str(file), weight_bytes=_folder_bytes(file.parent))
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error}") from None


def _quantised(config: dict[str, Any], beside: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with what a file beside it says about quantisation, as vLLM reads it."""
    stored = beside.get("quantization")
    if stored_quantisation(config) or not isinstance(stored, dict):
        return config
    method = str((beside.get("producer") or {}).get("name") or "modelopt")
    return {**config, "quantization_config": {"quant_method": method, **stored}}


def _folder_bytes(folder: Path) -> int | None:
    """Return what the weights in a folder take, or what their index says when some are elsewhere.

    Of files that the index does not name nothing is loaded.
    """
    files = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    index = folder / "model.safetensors.index.json"
    if not index.is_file() or index.stat().st_size > LARGEST:
        return weight_bytes(files)
    listed = _object(index.read_bytes(), str(index))
    total = (listed.get("metadata") or {}).get("total_size")
    total = total if isinstance(total, int) and total > 0 else None
    names = listed.get("weight_map")
    wanted = {str(name) for name in names.values()} if isinstance(names, dict) else set()
    here = sum(files.get(name, 0) for name in wanted) if wanted else weight_bytes(files)
    if wanted <= files.keys():
        return here or total
    return max(here or 0, total or 0) or None  # a part of them has not been fetched yet


def weight_bytes(files: dict[str, int]) -> int | None:
    """Return the bytes of the files that vLLM would load, or None when there are none.

    Some repositories hold the weights a second time, as ``consolidated`` files, in folders, whole
    beside their parts, or in parts of another size.
    """
    top = {name: size for name, size in files.items() if "/" not in name and size}
    tensors = {n: s for n, s in top.items() if n.endswith(".safetensors")}
    chosen = {n: s for n, s in tensors.items() if not n.startswith(("consolidated", "adapter"))}
    torch = {n: s for n, s in top.items() if re.fullmatch(r"pytorch_model.*\.bin", n)}
    return sum(_once(chosen or tensors or torch)) or None


def _once(files: dict[str, int]) -> list[int]:
    """Return the sizes of files, of sets with the same name the largest."""
    sets: dict[str, dict[str, int]] = {}
    for name, size in files.items():
        parts = re.fullmatch(r"(.+?)(?:-\d+-of-(\d+))?\.(?:safetensors|bin)", name)
        stem, count = (parts.group(1), parts.group(2) or "") if parts else (name, "")
        of_stem = sets.setdefault(stem, {})
        of_stem[count] = of_stem.get(count, 0) + size
    return [max(of_stem.values()) for of_stem in sets.values()]


def read_hub(
    name: str, *, endpoint: str, revision: str, token: str | None, timeout: float
) -> Published:
    """Read a model of a hub in two requests: its configuration, and the sizes of its files.

    A third one reads how weights are quantised, where that stands in a file of its own.

    A hub that cannot tell the sizes, such as a plain mirror, leaves them unknown. Raises AuthError,
    NotFoundError, InvalidError or UnavailableError, and sends nothing when HF_HUB_OFFLINE is set.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise UnavailableError(
            f"{name} was not looked up: HF_HUB_OFFLINE is set",
            hint="Give its config.json on this host.",
        )
    if not _NAME.fullmatch(name):
        raise ImpossibleNameError(
            f"{name!r} is not a valid model id (owner/name, such as Qwen/Qwen3-8B)"
        )
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise InvalidError(f"{endpoint!r} is no address of a hub")
    root, at = endpoint.rstrip("/"), quote(revision, safe="")
    hub = _Hub(token, timeout)
    address = f"{root}/{name}/resolve/{at}/config.json"
    config = _object(hub.get(address), address)
    beside = f"{root}/{name}/resolve/{at}/{QUANTISATION}"
    try:
        about = _object(hub.get(f"{root}/api/models/{name}/revision/{at}?blobs=true"), name)
        siblings = [row for row in about.get("siblings") or [] if isinstance(row, dict)]
    except GpuopsError:
        return Published(_with_file(hub, config, beside), address, revision)
    sizes = {str(row.get("rfilename")): row.get("size") or 0 for row in siblings}
    if QUANTISATION in sizes:
        config = _with_file(hub, config, beside)
    return Published(config, address, about.get("sha") or revision, weight_bytes(sizes))


def _with_file(hub: _Hub, config: dict[str, Any], address: str) -> dict[str, Any]:
    """Return a configuration with the quantisation of the file beside it, where there is one."""
    if stored_quantisation(config):
        return config
    try:
        return _quantised(config, _object(hub.get(address), address))
    except (AuthError, NotFoundError, InvalidError):
        return config


class _Hub:
    """A hub as one user sees it."""

    def __init__(self, token: str | None, timeout: float) -> None:
        self._token, self._timeout = token, timeout

    def get(self, address: str) -> bytes:
        """Return what an address answers, after redirects; the token stays with the first host."""
        home, here = urlsplit(address)[:2], address
        for _turn in range(REDIRECTS):
            answer = self._ask(here, with_token=urlsplit(here)[:2] == home)
            if isinstance(answer, bytes):
                return answer
            here = urljoin(here, answer)
            if urlsplit(here).scheme not in ("http", "https"):
                break
        raise UnavailableError(f"{address} leads nowhere", hint="Check the address of the hub.")

    def _ask(self, address: str, *, with_token: bool) -> bytes | str:
        """Return the body, or the place that the answer redirects to."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token and with_token else {}
        try:
            with open_url(
                address,
                headers=headers,
                timeout=self._timeout,
                follow_redirects="none",
                use_netrc=False,
                http_agent=f"gpuops.cloud/{VERSION}",
            ) as answer:
                body = _body(answer, time.monotonic() + self._timeout)
        except HTTPError as error:
            place = error.headers.get("Location")
            if error.code in (301, 302, 303, 307, 308) and place:
                return str(place)
            raise _refused(address, error.code) from None
        except (OSError, ValueError) as error:
            raise UnavailableError(
                f"{address} cannot be reached: {error}",
                hint="Check the network and HF_ENDPOINT, or give the model's config.json.",
            ) from None
        if len(body) > LARGEST:
            raise InvalidError(f"{address} answers more than a configuration")
        return body


def _body(answer: Any, until: float) -> bytes:
    """Return a body, or a byte more than is wanted; raises TimeoutError for one that drips."""
    parts, size = [], 0
    while size <= LARGEST:
        part = answer.read1(65536)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if time.monotonic() > until:
            raise TimeoutError("timed out")
    return b"".join(parts)


def _refused(address: str, status: int) -> GpuopsError:
    if status in (401, 403):
        return AuthError(
            f"{address} answers {status}",
            status=status,
            hint="There is no such model, or it asks for a token of an account that has accepted its "
            "terms (vllm_hf_token, HF_TOKEN).",
        )
    if status == 404:
        return NotFoundError(
            f"{address} does not exist", status=status, hint="Check the model's name and revision."
        )
    return UnavailableError(
        f"{address} answers {status}", status=status, hint="Run again later, or give config.json."
    )


def _object(text: bytes, where: str) -> dict[str, Any]:
    """Return the JSON object of a file; raises InvalidError for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidError(f"{where} is no JSON object")
    return found
