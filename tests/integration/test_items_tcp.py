# SPDX-License-Identifier: Apache-2.0
"""Items 34 to 40: TCP from pods, with clients that are slow, hasty, rude or many."""

from __future__ import annotations

import random
import socket
import struct
import time

import dns.message
import pytest

import manifests
import zone
from daemon import Daemon, wait_until
from dnsclient import ask, frame, make_query, node_local, open_tcp, read_frame
from fake_upstream import FakeUpstream, addresses
from internet import FAKE4, FAKE6
from lab import NODE_LOCAL4, Lab, Pod

PIPELINE = 100  # daemon/query/tcp.h
PER_POD = 64  # daemon/query/tcp.h
IDLE_S = 10  # daemon/query/tcp.h
GOOD4 = zone.PUBLIC4


@pytest.fixture
def listed(daemon: Daemon, upstream: FakeUpstream, lab: Lab) -> Daemon:
    upstream.script = lambda q: None if q.name == "slow.example" else addresses(
        q, zone.PUBLIC4, zone.PUBLIC6)
    daemon.load(manifests.service_entry("*.example", resolution="NONE"),
                *(manifests.pod(f"pod{i}", [p.v4, p.v6]) for i, p in enumerate(lab.pods)))
    return daemon


def answers(s: socket.socket) -> bool:
    query = make_query("one.example")
    s.sendall(frame(query.to_wire()))
    return query.is_response(dns.message.from_wire(read_frame(s)))


def test_item_34_tcp_wherever_udp_is(listed: Daemon, pod: Pod, family: int) -> None:
    for server in (node_local(family), FAKE4 if family == 4 else FAKE6):
        for tcp in (False, True):
            assert ask(pod.namespace, "one.example", server=server,
                       tcp=tcp).addresses() == [GOOD4]


def test_item_35_in_any_pieces(listed: Daemon, pod: Pod, family: int) -> None:
    query = make_query("one.example")
    wire = frame(query.to_wire())
    with open_tcp(pod.namespace, node_local(family)) as s:
        for size in (1, 2, 3, 14, len(wire)):
            for at in range(0, len(wire), size):
                s.sendall(wire[at:at + size])
            assert query.is_response(dns.message.from_wire(read_frame(s)))


def test_item_36_a_slow_one_holds_nobody_up(listed: Daemon, pod: Pod, family: int) -> None:
    queries = [make_query("slow.example" if i == 0 else f"n{i}.example")
               for i in range(PIPELINE)]
    for i, query in enumerate(queries):
        query.id = i
    with open_tcp(pod.namespace, node_local(family)) as s:
        s.sendall(b"".join(frame(q.to_wire()) for q in queries))
        replies = [dns.message.from_wire(read_frame(s)) for _ in queries[1:]]
    assert sorted(r.id for r in replies) == list(range(1, PIPELINE))
    assert all(queries[r.id].is_response(r) for r in replies)


@pytest.mark.parametrize("rude", [False, True], ids=["close", "reset"])
def test_item_37_who_asked_has_gone(listed: Daemon, upstream: FakeUpstream, pod: Pod, family: int,
                                    rude: bool) -> None:
    upstream.holding = True
    for i in range(20):
        with open_tcp(pod.namespace, node_local(family)) as s:
            if rude:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.sendall(frame(make_query(f"n{i}.example").to_wire()))
            upstream.wait_asked(1, f"n{i}.example")
    upstream.release()
    assert ask(pod.namespace, "one.example", server=node_local(family),
               tcp=True).addresses() == [GOOD4]
    assert listed.alive()


@pytest.mark.slow
def test_item_38_a_byte_a_second_is_idle(listed: Daemon, pod: Pod) -> None:
    """Only whole messages count: the connection ends while bytes still come."""
    with open_tcp(pod.namespace, NODE_LOCAL4) as s:
        assert answers(s)
        s.sendall(b"\2\0")
        s.settimeout(1)
        ended = time.monotonic() + 3 * IDLE_S
        while True:
            assert time.monotonic() < ended, "still open"
            try:
                assert s.recv(1) == b""
                break
            except TimeoutError:
                s.sendall(b"x")
            except ConnectionError:
                break
    assert listed.counter("tcp_connections") == 0


def test_item_39_lengths_that_make_no_sense(listed: Daemon, pod: Pod, family: int) -> None:
    by_chance = random.Random(39)
    good = frame(make_query("one.example").to_wire())
    for length in (*range(12), 4097, 65535):
        with open_tcp(pod.namespace, node_local(family)) as s:
            try:
                s.sendall(struct.pack("!H", length) + by_chance.randbytes(length) + good)
                while s.recv(65536):  # a reply, or the end; not silence for ever
                    break
            except ConnectionError:
                pass
        assert listed.alive()
    assert ask(pod.namespace, "one.example", server=node_local(family),
               tcp=True).addresses() == [GOOD4]


def test_item_40_one_pod_has_so_many_connections(listed: Daemon, pod: Pod, other_pod: Pod,
                                                 family: int) -> None:
    kept = [open_tcp(pod.namespace, node_local(family)) for _ in range(PER_POD + 20)]
    try:
        wait_until(lambda: listed.counter("tcp_turned_away") == 20, 5, "the rest closed")
        assert listed.counter("tcp_connections") == PER_POD
        for _ in range(5):
            assert ask(other_pod.namespace, "one.example", server=node_local(family),
                       tcp=True).addresses() == [GOOD4]
    finally:
        for s in kept:
            s.close()
