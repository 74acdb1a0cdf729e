# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With which status the command ends."""

from __future__ import annotations

import click

# As docker has it: it was not the job that failed.
FAILED = 125
INTERRUPTED = 130
UNREAD = 141


class UnreadError(Exception):
    """Whoever read the output has had enough; of a broken pipe itself click makes status 1."""


class FailedError(click.ClickException):
    """What was asked for cannot be done here; one sentence says why, and what to do."""

    exit_code = FAILED
