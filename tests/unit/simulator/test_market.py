# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types, stock, locations and images, as they stand before anything is bought."""

from __future__ import annotations

from typing import Any

import pytest

CPUS = {f"CPU.{v}V.{4 * v}G" for v in (4, 8, 16, 32, 64, 96, 120, 180)} | {"CPU.360V.1440G"}


def types(api: Any, query: str = "") -> dict[str, dict[str, Any]]:
    return {row["instance_type"]: row for row in api.get(f"/instance-types{query}").data}


def test_a_type_is_described_in_full(api: Any) -> None:
    row = types(api)["1H100.80S.30V"]
    assert row["id"] == "c01dd00d-0000-480b-ae4e-d429115d055b"
    assert (row["price_per_hour"], row["spot_price"], row["currency"]) == ("3.555", "1.778", "usd")
    assert row["cpu"] == {"description": "30 CPU", "number_of_cores": 30}
    assert row["gpu"] == {"description": "1x H100 SXM5 80GB", "number_of_gpus": 1}
    assert row["gpu_memory"] == {"description": "80GB GPU RAM", "size_in_gigabytes": 80}
    assert row["memory"] == {"description": "120GB RAM", "size_in_gigabytes": 120}
    wanted = {"best_for", "p2p", "display_name", "manufacturer", "model", "name", "deploy_warning"}
    assert wanted <= row.keys()


@pytest.mark.parametrize(
    ("name", "vcpus", "ram", "vram", "price"),
    [
        ("4GB300.128V", 128, 900, 1152, "38.88"),
        ("8B300.240V", 240, 2040, 2144, "67.62"),
        ("8A100.40S.176V", 176, 960, 320, "10.30"),
        ("2RTXPRO6000.60V", 60, 180, 192, "3.928"),
        ("8V100.48V", 48, 180, 128, "1.520"),
        ("8B200.240V.CC", 240, 1360, 1440, "55.90"),
        ("CPU.4V.16G", 4, 16, 0, "0.04800"),
        ("CPU.4V.16G.CC", 4, 16, 0, "0.04896"),
    ],
)
def test_the_catalogue_has_the_figures(
    api: Any, name: str, vcpus: int, ram: int, vram: int, price: str
) -> None:
    row = types(api)[name]
    assert row["cpu"]["number_of_cores"] == vcpus
    assert row["memory"]["size_in_gigabytes"] == ram
    assert row["gpu_memory"]["size_in_gigabytes"] == vram
    assert row["price_per_hour"] == price


def test_the_gpu_count_is_the_leading_digit_of_every_gpu_type(api: Any) -> None:
    gpus = [row for name, row in types(api).items() if not name.startswith("CPU.")]
    assert len(gpus) == 52
    assert all(row["gpu"]["number_of_gpus"] == int(row["instance_type"][0]) for row in gpus)


@pytest.mark.parametrize(
    ("name", "has", "lacks"),
    [
        ("1V100.6V", "ubuntu-24.04-cuda-12.6-docker", "ubuntu-24.04-cuda-12.8-open"),
        ("1A6000.10V", "ubuntu-22.04-cuda-12.0-docker", "ubuntu-22.04-cuda-13.0-open"),
        ("1RTX6000ADA.10V", "ubuntu-24.04-cuda-12.8-open", "ubuntu-24.04-cuda-13.0-open"),
        ("1B200.30V", "ubuntu-24.04-cuda-12.8-open", "ubuntu-24.04-cuda-12.6"),
        ("1A100.22V", "ubuntu-20.04", "24.04.cuda13.2.cc"),
        ("1H100.80S.30V", "24.04.cuda13.2.docker", "ubuntu-20.04"),
        ("2B200.60V.CC", "24.04.cuda13.2.cc", "24.04.cuda13.2"),
    ],
)
def test_not_every_type_boots_every_image(api: Any, name: str, has: str, lacks: str) -> None:
    images = types(api)[name]["supported_os"]
    assert has in images
    assert lacks not in images


def test_some_types_list_no_image_at_all(api: Any) -> None:
    assert types(api)["1GB300.32V"]["supported_os"] == []


def test_prices_can_be_asked_for_in_euro(api: Any) -> None:
    row = types(api, "?currency=eur")["1V100.6V"]
    assert (row["currency"], row["price_per_hour"]) == ("eur", "0.1615")
    assert api.get("/instance-types?currency=gbp").status == 400


def test_stock_is_on_demand_unless_spot_is_asked_for(api: Any) -> None:
    rows = api.get("/instance-availability").data
    assert [row["location_code"] for row in rows] == ["FIN-01", "FIN-02", "FIN-03"]
    assert rows[0]["availabilities"] == ["1A100.22V"]
    spot = api.get("/instance-availability?is_spot=true&location_code=FIN-01").data
    assert [row["location_code"] for row in spot] == ["FIN-01"]
    assert {"1A100.40S.22V", "8L40S.160V"} | CPUS <= set(spot[0]["availabilities"])


def test_the_old_names_of_the_filters_work(api: Any) -> None:
    new = api.get("/instance-availability?is_spot=true&location_code=FIN-03").data
    assert api.get("/instance-availability?isSpot=true&locationCode=FIN-03").data == new


def test_one_type_is_available_or_not(api: Any) -> None:
    path = "/instance-availability/1A100.40S.22V"
    assert api.get(path).data is False
    assert api.get(f"{path}?is_spot=true").data is True
    assert api.get(f"{path}?is_spot=true&location_code=FIN-02").data is False
    assert api.get("/instance-availability/1X9.1V").status == 404


def test_an_unknown_location_is_refused(api: Any) -> None:
    assert api.get("/instance-availability?location_code=MARS-1").status == 400


def test_locations_are_listed(api: Any) -> None:
    first = {"code": "FIN-01", "name": "Finland 1", "country_code": "FI"}
    assert api.get("/locations").data[0] == first


def test_images_can_be_listed_for_a_type(api: Any) -> None:
    rows = api.get("/images?instance_type=1B200.30V").data
    assert {row["image_type"] for row in rows} == set(types(api)["1B200.30V"]["supported_os"])
    assert rows[0].keys() == {
        "id", "image_type", "name", "is_default", "details", "category", "is_cluster"
    }  # fmt: skip
    assert len(api.get("/images").data) > len(rows)
    assert api.get("/images?instance_type=1X9.1V").status == 404


def test_old_paths_work_until_they_are_switched_off(start: Any) -> None:
    api = start()
    old = ["/instances/types", "/instances/availability/1A100.22V", "/sshkeys"]
    assert [api.get(path).status for path in old] == [200, 200, 200]
    api.simulator.switch(aliases=False)
    assert all(api.get(path).status >= 400 for path in old)


def test_a_scenario_changes_the_catalogue(start: Any) -> None:
    new = {"instance_type": "1X9.1V", "model": "X9", "gpus": 1, "vcpus": 1, "ram_gb": 8,
           "vram_gb": 16, "price_per_hour": "1.00"}  # fmt: skip
    changes = [
        {"instance_type": "1V100.6V", "price_per_hour": 0.25},
        {"instance_type": "1A6000.10V", "removed": True},
        new,
    ]
    seen = types(start(instance_types=changes))
    assert seen["1V100.6V"]["price_per_hour"] == "0.25"
    assert "1A6000.10V" not in seen
    assert (seen["1X9.1V"]["model"], seen["1X9.1V"]["spot_price"]) == ("X9", "0.50")


def test_volume_types_have_a_price_per_gb(api: Any) -> None:
    rows = {row["type"]: row for row in api.get("/volume-types").data}
    assert rows["NVMe"]["price"]["price_per_month_per_gb"] == 0.2
    assert rows["NVMe"]["price"]["cps_per_gb"] == pytest.approx(7.61e-8, rel=1e-3)
    assert rows["NVMe_Shared"]["is_shared_fs"] is True
