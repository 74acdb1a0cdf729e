# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles write and ask for with systemd, and what with supervisord."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.roles.support import Evaluate, load

candidate = load("roles/vllm/files/candidate.py")
BASE: dict[str, Any] = {
    "vllm_model": "/models/small",
    "vllm_api_key": "the-key-of-the-tests",
    "vllm_device": "cpu",
    "ansible_managed": "Ansible managed",
    "gpuops_gpus": [],
}
SUPERVISED = {"vllm_service_manager": "supervisord"}
CASES: dict[str, dict[str, Any]] = {
    "systemd": BASE,
    "supervisord": {**BASE, **SUPERVISED},
    "another": {
        **BASE,
        **SUPERVISED,
        "vllm_unit": {"name": "small"},
        "vllm_settings": {"shutdown_timeout": 10},
        "vllm_extra_args": ["--chat-template", 'a "b" 100%'],
    },
}
FILES = (
    "[_vllm_unit_file, _vllm_manager | join(' '), _vllm_files, _vllm_packages,"
    " _vllm_live_files | map(attribute='path') | list]"
)
CONF = "[{}]".format(
    ", ".join(
        f"lookup('ansible.builtin.template', '{name}.conf.j2')" for name in ("vllm", "health")
    )
)
# As supervisord reads its files.
COMMENTS = (";", "#")


def programs(text: str) -> dict[str, dict[str, str]]:
    """Return the programs of a file of supervisord."""
    found = configparser.RawConfigParser(inline_comment_prefixes=COMMENTS)
    found.read_string(text)
    return {name: dict(found[name]) for name in found.sections()}


def test_each_has_its_own_files(vllm: Evaluate) -> None:
    found = vllm(CASES, FILES)
    unit, manager, files, packages, _live = found["systemd"]
    assert (unit, manager) == ("/etc/systemd/system/vllm.service", "systemctl")
    assert "/etc/systemd/system/vllm-health.timer" in files
    assert "supervisor" not in packages
    unit, manager, files, packages, live = found["supervisord"]
    assert unit == "/etc/supervisor/conf.d/vllm.conf"
    assert manager == "/usr/bin/python3 -I /usr/local/lib/vllm/supervised.py"
    assert [name for name in files if "systemd" in name] == []
    assert "/etc/supervisor/conf.d/vllm-health.conf" in files
    assert packages[-1] == "supervisor"
    # Without them a second run would see no difference.
    assert {"/usr/local/lib/vllm/serve.sh", "/usr/local/lib/vllm/supervised.py"} <= {*live}
    assert found["another"][0] == "/etc/supervisor/conf.d/vllm-small.conf"


def test_what_supervisord_is_told(vllm: Evaluate) -> None:
    found = vllm({name: CASES[name] for name in ("supervisord", "another")}, CONF)
    server, watchdog = map(programs, found["supervisord"])
    told = server["program:vllm"]
    command = shlex.split(told["command"])
    assert command[:2] == ["/usr/bin/env", "-i"]
    assert command[-3:] == ["serve", "--config", "/etc/vllm/config.yaml"]
    assert (told["autorestart"], told["stopsignal"], told["stopwaitsecs"]) == ("true", "TERM", "90")
    assert (told["killasgroup"], told["umask"]) == ("true", "077")
    words = shlex.split(watchdog["program:vllm-health"]["command"])
    assert words[-3:] == ["/usr/bin/python3", "-I", "/usr/local/lib/vllm/supervised.py"]
    assert BASE["vllm_api_key"] not in str(found)
    told = programs(found["another"][0])["program:vllm-small"]
    # supervisord itself takes two for one.
    assert shlex.split(told["command"].replace("%%", "%"))[-2:] == ["--chat-template", 'a "b" 100%']
    assert told["stopwaitsecs"] == "40"


def test_a_trial_is_a_program_of_its_own(vllm: Evaluate) -> None:
    text = vllm({"one": CASES["supervisord"]}, CONF)["one"][0]
    unit = Path("/etc/supervisor/conf.d/vllm.conf")
    server = candidate.Server(Path("/etc/vllm"), unit, Path("/opt/vllm/current"), "cpu", 600)
    assert server.trial_unit == unit.with_name("vllm-trial.conf")
    for pattern, new in server.unit_changes():
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert count == 1, pattern
    told = programs(text)["program:vllm-trial"]
    command = shlex.split(told["command"])
    assert command[:3] == ["/usr/bin/timeout", "--kill-after=30", "660"]
    assert command[command.index("/usr/local/lib/vllm/serve.sh") + 1] == "vllm-trial"
    assert (told["autorestart"], told["startretries"]) == ("false", "0")
    assert told["stdout_logfile"] == "/var/log/vllm/vllm-trial.log"


def test_what_a_job_needs_of_its_host(job: Evaluate) -> None:
    supervised = {"job_service_manager": "supervisord"}
    cases: dict[str, dict[str, Any]] = {
        "systemd": {"job_image": "i", "job_nodes": 2, "job_done_after": 60},
        "supervisord": supervised,
        "image": {**supervised, "job_image": "i"},
        "nodes": {**supervised, "job_nodes": 2},
        "done": {**supervised, "job_done_after": 60},
    }
    refused = "_job_option_checks | rejectattr('good') | map(attribute='otherwise') | list"
    found = job(cases, f"[_job_units, _job_programs, {refused}]")
    units, files, words = found["systemd"]
    assert (len(units), len(files), words) == (1, 3, [])
    units, files, words = found["supervisord"]
    assert (units, words) == ([], [])
    assert files[-1].endswith("/gpuops_job_supervised.py")
    for name in ("image", "nodes"):
        assert found[name][2][0].startswith(f"job_{name} needs")
    assert found["done"][2][0].startswith("job_done_after needs")


def test_the_driver_of_a_container_is_not_ours(cuda: Evaluate) -> None:
    probe = {"state": "no_driver", "fabric": {"needed": True, "active": False, "version": ""}}
    cases = {
        "whole": {"_cuda_probe": {**probe, "systemd": True}},
        "container": {"_cuda_probe": {**probe, "systemd": False}},
    }
    assert cuda(cases, "_cuda_mend") == {"whole": True, "container": False}
