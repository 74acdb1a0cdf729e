# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole path from a checkout: bring up twice, look for secrets everywhere, tear down."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from whole_path import API_KEY, CACHE, CLIENT_SECRET, HF_TOKEN, MODEL, ROOT, Cloud

# What is installed then lies on the volume.
DISK = {"data_volume_gb": 8}
# Status of an answer without the API key.
KEYLESS = """import urllib.error, urllib.request
try:
    print(urllib.request.urlopen("http://127.0.0.1:8000/v1/models").status)
except urllib.error.HTTPError as error:
    print(error.code)
"""
SECRETS = {"client secret": CLIENT_SECRET, "API key": API_KEY, "HF token": HF_TOKEN}


def tokens() -> dict[str, str]:
    """Return the tokens of the cloud that are cached now."""
    files = (CACHE / "tokens").glob("*.json")
    rows = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return {f"token {number}": row["access_token"] for number, row in enumerate(rows)}


@contextmanager
def watched_processes() -> Iterator[set[str]]:
    """Collect the command lines of all processes of this machine, its hosts' included."""
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def recap(output: str) -> dict[str, int]:
    """Return the number of changed tasks by host."""
    return {
        host: int(n) for host, n in re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", output, re.M)
    }


def requests(cloud: Cloud) -> list[str]:
    """Return what was asked of the API so far, logins apart."""
    paths = [row["path"] for row in cloud.call("GET", "/_sim/log")]
    return [path for path in paths if not path.endswith("/oauth2/token")]


def tasks_of(output: str) -> int:
    """Return the number of tasks that ran or were skipped, of all hosts."""
    rows = re.findall(r"^\S+ +: ok=(\d+) .*\bskipped=(\d+)", output, re.M)
    return sum(int(ran) + int(skipped) for ran, skipped in rows)


def stored_runs(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the times that were kept of each bring-up."""
    file = cloud.home / "gpuops/phases.json"
    return list(json.loads(file.read_text(encoding="utf-8"))["runs"])


def phases_that_changed(run: dict[str, Any]) -> set[str]:
    """Return the names of the phases in which something changed."""
    return {phase["name"] for phase in run["phases"] if phase["changed"]}


def on_machine(cloud: Cloud, command: str, text: str = "") -> str:
    """Return what a command prints on the instance that was brought up."""
    login = ["ssh", "-F", f"{cloud.home}/gpuops/ssh_config", "gpuops"]
    done = subprocess.run([*login, command], input=text, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_bring_up_serves_keeps_secrets_and_changes_nothing_twice(
    cloud: Cloud, serving: dict[str, Any]
) -> None:
    secret = {"vllm_api_key": API_KEY, "vllm_hf_token": HF_TOKEN, **DISK}
    with watched_processes() as processes:
        first = cloud.play("playbooks/bringup.yml", "-vvv", "--diff", **serving, **secret)
    assert MODEL["sentence"] in first
    assert "refused" in first, "the offer that is listed but refused is shown"
    assert len(processes) > 20, "the process list was really watched"

    before = len(requests(cloud))
    second = cloud.play("playbooks/bringup.yml", "-vvv", "--diff", **serving, **secret)
    assert recap(second) == {"gpuops": 0, "localhost": 0}
    assert len(requests(cloud)) - before <= 6
    assert tasks_of(second) <= 75, "those that ran, and those that were skipped"
    assert MODEL["sentence"] in second
    running = [row for row in cloud.state()["instances"] if row["status"] == "running"]
    assert len(running) == 1
    assert "vllm_service" in second.partition("Seconds by phase:")[2]
    cold, warm = (phases_that_changed(run) for run in stored_runs(cloud))
    assert {"purchase", "vllm_install", "vllm_model", "vllm_service"} <= cold
    assert warm == set()

    cloud.play("playbooks/status.yml", "-vvv")
    cloud.play("playbooks/capacity.yml", "-vvv", tier="h100_or_less", format="json")
    texts = {"output": "\n".join(cloud.outputs), "process list": "\n".join(processes)}
    texts["simulator log"] = json.dumps(cloud.call("GET", "/_sim/log"))
    known = {**SECRETS, **tokens()}
    assert len(known) > len(SECRETS), "a token is cached"
    found = [
        f"{name} in {place}"
        for name, value in known.items()
        for place, text in texts.items()
        if value in text
    ]
    assert found == []


def test_the_machine_has_its_disk_and_lets_in_nobody_else(cloud: Cloud) -> None:
    assert on_machine(cloud, "findmnt --noheadings --output FSTYPE /srv/gpuops") == "ext4"
    rules = on_machine(cloud, "nft --stateless list chain inet gpuops input")
    assert "policy drop" in rules
    assert re.findall(r"tcp dport.*", rules) == ["tcp dport 22 accept"]
    assert on_machine(cloud, "stat --format '%a %U' /etc/vllm/vllm.env") == "600 root"
    assert on_machine(cloud, "python3 -", KEYLESS) == "401"


def test_the_inventory_knows_what_the_machine_costs_and_whose_it_is(cloud: Cloud) -> None:
    done = subprocess.run(
        ["ansible-inventory", "-i", "inventory/datacrunch.yml", "--list"],
        cwd=ROOT,
        env={**cloud.environment, "GPUOPS_HOME": str(cloud.home)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    machine = found["_meta"]["hostvars"]["gpuops"]
    assert machine["datacrunch_price_per_hour"] > 0
    assert machine["datacrunch_lease_end"]
    assert machine["datacrunch_owner"]
    assert found["market_on_demand"]["hosts"] == ["gpuops"]


def test_the_server_is_measured_and_the_results_are_kept(cloud: Cloud) -> None:
    sizes = {"requests": 8, "input_tokens": 32, "output_tokens": 8}
    output = cloud.play("playbooks/benchmark.yml", request_rates="8,inf", **sizes)
    (file,) = (cloud.home / "gpuops/benchmarks").glob("*.json")
    result = json.loads(file.read_text(encoding="utf-8"))
    assert [run["completed"] for run in result["runs"]] == [8, 8]
    assert all(run["cost_per_million_output_tokens"] > 0 for run in result["runs"])
    assert "first token p50 ms" in output
    drawn = ElementTree.parse(file.with_suffix(".svg")).getroot()
    assert len(drawn.findall(".//{*}circle")) == 2 * 3  # two rates; tokens, p50 and p95
    assert API_KEY not in output


def test_no_credentials_of_the_cloud_lie_on_the_machine(cloud: Cloud) -> None:
    secrets = [CLIENT_SECRET, *tokens().values()]
    command = ["ssh", "-F", f"{cloud.home}/gpuops/ssh_config", "gpuops"]
    # The patterns travel by standard input, so that the search does not find itself.
    places = "/root /etc /home /tmp /var/log /var/lib /opt /srv"
    search = f"cat > /run/p; grep -rlFf /run/p {places} 2>/dev/null; rm /run/p"
    done = subprocess.run(
        [*command, search], input="\n".join(secrets), capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.stderr == ""


def test_check_mode_of_a_running_deployment_changes_nothing(
    cloud: Cloud, serving: dict[str, Any]
) -> None:
    cloud.call("DELETE", "/_sim/log")
    cloud.play(
        "playbooks/bringup.yml",
        "--check",
        "--diff",
        **serving,
        **DISK,
        vllm_api_key=API_KEY,
        vllm_hf_token=HF_TOKEN,
    )
    assert [row for row in cloud.call("GET", "/_sim/log") if row["write"]] == []


def test_another_host_key_than_the_pinned_one_stops_the_run(
    cloud: Cloud, serving: dict[str, Any]
) -> None:
    pins = cloud.home / "gpuops" / "known_hosts"
    right = pins.read_text(encoding="utf-8")
    alias = right.split()[0]
    subprocess.run(
        ["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", cloud.home / "other"], check=True
    )
    other = (cloud.home / "other.pub").read_text(encoding="utf-8")
    pins.write_text(f"{alias} {other}", encoding="utf-8")
    output = " ".join(cloud.play("playbooks/bringup.yml", ok=False, **serving, **DISK).split())
    assert "shows another host key than the one pinned in" in output
    assert "the instance still costs" in output.lower()
    pins.write_text(right, encoding="utf-8")


def test_teardown_proves_that_nothing_is_left(cloud: Cloud) -> None:
    output = cloud.play("playbooks/teardown.yml", deployment="gpuops", data_volumes="delete")
    assert "leftovers: none" in output
    assert "total" in output
    state = cloud.state()
    assert [r for r in state["instances"] if r["status"] not in ("discontinued", "deleted")] == []
    assert not (cloud.home / "gpuops").exists()
    again = cloud.play("playbooks/teardown.yml", deployment="gpuops")
    assert recap(again) == {"localhost": 0}


READY = """
- hosts: deployment_mute
  gather_facts: false
  roles:
    - gpuops.cloud.ssh_ready
  tasks:
    - name: Say the own name
      ansible.builtin.command: {argv: [cat, /etc/hostname]}
      changed_when: false
      register: _name

    - name: Every host is itself
      ansible.builtin.assert:
        that: _name.stdout == inventory_hostname
"""


def test_hosts_that_never_answer_are_explained_each(cloud: Cloud, serving: dict[str, Any]) -> None:
    """An SSH port that nothing listens on stands for an instance that does not come up."""
    wait = {"ansible_port": 2, "ssh_ready_timeout": 4, "ssh_ready_interval": 1}
    fleet = {"deployment": "mute", "count": 2}
    output = cloud.play("playbooks/bringup.yml", ok=False, **fleet, **wait, **serving)
    text = " ".join(output.split())
    for part in ("not ready after", "Connection refused", "per hour", "-e deployment=mute"):
        assert part in text
    for name in ("mute", "mute-2"):
        assert re.search(rf"^{name} +: .* failed=1", output, re.M), f"{name} is told of"


def test_a_fleet_of_the_inventory_is_reached(cloud: Cloud, tmp_path: Path) -> None:
    """The role waits once for all hosts, and each of them knows the result."""
    play = tmp_path / "ready.yml"
    play.write_text(READY, encoding="utf-8")
    cloud.environment["GPUOPS_HOME"] = str(cloud.home)
    output = cloud.play(str(play), "-i", "inventory/datacrunch.yml")
    assert recap(output) == {"mute": 0, "mute-2": 0}
    cloud.play("playbooks/teardown.yml", deployment="mute")
