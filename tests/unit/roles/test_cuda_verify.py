# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role cuda compares GPUs with those expected, and computes on them.

No GPU takes part. The driver's library is played by functions with C's calling convention, so that
the types and places of arguments are those that a real one would see.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

verify = load("roles/cuda/files/verify.py")

PTR, INT, UINT, SIZE, U64 = (
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.c_uint,
    ctypes.c_size_t,
    ctypes.c_uint64,
)
H100 = {"name": "NVIDIA H100 80GB HBM3", "memory_mb": 81559}
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "cuInit": (UINT,),
    "cuDeviceGetCount": (PTR,),
    "cuDeviceGet": (PTR, INT),
    "cuDevicePrimaryCtxRetain": (PTR, INT),
    "cuCtxSetCurrent": (PTR,),
    "cuDevicePrimaryCtxRelease_v2": (INT,),
    "cuModuleLoadData": (PTR, ctypes.c_char_p),
    "cuModuleGetFunction": (PTR, PTR, ctypes.c_char_p),
    "cuMemAlloc_v2": (PTR, SIZE),
    "cuMemcpyHtoD_v2": (U64, PTR, SIZE),
    "cuLaunchKernel": (PTR, UINT, UINT, UINT, UINT, UINT, UINT, UINT, PTR, PTR, PTR),
    "cuCtxSynchronize": (),
    "cuMemcpyDtoH_v2": (PTR, U64, SIZE),
    "cuMemFree_v2": (U64,),
    "cuGetErrorName": (INT, PTR),
}


class Driver:
    """A driver with some devices, which computes on the processor; calls may be made to fail."""

    def __init__(self, devices: int = 2, wrong: bool = False) -> None:
        self.devices, self.wrong = devices, wrong
        self.fails: dict[str, list[int]] = {}
        self.called: list[str] = []
        self.memory: Any = None
        for name, types in SIGNATURES.items():
            setattr(self, name, ctypes.CFUNCTYPE(INT, *types)(self._call(name)))

    def _call(self, name: str) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            self.called.append(name)
            if self.fails.get(name):
                return self.fails[name].pop(0)
            getattr(self, f"do_{name.lower()}", lambda *_arguments: None)(*arguments)
            return 0

        return call

    def do_cudevicegetcount(self, place: int) -> None:
        INT.from_address(place).value = self.devices

    def do_cumemalloc_v2(self, place: int, size: int) -> None:
        self.memory = ctypes.create_string_buffer(size)
        U64.from_address(place).value = ctypes.addressof(self.memory)

    def do_cumemcpyhtod_v2(self, target: int, source: int, size: int) -> None:
        ctypes.memmove(target, source, size)

    def do_cumemcpydtoh_v2(self, target: int, source: int, size: int) -> None:
        ctypes.memmove(target, source, size)

    def do_culaunchkernel(self, *arguments: Any) -> None:
        places = (PTR * 3).from_address(arguments[9])
        start = U64.from_address(places[0]).value
        count, factor = (ctypes.c_uint32.from_address(places[n]).value for n in (1, 2))
        assert arguments[1] * arguments[4] >= count
        values = (ctypes.c_uint32 * count).from_address(start)
        for place, value in enumerate(values):
            values[place] = value * factor + place + self.wrong

    def do_cugeterrorname(self, _code: int, place: int) -> None:
        ctypes.c_char_p.from_address(place).value = b"CUDA_ERROR_SOME"


def test_kernel_computes_on_every_device_and_gives_all_back() -> None:
    driver = Driver()
    problems, rows = verify.run_kernels(driver, 2)
    assert problems == []
    assert [(row["device"], row["result"]) for row in rows] == [(0, "right"), (1, "right")]
    for name in ("cuMemFree_v2", "cuDevicePrimaryCtxRelease_v2"):
        assert driver.called.count(name) == 2


def test_wrong_results_are_a_problem() -> None:
    problems, _rows = verify.run_kernels(Driver(1, wrong=True), 1)
    assert "GPU 0 wrong" in problems[0]


def test_a_failed_call_is_named_and_the_context_given_back() -> None:
    driver = Driver()
    driver.fails["cuLaunchKernel"] = [700]
    problems, rows = verify.run_kernels(driver, 2)
    assert problems == [f"a small kernel on GPU 0 {rows[0]['result']}"]
    assert rows[0]["result"] == "failed: cuLaunchKernel says CUDA_ERROR_SOME (700)"
    assert rows[1]["result"] == "right"
    assert driver.called.count("cuMemFree_v2") == 2
    assert driver.called.count("cuDevicePrimaryCtxRelease_v2") == 2


@pytest.mark.parametrize(("call", "code"), [("cuMemAlloc_v2", 2), ("cuDevicePrimaryCtxRetain", 46)])
def test_a_gpu_that_serves_somebody_is_busy_and_no_problem(call: str, code: int) -> None:
    driver = Driver(1)
    driver.fails[call] = [code]
    problems, rows = verify.run_kernels(driver, 1)
    assert problems == []
    assert rows[0]["result"].startswith("busy")


def test_start_waits_for_the_fabric(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify.time, "sleep", lambda _seconds: None)
    driver = Driver()
    driver.fails["cuInit"] = [802, 802]
    assert verify.run_kernels(driver, 2)[0] == []
    assert driver.called.count("cuInit") == 3


def test_start_gives_up_on_a_fabric_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(verify.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(verify.time, "monotonic", lambda: float(next(clock)))
    driver = Driver()
    driver.fails["cuInit"] = [802] * 50
    problems, rows = verify.run_kernels(driver, 2)
    assert rows == []
    assert "fabric manager does not run" in problems[0]


def test_cuda_must_see_as_many_gpus_as_the_driver() -> None:
    assert verify.run_kernels(Driver(1), 2)[0] == [
        "CUDA offers 1 device(s) where there should be 2"
    ]


@pytest.mark.parametrize("error", [OSError("libcuda.so.1: cannot open"), None])
def test_no_library_is_told(monkeypatch: pytest.MonkeyPatch, error: OSError | None) -> None:
    def library(_name: str) -> object:
        if error:
            raise error
        return object()

    monkeypatch.setattr(verify.ctypes, "CDLL", library)
    asked = {"expected": {}, "gpus": [H100], "mig": False, "kernel": True}
    assert "no CUDA program can run" in verify.main(asked)["problems"][0]


@pytest.mark.parametrize(
    ("expected", "gpus", "words"),
    [
        ({}, [], []),
        ({"model": "H100", "count": 2, "vram_gb": 80}, [H100, H100], []),
        ({"model": "H100", "count": 8}, [H100], ["1 GPU(s) where 8"]),
        ({"model": "H200"}, [H100], ["NVIDIA H100 80GB HBM3 where H200"]),
        ({"vram_gb": 40}, [H100], ["80 GiB of memory where 40 GB"]),
        ({"model": "A100", "count": 1, "vram_gb": 40}, [H100, H100], ["2 GPU", "A100", "40 GB"]),
    ],
)
def test_what_was_bought_is_compared(
    expected: dict[str, Any], gpus: list[dict[str, Any]], words: list[str]
) -> None:
    found = verify.differences(expected, gpus)
    assert len(found) == len(words)
    assert [text for text, part in zip(found, words, strict=True) if part not in text] == []


@pytest.mark.parametrize(
    ("name", "model", "same"),
    [
        ("NVIDIA RTX 6000 Ada Generation", "RTX6000ADA", True),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTXPRO6000", True),
        ("NVIDIA RTX A6000", "A6000", True),
        ("NVIDIA A100-SXM4-80GB", "A100", True),
        ("Tesla V100-SXM2-16GB", "V100", True),
        ("NVIDIA GB200", "B200", False),
        ("NVIDIA L40S", "L40", False),
    ],
)
def test_model_is_found_in_the_name_that_the_driver_gives(
    name: str, model: str, same: bool
) -> None:
    assert verify.is_model(name, model) is same
