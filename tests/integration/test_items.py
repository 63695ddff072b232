# SPDX-License-Identifier: Apache-2.0
"""What the RFCs ask of a server for clients, numbered: header and question, EDNS, data.

Names of tests tell the number; test_every_item_has_a_test finds the one that none has.
Each goes over UDP and TCP, IPv4 and IPv6, unless the item is about one of them.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.rdatatype
import pytest

import manifests
import zone
from daemon import Daemon
from dnsclient import Reply, ask, exchange, make_query, node_local, open_udp
from fake_upstream import FakeUpstream, Question, addresses, answer
from internet import FAKE4, FAKE6
from lab import NODE_LOCAL4, Lab, Pod

ITEMS = 60
TESTS = Path(__file__).resolve().parent.parent
WAYS = [(4, False), (4, True), (6, False), (6, True)]
HEADER = struct.Struct("!HHHHHH")
GOOD4, GOOD6 = zone.PUBLIC4, zone.PUBLIC6
RD = 0x0100
OPT_LEN = 11
FORMERR, NOTIMP, REFUSED = 1, 4, 5
BLOCKED = 15


def good(q: Question) -> bytes:
    return addresses(q, GOOD4, GOOD6)


@pytest.fixture
def listed(daemon: Daemon, upstream: FakeUpstream, lab: Lab) -> Daemon:
    """The pods' manifests are there: over either family they may ask for both."""
    upstream.script = good
    daemon.load(manifests.service_entry("*.example", resolution="NONE"),
                manifests.service_entry("ok.test", resolution="NONE"),
                *(manifests.pod(f"pod{i}", [p.v4, p.v6]) for i, p in enumerate(lab.pods)))
    return daemon


def every_way(pod: Pod, wire: bytes) -> Iterator[bytes]:
    for family, tcp in WAYS:
        yield exchange(pod.namespace, wire, node_local(family), tcp=tcp)


def plain(name: str = "one.example", flags: int = RD, rdtype: str = "A") -> bytes:
    query = make_query(name, rdtype, edns=False).to_wire()
    return query[:2] + struct.pack("!H", flags) + query[4:]


def raw_query(name: bytes, rdtype: int = 1, rdclass: int = 1, extra: bytes = b"",
              additional: int = 0) -> bytes:
    header = HEADER.pack(random.randrange(65536), RD, 1, 0, 0, additional)
    return header + name + struct.pack("!HH", rdtype, rdclass) + extra


def opt(payload: int = 1232, ttl: int = 0, data: bytes = b"", owner: bytes = b"\0") -> bytes:
    return owner + struct.pack("!HHIH", 41, payload, ttl, len(data)) + data


def with_opt(name: str = "one.example", **how: object) -> bytes:
    query = plain(name)
    return query[:10] + b"\0\1" + query[12:] + opt(**how)  # type: ignore[arg-type]


def labels(*parts: bytes) -> bytes:
    return b"".join(bytes([len(p)]) + p for p in parts) + b"\0"


def rcode_of(wire: bytes) -> int:
    return HEADER.unpack_from(wire)[1] & 0xf


def item_numbers(name: str) -> set[int]:
    """item_4, items_1_8_9_and_10, items_20_to_23"""
    found: set[int] = set()
    for text in re.findall(r"items?_(\d+(?:_(?:and_|to_)?\d+)*)", name):
        first, *others = re.findall(r"(?:(to)_)?(\d+)", text)
        numbers = [int(first[1])]
        for to, number in others:
            numbers += range(numbers[-1] + 1 if to else int(number), int(number) + 1)
        found.update(numbers)
    return found


def test_every_item_has_a_test() -> None:
    assert item_numbers("items_1_8_9_and_10") == {1, 8, 9, 10}
    assert item_numbers("items_20_to_23_edns") == {20, 21, 22, 23}
    tested: set[int] = set()
    for path in [*TESTS.glob("unit/*_test.c"), *TESTS.glob("integration/test_*.py")]:
        for line in re.findall(r"^(?:def test_\w+|\w+\(void \*\*)", path.read_text(), re.M):
            tested |= item_numbers(line)
    assert tested >= set(range(1, ITEMS + 1)), set(range(1, ITEMS + 1)) - tested


# Header and question

def test_items_1_8_9_and_10_header_bits(listed: Daemon, pod: Pod) -> None:
    """Each bit of the query's flags, on an answer, a refusal and a parent of a name."""
    for name in ("one.example", "no.test", "test"):
        for extra in (0, 0x0400, 0x0200, 0x0080, 0x0040, 0x0020, 0x0010, 0x0001, 0x000f):
            query = plain(name, RD | extra)
            for reply in every_way(pod, query):
                identity, flags, *_ = HEADER.unpack_from(reply)
                assert identity == HEADER.unpack_from(query)[0]
                assert flags & 0x8080 == 0x8080, "QR and RA"
                assert not flags & 0x0660, "neither AA, TC, Z nor AD"
                assert flags & 0x0110 == RD | extra & 0x0010, "RD and CD as asked"
                assert flags & 0xf == (3 if name == "no.test" else 0)


def test_item_2_every_letter_comes_back(listed: Daemon, pod: Pod) -> None:
    by_chance = random.Random(2)
    for i in range(100):
        name = "".join(by_chance.choice((c.lower(), c.upper())) for c in
                       ("first.second.example", "first.second.no.test")[i % 2])
        query = plain(name)
        family, tcp = WAYS[i % len(WAYS)]
        reply = exchange(pod.namespace, query, node_local(family), tcp=tcp)
        assert reply[12:len(query)] == query[12:]


def test_item_3_the_reply_comes_from_where_the_question_went(listed: Daemon, pod: Pod,
                                                             family: int) -> None:
    """The sockets are connected: from elsewhere it would not arrive."""
    for server in (node_local(family), FAKE4 if family == 4 else FAKE6):
        for tcp in (False, True):
            assert rcode_of(exchange(pod.namespace, plain(), server, tcp=tcp)) == 0


def test_item_4_responses_are_never_answered(listed: Daemon, pod: Pod, family: int) -> None:
    with open_udp(pod.namespace, node_local(family)) as s:
        for i in range(200):
            s.send(plain(flags=0x8000 | i << 7 & 0x7f80))
        query = plain()
        s.send(query)
        assert s.recv(4096)[:2] == query[:2], "the only reply"
        s.setblocking(False)
        with pytest.raises(BlockingIOError):
            s.recv(4096)


def test_item_5_other_opcodes(listed: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    for opcode in (1, 2, 4, 5, 6, 15):
        whole = plain(flags=RD | opcode << 11)
        for query in (whole, whole[:4] + bytes(8)):
            for reply in every_way(pod, query):
                _, flags, *counts = HEADER.unpack_from(reply)
                assert flags & 0xf == NOTIMP and flags >> 11 & 0xf == opcode
                assert counts == [0, 0, 0, 0] and len(reply) == 12
    assert not upstream.asked()


def test_items_6_7_and_19_counts_stumps_and_tails(listed: Daemon, upstream: FakeUpstream,
                                                  pod: Pod) -> None:
    query = plain()
    for bad in (query[:4] + bytes(8), query[:4] + b"\0\2" + query[6:] + query[12:],
                query[:4] + b"\0\3" + query[6:], query + b"\0", query + b"x" * 100,
                *(query[:n] for n in range(12, len(query), 3))):
        for reply in every_way(pod, bad):
            assert reply[:2] == bad[:2] and rcode_of(reply) == FORMERR
            assert HEADER.unpack_from(reply)[3:] == (0, 0, 0)
    assert not upstream.asked()


def test_item_11_classes(listed: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    for rdclass in (3, 4, 254, 255):
        for name in (labels(b"one", b"example"), labels(b"version", b"bind")):
            for reply in every_way(pod, raw_query(name, 16, rdclass)):
                assert rcode_of(reply) == REFUSED and HEADER.unpack_from(reply)[3] == 0
    assert not upstream.asked()


def test_item_12_types_that_nobody_knows(listed: Daemon, pod: Pod) -> None:
    for rdtype in (1000, 65280, 65535, 0):
        for reply in every_way(pod, raw_query(labels(b"one", b"example"), rdtype)):
            assert rcode_of(reply) == 0 and HEADER.unpack_from(reply)[3] == 0


def test_item_13_types_that_ask_for_no_data(listed: Daemon, upstream: FakeUpstream,
                                            pod: Pod) -> None:
    for rdtype in (41, 249, 250, 251, 252, 253, 254):
        for reply in every_way(pod, raw_query(labels(b"one", b"example"), rdtype)):
            assert rcode_of(reply) in (FORMERR, NOTIMP, REFUSED)
    assert not upstream.asked()


def test_item_14_any_is_small(listed: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    for wire in every_way(pod, plain(rdtype="ANY")):
        reply = Reply(wire, 0)
        assert [r.rdtype for r in reply.message.answer] == [dns.rdatatype.HINFO]
        assert not reply.truncated
    assert not upstream.asked() and not listed.leases()


def test_item_15_lengths_of_labels_and_names(listed: Daemon, upstream: FakeUpstream,
                                             pod: Pod) -> None:
    tail = (b"example",)
    longest = labels(b"x" * 63, b"x" * 63, b"x" * 63, b"x" * 53, *tail)
    assert len(longest) == 255
    for name in (labels(b"x" * 63, *tail), longest):
        for reply in every_way(pod, raw_query(name)):
            assert rcode_of(reply) == 0 and HEADER.unpack_from(reply)[3] == 1
    upstream.reset()
    for name in (b"\x40" + b"x" * 64 + labels(*tail), b"\x80x" + labels(*tail),
                 labels(b"x" * 63, b"x" * 63, b"x" * 63, b"x" * 54, *tail)):
        for reply in every_way(pod, raw_query(name)):
            assert rcode_of(reply) == FORMERR
    assert not upstream.asked()


def test_items_16_and_17_bytes_of_a_label(listed: Daemon, pod: Pod) -> None:
    """A dot inside a label parts nothing, and only A to Z fold."""
    for reply in every_way(pod, raw_query(labels(b"ok.test"))):
        assert rcode_of(reply) == 3
    for label in (b"\0", b"*", b" ", b"a.b", b"\\", b'"', b"\xc3\xa9", b"\n"):
        query = raw_query(labels(label, b"example"))
        for reply in every_way(pod, query):
            assert rcode_of(reply) == 0 and reply[12:len(query)] == query[12:]
    for other in (b"o\xcb", b"o\x0b", b"o\xeb"):  # each a bit away from k
        for reply in every_way(pod, raw_query(labels(other, b"test"))):
            assert rcode_of(reply) == 3
    for reply in every_way(pod, raw_query(labels(b"OK", b"TEST"))):
        assert rcode_of(reply) == 0


def test_item_18_pointers_in_a_question(listed: Daemon, upstream: FakeUpstream,
                                        pod: Pod) -> None:
    for name in (b"\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\xc0\x20", b"\xff\xff", b"\xc0\x00",
                 b"\3one\xc0\x0c", b"\3one\xc0\x10"):
        for reply in every_way(pod, raw_query(name)):
            assert rcode_of(reply) == FORMERR
    assert not upstream.asked()


# EDNS

def test_item_20_an_opt_for_an_opt(listed: Daemon, pod: Pod) -> None:
    for name in ("one.example", "no.test", "test"):
        for wire in every_way(pod, with_opt(name)):
            assert Reply(wire, 0).message.edns == 0
        for wire in every_way(pod, plain(name)):
            assert Reply(wire, 0).message.edns == -1


def test_items_21_to_23_versions_options_and_flags(listed: Daemon, upstream: FakeUpstream,
                                                   pod: Pod) -> None:
    unknown = struct.pack("!HH", 100, 3) + b"abc"
    for data in (b"", unknown):
        for flags in (0, 0x8000, 0x0040, 0x7fff):
            for wire in every_way(pod, with_opt(ttl=1 << 16 | flags, data=data)):
                reply = Reply(wire, 0)
                assert reply.rcode == "BADVERS" and reply.message.edns == 0
                assert not reply.message.answer and not reply.message.options
    assert not upstream.asked()
    for flags in (0, 0x8000, 0x0040, 0x7fff):
        for wire in every_way(pod, with_opt(ttl=flags, data=unknown)):
            reply = Reply(wire, 0)
            assert reply.rcode == "NOERROR" and not reply.message.options
            assert reply.message.ednsflags == flags & 0x8000, "Z is zero"


def test_items_24_and_25_a_wrong_opt(listed: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    query, one = plain(), opt()
    lie = struct.pack("!HH", 10, 9) + b"12345678"
    for bad in (query[:10] + b"\0\2" + query[12:] + one + one,
                query[:10] + b"\0\1" + query[12:] + opt(owner=labels(b"x")),
                query[:6] + b"\0\1\0\0\0\0" + query[12:] + one,
                query[:8] + b"\0\1\0\0" + query[12:] + one,
                with_opt(data=lie), with_opt(data=b"\0")):
        for wire in every_way(pod, bad):
            assert rcode_of(wire) == FORMERR
            assert Reply(wire, 0).message.edns == 0, "told with an OPT"
    assert not upstream.asked()


def test_items_26_27_28_and_33_sizes(listed: Daemon, upstream: FakeUpstream, pod: Pod,
                                     family: int) -> None:
    upstream.script = lambda q: answer(q, *(
        f"@ {q.type} " + (f"203.0.113.{i}" if q.type == "A" else f"2001:db8:a::{i:x}")
        for i in range(1, 61)))
    kind = "AAAA"
    for payload, limit in ((None, 512), (0, 512), (100, 512), (511, 512), (512, 512),
                           (1232, 1232), (4096, 1232), (65535, 1232)):
        query = plain(rdtype=kind)
        if payload is not None:
            query = query[:10] + b"\0\1" + query[12:] + opt(payload)
        wire = exchange(pod.namespace, query, node_local(family))
        reply = Reply(wire, 0)
        assert len(wire) <= limit and reply.truncated and not reply.message.answer
        assert (reply.message.edns == 0) == (payload is not None)
        whole = Reply(exchange(pod.namespace, query, node_local(family), tcp=True), 0)
        assert len(whole.addresses()) == 60 and not whole.truncated


def test_item_29_do_is_echoed_and_signatures_are_not_passed(listed: Daemon,
                                                            upstream: FakeUpstream,
                                                            pod: Pod) -> None:
    """We ask upstream without DO, so that what comes signed was not asked for."""
    upstream.script = lambda q: answer(
        q, f"@ {q.type} {GOOD4 if q.type == 'A' else GOOD6}",
        f"@ RRSIG {q.type} 8 2 300 20300101000000 20200101000000 12345 example. AAAA")
    for flags in (0, 0x8000):
        for wire in every_way(pod, with_opt(ttl=flags)):
            reply = Reply(wire, 0)
            assert reply.message.ednsflags == flags
            assert [r.rdtype for r in reply.message.answer] == [dns.rdatatype.A]
    assert not any(q.message.ednsflags & dns.flags.DO for q in upstream.asked())


def test_item_30_options_of_the_client_stay_here(listed: Daemon, upstream: FakeUpstream,
                                                 pod: Pod) -> None:
    data = b"".join(struct.pack("!HH", code, len(value)) + value for code, value in (
        (10, b"8 octets"), (8, b"\0\1\x18\0\xc0\0\2"), (3, b""), (11, b""), (12, bytes(20))))
    for i, (family, tcp) in enumerate(WAYS):
        query = with_opt(f"n{i}.example", data=data)
        reply = Reply(exchange(pod.namespace, query, node_local(family), tcp=tcp), 0)
        assert reply.addresses() == [GOOD4] and not reply.message.options
    assert len(upstream.asked()) == len(WAYS)
    assert not any(q.message.options for q in upstream.asked())


def test_items_31_and_41_cookies_and_keepalive_are_ignored(listed: Daemon, pod: Pod) -> None:
    """We have neither: whatever their length, the answer is the same and without them."""
    for code in (10, 11):
        for length in (0, 1, 2, 7, 8, 15, 16, 24, 40, 41):
            option = struct.pack("!HH", code, length) + bytes(length)
            for wire in every_way(pod, with_opt(data=option)):
                reply = Reply(wire, 0)
                assert reply.addresses() == [GOOD4] and not reply.message.options


def test_item_32_an_error_is_explained_to_who_speaks_edns(listed: Daemon, pod: Pod) -> None:
    for wire in every_way(pod, with_opt("no.test")):
        (code, text), = Reply(wire, 0).ede()
        assert code == BLOCKED and len(text.encode()) <= 64
    for wire in every_way(pod, plain("no.test")):
        assert Reply(wire, 0).message.edns == -1


# The upstream side, as far as a client sees it

def test_item_45_questions_in_flight_share_nothing(listed: Daemon, upstream: FakeUpstream,
                                                   pod: Pod) -> None:
    count = 100
    upstream.holding = True
    with open_udp(pod.namespace, NODE_LOCAL4) as s:
        for i in range(count):
            s.send(plain(f"n{i}.example"))
        for i in range(count):
            upstream.wait_asked(1, f"n{i}.example")
        asked = upstream.asked()
        upstream.release()
        for _ in range(count):
            assert rcode_of(s.recv(4096)) == 0
    assert len({q.port for q in asked}) == count, "a port each"
    assert len({q.message.id for q in asked}) > count - 4, "ids by chance"


def test_item_46_rubbish_does_not_end_the_wait(listed: Daemon, upstream: FakeUpstream,
                                               pod: Pod) -> None:
    rubbish = (lambda q: b"", lambda q: b"x" * 40, lambda q: good(q)[:12],
               lambda q: good(q)[:2] + b"\1\0" + good(q)[4:],
               lambda q: bytes([good(q)[0] ^ 1]) + good(q)[1:],
               lambda q: good(q)[:-1])
    for n, bad in enumerate(rubbish):
        upstream.script = lambda q, bad=bad: [bad(q), good(q)] if q.transport == "udp" else good(q)
        for m, (family, tcp) in enumerate(WAYS):
            reply = ask(pod.namespace, f"n{n}-{m}.example", server=node_local(family), tcp=tcp)
            assert reply.addresses() == [GOOD4]


def test_item_47_one_question_whatever_comes_with_it(listed: Daemon, upstream: FakeUpstream,
                                                     lab: Lab) -> None:
    upstream.holding = True
    cookie = struct.pack("!HH", 10, 8) + b"12345678"
    queries = [plain("oNe.example"), with_opt("one.EXAMPLE"), with_opt(ttl=0x8000),
               with_opt(data=cookie), plain(flags=RD | 0x10), plain(flags=RD | 0x20)]
    sockets = [open_udp(p.namespace, NODE_LOCAL4) for p in lab.pods for _ in queries]
    for i, s in enumerate(sockets):
        s.send(queries[i % len(queries)])
    upstream.wait_asked(1, "one.example")
    assert ask(lab.pods[0].namespace, "no.test").rcode == "NXDOMAIN"  # all were read
    upstream.release()
    for s in sockets:
        with s:
            assert Reply(s.recv(4096), 0).addresses() == [GOOD4]
    assert len(upstream.asked()) == 1


# Data

def test_item_59_hints_are_not_passed_on(listed: Daemon, upstream: FakeUpstream,
                                         pod: Pod) -> None:
    """A client may go to a hint before it has an address: HTTPS and SVCB are empty."""
    upstream.script = lambda q: answer(
        q, f"@ {q.type} 1 . alpn=h2 ipv4hint={GOOD4} ipv6hint={GOOD6} key65400=x")
    for kind in ("HTTPS", "SVCB"):
        for wire in every_way(pod, plain(rdtype=kind)):
            reply = Reply(wire, 0)
            assert reply.rcode == "NOERROR" and not reply.message.answer and reply.has_soa
    assert not listed.leases()


@pytest.mark.parametrize("count", [1, 64, 65, 500, 4000])
def test_a10_hundreds_of_addresses(listed: Daemon, upstream: FakeUpstream, pod: Pod,
                                   count: int) -> None:
    """The reply has what the kernel has, and no more of either than the limit."""
    def script(q: Question) -> bytes:
        if q.transport == "udp" and count > 64:
            return Reply(answer(q), 0).wire[:2] + b"\x83\x80" + answer(q)[4:]
        head = answer(q)[:6] + struct.pack("!H", count) + answer(q)[8:12]
        end = 12 + len(q.message.question[0].name.to_wire()) + 4
        return head[:10] + b"\0\0" + answer(q)[12:end] + b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 300, 4) + bytes([44, 128, i >> 8, i & 255])
            for i in range(1, count + 1))

    upstream.script = script
    reply = ask(pod.namespace, "one.example", tcp=True)
    assert len(reply.addresses()) == min(count, 64)
    assert sorted(e.destination for e in listed.leases()) == reply.addresses()


def test_a5_a_record_beside_the_answer_is_nobodys(listed: Daemon, upstream: FakeUpstream,
                                                  pod: Pod) -> None:
    """Not answered, not opened, and not remembered under its own name."""
    evil = "198.51.100.66"
    upstream.script = lambda q: answer(
        q, f"@ A {GOOD4}", f"victim.example A {evil}", "example NS ns.evil.example.",
        f"ns.evil.example A {evil}") if q.name == "one.example" else good(q)
    for family, tcp in WAYS:
        for name in ("one.example", "victim.example"):
            reply = ask(pod.namespace, name, server=node_local(family), tcp=tcp)
            assert reply.addresses() == [GOOD4] and evil not in str(reply.message)
    assert {e.destination for e in listed.leases()} == {GOOD4}
    assert len(upstream.asked("victim.example")) == 1
