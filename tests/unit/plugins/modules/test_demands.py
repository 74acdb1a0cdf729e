# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance must be able to do, and the reason for every one that cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    Cloud,
    reasons,
    stock,
    types,
)

H100, A100, A100_40 = "1H100.80S.32V", "1A100.22V", "1A100.40S.22V"
L40S, A6000, V100 = "1L40S.20V", "1A6000.10V", "1V100.6V"


# -- what is left out ------------------------------------------------------------------------------


def test_price_ceiling(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100, A100, V100))
    result = cloud.ask(tier="h100_or_less", max_price_per_hour=1.797)
    assert types(result) == [A100, V100]
    assert reasons(result)[H100] == "too_expensive"


@pytest.mark.parametrize("name", [H100, H100.lower(), "h100", "FIN-03", "fin-03"])
def test_exclude(cloud: Cloud, name: str) -> None:
    cloud.sim.set_stock(stock(H100, f"{A100}@FIN-01"))
    result = cloud.ask(tier="h100_or_less", exclude=[name])
    assert types(result) == [A100]
    assert reasons(result)[H100] == "excluded"


@pytest.mark.parametrize("name", ["RTX A6000", "rtx-a6000", "A6000"])
def test_exclude_knows_every_name_of_a_model(cloud: Cloud, name: str) -> None:
    cloud.sim.set_stock(stock(A6000, V100))
    assert types(cloud.ask(tier="a6000_or_less", exclude=[name])) == [V100]


@pytest.mark.parametrize(
    ("demand", "reason"),
    [
        ({"min_vram_gb": 141}, "too_little_vram"),
        ({"min_vram_gb_each": 96}, "too_little_vram"),
        ({"min_vcpu": 33}, "too_few_vcpu"),
        ({"min_ram_gb": 171}, "too_little_ram"),
        ({"gpu_count": 2}, "gpu_count"),
        ({"min_gpu_count": 2}, "too_few_gpus"),
        ({"exclude": ["H100"]}, "excluded"),
        ({"image": "ubuntu-18.04"}, "no_fitting_image"),
        ({"max_price_per_hour": 3}, "too_expensive"),
        ({"locations": ["FIN-01"]}, "other_location"),
        ({"confidential": True}, "confidential"),
    ],
)
def test_demand_has_its_reason(cloud: Cloud, demand: dict[str, Any], reason: str) -> None:
    cloud.sim.set_stock(stock(H100))
    result = cloud.ask(gpus=["H100"], **demand)
    assert reasons(result)[H100] == reason
    assert result["offers"] == []
    refused = cloud.fails("datacrunch_instance", deployment="llm", gpus=["H100"], **demand)
    assert refused["error"]["code"] == "no_capacity"
    assert cloud.sim.writes() == []


def test_least_demand_that_is_met(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100))
    demand = {"min_vram_gb": 80, "min_vram_gb_each": 80, "min_vcpu": 32, "min_ram_gb": 170}
    assert types(cloud.ask(**demand, max_price_per_hour=3.555, min_gpu_count=1)) == [H100]


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ({"tier": "any_h100"}, [H100, "8H100.80S.176V"]),
        ({"tier": "any_1h100"}, [H100]),
        ({"tier": "h100"}, [H100]),
        ({"tier": "any_8h100"}, ["8H100.80S.176V"]),
        ({"tier": "any_4a100_80"}, ["4A100.88V"]),
        ({"tier": "any_a100"}, [A100, "4A100.88V", A100_40]),
        ({"tier": "a100"}, [A100, A100_40]),
        ({"tier": "a100_40_or_less"}, [A100_40]),
        ({"tier": "h100_or_less", "gpu_count": 4}, ["4A100.88V"]),
        ({"tier": "h100_or_less", "min_gpu_count": 4}, ["8H100.80S.176V", "4A100.88V"]),
        ({"tier": "h100_or_less", "min_tier": "a100_80"}, [H100, A100]),
        ({"instance_type": "8h100.80s.176v"}, ["8H100.80S.176V"]),
    ],
)
def test_counts_and_tiers(cloud: Cloud, args: dict[str, Any], found: list[str]) -> None:
    cloud.sim.set_stock(stock(H100, "8H100.80S.176V", A100, "4A100.88V", A100_40))
    assert types(cloud.ask(**args)) == found


def test_cpu_is_chosen_by_its_sizes(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100, "CPU.8V.32G", "CPU.32V.128G", "CPU.16V.64G"))
    wish = {"gpus": ["cpu"], "min_vcpu": 12, "min_ram_gb": 64, "objective": "cheapest"}
    result = cloud.ask(**wish)
    assert types(result) == ["CPU.16V.64G", "CPU.32V.128G"]
    assert reasons(result)["CPU.8V.32G"] == "too_few_vcpu"
    assert H100 not in reasons(result)


def test_disk_that_a_cpu_has_filled_goes_to_the_gpu(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(f"{H100}@FIN-01", f"{H100}@FIN-03", "CPU.16V.64G@FIN-03"))
    disk = {"data_volume_gb": 200, "data_volumes": "keep"}
    first = cloud.buy(gpus=["CPU"], min_vcpu=12, **disk)["instance"]
    cloud.end(data_volumes="keep", os_volume="delete")
    second = cloud.buy(tier="h100_or_less", **disk)["instance"]
    assert (first["gpu_count"], second["instance_type"], second["location"]) == (0, H100, "FIN-03")
    shared = set(first["volume_ids"]) & set(second["volume_ids"])
    assert shared == set(first["volume_ids"]) - {first["os_volume_id"]}


def test_own_tiers(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100, A100, A100_40, L40S, V100))
    tiers = [
        {"name": "4090", "models": ["L40S"]},
        {"name": "any_big", "models": ["a100"], "min_vram_gb": 60},
        {"name": "rest", "models": ["V100", "A100"]},
    ]
    assert types(cloud.ask(tier="4090_or_less", tiers=tiers)) == [L40S, A100, V100, A100_40]
    assert types(cloud.ask(tier="any_big", tiers=tiers)) == [A100]
    assert types(cloud.ask(tier="any_1_any_big", tiers=tiers)) == [A100]
    result = cloud.fails("datacrunch_capacity", tier="h100", tiers=tiers)
    assert "Known tiers, best first: 4090, any_big, rest" in result["msg"]


def test_confidential_types_are_taken_only_when_asked_for(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("2B200.60V.CC", V100))
    assert types(cloud.ask(tier="any_b200")) == []
    assert types(cloud.ask(tier="any_b200", confidential=True)) == ["2B200.60V.CC"]
    result = cloud.ask(instance_type="2B200.60V.CC")
    assert types(result) == ["2B200.60V.CC"]
    assert result["offers"][0]["image"].endswith(".cc")


# -- images ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "image"),
    [
        (H100, "24.04.cuda13.2"),
        ("1B200.30V", "24.04.cuda13.2"),
        (V100, "ubuntu-24.04-cuda-12.6"),
        (A6000, "ubuntu-24.04-cuda-12.6"),
        ("CPU.4V.16G", "24.04.base"),
    ],
)
def test_image_follows_the_type(cloud: Cloud, name: str, image: str) -> None:
    cloud.sim.set_stock(stock(name))
    assert cloud.buy(instance_type=name)["instance"]["image"] == image


UNREAD = {"name": "m", "problem": "the hub answers 401"}


def test_an_image_too_old_to_serve_is_not_taken(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(A6000))
    bought = cloud.buy(instance_type=A6000, model=UNREAD)
    assert bought["instance"]["image"] == "24.04.base"


def test_a_type_with_nothing_but_old_images_is_not_bought_to_serve(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100))
    images = ["ubuntu-24.04-cuda-12.8-open", "ubuntu-24.04-cuda-12.8-open-docker"]
    rows = cloud.shows("/instance-types")
    rows = [{**row, "supported_os": images} for row in rows]
    match = {"method": "GET", "path": "/v1/instance-types"}
    cloud.fault("status", match, status=200, body=json.dumps(rows), times=None)
    assert types(cloud.ask(instance_type=H100)) == [H100]
    result = cloud.ask(instance_type=H100, model=UNREAD)
    assert reasons(result) == {H100: "no_fitting_image"}
    detail = result["rejected"][0]["detail"]
    assert f"needs a driver for CUDA 13, and this boots {', '.join(images)}: none" in detail
    named = {"instance_type": H100, "model": UNREAD, "image": images[0]}
    assert types(cloud.ask(**named)) == [H100]
    demand = {"deployment": "llm", "instance_type": H100, "model": UNREAD}
    refused = cloud.fails("datacrunch_instance", **demand)
    assert refused["error"]["code"] == "no_capacity"
    assert cloud.sim.writes() == []


def test_named_image_decides_which_types_are_left(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100, V100))
    image = "ubuntu-24.04-cuda-12.6-docker"
    assert cloud.buy(tier="v100", image=image)["instance"]["image"] == image
    cloud.sim.set_stock(stock("1B200.30V", V100))
    result = cloud.ask(tier="b200_or_less", image=image)
    assert types(result) == [V100]
    assert reasons(result)["1B200.30V"] == "no_fitting_image"


def test_image_by_id_is_taken_as_it_is(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100))
    image = "2404f580-1300-1111-82b3-f199fb9b701b"
    assert cloud.buy(tier="h100", image=image)["instance"]["image"] == image


def test_type_that_lists_no_image_is_not_bought(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1GB300.32V", V100))
    result = cloud.ask(tier="gb300_or_less")
    assert types(result) == [V100]
    assert reasons(result)["1GB300.32V"] == "no_fitting_image"
