# SPDX-License-Identifier: Apache-2.0
"""Attacks A14 and A29 of the reliability reference: who wants all connections, all memory, all
descriptors."""

from __future__ import annotations

import os
import resource
import select
import socket
import time
from collections.abc import Iterator

import pytest

import manifests
from daemon import Daemon, wait_until
from dnsclient import ask, frame, make_query, open_tcp, open_udp, read_frame
from fake_upstream import FakeUpstream, Question, answer
from internet import FAKE4
from lab import NODE_LOCAL4, Lab, Pod

CONNECTIONS = 1024  # these three: daemon/query/tcp.h
PER_POD = 64
IDLE_S = 10
PER_POD_LATE = 8  # once half of all are taken: daemon/lease/pod.h
SOURCES = [f"10.244.9.{i}" for i in range(1, 101)]
FEW = 20
GOOD4 = "203.0.113.1"
SPIN_S = 1.0
DEADLINE_S = 5
CPUCLOCK_SCHED = 2  # linux/posix-timers.h


@pytest.fixture
def listed(daemon: Daemon, upstream: FakeUpstream) -> Daemon:
    def script(q: Question) -> bytes:
        count = 40 if q.name == "many.example" else 1
        return answer(q, *(f"@ A 203.0.113.{i}" for i in range(1, count + 1)))

    upstream.script = script
    daemon.configure({"upstreams": [f"{FAKE4}:53"], "pods": {"queriesPerSecond": 1_000_000}})
    daemon.load(manifests.service_entry("*.example", resolution="NONE"))
    return daemon


def open_files(daemon: Daemon) -> int:
    return len(os.listdir(f"/proc/{daemon.pid}/fd"))


def cpu_s(pid: int) -> float:
    """clock_getcpuclockid(3), which Python does not wrap."""
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)


@pytest.mark.slow
def test_a14_out_of_descriptors_it_waits(listed: Daemon, pod: Pod, other_pod: Pod) -> None:
    """It neither spins nor ends; what it has is served, and the rest once there is room."""
    assert ask(pod.namespace, "one.example").addresses()
    soft, hard = resource.prlimit(listed.pid, resource.RLIMIT_NOFILE)
    limit = open_files(listed) + FEW // 2
    held: list[socket.socket] = []
    try:
        resource.prlimit(listed.pid, resource.RLIMIT_NOFILE, (limit, hard))
        held += (open_tcp(pod.namespace, NODE_LOCAL4) for _ in range(FEW))  # in the backlog
        wait_until(lambda: open_files(listed) == limit, 5, "no descriptor is left")
        began = cpu_s(listed.pid)
        time.sleep(SPIN_S)
        assert cpu_s(listed.pid) - began < SPIN_S / 5
        assert ask(other_pod.namespace, "one.example").addresses() == [GOOD4]
        resource.prlimit(listed.pid, resource.RLIMIT_NOFILE, (soft, hard))
        for s in held:
            s.sendall(frame(make_query("one.example").to_wire()))
            assert read_frame(s)
    finally:
        resource.prlimit(listed.pid, resource.RLIMIT_NOFILE, (soft, hard))
        for s in held:
            s.close()


def test_a29_without_descriptors_there_is_an_answer(listed: Daemon, upstream: FakeUpstream,
                                                    pod: Pod) -> None:
    """What is known is answered; what would have to be asked for is a failure, not silence."""
    assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    soft, hard = resource.prlimit(listed.pid, resource.RLIMIT_NOFILE)
    upstream.holding = True
    try:
        resource.prlimit(listed.pid, resource.RLIMIT_NOFILE, (1, hard))
        with open_udp(pod.namespace, NODE_LOCAL4) as s:
            s.send(make_query("held.example").to_wire())  # by the socket that is still open
            reply = ask(pod.namespace, "new.example")
            assert reply.rcode == "SERVFAIL" and reply.took_s < DEADLINE_S
            assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    finally:
        upstream.holding = False
        upstream.release()
        resource.prlimit(listed.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert listed.alive()
    assert ask(pod.namespace, "newer.example").addresses() == [GOOD4]


def ask_without_reading(s: socket.socket) -> int:
    """Until the daemon reads no more; how many questions went."""
    s.setblocking(False)
    question = frame(make_query("many.example").to_wire())
    sent = 0
    while select.select([], [s], [], 1)[1]:
        try:
            sent += s.send(question * 100)
        except BlockingIOError:
            pass
    return sent // len(question)


def resident_kib(daemon: Daemon) -> int:
    with open(f"/proc/{daemon.pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@pytest.mark.slow
def test_a14_who_does_not_read_is_not_read(listed: Daemon, pod: Pod, other_pod: Pod) -> None:
    assert len(ask(pod.namespace, "many.example").addresses()) == 40
    before = resident_kib(listed)
    with open_tcp(pod.namespace, NODE_LOCAL4) as s:
        asked = ask_without_reading(s)
        answered = listed.counter("answered")
        assert asked > answered, "all were answered: there is no limit"
        assert resident_kib(listed) - before < 4096
        assert ask(other_pod.namespace, "one.example", tcp=True).addresses() == [GOOD4]
        assert listed.counter("answered") == answered + 1
        wait_until(lambda: listed.counter("tcp_connections") == 0, IDLE_S + 5, "it is closed")


@pytest.fixture
def sources(lab: Lab, pod: Pod) -> Iterator[list[str]]:
    """Many pods' addresses in one namespace."""
    lab.node.ip("".join(f"route add {a}/32 dev {pod.interface}\n" for a in SOURCES))
    pod.namespace.ip("".join(f"addr add {a}/32 dev eth0\n" for a in SOURCES))
    yield SOURCES
    pod.namespace.ip("".join(f"addr del {a}/32 dev eth0\n" for a in SOURCES))
    lab.node.ip("".join(f"route del {a}/32 dev {pod.interface}\n" for a in SOURCES))


def connect_from(pod: Pod, source: str) -> socket.socket:
    s = pod.namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.bind((source, 0))
    s.settimeout(5)
    s.connect((NODE_LOCAL4, 53))
    return s


@pytest.mark.slow
def test_a14_connections_have_a_limit_in_all(listed: Daemon, pod: Pod, other_pod: Pod,
                                             sources: list[str]) -> None:
    held: list[socket.socket] = []
    greedy = CONNECTIONS // 2 // PER_POD
    try:
        for i, source in enumerate(sources):
            count = PER_POD if i < greedy else PER_POD_LATE
            held += (connect_from(pod, source) for _ in range(count + 2))
        turned_away = len(held) - CONNECTIONS
        wait_until(lambda: listed.counter("tcp_turned_away") == turned_away, 10, "the rest closed")
        assert listed.counter("tcp_connections") == CONNECTIONS
        assert open_files(listed) < CONNECTIONS + 100
        assert ask(other_pod.namespace, "one.example").addresses() == [GOOD4]
    finally:
        for s in held:
            s.close()
    wait_until(lambda: listed.counter("tcp_connections") == 0, 10, "all have gone")
    assert ask(other_pod.namespace, "one.example", tcp=True).addresses() == [GOOD4]
