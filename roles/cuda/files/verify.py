# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the GPUs of this host with those expected, and compute something on each of them.

usage: verify.py JSON, with `expected` ({model, count, vram_gb} or {}), `gpus` (as the probe found
them), `mig` (whether any of them is divided) and `kernel` (whether to compute). Prints as JSON
`problems` (sentences) and `ran` (one row for each device of CUDA).

The kernel is a piece of PTX that the driver itself compiles: it takes no CUDA toolkit, only
libcuda, which is a part of the driver.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any

# value[i] = value[i] * factor + i, in 32 bits. Any GPU from compute capability 7.0 on takes it.
PTX = b"""
.version 6.3
.target sm_70
.address_size 64

.visible .entry gpuops_check(.param .u64 data, .param .u32 count, .param .u32 factor)
{
    .reg .pred %outside;
    .reg .b32 %block, %threads, %thread, %index, %limit, %by, %value;
    .reg .b64 %start, %offset, %place;
    ld.param.u64 %start, [data];
    ld.param.u32 %limit, [count];
    ld.param.u32 %by, [factor];
    mov.u32 %block, %ctaid.x;
    mov.u32 %threads, %ntid.x;
    mov.u32 %thread, %tid.x;
    mad.lo.u32 %index, %block, %threads, %thread;
    setp.ge.u32 %outside, %index, %limit;
    @%outside bra DONE;
    cvta.to.global.u64 %start, %start;
    mul.wide.u32 %offset, %index, 4;
    add.u64 %place, %start, %offset;
    ld.global.u32 %value, [%place];
    mad.lo.u32 %value, %value, %by, %index;
    st.global.u32 [%place], %value;
DONE:
    ret;
}
"""
LIBRARY = "libcuda.so.1"
COUNT, THREADS, FACTOR = 1 << 18, 256, 2654435761
OUT_OF_MEMORY, IN_EXCLUSIVE_USE, NOT_READY = 2, 46, 802
# The fabric manager needs a while after its start.
READY_SECONDS = 60.0
HINTS = {
    NOT_READY: "the fabric manager does not run, or not in the driver's version",
    803: "the driver's package was upgraded while the old kernel module stayed loaded",
    999: "see journalctl -k for lines with NVRM or Xid",
}
# What the driver calls 80 GB are 79.6 GiB on an H100, 45 of 48 with error correction on an A6000.
LEAST, MOST = 0.9, 1.1


class CudaError(RuntimeError):
    """A call of the driver failed; `code` is CUDA's."""

    def __init__(self, call: str, code: int, name: str) -> None:
        hint = f": {HINTS[code]}" if code in HINTS else ""
        super().__init__(f"{call} says {name or 'error'} ({code}){hint}")
        self.code = code


class Cuda:
    """The driver's interface, each call checked."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def __getattr__(self, call: str) -> Callable[..., None]:
        """Return a call of the driver that raises CudaError instead of returning a code."""

        def checked(*arguments: Any) -> None:
            code = getattr(self._library, call)(*arguments)
            if code:
                name = ctypes.c_char_p()
                self._library.cuGetErrorName(ctypes.c_int(code), ctypes.byref(name))
                raise CudaError(call, code, (name.value or b"").decode("ascii", "replace"))

        return checked


def differences(expected: dict[str, Any], gpus: list[dict[str, Any]]) -> list[str]:
    """Return in sentences how GPUs differ from what is expected; absent keys expect nothing."""
    found = []
    count = int(expected.get("count") or 0)
    if count and len(gpus) != count:
        found.append(f"{len(gpus)} GPU(s) where {count} are expected")
    model = str(expected.get("model") or "")
    others = sorted({gpu["name"] for gpu in gpus if model and not is_model(gpu["name"], model)})
    if others:
        found.append(f"{', '.join(others)} where {model} is expected")
    size = float(expected.get("vram_gb") or 0)
    sizes = {gpu["memory_mb"] / 1024 for gpu in gpus}
    wrong = sorted(f"{gib:.0f}" for gib in sizes if size and not LEAST <= gib / size <= MOST)
    if wrong:
        found.append(f"{', '.join(wrong)} GiB of memory where {size:g} GB are expected")
    return found


def is_model(name: str, model: str) -> bool:
    """Tell whether the driver's name of a GPU means a model: RTX6000ADA is RTX 6000 Ada."""
    letters = [re.escape(letter) for letter in model if letter.isalnum()]
    pattern = rf"(?<![a-z0-9]){'[ _-]*'.join(letters)}(?![a-z0-9])"
    return re.search(pattern, name, re.IGNORECASE) is not None


def start(cuda: Cuda) -> int:
    """Wake the driver, with patience for the fabric; returns how many devices it offers."""
    limit = time.monotonic() + READY_SECONDS
    while True:
        try:
            cuda.cuInit(ctypes.c_uint(0))
            break
        except CudaError as error:
            if error.code != NOT_READY or time.monotonic() > limit:
                raise
        time.sleep(2)
    count = ctypes.c_int()
    cuda.cuDeviceGetCount(ctypes.byref(count))
    return count.value


def compute(cuda: Cuda, number: int) -> dict[str, Any]:
    """Run the kernel on one device and compare all of its results."""
    began = time.monotonic()
    device, context = ctypes.c_int(), ctypes.c_void_p()
    row = {"device": number, "result": "right", "seconds": 0.0}
    try:
        cuda.cuDeviceGet(ctypes.byref(device), ctypes.c_int(number))
        cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
        try:
            cuda.cuCtxSetCurrent(context)
            if not launch(cuda):
                row["result"] = "wrong: the kernel ran, but its results are not those of arithmetic"
        finally:
            cuda.cuDevicePrimaryCtxRelease_v2(device)
    except CudaError as error:
        taken = error.code in (OUT_OF_MEMORY, IN_EXCLUSIVE_USE)
        row["result"] = f"busy: {error}" if taken else f"failed: {error}"
    return {**row, "seconds": round(time.monotonic() - began, 3)}


def launch(cuda: Cuda) -> bool:
    """Run the kernel in the current context; tells whether every result is right."""
    values = (ctypes.c_uint32 * COUNT)(*range(7, COUNT + 7))
    size = ctypes.c_size_t(ctypes.sizeof(values))
    module, function = ctypes.c_void_p(), ctypes.c_void_p()
    memory = ctypes.c_uint64()
    cuda.cuModuleLoadData(ctypes.byref(module), ctypes.c_char_p(PTX))
    cuda.cuModuleGetFunction(ctypes.byref(function), module, ctypes.c_char_p(b"gpuops_check"))
    cuda.cuMemAlloc_v2(ctypes.byref(memory), size)
    try:
        cuda.cuMemcpyHtoD_v2(memory, values, size)
        given = (memory, ctypes.c_uint32(COUNT), ctypes.c_uint32(FACTOR))
        places = (ctypes.c_void_p * len(given))(*(ctypes.addressof(value) for value in given))
        blocks, threads, one = (ctypes.c_uint(n) for n in (-(-COUNT // THREADS), THREADS, 1))
        cuda.cuLaunchKernel(
            function, blocks, one, one, threads, one, one,
            ctypes.c_uint(0), ctypes.c_void_p(), places, ctypes.c_void_p(),
        )  # fmt: skip
        cuda.cuCtxSynchronize()
        cuda.cuMemcpyDtoH_v2(values, memory, size)
    finally:
        cuda.cuMemFree_v2(memory)
    return all(value == ((i + 7) * FACTOR + i) % (1 << 32) for i, value in enumerate(values))


def run_kernels(library: Any, least: int) -> tuple[list[str], list[dict[str, Any]]]:
    """Run the kernel on every device, at least so many; returns problems and one row a device."""
    cuda = Cuda(library)
    try:
        count = start(cuda)
    except CudaError as error:
        return [f"CUDA does not start: {error}"], []
    rows = [compute(cuda, number) for number in range(count)]
    bad = [row for row in rows if row["result"].startswith(("wrong", "failed"))]
    problems = [f"a small kernel on GPU {row['device']} {row['result']}" for row in bad]
    if count < least:
        problems.append(f"CUDA offers {count} device(s) where there should be {least}")
    return problems, rows


def main(asked: dict[str, Any]) -> dict[str, Any]:
    """Answer what the command line asks."""
    problems = differences(asked["expected"], asked["gpus"])
    rows: list[dict[str, Any]] = []
    if asked["kernel"]:
        # As nvidia-smi counts, and all of them, whatever the caller's environment says.
        os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        # A program sees one part of a divided GPU and no other GPU.
        least = 1 if asked["mig"] else len(asked["gpus"])
        try:
            more, rows = run_kernels(ctypes.CDLL(LIBRARY), least)
        # The second when a driver is too old to have one of the calls.
        except (OSError, AttributeError) as error:
            more = [f"no CUDA program can run: {error}"]
        problems += more
    return {"problems": problems, "ran": rows}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
