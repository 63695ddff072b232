# SPDX-License-Identifier: Apache-2.0
"""The kernel's side: what a lease costs to commit, to keep, and to the packets it lets pass.

commit    the enforcer's own code (commit.c) adds leases to the daemon's table, in batches and
          into sets of several sizes, and takes them out again; CPU, nearly all of it the
          kernel's, and time
latency   a pod's lookup of a cached name with that many addresses, when they are to be
          committed first and when they are not (latency.c)
memory    of both our processes, for each lease, by VmRSS before and after; lease.size is no
          larger than it has to be
TCP       a pod's connections and bytes a second (tcp.c) through a node without any table,
          one where conntrack alone is at work, as under any kube-proxy, and one with the
          daemon's table with few or many leases; and through a user-space proxy, haproxy,
          where that is installed

For TCP all that takes part stands on one core, so that a second's count says what a
connection costs. Rounds are interleaved; a ratio is the median of each round's own.

Needs root, a C compiler and dnsperf.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import contestants
import queries
from budget import Line
from daemon import Daemon, wait_until
from fake_upstream import FakeUpstream, Question, answer, truncated
from namespace import Namespace

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CPU = "1"
NICE = "-15"  # above what else the machine does
POD, HOST, UPSTREAM = "10.244.0.2", "198.51.100.80", "198.51.100.53"
NODE = "10.244.0.1"
SERVER = contestants.SERVER
SOURCES = "10.244.128.0"  # and as many as are wanted from there on
PORT, PROXY_PORT = 7000, 7001
ZONE = contestants.ZONE

SET_SIZES = (1_000, 10_000, 100_000, 1_000_000)
BATCHES = (1, 10, 50, 200)
COMMITS = {1: 2000, 10: 1000, 50: 300, 200: 100}
ADDRESSES = (1, 10, 50, 200)  # the daemon hands out 64 at most
LATENCY_SOURCES = 500
MEMORY_SOURCES = {1: 4_000, 50: 2_000}  # of 4,096 unknown addresses that it keeps apart
MEMORY_NAMES = 100_000
MEMORY_SIZE = 1 << 17  # of the set
PODS_ALONE = f"1 of each of {MEMORY_SOURCES[1]:,} pods"  # which is what a pod takes
TCP_LEASES = {"0 leases": 0, "1,000 leases": 1_000, "1,000,000 leases": 1_000_000}
TCP_ROUNDS, TCP_S = 9, 0.7
NO_TABLE, CONNTRACK, PROXY = "no table", "conntrack alone", "haproxy"
COMMIT_BUDGET, LEASE_BUDGET_BYTES = 1.1, 128
RATE_BUDGET, BYTES_BUDGET = 1 / 0.97, 1 / 0.99

CONNTRACK_TABLE = """table inet conntrack {
	chain c { type filter hook forward priority 0; ct state established accept; }
}
"""
HAPROXY = f"""global
	maxconn 2000
	nbthread 1
defaults
	mode tcp
	timeout connect 5s
	timeout client 60s
	timeout server 60s
listen proxy
	bind {NODE}:{PROXY_PORT}
	server host {HOST}:{PORT}
"""


class Site:
    """An internet, a node and a pod."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.internet, self.node, self.pod = (
            Namespace(f"{place}-{name}") for place in ("internet", "node", "pod"))
        self.processes: list[subprocess.Popen[str]] = []
        self.node.sysctl(ipv4__ip_forward=1)
        self.node.ip(f"""addr add {SERVER}/32 dev lo
link add pod0 type veth peer name eth0 netns {self.pod.pid}
link add up0 type veth peer name eth0 netns {self.internet.pid}
addr add {NODE}/24 dev pod0
addr add 192.0.2.1/30 dev up0
link set pod0 up
link set up0 up
route add default via 192.0.2.2
route add {SOURCES}/17 via {POD}
""")
        self.pod.ip(f"""addr add {POD}/24 dev eth0
link set eth0 up
route add default via {NODE}
route add local {SOURCES}/17 dev lo
""")
        self.internet.ip(f"""addr add 192.0.2.2/30 dev eth0
link set eth0 up
addr add {HOST}/32 dev lo
addr add {UPSTREAM}/32 dev lo
route add default via 192.0.2.1
""")
        self.pod.sysctl(ipv4__tcp_syncookies=0)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        for namespace in (self.internet, self.node, self.pod):
            namespace.close()


class Node(Site):
    """One with the daemon."""

    def __init__(self, name: str, egressd: Path, size: int = 2 * contestants.SET_SIZE,
                 cache: dict[str, str] | None = None) -> None:
        super().__init__(name)
        self.daemon = Daemon(self, egressd, egressd.with_name("egressctl"))  # type: ignore
        self.daemon.configure({
            "listen": [f"{SERVER}:53"], "upstreams": [f"{UPSTREAM}:53"],
            "pods": {"cidrs": ["10.244.0.0/16"], "interfaces": ["pod*"],
                     "queriesPerSecond": 1_000_000},
            "lease": {"perName": contestants.SET_SIZE, "perPod": contestants.SET_SIZE,
                      "size": size},
            "cache": cache or {}})
        self.daemon.register(contestants.listed())
        self.daemon.start()

    def close(self) -> None:
        self.daemon.close()
        super().close()

    def orphan(self) -> None:
        """The table without its owner: it stays, and others may change it."""
        self.daemon.kill()


def run(place: Namespace, *command: object, timeout: float = 300) -> Any:
    done = place.run(*map(str, command), timeout=timeout, check=True).stdout
    return json.loads(done) if done else None


# Commits


def measure_commits(egressd: Path, commit: Path) -> dict[tuple[int, int], dict[str, int]]:
    node = Node("commit", egressd)
    node.orphan()
    found, there = {}, 0
    try:
        for size in SET_SIZES:
            run(node.node, commit, "fill", POD, there, size - there)
            there = size
            for batch in BATCHES:
                found[size, batch] = run(node.node, commit, "measure", POD, batch,
                                         COMMITS[batch])
    finally:
        node.close()
    return found


def print_commits(found: dict[tuple[int, int], dict[str, int]]) -> None:
    print("kernel: a commit by its leases and by the leases that are in the set; us\n")
    print(f"  {'':>10}" + "".join(f"{f'{batch} leases':>26}" for batch in BATCHES))
    print(f"  {'in the set':>10}" + f"{'CPU':>10}{'median':>8}{'p99':>8}" * len(BATCHES))
    for size in SET_SIZES:
        rows = [found[size, batch] for batch in BATCHES]
        print(f"  {size:>10,}" + "".join(
            f"{r['cpu_ns'] / 1e3:>10.1f}{r['median_ns'] / 1e3:>8.1f}{r['p99_ns'] / 1e3:>8.1f}"
            for r in rows))
    print()


def commit_lines(found: dict[tuple[int, int], dict[str, int]]) -> list[Line]:
    first, last = SET_SIZES[0], SET_SIZES[-1]
    return [Line(f"kernel: a commit of {b} into {last:,} leases, to into {first:,}",
                 found[last, b]["median_ns"] / found[first, b]["median_ns"], COMMIT_BUDGET, "x")
            for b in (BATCHES[0], BATCHES[-1])]


# Latency and memory


def many(question: Question) -> bytes:
    """As many addresses as the name's first label says."""
    count = int(question.name.split(".")[0][1:])
    records = [f"@ A 172.16.{count}.{i + 1}" for i in range(count)]
    reply = answer(question, *(records if question.type == "A" else ()), ttl=3600)
    return reply if question.transport == "tcp" or len(reply) <= 1232 else truncated(question)


def memory(daemon: Daemon) -> int:
    """Bytes that both processes have in memory."""
    kib = (re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
           for pid in (daemon.pid, daemon.enforcer_pid))
    return sum(int(found[1]) for found in kib if found) * 1024


def look_up(node: Node, program: Path, count: int, sources: int) -> dict[str, int]:
    """By so many pods; it is in the cache, where the first of all put it."""
    name = f"a{count}.{ZONE}"
    run(node.pod, program, SERVER, NODE, 1, name)  # from the address behind it, POD
    return run(node.pod, program, SERVER, SOURCES, sources, name)


def measure_sources(node: Node, program: Path, count: int) -> tuple[Any, dict[str, float]]:
    latency = look_up(node, program, count, LATENCY_SOURCES)
    sources = MEMORY_SOURCES.get(count)
    if not sources:
        return latency, {}
    before = memory(node.daemon)
    look_up(node, program, count, sources)
    made = (sources - LATENCY_SOURCES) * latency["addresses"]
    return latency, {f"{count} of each of {sources:,} pods": (memory(node.daemon) - before) / made}


def measure_names(egressd: Path, folder: Path) -> dict[str, float]:
    """One pod, many names of one address each; in the cache there is room for few of them."""
    node = Node("names", egressd, MEMORY_SIZE, cache={"size": "64KiB"})
    node.processes.append(node.internet.start(str(folder / "responder"), UPSTREAM))
    names = folder / "names"
    names.write_text("".join(f"n{i}.{ZONE} A\n" for i in range(MEMORY_NAMES)))
    try:
        before = memory(node.daemon)
        node.pod.run("dnsperf", "-s", SERVER, "-d", str(names), "-n", "1", "-l", "120",
                     timeout=130, check=True)
        made = node.daemon.status()["leases"]
        return {f"1 of each of {made:,} names": (memory(node.daemon) - before) / made}
    finally:
        node.close()


def measure_lookups(egressd: Path, folder: Path) -> tuple[dict[int, Any], dict[str, float]]:
    latency, bytes_each = {}, {}
    for count in ADDRESSES:
        node = Node(f"latency-{count}", egressd, MEMORY_SIZE)
        upstream = FakeUpstream(node.internet, UPSTREAM)
        upstream.script = many
        try:
            latency[count], more = measure_sources(node, folder / "latency", count)
            bytes_each |= more
        finally:
            node.close()
            upstream.close()
    return latency, bytes_each | measure_names(egressd, folder)


def print_lookups(latency: dict[int, Any], bytes_each: dict[str, float]) -> None:
    print(f"kernel: a lookup of a cached name, {LATENCY_SOURCES} pods; us\n")
    print(f"  {'addresses':>9}{'handed out':>12}{'with a commit':>22}{'leased already':>22}")
    print(f"  {'':>21}" + f"{'median':>14}{'p99':>8}" * 2)
    for count, row in latency.items():
        print(f"  {count:>9}{row['addresses']:>12}" + "".join(
            f"{row[f'{kind}_ns'] / 1e3:>14.0f}{row[f'{kind}_p99_ns'] / 1e3:>8.0f}"
            for kind in ("commit", "leased")))
    print("\nkernel: memory of both processes for each lease, in bytes\n")
    for what, value in bytes_each.items():
        print(f"  {what:<30}{value:>10.0f}")
    print()


# TCP


@dataclass
class Way:
    """One way from the pod to the host, and what each round of it measured."""

    name: str
    site: Site
    address: str = HOST
    port: int = PORT
    rates: list[float] = field(default_factory=list)
    bytes: list[float] = field(default_factory=list)

    def ratio(self, kind: str, base: Way) -> float:
        return statistics.median(a / b for a, b in zip(getattr(self, kind),
                                                       getattr(base, kind)))


def serve(site: Site, folder: Path) -> None:
    server = site.internet.start(*pinned(folder / "tcp", "serve", PORT), stderr=subprocess.PIPE)
    assert server.stderr is not None
    site.processes.append(server)
    if server.stderr.readline() != "ready\n":
        raise RuntimeError("the TCP server does not start")


def pinned(*command: object) -> list[str]:
    return ["nice", "-n", NICE, "taskset", "--cpu-list", CPU, *map(str, command)]


def through_table(name: str, leases: int, egressd: Path, commit: Path) -> Site:
    """With so many leases of others, and the one that is needed."""
    node = Node(f"tcp-{leases}", egressd)
    node.orphan()
    if leases:
        run(node.node, commit, "fill", POD, 0, leases)
    node.node.run("nft", "add", "element", "inet", "egressd", "leases4",
                  f"{{ {POD} . {HOST} . tcp . {PORT} timeout 1h }}", check=True)
    return node


def through_proxy() -> Site:
    site = Site(PROXY)
    site.node.write("/etc/bench/haproxy.cfg", HAPROXY)
    site.processes.append(site.node.start(*pinned(
        "haproxy", "-db", "-f", "/etc/bench/haproxy.cfg")))
    wait_until(lambda: str(PROXY_PORT) in site.node.run("ss", "-tln").stdout, 10, "haproxy")
    return site


def make_paths(egressd: Path, commit: Path, folder: Path) -> list[Way]:
    paths = [Way(NO_TABLE, Site("bare")), Way(CONNTRACK, Site("conntrack"))]
    paths[1].site.node.run("nft", "-f", "-", stdin=CONNTRACK_TABLE, check=True)
    for name, leases in TCP_LEASES.items():
        paths.append(Way(name, through_table(name, leases, egressd, commit)))
    if shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin"):
        paths.append(Way(PROXY, through_proxy(), NODE, PROXY_PORT))
    else:
        print("haproxy is not installed: left out\n")
    for path in paths:
        serve(path.site, folder)
    return paths


def measure_path(path: Way, folder: Path) -> None:
    for kind, list_ in (("connect", path.rates), ("send", path.bytes)):
        told = run(path.site.pod, *pinned(folder / "tcp", kind, path.address, path.port, TCP_S))
        list_.append(told["count"] / told["seconds"])


def measure_tcp(egressd: Path, commit: Path, folder: Path) -> list[Way]:
    paths: list[Way] = []
    try:
        paths = make_paths(egressd, commit, folder)
        for turn in range(TCP_ROUNDS):
            for path in paths[turn % len(paths):] + paths[:turn % len(paths)]:
                measure_path(path, folder)
    finally:
        for path in paths:
            path.site.close()
    return paths


def print_tcp(paths: list[Way]) -> None:
    base, tracked = paths[0], paths[1]
    print(f"kernel: TCP from a pod, {TCP_ROUNDS} rounds; medians, and the ratio to {NO_TABLE} "
          f"and to {CONNTRACK}\n")
    print(f"  {'':<18}{'connections/s':>14}{'':>7}{'':>7}{'MB/s':>14}")
    for path in paths:
        print(f"  {path.name:<18}{statistics.median(path.rates):>14,.0f}"
              f"{path.ratio('rates', base):>7.3f}{path.ratio('rates', tracked):>7.3f}"
              f"{statistics.median(path.bytes) / 1e6:>14,.0f}"
              f"{path.ratio('bytes', base):>7.3f}{path.ratio('bytes', tracked):>7.3f}")
    print()


def tcp_lines(paths: list[Way]) -> list[Line]:
    made = []
    for path in paths:
        if path.name in TCP_LEASES:
            for base in paths[:2]:
                what = f"kernel: {base.name}, to {path.name}"
                made += [Line(f"{what}: connections a second",
                              1 / path.ratio("rates", base), RATE_BUDGET, "x"),
                         Line(f"{what}: bytes a second",
                              1 / path.ratio("bytes", base), BYTES_BUDGET, "x")]
    return made


def compile_clients(folder: Path) -> None:
    for name in ("tcp", "latency"):
        subprocess.run([*os.environ.get("CC", "cc").split(), "-std=gnu17", "-D_GNU_SOURCE", "-O2",
                        "-o", str(folder / name), str(HERE / f"{name}.c")], check=True)
    queries.compile_programs(folder)


def measure(egressd: Path, commit: Path, folder: Path) -> list[Line]:
    egressd, commit = egressd.resolve(), commit.resolve()
    compile_clients(folder)
    commits = measure_commits(egressd, commit)
    print_commits(commits)
    latency, bytes_each = measure_lookups(egressd, folder)
    print_lookups(latency, bytes_each)
    paths = measure_tcp(egressd, commit, folder)
    print_tcp(paths)
    told = {"commit_us": {f"{s}.{b}": r["median_ns"] / 1e3 for (s, b), r in commits.items()},
            "lease_bytes": bytes_each,
            "rates": {p.name: round(p.ratio("rates", paths[0]), 4) for p in paths},
            "bytes": {p.name: round(p.ratio("bytes", paths[0]), 4) for p in paths}}
    print("bench " + json.dumps(told) + "\n")
    return [*commit_lines(commits),
            *(Line(f"kernel: memory for a lease, {what}", value, LEASE_BUDGET_BYTES, "bytes")
              for what, value in bytes_each.items() if what not in PODS_ALONE),
            *tcp_lines(paths)]
