# SPDX-License-Identifier: Apache-2.0
"""Upstream servers that lie, stumble, keep silent and come back."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

import forge
import manifests
import zone
from daemon import Daemon, wait_until
from dnsclient import WAYS, Reply, Way, ask, frame, make_query, node_local, open_udp
from fake_upstream import (Close, FakeUpstream, Later, Question, Raw, addresses, answer, silence,
                           truncated)
from internet import FAKE4, FAKE6
from lab import NODE_LOCAL4, NODE_LOCAL6, NODE_UPLINK4, Lab, Pod

GOOD4, GOOD6 = zone.PUBLIC4, zone.PUBLIC6
GOOD = {"A": GOOD4, "AAAA": GOOD6}
BAD4, BAD6 = "198.51.100.66", "2001:db8::66"
FOUR, SIX = f"{FAKE4}:53", f"[{FAKE6}]:53"
OPT_LEN = 11
DEADLINE_S = 5  # of everything: deadline.query is less
WRONG_MAX = 3  # resolver/channel.h
GUESSES_MAX = 8  # resolver/server.h
PER_POD = 256  # daemon/query/query_pool.h
RECOVERED_S = 2.0  # 1 s is what we want; the rest is for a machine that is busy


def good(q: Question) -> bytes:
    return addresses(q, GOOD4, GOOD6)


def bad(q: Question) -> bytes:
    return addresses(q, BAD4, BAD6)


def rdtype(family: int) -> str:
    return "A" if family == 4 else "AAAA"


@pytest.fixture
def listed(daemon: Daemon, upstream: FakeUpstream) -> Daemon:
    daemon.load(manifests.service_entry("*.example", resolution="NONE"))
    return daemon


@pytest.fixture
def two(listed: Daemon) -> Daemon:
    """Both addresses of the scriptable server, IPv4 first."""
    use(listed, FOUR, SIX)
    return listed


def use(daemon: Daemon, *upstreams: str, **config: object) -> None:
    daemon.configure({"upstreams": list(upstreams), **config})
    daemon.reload()


def only_good(daemon: Daemon) -> bool:
    return {e.destination for e in daemon.leases()} <= {GOOD4, GOOD6}


# Items 42 and 43: truncation, silence

def test_item_42_tcp_when_the_reply_came_cut(listed: Daemon, upstream: FakeUpstream, pod: Pod,
                                             family: int) -> None:
    upstream.script = lambda q: truncated(q) if q.transport == "udp" else answer(
        q, *(f"@ {q.type} " + (f"203.0.113.{i}" if family == 4 else f"2001:db8:a::{i:x}")
             for i in range(1, 61)))
    reply = ask(pod.namespace, "one.example", rdtype(family), server=node_local(family), tcp=True)
    assert len(reply.addresses()) == 60 and not reply.truncated
    assert [q.transport for q in upstream.asked()] == ["udp", "tcp"]
    assert listed.counter("upstream_truncated") == 1 and listed.counter("upstream_tcp") == 1


CUTS: list[Callable[[Question], object]] = [
    lambda q: Close(),
    lambda q: [Raw(struct.pack("!H", 100) + b"short"), Close()],
    lambda q: [Raw(b"\0"), Close()],
    lambda q: Raw(b"\0\0"),
    lambda q: Raw(b"\0\5\0\0\0\0\0"),
    lambda q: [Raw(frame(good(q))[:-5]), Close()],
    lambda q: truncated(q),
    silence,
]


def test_item_42_a_cut_answer_is_never_passed_off_as_whole(
        listed: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    use(listed, FOUR, deadline={"query": "1s"})
    for i, cut in enumerate(CUTS):
        def script(q: Question, cut: Callable[[Question], object] = cut) -> object:
            wire = answer(q, f"@ {q.type} {BAD4 if q.type == 'A' else BAD6}")
            return cut(q) if q.transport == "tcp" else with_header(wire, 2, 0x8380)  # TC

        upstream.script = script
        way = WAYS[i % len(WAYS)]
        reply = way.ask(pod.namespace, f"n{i}.example")
        assert reply.rcode == "SERVFAIL" and reply.took_s < 5, f"cut {i} {way}"
    assert listed.leases() == [] and listed.alive()


def test_a15_what_is_larger_than_we_asked_for_is_asked_for_over_tcp(
        listed: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    """It came in fragments, of which one may be another's."""
    def script(q: Question) -> bytes:
        assert q.message.payload == 1232
        address = BAD4 if q.transport == "udp" else GOOD4
        return answer(q, f"@ A {address}", *(f"x{i}.example TXT {'x' * 200}" for i in range(20)))

    upstream.script = script
    assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    assert [q.transport for q in upstream.asked()] == ["udp", "tcp"] and only_good(listed)


def test_item_43_everybody_gets_some_reply_in_time(listed: Daemon, upstream: FakeUpstream,
                                                   pod: Pod) -> None:
    upstream.script = silence
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(way.ask, pod.namespace) for way in WAYS]
    for reply in (a.result() for a in asked):
        assert reply.rcode == "SERVFAIL" and reply.took_s < DEADLINE_S
        assert reply.ede_codes() and set(reply.ede_codes()) <= {22, 23}
    assert listed.counter("upstream_timeouts") > 1


# Items 44 and 46, A4: what is no reply is ignored and does not end the wait

def with_header(wire: bytes, at: int, value: int) -> bytes:
    return wire[:at] + struct.pack("!H", value) + wire[at + 2:]


def asked_as(q: Question, name: str, kind: str, rdclass: str = "IN") -> bytes:
    other = dns.message.make_query(name, kind, rdclass, id=q.message.id)
    reply = dns.message.make_response(other, recursion_available=True)
    reply.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", "A", BAD4))
    return reply.to_wire()


def spelled(q: Question) -> str:
    return q.message.question[0].name.to_text(omit_final_dot=True)


LIES: dict[str, Callable[[Question], bytes]] = {
    "nothing": lambda q: b"",
    "one byte": lambda q: b"\0",
    "half a header": lambda q: bad(q)[:6],
    "a header": lambda q: bad(q)[:12],
    "half a question": lambda q: bad(q)[:20],
    "zeros": lambda q: bytes(100),
    "ones": lambda q: b"\xff" * 100,
    "the query": lambda q: q.message.to_wire(),
    "another id": lambda q: with_header(bad(q), 0, q.message.id ^ 1),
    "the id turned": lambda q: with_header(
        bad(q), 0, (q.message.id >> 8 | q.message.id << 8) & 0xffff ^ 0x0100),
    "no QR": lambda q: with_header(bad(q), 2, 0x0180),
    "an opcode": lambda q: with_header(bad(q), 2, 0xa980),
    "no question": lambda q: with_header(bad(q), 4, 0),
    "two questions": lambda q: with_header(bad(q), 4, 2),
    "more answers": lambda q: with_header(bad(q), 6, 2),
    "many answers": lambda q: with_header(bad(q), 6, 65535),
    "more authority": lambda q: with_header(bad(q), 8, 1),
    "many additional": lambda q: with_header(bad(q), 10, 65535),
    "fewer answers": lambda q: with_header(bad(q), 6, 0),
    "bytes behind": lambda q: bad(q) + b"x",
    "a byte less": lambda q: bad(q)[:-1],
    "another name": lambda q: asked_as(q, "other.example", "A"),
    "a parent": lambda q: asked_as(q, "example", "A"),
    "a child": lambda q: asked_as(q, f"a.{spelled(q)}", "A"),
    "another type": lambda q: asked_as(q, spelled(q), "AAAA"),
    "another class": lambda q: asked_as(q, spelled(q), "A", "CH"),
    "an address of 5": lambda q: bad(q).replace(b"\0\4\xc6\x33", b"\0\5\xc6\x33") + b"\0",
    "an address of 0": lambda q: bad(q).replace(b"\0\4" + bytes([198, 51, 100, 66]), b"\0\0"),
    "an owner in a loop": lambda q: loop(bad(q), 0),
    "an owner beyond": lambda q: loop(bad(q), 4),
    "a question in a loop": lambda q: bad(q)[:12] + b"\xc0\x0c" + bad(q)[14:],
    "two OPTs": lambda q: with_header(bad(q), 10, 2) + bytes([0, 0, 41]) + bytes(8),
}


def loop(wire: bytes, further: int) -> bytes:
    """The answer's owner, a pointer to the question, points at itself or ahead."""
    at = wire.index(b"\xc0\x0c", 12)
    return wire[:at] + struct.pack("!H", 0xc000 | at + further) + wire[at + 2:]


# To one more the server would be asked over TCP for a while.
FEW = GUESSES_MAX - 1


@pytest.mark.parametrize("first", range(0, len(LIES), FEW))
def test_a4_a_lie_before_the_truth_changes_nothing(listed: Daemon, upstream: FakeUpstream,
                                                   pod: Pod, first: int) -> None:
    for i, (what, lie) in enumerate(list(LIES.items())[first:first + FEW]):
        upstream.script = lambda q, lie=lie: [lie(q), Later(0.05, good(q))]
        assert ask(pod.namespace, f"n{i}.example").addresses() == [GOOD4], what
        assert len(upstream.asked()) == i + 1, f"{what}: nobody else was asked"
        assert listed.counter("upstream_mismatches") == i + 1, what
    assert only_good(listed)


def test_item_44_the_question_in_other_letters_is_no_reply(listed: Daemon, upstream: FakeUpstream,
                                                           pod: Pod) -> None:
    def script(q: Question) -> list[object]:
        wire = bytearray(bad(q))
        wire[13] ^= 0x20  # the first letter
        return [bytes(wire), Later(0.02, good(q))]

    upstream.script = script
    assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    assert len(upstream.asked()) == 1


@contextmanager
def stranger(lab: Lab, host: str, port: int) -> Iterator[socket.socket]:
    with lab.internet.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((host, port))
        yield s


@pytest.mark.parametrize("port", [53, 5353], ids=["another host", "another port"])
def test_item_44_from_elsewhere_is_no_reply(listed: Daemon, upstream: FakeUpstream, pod: Pod,
                                            lab: Lab, port: int) -> None:
    with stranger(lab, "192.0.2.2" if port == 53 else FAKE4, port) as s:
        def script(q: Question) -> object:
            s.sendto(bad(q), (NODE_UPLINK4, q.port))
            return Later(0.02, good(q))

        upstream.script = script
        assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    assert listed.counter("upstream_mismatches") == 0, "the kernel takes it away"
    assert only_good(listed)


def test_item_44_a_reply_to_another_port_is_no_reply(listed: Daemon, upstream: FakeUpstream,
                                                     pod: Pod) -> None:
    def script(q: Question) -> object:
        for port in range(q.port - 50, q.port + 50):
            if port != q.port:
                upstream.forge(port, bad(q))
        return Later(0.02, good(q))

    upstream.script = script
    assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    assert only_good(listed)


@pytest.fixture
def unreachable(lab: Lab) -> Iterator[Callable[[Question], None]]:
    """Sends an ICMP error about a question, as anybody can who knows its port."""
    with lab.internet.namespace.socket(socket.AF_INET, socket.SOCK_RAW,
                                       socket.IPPROTO_ICMP) as raw:
        def send(q: Question) -> None:
            ours = forge.ip(NODE_UPLINK4, FAKE4, socket.IPPROTO_UDP,
                            struct.pack("!HHHH", q.port, 53, 8, 0))
            error = forge.icmp4(FAKE4, NODE_UPLINK4, 3, 3, bytes(4) + ours)
            raw.sendto(error[20:], (NODE_UPLINK4, 0))  # the kernel writes the IP header

        yield send


def test_a4_an_icmp_error_is_not_the_end(listed: Daemon, upstream: FakeUpstream, pod: Pod,
                                         unreachable: Callable[[Question], None]) -> None:
    def script(q: Question) -> object:
        unreachable(q)
        return Later(0.05, good(q))

    upstream.script = script
    assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    assert len(upstream.asked()) == 1


def test_a4_an_icmp_error_is_a_sign_all_the_same(two: Daemon, upstream: FakeUpstream, pod: Pod,
                                                 unreachable: Callable[[Question], None]) -> None:
    """Without it the other question, which came first, would be asked elsewhere first."""
    def script(q: Question) -> object:
        if q.host == FAKE4 and q.name == "one.example":
            unreachable(q)
        return None if q.host == FAKE4 else good(q)

    upstream.script = script
    with open_udp(pod.namespace, NODE_LOCAL4) as s:
        s.send(make_query("silent.example").to_wire())
        upstream.wait_asked(1, "silent.example")
        assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
        assert upstream.asked("silent.example", host=FAKE6) == []
        assert Reply(s.recv(4096), 0).addresses() == [GOOD4]


# A2: somebody is guessing

def test_a2_after_some_wrong_replies_the_question_goes_over_tcp(
        listed: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    def script(q: Question) -> object:
        wrong = [with_header(bad(q), 0, q.message.id ^ i) for i in range(1, 6)]
        return [*wrong, good(q)] if q.transport == "udp" else good(q)

    upstream.script = script
    assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    assert [q.transport for q in upstream.asked()] == ["udp", "tcp"]
    assert listed.counter("upstream_mismatches") == WRONG_MAX, "then the port was closed"
    assert only_good(listed)


def test_a2_after_more_of_them_the_server_is_asked_over_tcp(
        listed: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    """Or each question would give whoever guesses as many chances as the last."""
    upstream.script = lambda q: good(q) if q.transport == "tcp" else [
        with_header(bad(q), 0, q.message.id ^ 1), Later(0.02, good(q))]
    for i in range(GUESSES_MAX + 3):
        assert ask(pod.namespace, f"n{i}.example").addresses() == [GOOD4]
    over = [q.transport for q in upstream.asked()]
    assert over == ["udp"] * GUESSES_MAX + ["tcp"] * 4, "the last one of them over both"
    assert listed.counter("upstream_mismatches") == GUESSES_MAX
    assert listed.counter("upstream_guessed") == 1
    assert only_good(listed)


# Item 47, A3: one question at a time

def test_a3_one_question_whatever_the_clients_options_say(listed: Daemon, upstream: FakeUpstream,
                                                          lab: Lab) -> None:
    upstream.script = good
    upstream.holding = True
    options = [[], [dns.edns.ECSOption("192.0.2.0", 24)],
               [dns.edns.GenericOption(10, bytes(8))], [dns.edns.GenericOption(3, b"")]]
    waiting = []
    for i in range(200):
        pod = lab.pods[i % len(lab.pods)]
        letters = "".join(c.upper() if i >> k & 1 else c for k, c in enumerate("onename"))
        query = make_query(f"{letters}.example", edns=bool(i % 5))
        if i % 5:
            query.use_edns(0, dns.flags.DO if i % 2 else 0, options=options[i % 4])
        query.flags |= dns.flags.CD if i % 3 else 0
        s = open_udp(pod.namespace, NODE_LOCAL4)
        s.send(query.to_wire())
        waiting.append((s, query))
    upstream.wait_asked(1, "onename.example")
    wait_until(lambda: listed.counter("waiting") == len(waiting), 5, "all of them wait")
    upstream.release()
    for s, query in waiting:
        reply = dns.message.from_wire(s.recv(4096))
        assert query.is_response(reply) and reply.answer
        s.close()
    assert len(upstream.asked()) == 1
    question, = upstream.asked()
    assert not question.message.options and not question.message.ednsflags
    assert question.message.payload == 1232, "item 30: options stay on their hop"
    assert listed.counter("upstream_joined") == len(waiting) - 1


def test_item_30_options_of_the_upstream_stay_there(listed: Daemon, upstream: FakeUpstream,
                                                    pod: Pod) -> None:
    def script(q: Question) -> bytes:
        reply = dns.message.from_wire(good(q))
        reply.use_edns(0, dns.flags.DO, 4096, options=[
            dns.edns.GenericOption(15, b"\0\x0fblocked upstream"),
            dns.edns.GenericOption(10, bytes(16)), dns.edns.GenericOption(3, b"name")])
        return reply.to_wire()

    upstream.script = script
    for _ in range(2):  # the second one from the cache
        reply = ask(pod.namespace, "one.example")
        assert reply.addresses() == [GOOD4] and not reply.message.options
        assert reply.message.payload == 1232 and not reply.message.ednsflags
    assert len(upstream.asked()) == 1


# Item 49: failures

def test_item_49_a_failure_leads_to_the_next_server(two: Daemon, upstream: FakeUpstream,
                                                    pod: Pod) -> None:
    rcodes = ["SERVFAIL", "REFUSED", "FORMERR", "NOTIMP", "NOTAUTH", "BADVERS"]
    for i, rcode in enumerate(rcodes):
        upstream.script = lambda q, r=rcode: answer(q, rcode=r) if q.host == FAKE4 else good(q)
        way = WAYS[i % len(WAYS)]
        reply = way.ask(pod.namespace, f"n{i}.example")
        assert reply.addresses() == [GOOD[way.rdtype]], rcode
        assert len(upstream.asked(f"n{i}.example", host=FAKE6)) == 1, rcode
    assert two.counter("upstream_refused") == len(rcodes) + 2, "two may have meant EDNS"


@pytest.mark.parametrize("rcode", ["FORMERR", "NOTIMP"])
def test_item_49_edns_is_left_out_for_one_question_only(listed: Daemon, upstream: FakeUpstream,
                                                        pod: Pod, rcode: str) -> None:
    upstream.script = lambda q: good(q) if q.message.edns < 0 else answer(q, rcode=rcode)
    for way in WAYS:
        assert way.ask(pod.namespace).addresses() == [GOOD[way.rdtype]]
    assert [q.message.edns for q in upstream.asked()] == len(WAYS) * [0, -1]
    assert listed.counter("upstream_without_edns") == len(WAYS)


def test_item_49_silence_leads_to_the_next_server(two: Daemon, upstream: FakeUpstream,
                                                  pod: Pod) -> None:
    upstream.script = lambda q: None if q.host == FAKE4 else good(q)
    for i, way in enumerate(2 * WAYS):
        reply = way.ask(pod.namespace, f"n{i}.example")
        assert reply.addresses() == [GOOD[way.rdtype]] and reply.took_s < DEADLINE_S
    assert len(upstream.asked(host=FAKE4)) < 6, "after some silence it is asked last"
    assert two.counter("upstream_servers") == 2 and two.counter("upstream_servers_bad") == 1


def test_a_server_that_folds_letters_is_asked_in_small_ones(listed: Daemon,
                                                            upstream: FakeUpstream,
                                                            pod: Pod) -> None:
    def folds(q: Question) -> bytes:
        small = dns.message.make_query(q.name, q.type, id=q.message.id)
        return good(Question(small, q.transport, q.port))

    upstream.script = folds
    for i in range(5):
        assert ask(pod.namespace, f"abcdefgh{i}.example").addresses() == [GOOD4]
    assert {q.transport for q in upstream.asked()} == {"udp"}
    assert len(upstream.asked("abcdefgh4.example")) == 1, "by then it is known"
    assert listed.counter("upstream_folding") == 1


# Items 58 and 60

def test_item_58_a_chain_with_its_rcode(listed: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    upstream.script = lambda q: answer(
        q, "@ CNAME b.example.", "b.example CNAME c.example.", rcode="NXDOMAIN")
    for way in WAYS:
        reply = way.ask(pod.namespace)
        assert reply.rcode == "NXDOMAIN" and len(reply.message.answer) == 2
        assert [str(r.name) for r in reply.message.answer] == [f"{way.name}.", "b.example."]


def test_item_58_a_chain_out_of_order_and_with_a_dname(listed: Daemon, upstream: FakeUpstream,
                                                       pod: Pod) -> None:
    upstream.script = lambda q: answer(
        q, f"a.other.test {q.type} {GOOD[q.type]}", "b.example CNAME a.other.test.",
        "@ CNAME b.example.", "example DNAME other.test.")
    for way in WAYS:
        reply = way.ask(pod.namespace)
        assert reply.addresses() == [GOOD[way.rdtype]]
        assert [dns.rdatatype.to_text(r.rdtype) for r in reply.message.answer] == \
            ["CNAME", "CNAME", way.rdtype]


CHAINS: dict[str, Callable[[Question], list[str]]] = {
    "to itself": lambda q: [f"@ CNAME {q.name}."],
    "in a ring": lambda q: ["@ CNAME b.example.", f"b.example CNAME {q.name}."],
    "two ways": lambda q: ["@ CNAME b.example.", "@ CNAME c.example."],
    "and address": lambda q: [f"@ {q.type} {BAD4 if q.type == 'A' else BAD6}",
                              "@ CNAME b.example."],
}


@pytest.mark.parametrize("links", CHAINS.values(), ids=CHAINS)
def test_item_58_a_chain_that_makes_no_sense(listed: Daemon, upstream: FakeUpstream, pod: Pod,
                                             links: Callable[[Question], list[str]]) -> None:
    upstream.script = lambda q: answer(q, *links(q))
    for way in WAYS:
        assert way.ask(pod.namespace).rcode == "SERVFAIL" and listed.leases() == []


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_item_60_a_does_not_wait_for_a_broken_aaaa(listed: Daemon, upstream: FakeUpstream,
                                                   pod: Pod, way: Way) -> None:
    """Nor AAAA for a broken A."""
    upstream.script = lambda q: good(q) if q.type == way.rdtype else None
    other = next(w for w in WAYS if w.family != way.family and not w.tcp)
    with open_udp(pod.namespace, node_local(other.family)) as s:
        s.send(make_query(way.name, other.rdtype).to_wire())
        upstream.wait_asked(1, way.name)
        assert way.ask(pod.namespace).addresses() == [GOOD[way.rdtype]]
        assert listed.counter("upstream_pending") == 1, "the other one still waits"
        reply = dns.message.from_wire(s.recv(4096))
    assert reply.rcode() == dns.rcode.SERVFAIL


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_item_60_one_family_of_a_name_with_the_other_only(listed: Daemon, upstream: FakeUpstream,
                                                          pod: Pod, way: Way) -> None:
    upstream.script = lambda q: answer(q) if q.type == way.rdtype else good(q)
    reply = way.ask(pod.namespace)
    assert reply.rcode == "NOERROR" and not reply.message.answer


# A16, A20: many at once

def number(q: Question) -> int:
    return int(q.name.split(".")[0][1:])


def own_address(i: int) -> str:
    return f"44.128.{i >> 8}.{i & 255}"  # AMPRNet's range for testing


def own(q: Question) -> bytes:
    return answer(q, f"@ A {own_address(number(q))}")


@contextmanager
def many(pod: Pod, count: int) -> Iterator[socket.socket]:
    """count questions of one pod, id i for the name n<i>."""
    with open_udp(pod.namespace, NODE_LOCAL4) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        for i in range(count):
            query = make_query(f"n{i}.example")
            query.id = i
            s.send(query.to_wire())
        yield s


def receive(s: socket.socket) -> Iterator[Reply]:
    """What there is now."""
    while select.select([s], [], [], 0)[0]:
        yield Reply(s.recv(4096), 0)


def test_a16_a20_many_questions_at_once_do_not_cross(listed: Daemon, upstream: FakeUpstream,
                                                     pod: Pod, other_pod: Pod) -> None:
    """As many are asked as a pod may have waiting, then the rest; nobody gets another's."""
    upstream.script = own
    upstream.holding = True
    count = 2 * PER_POD
    with many(pod, count) as s:
        wait_until(lambda: listed.counter("in_line") == count - PER_POD, 5,
                   "those beyond the limit stand in line")
        upstream.wait_asked(1, f"n{PER_POD - 1}.example")
        asked = upstream.asked()
        assert len(asked) == PER_POD
        assert len({q.port for q in asked}) == PER_POD, "ports of their own while in flight"
        upstream.holding = False
        assert ask(other_pod.namespace, f"n{count}.example").addresses() == [own_address(count)]
        upstream.release()
        replies: list[Reply] = []
        wait_until(lambda: replies.extend(receive(s)) or len(replies) == count, 5, "the answers")
    for reply in replies:
        assert reply.addresses() == [own_address(reply.message.id)]


# A37: never ourselves

@pytest.mark.parametrize("where", ["upstreams", "zones", "resolv.conf"])
def test_a37_we_are_never_our_own_upstream(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                           lab: Lab, where: str) -> None:
    """Written down it is an error; in /etc/resolv.conf, where it may well stand, it is passed
    over."""
    daemon.load(manifests.service_entry("one.example"))
    upstream.script = good
    ours = f"{NODE_LOCAL4}:53"
    if where == "resolv.conf":
        before = lab.node.path("/etc/resolv.conf").read_text()
        lab.node.write("/etc/resolv.conf", f"nameserver {NODE_LOCAL4}\nnameserver {FAKE4}\n")
        daemon.configure({})
        try:
            daemon.reload()
        finally:
            lab.node.write("/etc/resolv.conf", before)
    else:
        daemon.configure({"upstreams": [ours]} if where == "upstreams" else {
            "upstreams": [FOUR], "zones": [{"name": "cluster.local", "upstreams": [ours]}]})
        mark = daemon.log.mark()
        daemon.reload(expect="reload_failed")
        daemon.log.wait_for(lambda r: "round in circles" in r["message"], since=mark)
    assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    assert len(upstream.asked()) == 1


# A32: servers that come and go

def test_a32_a_server_that_comes_back_is_asked_soon(listed: Daemon, upstream: FakeUpstream,
                                                    pod: Pod) -> None:
    upstream.script = silence
    assert ask(pod.namespace, "one.example").rcode == "SERVFAIL"
    upstream.script = good
    began = time.monotonic()
    wait_until(lambda: ask(pod.namespace, "one.example").addresses() == [GOOD4], 5, "an answer")
    assert time.monotonic() - began < RECOVERED_S
    assert ask(pod.namespace, "two.example").addresses() == [GOOD4]


def test_a32_who_waits_when_it_comes_back_is_served(listed: Daemon, upstream: FakeUpstream,
                                                    pod: Pod) -> None:
    upstream.script = silence
    with open_udp(pod.namespace, NODE_LOCAL4) as s:
        s.send(make_query("one.example").to_wire())
        upstream.wait_asked(2, "one.example")
        upstream.script = good
        assert Reply(s.recv(4096), 0).addresses() == [GOOD4]


def flapping(upstream: FakeUpstream, pods: list[Pod], seconds: float) -> tuple[int, int]:
    """Two servers of which each is silent every other 200 ms, and both answer half of the
    time; how many lookups there were, and how many of them failed."""
    began = time.monotonic()

    def script(q: Question) -> bytes | None:
        turn = int((time.monotonic() - began) / 0.2) % 4
        return None if turn == (0 if q.host == FAKE4 else 2) else good(q)

    upstream.script = script
    asked, failed = [0] * len(pods), [0] * len(pods)

    def run(k: int) -> None:
        while time.monotonic() < began + seconds:
            reply = ask(pods[k].namespace, f"p{k}-{asked[k]}.example")
            asked[k] += 1
            failed[k] += reply.addresses() != [GOOD4]

    threads = [threading.Thread(target=run, args=(k,)) for k in range(len(pods))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(asked), sum(failed)


@pytest.mark.parametrize("seconds", [5, pytest.param(90, marks=pytest.mark.slow)])
def test_a32_servers_that_come_and_go(two: Daemon, upstream: FakeUpstream, lab: Lab,
                                      seconds: float) -> None:
    asked, failed = flapping(upstream, lab.pods, seconds)
    assert asked > 20 * seconds and failed <= asked / 1000
    assert two.counter("upstream_pending") == 0 and two.counter("waiting") == 0
