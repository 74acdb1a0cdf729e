# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a model's config.json and the size of its weights: from a folder, or a hub (private).

The hub's interface: https://huggingface.co/docs/hub/api. Its token goes to the hub's own host alone,
never to a place that an answer redirects to.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.parse import quote, urljoin, urlsplit

from ansible.module_utils.urls import open_url

from .._core.errors import AuthError, GpuopsError, InvalidError, NotFoundError, UnavailableError
from .._core.version import VERSION
from .fields import Fields, read_object
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
        config = read_object(file.read_bytes(), str(file))
        beside = file.parent / QUANTISATION
        if beside.is_file() and beside.stat().st_size <= LARGEST:
            config = _quantised(config, read_object(beside.read_bytes(), str(beside)))
        return Published(config.values, str(file), weight_bytes=_folder_bytes(file.parent))
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error}") from None


def _quantised(config: Fields, beside: Fields) -> Fields:
    """Return a configuration with what a file beside it says about quantisation, as vLLM reads it."""
    if stored_quantisation(config) or not beside.holds("quantization"):
        return config
    method = beside.within("producer").text("name") or "modelopt"
    stored = {"quant_method": method, **beside.within("quantization").values}
    return Fields({**config.values, "quantization_config": stored})


def _folder_bytes(folder: Path) -> int | None:
    """Return what the weights in a folder take, or what their index says when some are elsewhere.

    Of files that the index does not name nothing is loaded.
    """
    files = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    index = folder / "model.safetensors.index.json"
    if not index.is_file() or index.stat().st_size > LARGEST:
        return weight_bytes(files)
    listed = read_object(index.read_bytes(), str(index))
    told = listed.within("metadata").values.get("total_size")
    total = told if isinstance(told, int) and told > 0 else None
    wanted = {str(name) for name in listed.within("weight_map").values.values()}
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
    config = read_object(hub.get(address), address)
    beside = f"{root}/{name}/resolve/{at}/{QUANTISATION}"
    try:
        about = read_object(hub.get(f"{root}/api/models/{name}/revision/{at}?blobs=true"), name)
    except GpuopsError:
        return Published(_with_file(hub, config, beside).values, address, revision)
    siblings = about.records("siblings")
    sizes = {row.shown("rfilename"): row.values.get("size") or 0 for row in siblings}
    if QUANTISATION in sizes:
        config = _with_file(hub, config, beside)
    return Published(config.values, address, about.text("sha") or revision, weight_bytes(sizes))


def _with_file(hub: _Hub, config: Fields, address: str) -> Fields:
    """Return a configuration with the quantisation of the file beside it, where there is one."""
    if stored_quantisation(config):
        return config
    try:
        return _quantised(config, read_object(hub.get(address), address))
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


class _Dripping(Protocol):
    """An answer whose body comes in parts."""

    def read1(self, size: int, /) -> bytes:
        """Return what has come, at most so much; nothing at the end."""


def _body(answer: _Dripping, until: float) -> bytes:
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
