# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command that several hosts run together, by torchrun (private, pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_PYTHON = ("python", "python3")
# As torchrun has it itself.
_PORT = 29500


@dataclass(frozen=True)
class Place:
    """What a host is among the nodes of a job; ``interface`` is the one that they talk over."""

    count: int
    rank: int
    head_address: str
    interface: str
    processes: int = 1

    @property
    def environment(self) -> dict[str, str]:
        """Return what a program is told besides, for what torchrun does not do."""
        return {
            "GPUOPS_NODES": str(self.count),
            "GPUOPS_NODE_RANK": str(self.rank),
            "NCCL_SOCKET_IFNAME": self.interface,
            "GLOO_SOCKET_IFNAME": self.interface,
        }

    def launched(self, command: Sequence[str]) -> list[str]:
        """Return the command by which torchrun runs a command on this node.

        A command that names torchrun itself may have options of it. Nothing is repeated: all nodes
        begin together, and end together.
        """
        words = list(command)
        if words[0] == "torchrun":
            words = words[1:]
        elif words[0] in _PYTHON and len(words) > 1:
            words = ["--module", *words[2:]] if words[1] == "-m" else words[1:]
        else:
            words = ["--no-python", *words]
        return [
            "python",
            "-m",
            "torch.distributed.run",
            f"--nnodes={self.count}",
            f"--node-rank={self.rank}",
            f"--nproc-per-node={self.processes}",
            f"--master-addr={self.head_address}",
            f"--master-port={_PORT}",
            "--max-restarts=0",
            *words,
        ]
