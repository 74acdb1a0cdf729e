# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the proxy's configuration true: `gpuops-gateway check`, and `gpuops-gateway load UNIT`.

`check` asks every replica for one token, takes those out of the balancing that cannot give it, and
loads whatever has changed. `load` only does the latter. Loading drops no request: nginx tests the
new configuration, starts new workers with it, and lets the old ones finish.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# By unit: what it was told, and what is kept until the next boot.
ETC, RUN = Path("/etc"), Path("/run/gpuops-nginx")
NGINX = "/usr/sbin/nginx"
FRONT = "gpuops-gateway"
BALANCING = Path("/var/lib/gpuops-gateway/replicas.conf")
REPLICA_NAME = "replica.gpuops.internal"
# Of the link on the replica: the server there was not asked, because it is stopping or down.
NOT_ASKED = 530
# A long queue answers late, too: only several silences in a row count.
CONNECT_SECONDS, ANSWER_SECONDS, SILENCES = 5, 30, 3
LOAD_SECONDS = 20


class Replica:
    """One server behind the gateway, as the last check has seen it."""

    def __init__(self, told: dict[str, Any], known: dict[str, Any]) -> None:
        self.name = str(told["name"])
        found = socket.getaddrinfo(told["address"], told["port"], type=socket.SOCK_STREAM)
        self.host, self.port = str(found[0][4][0]), int(told["port"])
        # A new one must prove itself before it gets work.
        self.serves = bool(known.get("serves", False))
        self.silences = int(known.get("silences", 0))
        self.why = str(known.get("why", "new"))

    @property
    def address(self) -> str:
        """Address and port as nginx writes them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def judge(self, seen: str, why: str) -> None:
        """Take in what a probe has seen: serves, out, busy or silent."""
        self.silences = self.silences + 1 if seen == "silent" else 0
        self.why = why
        if seen == "serves":
            self.serves = True
        elif seen == "out" or self.silences >= SILENCES:
            self.serves = False

    def known(self) -> dict[str, Any]:
        """Return what the next check has to know."""
        return {"serves": self.serves, "silences": self.silences, "why": self.why}


class Connection(http.client.HTTPSConnection):
    """A connection to an address that proves to be a replica."""

    def __init__(self, replica: Replica, context: ssl.SSLContext) -> None:
        super().__init__(replica.host, replica.port, timeout=ANSWER_SECONDS, context=context)
        self._link = context

    def connect(self) -> None:
        """Connect and check the certificate against the replicas' common name."""
        try:
            plain = socket.create_connection((self.host, self.port), CONNECT_SECONDS)
        except TimeoutError:
            raise ConnectionError(f"no connection in {CONNECT_SECONDS} s") from None
        plain.settimeout(ANSWER_SECONDS)
        self.sock = self._link.wrap_socket(plain, server_hostname=REPLICA_NAME)


def link_context() -> ssl.SSLContext:
    """Return what both ends of the link show each other."""
    folder = ETC / FRONT / "link"
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "gateway.pem")
    return context


def ask(
    replica: Replica, context: ssl.SSLContext, key: str, body: dict[str, Any] | None
) -> tuple[int, Any]:
    """Return status and answer: of the list of models, or of one token of the first."""
    connection = Connection(replica, context)
    headers = {"Authorization": key, "Content-Type": "application/json", "Connection": "close"}
    try:
        if body is None:
            connection.request("GET", "/v1/models", headers=headers)
        else:
            connection.request("POST", "/v1/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, None


def meaning(status: int) -> tuple[str, str]:
    """Tell what a status says of a replica."""
    if status == NOT_ASKED:
        return "out", "its server is stopping or down"
    if status == http.client.SERVICE_UNAVAILABLE:
        return "busy", "its queue is full"
    if status in (401, 403):
        return "out", "it refuses the gateway's key"
    if status >= 500:
        return "out", f"it answers {status}"
    # A server of embeddings refuses the question, and so proves that it is there.
    return "serves", "it answers"


def probe(replica: Replica, context: ssl.SSLContext, key: str) -> tuple[str, str]:
    """Ask for a token, because a server that stops or has lost its engine is still "healthy"."""
    try:
        status, models = ask(replica, context, key, None)
        seen = meaning(status)
        if seen[0] != "serves":
            return seen
        listed = (models or {}).get("data") or [{}]
        token = {"model": listed[0].get("id", ""), "prompt": "1", "max_tokens": 1}
        return meaning(ask(replica, context, key, token)[0])
    except TimeoutError:
        return "silent", f"no answer in {ANSWER_SECONDS} s"
    except (OSError, http.client.HTTPException, AttributeError) as error:
        return "out", str(error) or type(error).__name__


def balancing(replicas: list[Replica]) -> str:
    """Return the part of nginx's configuration that names the replicas.

    A request that a replica's link has turned away unasked goes on to a group without that one.
    """
    # With nobody left, asking is the only way to serve again at once.
    nobody = not any(replica.serves for replica in replicas)

    def group(name: str, members: list[Replica]) -> list[str]:
        lines = [f"upstream {name} {{", f"    zone {name} 64k;", "    least_conn;"]
        for one in members:
            mark = "" if one.serves or nobody else " down"
            lines.append(f"    server {one.address} max_fails=3 fail_timeout=10s{mark};")
        return [*lines, "}"]

    text = group("gpuops_replicas", replicas)
    again = ["map $upstream_addr $gateway_again {", "    volatile;", "    default gpuops_replicas;"]
    for number, left_out in enumerate(replicas if len(replicas) > 1 else []):
        name = f"gpuops_others_{number}"
        text += group(name, [one for one in replicas if one is not left_out])
        again.append(f'    "~(?:^|[ ,]){re.escape(left_out.address)}$" {name};')
    return "\n".join([*text, *again, "}"]) + "\n"


def digest(unit: str, watched: list[str]) -> str:
    """Return a digest of everything that the unit reads when it is loaded."""
    files = [path for path in sorted((ETC / unit).rglob("*")) if path.is_file()]
    also = [BALANCING, *map(Path, watched)] if unit == FRONT else []
    files += [path for path in also if path.is_file()]
    total = hashlib.sha256()
    for path in files:
        if path.name != "replicas.json":
            total.update(f"{path} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def workers(unit: str) -> set[str]:
    """Return the processes that the unit's master has started."""
    master = (RUN / f"{unit.removeprefix('gpuops-')}.pid").read_text("utf-8").strip()
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if words[1] == master:
            found.add(path.parent.name)
    return found


def wait_for_others(unit: str, before: set[str]) -> None:
    """Wait for workers with the new configuration; ends the program when none come.

    A reload is only a signal, and what shares memory is not part of nginx's test.
    """
    limit = time.monotonic() + LOAD_SECONDS
    while not workers(unit) - before:
        if time.monotonic() > limit:
            command = ["journalctl", f"--unit={unit}", "--output=cat", "--lines=20", "--quiet"]
            said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            wrong = [line for line in said.splitlines() if "[emerg]" in line]
            sys.exit("nginx keeps its old configuration: " + (wrong or ["it does not say why"])[-1])
        time.sleep(0.1)


def load(unit: str, watched: list[str]) -> str:
    """Load what has changed since the last time; return what was done."""
    now, note = digest(unit, watched), RUN / f"{unit}.loaded"
    loaded = note.read_text("utf-8") if note.exists() else ""
    if now == loaded:
        return "current"
    test = subprocess.run(
        [NGINX, "-t", "-q", "-c", str(ETC / unit / "nginx.conf")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if test.returncode:
        sys.exit(f"nginx refuses the configuration, the old one stays: {test.stderr.strip()}")
    active = subprocess.run(["systemctl", "is-active", "--quiet", unit], check=False)
    if active.returncode == 0:
        before = workers(unit)
        subprocess.run(["systemctl", "reload", unit], check=True)
        wait_for_others(unit, before)
    note.write_text(now, "utf-8")
    return "loaded"


def found(told: list[dict[str, Any]], known: dict[str, Any]) -> list[Replica]:
    """Return the replicas whose addresses are known; ends the program when there is none."""
    replicas = []
    for one in told:
        try:
            replicas.append(Replica(one, known.get(one["name"], {})))
        except OSError as error:
            print(f"{one['name']}: {one['address']}: {error}", file=sys.stderr)
    return replicas or sys.exit("no replica has an address")


def check() -> dict[str, Any]:
    """Ask all replicas, write the balancing, load it; return what was seen."""
    told = json.loads((ETC / FRONT / "replicas.json").read_text("utf-8"))
    note = RUN / "replicas.json"
    known = json.loads(note.read_text("utf-8")) if note.exists() else {}
    replicas = found(told["replicas"], known)
    before = {one.name: one.serves for one in replicas}
    header = (ETC / FRONT / "upstream_key.conf").read_text("utf-8")
    key = re.findall(r'"(Bearer [^"]+)"', header)[0]
    context = link_context()
    with ThreadPoolExecutor(max_workers=16) as pool:
        seen = list(pool.map(lambda one: probe(one, context, key), replicas))
    for replica, (state, why) in zip(replicas, seen, strict=True):
        replica.judge(state, why)
        if before[replica.name] != replica.serves:
            print(f"{replica.name} {'in' if replica.serves else 'out'}: {why}", file=sys.stderr)
    text = balancing(replicas)
    if not BALANCING.exists() or BALANCING.read_text("utf-8") != text:
        unfinished = BALANCING.with_suffix(".new")
        unfinished.write_text(text, "utf-8")
        unfinished.replace(BALANCING)
    done = load(FRONT, told["watched"])
    note.write_text(json.dumps({one.name: one.known() for one in replicas}), "utf-8")
    return {"done": done, "replicas": {one.name: one.known() for one in replicas}}


def main(arguments: list[str]) -> None:
    """Do what is asked, one at a time."""
    RUN.mkdir(mode=0o711, exist_ok=True)
    with (RUN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if arguments == ["check"]:
            print(json.dumps(check()))
        elif arguments[:1] == ["load"] and len(arguments) == 2:
            print(json.dumps({"done": load(arguments[1], [])}))
        else:
            sys.exit("usage: gpuops-gateway check | load UNIT")


if __name__ == "__main__":
    main(sys.argv[1:])
