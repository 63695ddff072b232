# SPDX-License-Identifier: Apache-2.0
"""Broken messages by the thousand, from pods and from upstream, hurt nobody (attack A21)."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

import malformed
import manifests
import zone
from daemon import Daemon
from dnsclient import ask, exchange, frame, make_query, node_local, open_tcp, open_udp, read_frame
from fake_upstream import FakeUpstream, Question, addresses
from lab import Lab, Pod

RSS_KIB = 1024
NOTHING, ID, QUESTION = range(3)  # is right in a broken reply
FAST, SLOW = 500, 4000
HOW_MANY = pytest.mark.parametrize("count", [FAST, pytest.param(SLOW, marks=pytest.mark.slow)])


def good(q: Question) -> bytes:
    return addresses(q, zone.PUBLIC4, zone.PUBLIC6, ttl=0)


@pytest.fixture
def listed(daemon: Daemon, upstream: FakeUpstream, lab: Lab) -> Daemon:
    upstream.script = good
    daemon.load(manifests.service_entry("*.example", resolution="NONE"),
                *(manifests.pod(f"pod{i}", [p.v4, p.v6]) for i, p in enumerate(lab.pods)))
    return daemon


def rss_kib(daemon: Daemon) -> int:
    assert daemon.process is not None
    text = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1])  # type: ignore[index]


def kind(number: int) -> int:
    return (malformed.A, malformed.AAAA)[number % 2]


def ask_behind(pod: Pod, wire: bytes, family: int, tcp: bool) -> None:
    """A broken query, and a good one after it on the same socket that must be answered,
    unless the connection was closed for the first."""
    query = make_query("barrier.example", edns=False).to_wire()
    with (open_tcp if tcp else open_udp)(pod.namespace, node_local(family)) as s:
        try:
            s.sendall(frame(wire) + frame(query) if tcp else wire)
            if not tcp:
                s.send(query)
            while True:
                reply = read_frame(s) if tcp else s.recv(65535)
                if reply[:2] == query[:2] and reply[12:len(query)] == query[12:]:
                    return
        except (EOFError, ConnectionError):
            assert tcp
    exchange(pod.namespace, query, node_local(family), tcp=True)


@HOW_MANY
def test_item_7_and_a21_broken_queries(listed: Daemon, pod: Pod, count: int) -> None:
    sizes = []
    for _ in range(2):
        for i in range(count):
            wire = malformed.broken(malformed.query(i, b"\3one\7example\0", kind(i)), i)
            ask_behind(pod, wire, 4 if i & 2 else 6, bool(i & 4))
            assert listed.alive(), wire.hex()
        sizes.append(rss_kib(listed))
    assert sizes[1] - sizes[0] <= RSS_KIB
    assert {e.destination for e in listed.leases()} <= {zone.PUBLIC4, zone.PUBLIC6}
    assert ask(pod.namespace, "good.example").addresses() == [zone.PUBLIC4]


@HOW_MANY
def test_item_46_and_a21_broken_replies(listed: Daemon, upstream: FakeUpstream, pod: Pod,
                                        count: int) -> None:
    """With the right id, and the good reply behind each; then with the right question as
    well; at last with a wrong id, which is soon taken for guesses and leads to TCP. The kernel
    holds nothing that was not answered."""
    def broken(q: Question, patched: int) -> bytes:
        asked = q.message.question[0]
        question = asked.name.to_wire() + struct.pack("!HH", asked.rdtype, asked.rdclass)
        whole = malformed.reply(q.message.id, asked.name.to_wire(), int(asked.rdtype))
        bad = malformed.broken(whole, number(q))
        ident = q.message.id if patched >= ID else q.message.id ^ 0x5a5a
        bad = ident.to_bytes(2, "big") + bad[2:]
        return bad[:12] + question + bad[12 + len(question):] if patched >= QUESTION else bad

    def script(q: Question, patched: int) -> list[bytes]:
        bad = broken(q, patched)
        # over TCP there is no second one: it is good after a third of the cut ones
        return [bad, good(q)] if q.transport == "udp" else [good(q) if number(q) % 3 else bad]

    def number(q: Question) -> int:
        return int(q.name.split(".")[0][1:])

    answered = set()
    sizes = []
    for patched in (ID, QUESTION, NOTHING):
        upstream.script = lambda q, patched=patched: script(q, patched)
        for i in range(count):
            reply = ask(pod.namespace, f"n{i}.example", "A" if i % 2 else "AAAA",
                        server=node_local(4 if i & 2 else 6), tcp=bool(i & 4))
            answered |= set(reply.addresses())
            assert listed.alive(), i
        sizes.append(rss_kib(listed))
        assert (listed.counter("upstream_guessed") == 1) == (patched == NOTHING)
        upstream.script = good
        assert ask(pod.namespace, "good.example").addresses() == [zone.PUBLIC4]
    assert sizes[2] - sizes[0] <= RSS_KIB
    assert {e.destination for e in listed.leases()} <= answered | {zone.PUBLIC4}
