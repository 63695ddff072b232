# SPDX-License-Identifier: Apache-2.0
"""One pod floods, another asks RATE questions a second: how many are lost, how long they take.

The daemon runs as on a node, with its default limits and its kernel table; the flood has a
core of its own and comes from a pod of its own: lookups of a known, an unknown, a random
unknown and a random listed name as fast as the core sends them (clients/flood.c), and TCP
connections, held open or one after the other (greedy.py). "quiet" is the same without a
flood, "own" how late the asker itself was at worst: what else the machine did. The least
of the rounds' 99th percentiles counts, as the rest is what else ran; lost questions count
in all rounds, but for those in which the asker itself stood still and then asked all at
once: these are made again.

Needs root and a C compiler.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import contestants
import queries
from budget import Line
from contestants import SERVER, ZONE, Contestant
from namespace import Namespace

CLIENTS = queries.ROOT / "tests/integration/clients"
GREEDY = queries.HERE / "greedy.py"
OTHER = "10.244.0.3"
ROUNDS = 3
RATE = 500
ASK_S = 4
FLOOD_S = ASK_S + 1
FLOOD_MAX = "10000000"
DEADLINE_S = 30.0
STILL_MS = 100  # of the asker: no steady rate
TRIES = 3
LOST_BUDGET, P99_BUDGET_MS = 0, 5
KNOWN = f"n0.{ZONE}"
NAMES = {"known name": KNOWN, "unknown name": "unknown.example",
         "random unknown names": "random.unknown.example", "random listed names": f"random.{ZONE}"}
CONNECTIONS = {"slow connections": "slow", "hasty connections": "hasty"}
KINDS = ("quiet", *NAMES, *CONNECTIONS)


@dataclass
class Measured:
    """Each round's."""

    sent: list[int] = field(default_factory=list)
    asked: int = 0
    lost: int = 0
    p99_ms: list[float] = field(default_factory=list)
    longest_ms: list[float] = field(default_factory=list)
    own_ms: list[float] = field(default_factory=list)


class Node:
    """The daemon, the pod that floods and the one that asks."""

    def __init__(self, egressd: Path, folder: Path) -> None:
        self.folder = folder
        self.bed = queries.Bed(folder)
        self.other = Namespace("pod-other")
        try:
            self.server = self.bed.add("egressd", lambda c: self._prepare(c, egressd),
                                       queries.ALL_CPUS)
        except BaseException:
            self.close()
            raise

    def _prepare(self, c: Contestant, egressd: Path) -> None:
        contestants.egressd(c, egressd, default_rate=True)
        c.node.ip(f"""link add pod1 type veth peer name eth0 netns {self.other.pid}
link set pod1 up
route add {OTHER}/32 dev pod1
""")
        self.other.ip(f"addr add {OTHER}/24 dev eth0\nlink set eth0 up\n"
                      "route add default via 10.244.0.1\n")

    def close(self) -> None:
        self.bed.close()
        self.other.close()

    def flood(self, kind: str) -> subprocess.Popen[str] | None:
        if kind in NAMES:
            command = [str(self.folder / "flood"), SERVER, str(FLOOD_S), FLOOD_MAX, NAMES[kind]]
        elif kind in CONNECTIONS:
            command = [sys.executable, "-B", str(GREEDY), SERVER, str(FLOOD_S), CONNECTIONS[kind]]
        else:
            return None
        return self.server.pod.start("taskset", "--cpu-list", str(queries.CLIENT_CPU), *command,
                                     stdout=subprocess.PIPE)

    def ask(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.other.run(
            "taskset", "--cpu-list", queries.ALL_CPUS, str(self.folder / "asker"), SERVER,
            str(RATE), str(ASK_S), KNOWN, timeout=DEADLINE_S, check=True).stdout)
        return said


def ask_beside(node: Node, kind: str, m: Measured) -> dict[str, Any]:
    flooding = node.flood(kind)
    said = node.ask()
    if flooding:
        m.sent.append(int(flooding.communicate(timeout=DEADLINE_S)[0]))
    return said


def measure_round(node: Node, kind: str, m: Measured) -> None:
    for _ in range(TRIES):
        said = ask_beside(node, kind, m)
        if said["own_ms"] <= STILL_MS:
            break
    m.asked += said["asked"]
    m.lost += said["asked"] - said["answered"]
    m.p99_ms.append(said["p99_ms"])
    m.longest_ms.append(said["longest_ms"])
    m.own_ms.append(said["own_ms"])


def print_table(found: dict[str, Measured]) -> None:
    print(f"flood: one pod floods, another asks {RATE} questions a second; "
          f"{ROUNDS} rounds of {ASK_S} s\n")
    print(f"  {'':<22}{'flood/s':>10}{'asked':>8}{'lost':>6}{'p99, ms':>18}{'longest':>9}{'own':>8}")
    print(f"  {'':<22}{'':>10}{'':>8}{'':>6}{'least':>9}{'most':>9}{'ms':>9}{'ms':>8}")
    for kind, m in found.items():
        rate = max(m.sent, default=0) / FLOOD_S
        print(f"  {kind:<22}{rate:>10,.0f}{m.asked:>8,}{m.lost:>6}{min(m.p99_ms):>9.2f}"
              f"{max(m.p99_ms):>9.2f}{max(m.longest_ms):>9.2f}{max(m.own_ms):>8.2f}")
    print()


def lines(found: dict[str, Measured]) -> list[Line]:
    made = []
    for kind in KINDS[1:]:
        m = found[kind]
        made += [Line(f"flood: {kind}: the other pod's lookups lost", m.lost, LOST_BUDGET),
                 Line(f"flood: {kind}: their 99th percentile", min(m.p99_ms), P99_BUDGET_MS, "ms")]
    return made


def measure(egressd: Path, folder: Path) -> list[Line]:
    queries.compile_programs(folder)
    subprocess.run([*os.environ.get("CC", "cc").split(), "-std=gnu17", "-D_GNU_SOURCE", "-O2",
                    "-o", str(folder / "flood"), str(CLIENTS / "flood.c")], check=True)
    node = Node(egressd.resolve(), folder)
    found = {kind: Measured() for kind in KINDS}
    try:
        for _ in range(ROUNDS):
            for kind, m in found.items():
                measure_round(node, kind, m)
    finally:
        node.close()
    print_table(found)
    return lines(found)
