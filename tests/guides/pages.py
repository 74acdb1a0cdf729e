# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the guides, as they are written there."""

from __future__ import annotations

from docutils import nodes
from docutils.core import publish_doctree
from whole_path import ROOT

PAGES = ROOT / "docs" / "docsite" / "rst"
LAST = "When you are done"
# Quiet about the roles that only a documentation site knows; antsibull-docs checks the pages.
SETTINGS = {"report_level": 5, "halt_level": 5, "syntax_highlight": "none", "_disable_config": True}


def sections(page: str) -> list[tuple[str, list[str]]]:
    """Return the titles of a page's sections, each with its blocks of commands."""
    text = (PAGES / f"guide_{page}.rst").read_text(encoding="utf-8")
    document = publish_doctree(text, settings_overrides=SETTINGS)
    return [
        (
            section.next_node(nodes.title).astext(),
            [
                block.astext()
                for block in section.findall(nodes.literal_block)
                if {"code", "shell"} <= set(block["classes"])
            ],
        )
        for section in document.findall(nodes.section)
    ]


def commands(page: str, *, last: bool = False) -> str:
    """Return the commands of a page but those of its last section, or only these."""
    chosen = [blocks for title, blocks in sections(page) if (title == LAST) is last]
    return "\n".join(block for blocks in chosen for block in blocks)
