# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiers, models and images: tables of what a name means."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._catalog.selection import image_of
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._hardware import gpus
from ansible_collections.gpuops.cloud.plugins.module_utils._models.offer import (
    ON_DEMAND,
    offer_from,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.shown import instance_type

NAMES = [tier.name for tier in gpus.TIERS]
MODELS = {
    "gb300": "GB300",
    "b300": "B300",
    "b200": "B200",
    "h200": "H200",
    "h100": "H100",
    "a100_80": "A100",
    "a100_40": "A100",
    "rtx_pro_6000": "RTXPRO6000",
    "rtx_6000_ada": "RTX6000ADA",
    "l40s": "L40S",
    "a6000": "A6000",
    "v100": "V100",
}


def test_order_of_the_tiers() -> None:
    assert list(MODELS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_or_less_is_the_tier_and_all_below(name: str) -> None:
    below = tuple(NAMES[NAMES.index(name) :])
    for text in (
        f"{name}_or_less",
        f"{name.upper()}_OR_LESS",
        f"{name.replace('_', '-')}-or-less",
        f"{name.title()}-OR_less",
        f" {name} or less",
        f"{name.replace('_', '')}orless",
    ):
        wish = gpus.parse_tier(text)
        assert (wish.tiers, wish.gpu_count, wish.any_count) == (below, None, False)


@pytest.mark.parametrize("name", NAMES)
def test_tier_alone_with_any_and_with_a_count(name: str) -> None:
    for text in (name, name.upper(), name.replace("_", "-")):
        assert gpus.parse_tier(text) == gpus.Wish((name,))
        assert gpus.parse_tier(f"any_{text}") == gpus.Wish((name,), None, any_count=True)
        assert gpus.parse_tier(f"ANY-{text}").any_count
        for count in (1, 4, 16):
            for sign in ("", "x", "_"):
                wish = gpus.parse_tier(f"any_{count}{sign}{text}")
                assert wish == gpus.Wish((name,), count)
        assert gpus.parse_tier(f"2x{text}_or_less").gpu_count == 2


@pytest.mark.parametrize(
    ("text", "tiers"),
    [
        ("a100", ("a100_80", "a100_40")),
        ("any_a100", ("a100_80", "a100_40")),
        ("a100_or_less", tuple(NAMES[NAMES.index("a100_80") :])),
        ("rtx_a6000", ("a6000",)),
        ("RTX A6000", ("a6000",)),
        ("6000_ada", ("rtx_6000_ada",)),
        ("tesla_v100_or_less", ("v100",)),
        ("pro_6000", ("rtx_pro_6000",)),
    ],
)
def test_other_names_of_models(text: str, tiers: tuple[str, ...]) -> None:
    assert gpus.parse_tier(text).tiers == tiers


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("h100_or_more", "h100_or_less"),
        ("h1000", "h100"),
        ("h_100-or-les", "h100_or_less"),
        ("a100_60", "a100_80"),
        ("rtx_4090", ""),
        ("any_0h100", "any_h100"),
        ("any", ""),
        ("or_less", ""),
        ("4", ""),
        ("", ""),
        ("💡", ""),
    ],
)
def test_unknown_tier_names_the_nearest(text: str, nearest: str) -> None:
    with pytest.raises(InvalidError) as caught:
        gpus.parse_tier(text)
    assert f"Unknown tier {text!r}" in caught.value.message
    assert nearest in caught.value.hint
    assert "gb300, b300" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "tiers", "count"),
    [
        ("4090", ("4090",), None),
        ("any_4090", ("4090",), None),
        ("any_2x4090", ("4090",), 2),
        ("any_24090", ("4090",), 2),
        ("4090_or_less", ("4090", "any_big", "x_or_less"), None),
        ("any_big", ("any_big",), None),
        ("any_any_big", ("any_big",), None),
        ("x_or_less", ("x_or_less",), None),
        ("x_or_less_or_less", ("x_or_less",), None),
    ],
)
def test_names_of_own_tiers_may_look_like_anything(
    text: str, tiers: tuple[str, ...], count: int | None
) -> None:
    own = gpus.tiers_from(
        [{"name": n, "models": ["H100"]} for n in ("4090", "any_big", "x_or_less")]
    )
    wish = gpus.parse_tier(text, own)
    assert (wish.tiers, wish.gpu_count) == (tiers, count)


@pytest.mark.parametrize(
    ("row", "model", "vram", "held"),
    [
        ({"models": ["a100"], "min_vram_gb": 60}, "A100", 80, True),
        ({"models": ["a100"], "min_vram_gb": 60}, "A100", 40, False),
        ({"models": ["a100"], "max_vram_gb": 60}, "A100", 80, False),
        ({"models": ["RTX A6000", "L40S"]}, "A6000", 48, True),
        ({"models": ["r-100"]}, "R100", 288, True),
        ({"models": ["H100"]}, "H200", 141, False),
    ],
)
def test_own_tiers_hold_models(row: dict[str, Any], model: str, vram: float, held: bool) -> None:
    (tier,) = gpus.tiers_from([{"name": "mine", **row}])
    assert tier.holds(model, vram) is held


def test_no_own_tiers_are_ours() -> None:
    assert gpus.tiers_from(None) == gpus.tiers_from([]) == gpus.TIERS


# -- models ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "free_text", "model"),
    [
        ("1H100.80S.32V", "H100 80GB", "H100"),
        ("8H100.80S.176V", None, "H100"),
        ("1H100.94S.40V", "anything", "H100"),
        ("1A100.22V", "A100 80GB", "A100"),
        ("1A100.40S.22V", "A100 40GB", "A100"),
        ("1GB300.32V", "GB300", "GB300"),
        ("1RTXPRO6000.30V", "RTX PRO 6000", "RTXPRO6000"),
        ("1RTXPRO6000.30V.CC", "RTX PRO 6000", "RTXPRO6000"),
        ("2B200.60V.CC", None, "B200"),
        ("1RTX6000ADA.10V", "RTX 6000 Ada", "RTX6000ADA"),
        ("1L40S.20V", "L40S", "L40S"),
        ("1A6000.10V", "RTX A6000", "A6000"),
        ("1V100.6V", "Tesla V100", "V100"),
        ("1h100.80s.32v", None, "H100"),
        ("1R100.30V", "R100", "R100"),
        ("1R100.30V", None, "R100"),
        ("strange", "Tesla V100", "V100"),
        ("strange", None, "STRANGE"),
        ("CPU.4V.16G", "CPU Node", "CPU"),
        ("CPU.4V.16G.CC", None, "CPU"),
    ],
)
def test_model_of_a_type(name: str, free_text: str | None, model: str) -> None:
    assert gpus.model_of(name, free_text) == model


@pytest.mark.parametrize(("tier", "model"), MODELS.items())
def test_every_model_has_tier_and_compute_capability(tier: str, model: str) -> None:
    vram = 80 if tier == "a100_80" else 40
    assert gpus.tier_of(model, vram) == tier
    assert float(gpus.compute_capability(model) or 0) >= 7


@pytest.mark.parametrize(
    ("vram", "tier"), [(40, "a100_40"), (59, "a100_40"), (60, "a100_80"), (80, "a100_80")]
)
def test_the_two_a100(vram: float, tier: str) -> None:
    assert gpus.tier_of("A100", vram) == tier


# -- images ----------------------------------------------------------------------------------------


def choose_image(supported: tuple[str, ...], wanted: str | None, serving: bool = False) -> Any:
    """Return the image to order for a type that boots these."""
    row = {"instance_type": "1A100.22V", "supported_os": list(supported)}
    offer = offer_from(instance_type(row), ON_DEMAND, gpus.TIERS)
    return image_of(offer, wanted, serving)


@pytest.mark.parametrize(
    ("supported", "image"),
    [
        ((), None),
        (("jupyter", "24.04.kubernetes1.31.1.cuda12.9.qcow2", "18.04.cuda13.0"), None),
        (("ubuntu-24.04", "ubuntu-24.04-cuda-12.8-open"), "ubuntu-24.04-cuda-12.8-open"),
        (
            ("ubuntu-24.04-cuda-13.0-open-docker", "24.04.cuda12.9"),
            "ubuntu-24.04-cuda-13.0-open-docker",
        ),
        (("24.04.cuda13.0.docker", "24.04.cuda13.0"), "24.04.cuda13.0"),
        (("24.04.cuda13.0", "24.04.cuda13.10", "24.04.cuda13.2"), "24.04.cuda13.10"),
        (("26.04.cuda13.2", "22.04.cuda13.0"), "22.04.cuda13.0"),
        (("ubuntu-22.04-cuda-12.0", "ubuntu-22.04-cuda-12.4-docker"), "ubuntu-22.04-cuda-12.0"),
        (("24.04.cuda13.2.cc", "26.04.cuda13.2.cc"), "24.04.cuda13.2.cc"),
        (("24.04.base", "26.04.base"), "24.04.base"),
        (("26.04.cuda13.1.kubernetes-1.35.4", "26.04.base"), "26.04.base"),
    ],
)
def test_image_without_a_wish(supported: tuple[str, ...], image: str | None) -> None:
    assert choose_image(supported, None) == image
    assert choose_image(supported[::-1], None) == image


# What types list, as published: the API's sample and lists of types without the newest images.
SAMPLE = ("ubuntu-24.04", "ubuntu-24.04-cuda-12.8-open-docker")
RTX6000ADA = (*SAMPLE, "ubuntu-24.04-cuda-12.8-open", "ubuntu-22.04", "ubuntu-22.04-cuda-12.4")
A6000 = ("ubuntu-24.04-cuda-12.6", "ubuntu-24.04-cuda-12.6-docker", "ubuntu-24.04", "ubuntu-22.04")
HOPPER = (*RTX6000ADA, "ubuntu-24.04-cuda-13.0-open", "ubuntu-24.04-cuda-13.0-open-docker")


@pytest.mark.parametrize(
    ("supported", "serving", "otherwise"),
    [
        (SAMPLE, "ubuntu-24.04", "ubuntu-24.04"),
        (RTX6000ADA, "ubuntu-24.04", "ubuntu-24.04-cuda-12.8-open"),
        (A6000, "ubuntu-24.04", "ubuntu-24.04-cuda-12.6"),
        (A6000[:2], None, "ubuntu-24.04-cuda-12.6"),
        (HOPPER, "ubuntu-24.04-cuda-13.0-open", "ubuntu-24.04-cuda-13.0-open"),
        (("24.04.base", "24.04.cuda12.9"), "24.04.base", "24.04.cuda12.9"),
        (("ubuntu-22.04", "24.04.cuda13.0.docker"), *["24.04.cuda13.0.docker"] * 2),
        # No driver is installed there.
        (("26.04.base", "20.04.base"), None, "26.04.base"),
        (("26.04.cuda13.2", "22.04.base"), "26.04.cuda13.2", "26.04.cuda13.2"),
        ((), None, None),
    ],
)
def test_image_to_serve_brings_no_driver_that_is_too_old(
    supported: tuple[str, ...], serving: str | None, otherwise: str | None
) -> None:
    for names in (supported, supported[::-1]):
        assert choose_image(names, None, True) == serving
        assert choose_image(names, None) == otherwise


def test_an_image_that_is_named_is_taken() -> None:
    assert choose_image(RTX6000ADA, RTX6000ADA[1], True) == RTX6000ADA[1]


@pytest.mark.parametrize(
    ("wanted", "image"),
    [
        ("ubuntu-24.04", "ubuntu-24.04"),
        ("ubuntu-22.04", None),
        ("2404f580-1300-1111-82b3-f199fb9b701b", "2404f580-1300-1111-82b3-f199fb9b701b"),
    ],
)
def test_image_by_name_or_id(wanted: str, image: str | None) -> None:
    assert choose_image(("ubuntu-24.04", "jupyter"), wanted) == image
