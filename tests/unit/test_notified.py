# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to notifications says what can be given, and its command does what it says."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.gpuops.cloud.plugins.module_utils._notify.event import KINDS
from ansible_collections.gpuops.cloud.plugins.module_utils._notify.receivers import (
    RECEIVERS_SPEC,
    receivers_of,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.receivers import web_server
from ansible_collections.gpuops.cloud.tests.unit.test_playbooks import (
    ROOT,
    Play,
    play,
    simulator,
)

__all__ = ["play", "simulator"]
GUIDE = (ROOT / "docs/docsite/rst/guide_notifications.rst").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the parts of the guide that are written in a language."""
    found = re.findall(rf"\.\. code-block:: {language}\n\n((?:    .*\n|\n)+)", GUIDE)
    return [textwrap.dedent(text) for text in found]


def lists(value: Any) -> list[list[dict[str, Any]]]:
    """Return the lists of receivers in a part of the guide."""
    if not isinstance(value, dict):
        return []
    inner = [one for part in value.values() for one in lists(part)]
    return [*inner, *([value["gpuops_notify"]] if "gpuops_notify" in value else [])]


def test_receivers_of_the_guide_can_be_given() -> None:
    found = [one for text in blocks("yaml") for one in lists(yaml.safe_load(text))]
    assert len(found) == 2
    for rows in found:
        given = [
            {**row, "webhook": f"https://hooks.slack.com/{place}"} if "webhook" in row else row
            for place, row in enumerate(rows)
        ]
        checked = ArgumentSpecValidator({"given": RECEIVERS_SPEC}).validate({"given": given})
        assert checked.error_messages == []
        assert len(receivers_of(checked.validated_parameters["given"])) == len(rows)


def test_the_guide_has_every_event() -> None:
    assert set(re.findall(r"^   \* - ``(\w+)``$", GUIDE, re.MULTILINE)) == {*KINDS} - {"test"}


@pytest.mark.usefixtures("simulator")
def test_the_command_of_the_guide_tells_a_test(play: Play, tmp_path: Path) -> None:
    (line,) = blocks("console")
    program, *words = shlex.split(line.removeprefix("$ "))
    assert program == "ansible-playbook"
    with web_server() as hook:
        receivers = {"gpuops_notify": [hook.receiver]}
        (tmp_path / "receivers.yml").write_text(yaml.safe_dump(receivers), encoding="utf-8")
        done = play("playbook", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert hook.kinds == ["test"]
