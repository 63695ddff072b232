# SPDX-License-Identifier: Apache-2.0
"""The life of a query: what a client gets in each case."""

from __future__ import annotations

import struct

import dns.flags
import dns.message
import dns.rdatatype
import pytest

import manifests
import zone
from daemon import Daemon
from dnsclient import (DEADLINE_S, Reply, ask, exchange, frame, make_query, node_local, open_tcp,
                       open_udp, read_frame)
from lab import NODE_LOCAL4, Lab, Pod

TRANSPORTS = pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
BLOCKED, PROHIBITED = 15, 18  # RFC 8914
HEADER = struct.Struct("!HHHHHH")
REGISTERED = [
    manifests.service_entry("google.com"),
    manifests.service_entry("four.example.com"),
    manifests.service_entry("six.example.com"),
    manifests.service_entry("many.example.com"),
    manifests.service_entry("service.example.com"),
    manifests.service_entry("text.example.com"),
    manifests.service_entry("a.b.deep.example"),
    manifests.service_entry("hidden.example", namespace="elsewhere", exportTo=["."]),
]


@pytest.fixture
def served(daemon: Daemon) -> Daemon:
    daemon.load(*REGISTERED)
    return daemon


@TRANSPORTS
def test_a_registered_name_is_answered(served: Daemon, pod: Pod, family: int, tcp: bool) -> None:
    rdtype, address = ("A", zone.GOOGLE4) if family == 4 else ("AAAA", zone.GOOGLE6)
    reply = ask(pod.namespace, "google.com", rdtype, server=node_local(family), tcp=tcp)
    assert reply.rcode == "NOERROR" and reply.addresses() == [address]
    assert served.leased(pod.address(family), [address], 443)
    assert 0 < reply.ttl <= 300


@TRANSPORTS
def test_an_unlisted_name_is_refused(served: Daemon, pod: Pod, family: int, tcp: bool) -> None:
    for rdtype in ("A", "AAAA", "TXT", "HTTPS", "ANY"):
        reply = ask(pod.namespace, "unlisted.example", rdtype, server=node_local(family), tcp=tcp)
        assert reply.rcode == "NXDOMAIN" and not reply.message.answer and reply.has_soa
        assert reply.message.authority[0].ttl <= 5
        assert reply.ede_codes() == [BLOCKED] and "ServiceEntry" in reply.ede()[0][1]


def test_a_refusal_without_edns_has_none(served: Daemon, pod: Pod) -> None:
    reply = ask(pod.namespace, "unlisted.example", edns=False)
    assert reply.rcode == "NXDOMAIN" and reply.message.edns < 0 and reply.has_soa


@pytest.mark.parametrize("edns", [True, False])
def test_a_name_out_of_sight_looks_like_one_that_is_not_there(served: Daemon, pod: Pod,
                                                              edns: bool) -> None:
    """Same length, so that only id and the letters of the name may differ."""
    hidden = ask(pod.namespace, "hidden.example", edns=edns)
    absent = ask(pod.namespace, "absent.example", edns=edns)
    assert hidden.rcode == absent.rcode == "NXDOMAIN"
    assert hidden.wire[2:].replace(b"hidden", b"absent") == absent.wire[2:]
    below = ask(pod.namespace, "x.hidden.example", edns=edns)
    assert below.wire[2:].replace(b"hidden", b"absent") == \
        ask(pod.namespace, "x.absent.example", edns=edns).wire[2:]


def test_the_log_alone_tells_them_apart(served: Daemon, pod: Pod) -> None:
    ask(pod.namespace, "hidden.example")
    record = served.log.wait_for(lambda r: r.get("EGRESSD_NAME") == "hidden.example")
    assert record["EGRESSD_REASON"] == "not-exported"


@pytest.mark.parametrize("name", ["com", "deep.example", "b.deep.example", "."])
def test_a_parent_exists_and_is_empty(served: Daemon, pod: Pod, name: str) -> None:
    """RFC 8020: NXDOMAIN would take the registered child with it in caches below us."""
    reply = ask(pod.namespace, name)
    assert reply.rcode == "NOERROR" and not reply.message.answer and reply.has_soa


@pytest.mark.parametrize(("name", "rdtype"), [
    ("four.example.com", "AAAA"), ("six.example.com", "A"), ("service.example.com", "HTTPS"),
    ("text.example.com", "TXT"), ("google.com", "MX"), ("google.com", "NULL")])
def test_a_registered_name_without_that_type_is_empty(served: Daemon, pod: Pod, name: str,
                                                      rdtype: str) -> None:
    reply = ask(pod.namespace, name, rdtype)
    assert reply.rcode == "NOERROR" and not reply.message.answer and reply.has_soa
    assert reply.message.flags & dns.flags.RA


def test_any_gets_hinfo(served: Daemon, pod: Pod) -> None:
    reply = ask(pod.namespace, "google.com", "ANY")
    assert [r.rdtype for r in reply.message.answer] == [dns.rdatatype.HINFO]
    assert b"RFC8482" in reply.wire


@pytest.mark.parametrize("rdtype", ["AXFR", "IXFR"])
def test_transfers_are_refused(served: Daemon, pod: Pod, rdtype: str) -> None:
    query = make_query("google.com", rdtype)
    for tcp in (False, True):
        reply = Reply(exchange(pod.namespace, query.to_wire(), NODE_LOCAL4, tcp=tcp), 0)
        assert reply.rcode == "REFUSED" and not reply.message.answer


def test_refused_may_be_chosen(daemon: Daemon, pod: Pod) -> None:
    daemon.configure({"refused": {"rcode": "REFUSED"}})
    daemon.reload()
    reply = ask(pod.namespace, "unlisted.example")
    assert reply.rcode == "REFUSED" and reply.ede_codes() == [BLOCKED]


def test_a17_who_is_no_pod_is_refused(served: Daemon, lab: Lab, family: int) -> None:
    for place in (lab.node, lab.internet.namespace):
        for name in ("google.com", "unlisted.example"):
            reply = ask(place, name, server=node_local(family))
            assert reply.rcode == "REFUSED" and reply.ede_codes() == [PROHIBITED]


@pytest.mark.parametrize(("edns", "payload"), [(False, 0), (True, 512), (True, 1232),
                                               (True, 4096)])
def test_what_does_not_fit_is_truncated_and_whole_over_tcp(served: Daemon, pod: Pod, edns: bool,
                                                           payload: int) -> None:
    limit = min(payload, 1232) if edns else 512
    reply = ask(pod.namespace, "many.example.com", "AAAA", server=node_local(6), edns=edns,
                payload=payload)
    assert reply.truncated and not reply.message.answer and len(reply.wire) <= limit
    whole = ask(pod.namespace, "many.example.com", "AAAA", server=node_local(6), edns=edns,
                tcp=True)
    assert not whole.truncated and len(whole.addresses()) == zone.MANY
    assert served.leased(pod.v6, whole.addresses(), 443)


def test_tcp_takes_many_questions_at_once(served: Daemon, pod: Pod, family: int) -> None:
    queries = [make_query(name, "A") for name in
               ("google.com", "unlisted.example", "four.example.com") * 7]
    for i, query in enumerate(queries):
        query.id = i
    with open_tcp(pod.namespace, node_local(family)) as s:
        s.sendall(b"".join(frame(q.to_wire()) for q in queries))
        replies = [dns.message.from_wire(read_frame(s)) for _ in queries]
    assert sorted(r.id for r in replies) == list(range(len(queries)))
    for reply in replies:
        assert queries[reply.id].is_response(reply)


def test_tcp_takes_questions_in_pieces(served: Daemon, pod: Pod) -> None:
    query = make_query("unlisted.example")
    wire = frame(query.to_wire())
    with open_tcp(pod.namespace, NODE_LOCAL4) as s:
        for i in range(len(wire)):
            s.sendall(wire[i:i + 1])  # TCP_NODELAY: a segment each
        assert query.is_response(dns.message.from_wire(read_frame(s)))


def test_tcp_answers_what_came_before_the_half_close(served: Daemon, pod: Pod) -> None:
    query = make_query("google.com")
    with open_tcp(pod.namespace, NODE_LOCAL4) as s:
        s.sendall(frame(query.to_wire()))
        s.shutdown(1)
        assert query.is_response(dns.message.from_wire(read_frame(s)))
        assert s.recv(1) == b""


@pytest.mark.parametrize("name", ["gOoGLe.CoM", "uNLisTeD.ExamplE", "SIX.example.COM", "CoM"])
def test_the_question_comes_back_letter_by_letter(served: Daemon, pod: Pod, name: str) -> None:
    for _ in range(2):  # the second one from the cache
        query = make_query(name, "A", edns=False).to_wire()
        reply = exchange(pod.namespace, query, NODE_LOCAL4)
        assert reply[12:len(query)] == query[12:]


@pytest.mark.parametrize("name", ["google.com", "unlisted.example", "com", "six.example.com"])
def test_header_bits(served: Daemon, pod: Pod, name: str) -> None:
    for flags in (0x0100, 0x0110, 0x0120, 0x0130):  # RD, with CD and AD
        query = bytearray(make_query(name, edns=False).to_wire())
        struct.pack_into("!H", query, 2, flags)
        reply = exchange(pod.namespace, bytes(query), NODE_LOCAL4)
        identity, got, *_ = HEADER.unpack_from(reply)
        assert identity == HEADER.unpack_from(query)[0]
        assert got & 0x8000 and got & 0x0080, "QR and RA"
        assert not got & 0x0620 and not got & 0x0040, "neither AA, TC, AD nor Z"
        assert got & 0x0110 == flags & 0x0110, "RD and CD as asked"


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
def test_other_opcodes_are_not_implemented(served: Daemon, pod: Pod, opcode: int) -> None:
    query = bytearray(make_query("google.com", edns=False).to_wire())
    struct.pack_into("!H", query, 2, opcode << 11)
    reply = exchange(pod.namespace, bytes(query), NODE_LOCAL4)
    flags = HEADER.unpack_from(reply)[1]
    assert flags & 0xf == 4 and flags >> 11 & 0xf == opcode


def test_classes_other_than_in_are_refused(served: Daemon, pod: Pod) -> None:
    for rdclass in (3, 4, 254, 255):
        wire = make_query("google.com", edns=False).to_wire()[:-2] + struct.pack("!H", rdclass)
        assert Reply(exchange(pod.namespace, wire, NODE_LOCAL4), 0).rcode == "REFUSED"


def test_edns_versions_above_zero_are_bad(served: Daemon, pod: Pod) -> None:
    query = make_query("google.com")
    query.use_edns(edns=1)
    reply = Reply(exchange(pod.namespace, query.to_wire(), NODE_LOCAL4), 0)
    assert reply.rcode == "BADVERS" and reply.message.edns == 0 and not reply.message.answer


@pytest.mark.parametrize("spoil", ["no question", "two questions", "cut", "two OPTs", "trailing"])
def test_malformed_queries_are_form_errors(served: Daemon, pod: Pod, spoil: str) -> None:
    query = make_query("google.com").to_wire()
    opt = query[-11:]
    bare = make_query("google.com", edns=False).to_wire()
    bad = {
        "no question": bare[:4] + bytes(8),
        "two questions": bare[:4] + b"\0\2" + bare[6:] + bare[12:],
        "cut": bare[:-3],
        "two OPTs": query[:10] + b"\0\2" + query[12:] + opt,
        "trailing": bare + b"x",
    }[spoil]
    reply = exchange(pod.namespace, bad, NODE_LOCAL4)
    assert reply[:2] == bad[:2] and HEADER.unpack_from(reply)[1] & 0x800f == 0x8001


@pytest.mark.parametrize("wire", [b"", b"x", bytes(11), bytes(2) + b"\x80" + bytes(9)],
                         ids=["empty", "one byte", "no header", "response"])
def test_some_things_are_never_answered(served: Daemon, pod: Pod, wire: bytes) -> None:
    """The next answer is the proof that nothing came before it."""
    with open_udp(pod.namespace, NODE_LOCAL4) as s:
        s.send(wire)
        query = make_query("unlisted.example")
        s.send(query.to_wire())
        assert query.is_response(dns.message.from_wire(s.recv(4096)))
    assert served.alive()


def test_a8_another_pod_gets_its_own_leases(served: Daemon, pod: Pod, other_pod: Pod,
                                            family: int) -> None:
    rdtype, address = ("A", zone.GOOGLE4) if family == 4 else ("AAAA", zone.GOOGLE6)
    ask(pod.namespace, "google.com", rdtype, server=node_local(family))
    assert not served.leased(other_pod.address(family), [address], 443)
    ask(other_pod.namespace, "google.com", rdtype, server=node_local(family))
    assert served.leased(other_pod.address(family), [address], 443)


def test_dead_upstreams_are_a_server_failure(served: Daemon, pod: Pod) -> None:
    served.configure({"upstreams": ["198.51.100.99:53"]})  # nobody listens
    served.reload()
    for tcp in (False, True):
        reply = ask(pod.namespace, "google.com", tcp=tcp)
        assert reply.rcode == "SERVFAIL" and reply.took_s < 5 <= DEADLINE_S
        assert set(reply.ede_codes()) <= {22, 23} and reply.ede_codes()
