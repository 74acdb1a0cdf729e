# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the ledger is."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  ledger:
    description:
      - Where purchases, extensions and ends are written down, as a URL of SQLAlchemy, such as C(sqlite:////srv/gpuops/ledger.sqlite3) or,
        for a team, C(postgresql://user@host/database), which needs the Python package C(psycopg). V(none) keeps no ledger.
      - Without it, E(GPUOPS_LEDGER) is read; at last it is the file C(gpuops/ledger.sqlite3) below E(XDG_DATA_HOME) or C(~/.local/share).
      - A ledger that cannot be written is a warning. M(gpuops.cloud.datacrunch_ledger) adds later what it lacks.
      - Several processes of one instance may share a SQLite file; instances share a PostgreSQL database. A ledger is meant for one account.
    type: str
requirements:
  - SQLAlchemy >= 2, < 3 (Python package, where a ledger is kept)
"""
