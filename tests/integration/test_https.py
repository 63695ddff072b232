# SPDX-License-Identifier: Apache-2.0
"""HTTPS and SVCB records: their hints are addresses."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import dns.message
import pytest

import manifests
import reach
import zone
from daemon import Daemon
from dnsclient import Reply, ask, make_query, node_local, open_udp
from fake_upstream import FakeUpstream, Question, answer
from internet import FAKE4
from lab import Pod
from test_answers import FORBIDDEN

HOST = "svc.example"
GOOD = {4: zone.PUBLIC4, 6: zone.PUBLIC6}
HINT = {4: "ipv4hint", 6: "ipv6hint"}
KEY = {4: 4, 6: 6}
ALPN, PORT = struct.pack("!HH", 1, 3) + b"\2h2", struct.pack("!HHH", 3, 2, 443)
Load = Callable[..., None]
ROOT = b"\0\1\0"  # priority 1, target "."
TRANSPORTS = pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
TYPES = pytest.mark.parametrize("rdtype", ["HTTPS", "SVCB"])


def param(key: int, value: bytes) -> bytes:
    return struct.pack("!HH", key, len(value)) + value


def hint(family: int, *addresses: str) -> bytes:
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    return param(KEY[family], b"".join(socket.inet_pton(kind, a) for a in addresses))


def raw(question: Question, *rdata: bytes) -> bytes:
    """Records as they are, right or wrong."""
    wire = bytearray(dns.message.make_response(question.message, recursion_available=True)
                     .to_wire())
    end = 12 + len(question.message.question[0].name.to_wire()) + 4
    records = b"".join(
        struct.pack("!HHHIH", 0xc00c, question.message.question[0].rdtype, 1, 300, len(r)) + r
        for r in rdata)
    wire[6:8] = struct.pack("!H", len(rdata))
    return bytes(wire[:end]) + records + bytes(wire[end:])


def records(reply: Reply) -> list[str]:
    return [r.to_text() for rrset in reply.message.answer for r in rrset
            if r.rdtype in (dns.rdatatype.HTTPS, dns.rdatatype.SVCB)]


def held(daemon: Daemon) -> set[tuple[str, str]]:
    return {(e.pod, e.destination) for e in daemon.leases()}


@pytest.fixture
def load(daemon: Daemon, upstream: FakeUpstream, pod: Pod, other_pod: Pod) -> Load:
    def load(*entries: manifests.Manifest, mode: str = "REGISTRY_ONLY", **config: object) -> None:
        daemon.configure({"upstreams": [f"{FAKE4}:53"], "httpsRecords": "lease"} | config)
        daemon.load(manifests.pod("one", [pod.v4, pod.v6]),
                    manifests.pod("two", [other_pod.v4, other_pod.v6]),
                    *(entries or [manifests.service_entry(HOST)]), mode=mode)

    return load


@pytest.fixture
def leasing(load: Load, upstream: FakeUpstream) -> FakeUpstream:
    """HOST is listed, and its records are leased."""
    load()
    return upstream


def test_by_default_there_are_none(daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    daemon.load(manifests.service_entry(HOST))
    for rdtype in ("HTTPS", "SVCB"):
        reply = ask(pod.namespace, HOST, rdtype)
        assert reply.rcode == "NOERROR" and not reply.message.answer and reply.has_soa
    assert upstream.asked() == [] and daemon.leases() == []


@TYPES
@TRANSPORTS
def test_hints_are_leased_before_the_answer(daemon: Daemon, leasing: FakeUpstream, pod: Pod,
                                            family: int, rdtype: str, tcp: bool) -> None:
    leasing.script = lambda q: answer(
        q, f"@ {q.type} 1 . alpn=h2 port=443 ipv4hint={GOOD[4]} ipv6hint={GOOD[6]} key65280=x")
    reply = ask(pod.namespace, HOST, rdtype, server=node_local(family), tcp=tcp)
    assert held(daemon) == {(pod.v4, GOOD[4]), (pod.v6, GOOD[6])}
    assert {(e.port, e.name) for e in daemon.leases()} == {(443, HOST)}
    assert records(reply) == [f'1 . alpn="h2" port="443" ipv4hint="{GOOD[4]}" '
                              f'ipv6hint="{GOOD[6]}" key65280="x"']
    assert 0 < reply.ttl <= 300
    for f in (4, 6):
        assert reach.connect(pod.namespace, GOOD[f], 443).result == "ok"
        assert reach.connect(pod.namespace, GOOD[f], 80).refused_at_once


def test_no_forbidden_hint_comes_through(daemon: Daemon, leasing: FakeUpstream, pod: Pod,
                                         load: Load, family: int) -> None:
    """Each alone and each beside a public one, before it and behind it."""
    load(manifests.service_entry("*.bad.example", resolution="NONE"))
    for i, bad in enumerate(FORBIDDEN[family]):
        lists = {"alone": [bad], "first": [bad, GOOD[family]], "last": [GOOD[family], bad]}
        leasing.script = lambda q, lists=lists: raw(
            q, ROOT + ALPN + hint(family, *lists[q.name.split("-")[0]]))
        for what in lists:
            reply = ask(pod.namespace, f"{what}-{i}.bad.example", "HTTPS",
                        server=node_local(family))
            kept = "" if what == "alone" else f' {HINT[family]}="{GOOD[family]}"'
            assert records(reply) == [f'1 . alpn="h2"{kept}'], (bad, what)
    assert held(daemon) == {(pod.address(family), GOOD[family])}
    assert daemon.log.wait_for(lambda r: r["event"] == "forbidden_address")


def test_an_entry_may_lift_the_rule(daemon: Daemon, leasing: FakeUpstream, pod: Pod,
                                    load: Load) -> None:
    load(manifests.service_entry(HOST, location="MESH_INTERNAL"))
    leasing.script = lambda q: raw(q, ROOT + hint(4, "10.1.2.3"))
    assert records(ask(pod.namespace, HOST, "HTTPS")) == ['1 . ipv4hint="10.1.2.3"']
    assert held(daemon) == {(pod.v4, "10.1.2.3")}


def test_at_the_end_of_a_chain(daemon: Daemon, leasing: FakeUpstream, pod: Pod,
                               family: int) -> None:
    bad = FORBIDDEN[family][1]
    leasing.script = lambda q: answer(
        q, "@ CNAME edge.cdn.example.", f"edge.cdn.example {q.type} 1 . alpn=h2 "
        f"{HINT[family]}={bad},{GOOD[family]}")
    reply = ask(pod.namespace, HOST, "HTTPS", server=node_local(family))
    assert len(reply.message.answer) == 2
    assert records(reply) == [f'1 . alpn="h2" {HINT[family]}="{GOOD[family]}"']
    assert [(e.destination, e.name) for e in daemon.leases()] == [(GOOD[family], HOST)]


def test_from_the_cache_it_is_leased_again(daemon: Daemon, leasing: FakeUpstream, pod: Pod,
                                           other_pod: Pod) -> None:
    leasing.script = lambda q: raw(q, ROOT + hint(4, GOOD[4], "10.0.0.1") + hint(6, GOOD[6]))
    first = ask(pod.namespace, HOST, "HTTPS")
    assert held(daemon) == {(pod.v4, GOOD[4]), (pod.v6, GOOD[6])}
    assert reach.connect(other_pod.namespace, GOOD[4], 443).refused_at_once
    for p in (pod, other_pod):
        assert records(ask(p.namespace, HOST, "HTTPS")) == records(first)
    assert held(daemon) == {(p.address(f), GOOD[f]) for p in (pod, other_pod) for f in (4, 6)}
    assert reach.connect(other_pod.namespace, GOOD[4], 443).result == "ok"
    assert len(leasing.asked(HOST, "HTTPS")) == 1


def test_a_pod_that_is_not_known_gets_hints_of_its_own_family(daemon: Daemon,
                                                              leasing: FakeUpstream, pod: Pod,
                                                              family: int) -> None:
    daemon.load(manifests.service_entry(HOST))
    leasing.script = lambda q: raw(q, ROOT + hint(4, GOOD[4]) + hint(6, GOOD[6]))
    reply = ask(pod.namespace, HOST, "HTTPS", server=node_local(family))
    assert records(reply) == [f'1 . {HINT[family]}="{GOOD[family]}"']
    assert held(daemon) == {(pod.address(family), GOOD[family])}


def test_ech_and_what_is_mandatory(leasing: FakeUpstream, pod: Pod) -> None:
    mandatory = param(0, struct.pack("!HHHH", 1, 4, 5, 6))
    leasing.script = lambda q: raw(q, ROOT + mandatory + ALPN + hint(4, "127.0.0.1")
                                   + param(5, b"secret") + hint(6, GOOD[6]))
    reply = ask(pod.namespace, HOST, "HTTPS")
    assert records(reply) == [f'1 . mandatory="alpn,ipv6hint" alpn="h2" ipv6hint="{GOOD[6]}"']
    assert b"secret" not in reply.wire


def test_an_alias_is_relayed_and_its_target_judged(leasing: FakeUpstream, pod: Pod) -> None:
    target = b"\5other\7example\0"
    leasing.script = lambda q: raw(q, b"\0\0" + target, b"\0\2" + target + ALPN)
    assert sorted(records(ask(pod.namespace, HOST, "HTTPS"))) == [
        "0 other.example.", '2 other.example. alpn="h2"']
    assert ask(pod.namespace, "other.example", "HTTPS").rcode == "NXDOMAIN"


@pytest.mark.parametrize("bad", [
    ROOT + PORT + ALPN, ROOT + ALPN + ALPN, ROOT + ALPN + b"\0\4\0\10" + b"\xc6\x33\x64\x51",
    ROOT + param(4, b"\xc6\x33\x64\x51\xc6"), ROOT + param(4, b""), ROOT + param(6, b"1234"),
    ROOT + param(0, b"\0\3") + ALPN, ROOT + param(0, b"\0\0"), ROOT + param(65535, b""),
    ROOT + param(2, b""), ROOT + param(1, b"\0"), ROOT + param(3, b"1"), ROOT + b"\0\1\0",
    b"\0\0\1a\0" + param(3, b"1")], ids=lambda b: b.hex())
@TRANSPORTS
def test_a_malformed_record_is_left_out(daemon: Daemon, leasing: FakeUpstream, pod: Pod,
                                        bad: bytes, tcp: bool) -> None:
    leasing.script = lambda q: raw(q, bad, ROOT + ALPN + hint(4, GOOD[4]))
    reply = ask(pod.namespace, HOST, "HTTPS", tcp=tcp)
    assert records(reply) == [f'1 . alpn="h2" ipv4hint="{GOOD[4]}"']
    leasing.script = lambda q: raw(q, bad)
    reply = ask(pod.namespace, HOST, "SVCB", tcp=tcp)
    assert reply.rcode == "NOERROR" and not reply.message.answer
    assert held(daemon) == {(pod.v4, GOOD[4])}


def test_a_limit_cuts_hints(daemon: Daemon, leasing: FakeUpstream, pod: Pod,
                            load: Load) -> None:
    load(lease={"perName": 1})
    leasing.script = lambda q: raw(q, ROOT + ALPN + hint(4, GOOD[4], "198.51.100.99"))
    assert records(ask(pod.namespace, HOST, "HTTPS")) == [f'1 . alpn="h2" ipv4hint="{GOOD[4]}"']
    leasing.script = lambda q: raw(q, ROOT + ALPN + hint(4, "198.51.100.98"))
    assert records(ask(pod.namespace, HOST, "SVCB")) == ['1 . alpn="h2"']
    assert held(daemon) == {(pod.v4, GOOD[4])}


def test_more_hints_than_are_looked_at(daemon: Daemon, leasing: FakeUpstream, pod: Pod) -> None:
    many = [f"198.51.100.{i}" for i in range(100, 200)]
    leasing.script = lambda q: raw(q, ROOT + hint(4, *many))
    reply = ask(pod.namespace, HOST, "HTTPS", tcp=True)
    assert records(reply) == [f'1 . ipv4hint="{",".join(many[:64])}"']
    assert held(daemon) == {(pod.v4, a) for a in many[:64]}


def test_what_does_not_fit_is_cut_short(leasing: FakeUpstream, pod: Pod) -> None:
    leasing.script = lambda q: raw(q, ROOT + hint(4, GOOD[4]) + param(65280, b"x" * 1300))
    assert ask(pod.namespace, HOST, "HTTPS").truncated
    assert len(records(ask(pod.namespace, HOST, "HTTPS", tcp=True))) == 1


def test_no_record_is_relayed_as_such(leasing: FakeUpstream, pod: Pod) -> None:
    leasing.script = lambda q: answer(
        q, soa=("svc.example", 60, "ns.svc.example. h.svc.example. 1 2 3 4 60"))
    reply = ask(pod.namespace, HOST, "HTTPS")
    assert reply.rcode == "NOERROR" and not reply.message.answer and reply.has_soa


def test_addresses_are_answered_as_before(leasing: FakeUpstream, pod: Pod, family: int) -> None:
    rdtype = "A" if family == 4 else "AAAA"
    leasing.script = lambda q: answer(q, f"@ {q.type} {GOOD[family]}")
    reply = ask(pod.namespace, HOST, rdtype, server=node_local(family))
    assert reply.addresses() == [GOOD[family]]


def test_a_host_with_endpoints_has_none(leasing: FakeUpstream, pod: Pod,
                                        load: Load) -> None:
    load(*(manifests.service_entry(f"{e[:3]}.example", endpoints=[{"address": e}])
           for e in ("one.example.com", "198.51.100.7")))
    for host in ("one.example", "198.example"):
        reply = ask(pod.namespace, host, "HTTPS")
        assert reply.rcode == "NOERROR" and not reply.message.answer
    assert leasing.asked() == []


def test_who_may_everything_gets_them_whole(leasing: FakeUpstream, pod: Pod,
                                            load: Load) -> None:
    """Out of the cache, which has what the others got a part of."""
    whole = ROOT + hint(4, GOOD[4], "10.0.0.1") + param(5, b"secret")
    leasing.script = lambda q: raw(q, whole)
    assert b"secret" not in ask(pod.namespace, HOST, "HTTPS").wire
    load(mode="ALLOW_ANY")
    assert whole in ask(pod.namespace, HOST, "HTTPS").wire
    assert len(leasing.asked(HOST, "HTTPS")) == 1
    load()
    assert whole not in ask(pod.namespace, HOST, "HTTPS").wire


@pytest.mark.parametrize(("before", "after"), [("nodata", "lease"), ("lease", "nodata")])
def test_a_reload_changes_it(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                             load: Load, before: str, after: str) -> None:
    upstream.script = lambda q: raw(q, ROOT + ALPN)
    for value in (before, after):
        load(httpsRecords=value)
        assert bool(records(ask(pod.namespace, HOST, "HTTPS"))) == (value == "lease")


def test_a_reload_while_it_is_asked(daemon: Daemon, leasing: FakeUpstream, pod: Pod,
                                    load: Load) -> None:
    leasing.script = lambda q: raw(q, ROOT + hint(4, GOOD[4]))
    leasing.holding = True
    with open_udp(pod.namespace, node_local(4)) as s:
        s.send(make_query(HOST, "HTTPS").to_wire())
        leasing.wait_asked(1, HOST)
        load(httpsRecords="nodata")
        leasing.release()
        reply = dns.message.from_wire(s.recv(4096))
    assert not reply.answer and daemon.leases() == []


def test_what_hints_opened_goes_with_the_entry(daemon: Daemon, leasing: FakeUpstream, pod: Pod,
                                               load: Load) -> None:
    leasing.script = lambda q: raw(q, ROOT + hint(4, GOOD[4]) + hint(6, GOOD[6]))
    ask(pod.namespace, HOST, "HTTPS")
    load()
    assert held(daemon) == {(pod.v4, GOOD[4]), (pod.v6, GOOD[6])}
    load(manifests.service_entry("other.example"))
    assert held(daemon) == set()
