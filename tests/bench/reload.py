# SPDX-License-Identifier: Apache-2.0
"""Reloads of 10,000 entries under lookups: how long each takes, and the longest wait.

The daemon runs as on a node, its kernel table included. While it reloads, a pod asks for a
cached and a refused name in turn, RATE questions a second (asker.c). A reload lasts from
SIGHUP to READY=1. "same": the files as they were; "other": a fifth of the entries differs
from the last time; "withdrawn": the entry that all leases stand by goes. A lookup is lost when the socket's
queue is full, which takes a long wait of many. "quiet" is the
longest wait in as much time without a reload, and "own" how late the asker itself was at
worst: what else the machine did. The median of the rounds counts.

Needs root and a C compiler, and dnsperf to make the leases.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import contestants
import queries
import registry
from budget import Line
from contestants import SERVER, ZONE, Contestant
from daemon import Notify

ENTRIES = 10_000
LEASES = (1_000, 10_000, 100_000)
ROUNDS = 3
RATE = 1000
ASK_S = 1.5
DEADLINE_S = 20.0
RELOAD_BUDGET_MS, WAIT_BUDGET_MS = 250, 10
CACHED, REFUSED = f"n0.{ZONE}", "other.example"


@dataclass
class Measured:
    """Each round's."""

    took_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    longest_ms: list[float] = field(default_factory=list)
    own_ms: list[float] = field(default_factory=list)
    lost: int = 0


class Node:
    """The daemon under reload, with its registry in folder."""

    def __init__(self, egressd: Path, program: Path, folder: Path) -> None:
        self.program = program
        self.folder = folder / "registry.d"
        self.asker = folder / "asker"
        registry.write_entries(program, self.folder, ENTRIES)
        self.listed(True)
        self.bed = queries.Bed(folder)
        try:
            self.server = self.bed.add("egressd", lambda c: self._prepare(c, egressd),
                                       queries.ALL_CPUS)
        except BaseException:
            self.bed.close()
            raise

    def _prepare(self, c: Contestant, egressd: Path) -> None:
        self.notify = Notify(c)
        contestants.egressd(c, egressd, self.folder)
        c.command = ["env", f"NOTIFY_SOCKET=@{self.notify.name}", *c.command]

    def close(self) -> None:
        self.bed.close()
        self.notify.close()

    def listed(self, present: bool) -> None:
        """The entry that the leases stand by."""
        path = self.folder / "listed.json"
        if present:
            path.write_text(json.dumps(contestants.listed()))
        else:
            path.unlink()

    def pid(self) -> int:
        """env and taskset have become the daemon; nsenter and setpriv stay above it."""
        assert self.server.process is not None
        return next(p for p in queries.family_of(self.server.process.pid)
                    if Path(f"/proc/{p}/comm").read_text().strip() == "egressd")

    def reload(self) -> tuple[float, float]:
        """How many ms, of time and of all the daemon's CPU."""
        pid = self.pid()
        said, cpu = self.notify.mark(), queries.cpu_seconds(pid)
        begin = time.monotonic()
        os.kill(pid, signal.SIGHUP)
        self.notify.wait("READY=1", said, DEADLINE_S, lambda: True)
        return ((time.monotonic() - begin) * 1000,
                (queries.cpu_seconds(pid) - cpu) * 1000)

    def ask(self) -> subprocess.Popen[str]:
        return self.server.pod.start(str(self.asker), SERVER, str(RATE), str(ASK_S), CACHED,
                                     REFUSED, stdout=subprocess.PIPE)

    def lease(self, count: int, folder: Path) -> None:
        """So many leases, by as many names."""
        names = folder / f"names-{count}"
        names.write_text("".join(f"n{i}.{ZONE} A\n" for i in range(count)))
        queries.dnsperf(self.server, names, 1, "NOERROR", limit_s=60)


def told(asking: subprocess.Popen[str]) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(asking.communicate(timeout=DEADLINE_S)[0])
    return said


def measure_round(node: Node, measured: Measured, reload: bool) -> None:
    asking = node.ask()
    time.sleep(ASK_S / 10)  # it asks by now; a reload just before would only be shorter
    if reload:
        took, cpu = node.reload()
        measured.took_ms.append(took)
        measured.cpu_ms.append(cpu)
    said = told(asking)
    measured.longest_ms.append(said["longest_ms"])
    measured.own_ms.append(said["own_ms"])
    measured.lost += said["asked"] - said["answered"]


def measure_leases(node: Node, count: int, folder: Path) -> dict[str, Measured]:
    found = {kind: Measured() for kind in ("quiet", "same", "other", "withdrawn")}
    node.lease(count, folder)
    for turn in range(ROUNDS):
        measure_round(node, found["quiet"], reload=False)
        measure_round(node, found["same"], reload=True)
        registry.write_entries(node.program, node.folder, ENTRIES, turn + 1)
        measure_round(node, found["other"], reload=True)
    node.listed(False)
    measure_round(node, found["withdrawn"], reload=True)
    node.listed(True)
    node.reload()
    return found


def middle(values: list[float]) -> str:
    return f"{statistics.median(values):>10.1f}{max(values):>9.1f}" if values else " " * 19


def print_table(found: dict[int, dict[str, Measured]]) -> None:
    print(f"reload: {ENTRIES:,} entries in as many files, {RATE:,} lookups a second beside; ms, "
          f"{ROUNDS} rounds\n")
    print(f"  {'':<21}{'reload':>10}{'':>9}{'CPU':>10}{'':>9}{'longest wait':>19}{'own':>10}")
    print(f"  {'leases':>8} {'':<12}" + f"{'median':>10}{'most':>9}" * 3
          + f"{'median':>10}{'lost':>6}")
    for leases, kinds in found.items():
        for kind, m in kinds.items():
            print(f"  {leases:>8,} {kind:<12}{middle(m.took_ms)}{middle(m.cpu_ms)}"
                  f"{middle(m.longest_ms)}{statistics.median(m.own_ms):>10.1f}{m.lost:>6}")
    print()


def lines(found: dict[int, dict[str, Measured]]) -> list[Line]:
    made = []
    for leases in LEASES[:2]:
        for kind in ("same", "other"):
            m = found[leases][kind]
            what = f"reload: {ENTRIES:,} entries, {kind}, {leases:,} leases"
            made += [Line(what, statistics.median(m.took_ms), RELOAD_BUDGET_MS, "ms"),
                     Line(f"{what}: longest wait", statistics.median(m.longest_ms),
                          WAIT_BUDGET_MS, "ms")]
    return made


def measure(egressd: Path, program: Path, folder: Path) -> list[Line]:
    queries.compile_programs(folder)
    node = Node(egressd.resolve(), program, folder)
    try:
        found = {count: measure_leases(node, count, folder) for count in LEASES}
    finally:
        node.close()
    print_table(found)
    return lines(found)
