# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command in a terminal of its own and draw what it printed as an SVG file.

usage: python scripts/picture.py FILE.svg TITLE COMMAND [ARGUMENT ...]
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

COLUMNS, ROWS = 140, 50
# The picture loads nothing from elsewhere: the viewer's own monospaced font is good enough.
LOCAL_FONTS = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def record(command: list[str]) -> tuple[str, int]:
    """Run a command in a new terminal, copy what it prints; returns all of it and the exit code."""
    process, terminal = pty.fork()
    if process == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvp(command[0], command)
    output = bytearray()
    while chunk := _read(terminal):
        output += chunk
        os.write(sys.stdout.fileno(), chunk)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return output.decode(errors="replace").replace("\r\n", "\n"), code


def _read(terminal: int) -> bytes:
    """Return the next piece of output; nothing at the end, which a terminal tells by an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def shortened(text: str) -> str:
    """Return the text without the task files that Ansible names with their path on this machine."""
    lines = [line for line in text.splitlines() if "included: /" not in line]
    return "\n".join(lines) + "\n"


def draw(text: str, title: str) -> str:
    """Return the SVG of a terminal that shows this text."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text))
    return console.export_svg(title=title, theme=SVG_EXPORT_THEME, code_format=LOCAL_FONTS)


def main(file: str, title: str, *command: str) -> int:
    """Record and draw; the picture is written only of a command that ended well."""
    text, code = record(list(command))
    if code == 0:
        Path(file).write_text(draw(f"$ {title}\n{shortened(text)}", title), encoding="utf-8")
    return code


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
