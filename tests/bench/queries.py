# SPDX-License-Identifier: Apache-2.0
"""CPU per query of egressd and of others, against a floor measured in the same run.

The floor is a program that only receives and sends in batches (echo.c). CPU is the user
and system time of all processes of a server, after minus before, divided by dnsperf's
completed queries. The server has core 0 to itself; dnsperf and the upstream share core 1.
Each server stands in a network namespace of its own with its own pod and its own nftables
rules, so none pays for another's. Rounds are interleaved; each measurement is set against
its own round's floor, and the median counts.

Needs root, a C compiler and dnsperf.
"""

from __future__ import annotations

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import contestants
from budget import Line
from contestants import POD, SERVER, UPSTREAM, ZONE, Contestant
from namespace import Namespace

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SERVER_CPU, CLIENT_CPU = 0, 1
ALL_CPUS = f"0-{os.cpu_count() - 1}"
READY_DEADLINE_S = 15
RUN_LIMIT_S = 10
OUTSTANDING = 100  # dnsperf's own default
CLIENTS = 4
HOT_NAMES = 500
HOT_PASSES = 200  # so 100,000 queries a round
FRESH_NAMES = 10000
CPUCLOCK_SCHED = 2  # linux/posix-timers.h

CACHED, REFUSED, FRESH = "cached", "refused", "upstream"
TITLES = {CACHED: "answer from the cache, leased", REFUSED: "refused (NXDOMAIN)",
          FRESH: "answer from upstream; egressd commits the lease first"}
BUDGETS = {CACHED: 1.25, REFUSED: 1.25, FRESH: 6.0}


@dataclass
class Case:
    """One kind of question to one server, and what each round of it measured."""

    server: Contestant
    kind: str
    us: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.us)

    def ratio(self, floor: Case) -> float:
        return statistics.median(ours / least for ours, least in zip(self.us, floor.us))


class Bed:
    """The internet with its upstream, and a node and a pod for each server."""

    def __init__(self, programs: Path) -> None:
        self._open: list[Namespace] = []
        self._programs = programs
        self.contestants: list[Contestant] = []
        self.internet = self._namespace("internet")
        self.internet.ip(f"addr add {UPSTREAM}/32 dev lo\n")
        self.upstream = self.internet.start("taskset", "--cpu-list", str(CLIENT_CPU),
                                            str(programs / "responder"), UPSTREAM)

    def _namespace(self, name: str) -> Namespace:
        self._open.append(Namespace(name))
        return self._open[-1]

    def add(self, name: str, prepare: Callable[[Contestant], None],
            cpus: str = str(SERVER_CPU)) -> Contestant:
        """A server in its own node, up and answering."""
        number = len(self.contestants)
        c = Contestant(name, self._namespace(f"node-{name}"), self._namespace(f"pod-{name}"))
        self.contestants.append(c)
        near, far = f"192.0.2.{4 * number + 1}", f"192.0.2.{4 * number + 2}"
        c.node.ip(f"""addr add {SERVER}/32 dev lo
link add pod0 type veth peer name eth0 netns {c.pod.pid}
link add up0 type veth peer name up{number} netns {self.internet.pid}
addr add 10.244.0.1/24 dev pod0
addr add {near}/30 dev up0
link set pod0 up
link set up0 up
""")
        c.pod.ip(f"addr add {POD}/24 dev eth0\nlink set eth0 up\n"
                 "route add default via 10.244.0.1\n")
        self.internet.ip(f"addr add {far}/30 dev up{number}\nlink set up{number} up\n")
        c.node.ip(f"route add default via {far}\n")
        prepare(c)
        c.start(cpus)
        wait_ready(c)
        return c

    def close(self) -> None:
        for c in self.contestants:
            if c.process:
                c.process.kill()
                c.process.wait()
            if c.journal:
                c.journal.shutdown(socket.SHUT_RDWR)
        self.upstream.kill()
        self.upstream.wait()
        for namespace in self._open:
            namespace.close()


def compile_programs(folder: Path) -> None:
    for program in ("echo", "responder", "asker"):
        sources = [f"{program}.c"] if program == "asker" else [f"{program}.c", "batch.c"]
        subprocess.run([*os.environ.get("CC", "cc").split(), "-std=gnu17", "-D_GNU_SOURCE", "-O2",
                        f"-I{ROOT}", "-o", str(folder / program),
                        *(str(HERE / source) for source in sources)], check=True)


def query(name: str) -> bytes:
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return bytes([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + labels + bytes([0, 0, 1, 0, 1])


def wait_ready(c: Contestant) -> None:
    """Until a registered name is answered without an error."""
    packet = query(f"n0.{ZONE}")
    end = time.monotonic() + READY_DEADLINE_S
    with c.pod.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.05)
        while time.monotonic() < end and c.process and c.process.poll() is None:
            s.sendto(packet, (SERVER, 53))
            try:
                if s.recv(512)[3] & 15 == 0:
                    return
            except TimeoutError:
                pass
    raise RuntimeError(f"{c.name} does not answer: {' '.join(c.command)}\n{c.output.read_text()}")


def family_of(pid: int) -> list[int]:
    """The process and all its descendants."""
    pids = [pid]
    for parent in pids:
        for task in Path(f"/proc/{parent}/task").iterdir():
            pids += [int(child) for child in (task / "children").read_text().split()]
    return pids


def cpu_seconds(pid: int) -> float:
    """utime + stime of /proc/PID/stat, all descendants' too, in nanoseconds' steps rather than
    10 ms: clock_getcpuclockid(3)'s clock of another process, which Python does not wrap."""
    return sum(time.clock_gettime(~p << 3 | CPUCLOCK_SCHED) for p in family_of(pid))


def dnsperf(c: Contestant, names: Path, passes: int, expect: str,
            limit_s: int = RUN_LIMIT_S) -> tuple[int, float]:
    """Completed queries and their rate; all of them must be answered as expected."""
    done = c.pod.run("taskset", "--cpu-list", str(CLIENT_CPU), "dnsperf", "-s", SERVER,
                     "-d", str(names), "-n", str(passes), "-l", str(limit_s),
                     "-q", str(OUTSTANDING), "-c", str(CLIENTS),
                     timeout=2 * limit_s, check=True).stdout
    completed = int(re.search(r"Queries completed:\s+(\d+)", done)[1])
    good = re.search(rf"Response codes:\s+{expect} (\d+)", done)
    lost = int(re.search(r"Queries lost:\s+(\d+)", done)[1])
    if lost or not good or int(good[1]) != completed:
        raise RuntimeError(f"{c.name}: not all queries were answered with {expect}:\n{done}")
    return completed, float(re.search(r"Queries per second:\s+([\d.]+)", done)[1])


def measure_case(case: Case, names: Path) -> None:
    expect = "NXDOMAIN" if case.kind == REFUSED else "NOERROR"
    passes = 1 if case.kind == FRESH else HOT_PASSES
    if case.kind != FRESH:
        dnsperf(case.server, names, 1, expect)  # what is cached is there, and hot
    before = cpu_seconds(case.server.process.pid)
    completed, rate = dnsperf(case.server, names, passes, expect)
    case.us.append((cpu_seconds(case.server.process.pid) - before) / completed * 1e6)
    case.rates.append(rate)


def write_names(folder: Path, rounds: int) -> dict[tuple[str, int], Path]:
    """The names of each kind and round; those of FRESH are never asked twice."""
    files = {}
    for turn in range(rounds):
        begin = HOT_NAMES + turn * FRESH_NAMES
        for kind, first, count, zone in ((CACHED, 0, HOT_NAMES, ZONE),
                                         (REFUSED, 0, HOT_NAMES, "other.example"),
                                         (FRESH, begin, FRESH_NAMES, ZONE)):
            path = files[kind, turn] = folder / f"{kind}-{turn}"
            path.write_text("".join(f"n{i}.{zone} A\n" for i in range(first, first + count)))
    return files


def run_all(cases: list[Case], rounds: int, folder: Path) -> None:
    files = write_names(folder, rounds)
    for turn in range(rounds):
        for case in cases:
            measure_case(case, files[case.kind, turn])
        print(f"round {turn + 1} of {rounds} done", file=sys.stderr, flush=True)


def check_elements(servers: list[Contestant], rounds: int) -> None:
    """Who writes to the kernel has written every address it answered with; ours must."""
    for c in (c for c in servers if c.elements):
        listed = c.node.run("nft", "list", "set", *c.elements, timeout=60, check=True).stdout
        missing = rounds * FRESH_NAMES - listed.count("expires")
        if missing > 0 and c.name == "egressd":
            raise RuntimeError(f"egressd: {missing} addresses answered but not in the kernel")
        if missing > 0:
            print(f"{c.name}: {missing} addresses answered but not in the kernel", file=sys.stderr)


def make_cases(bed: Bed, egressd: Path, programs: Path) -> list[Case]:
    """The floor first."""
    cases = [Case(bed.add("echo", lambda c: contestants.echo(c, programs)), CACHED)]
    if os.access(egressd, os.X_OK):
        ours = bed.add("egressd", lambda c: contestants.egressd(c, egressd.resolve()))
        cases += [Case(ours, CACHED), Case(ours, REFUSED), Case(ours, FRESH)]
    else:
        print(f"{egressd} is not there: run make first", file=sys.stderr)
    for name, prepare in contestants.OTHERS.items():
        if not contestants.is_installed(name):
            print(f"{name} is not installed: left out", file=sys.stderr)
            continue
        other = bed.add(name, prepare)
        # Answering from its cache, dnsmasq does not write to the set.
        cases += [Case(other, CACHED)] if "+" not in name else []
        cases.append(Case(other, FRESH))
    return cases


def is_missed(case: Case, floor: Case) -> bool:
    return case.server.name == "egressd" and case.ratio(floor) > BUDGETS[case.kind]


def print_row(case: Case, floor: Case) -> None:
    budget = ""
    if case.server.name == "egressd":
        budget = f"{BUDGETS[case.kind]:6.2f} {'OVER' if is_missed(case, floor) else 'ok'}"
    print(f"  {case.server.name:<18}{case.median:9.2f}{min(case.us):9.2f}{max(case.us):9.2f}"
          f"{case.ratio(floor):9.2f}{statistics.median(case.rates):11,.0f}  {budget}".rstrip())


def report(cases: list[Case], rounds: int) -> list[Line]:
    """Tables for people, one line of JSON for machines."""
    floor = cases[0]
    print("queries: CPU per query of all the server's processes, user+system, in us; "
          f"{rounds} rounds\n")
    heads = [f"{head:>9}" for head in ("median", "lowest", "highest", "x floor")]
    print(f"  {'':<18}{''.join(heads)}{'queries/s':>11}  budget")
    print("the floor: receive and send in batches")
    print_row(floor, floor)
    for kind, title in TITLES.items():
        print(title)
        for case in (c for c in cases[1:] if c.kind == kind):
            print_row(case, floor)
    ratios = {f"{c.server.name}.{c.kind}": round(c.ratio(floor), 3) for c in cases[1:]}
    told = {"floor_us": round(floor.median, 3), "rounds": rounds, "x_floor": ratios}
    print("\nbench " + json.dumps(told) + "\n")
    return [Line(f"queries: {TITLES[c.kind]}", c.ratio(floor), BUDGETS[c.kind], "x floor")
            for c in cases if c.server.name == "egressd"]


def measure_all(egressd: Path, rounds: int, folder: Path) -> list[Line]:
    bed = Bed(folder)
    try:
        cases = make_cases(bed, egressd, folder)
        run_all(cases, rounds, folder)
        check_elements(bed.contestants, rounds)
    finally:
        bed.close()
    return report(cases, rounds)


def measure(egressd: Path, rounds: int, folder: Path) -> list[Line]:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CLIENT_CPU})
    try:
        compile_programs(folder)
        return measure_all(egressd, rounds, folder)
    finally:
        os.sched_setaffinity(0, allowed)
