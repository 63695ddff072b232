# SPDX-License-Identifier: Apache-2.0
"""What is answered without asking, and what serves when the upstreams fail.

Each over UDP and TCP, IPv4 and IPv6, where each way asks for a name of its own.
"""

from __future__ import annotations

import time

import dns.flags
import pytest

import manifests
from daemon import Daemon, wait_until
from dnsclient import WAYS, make_query
from fake_upstream import FakeUpstream, Question, Script, addresses, answer, silence
from internet import FAKE4
from lab import Pod

OLD4, OLD6, NEW4, NEW6 = "198.51.100.81", "2001:db8::81", "198.51.100.82", "2001:db8::82"
OLD, NEW = {4: OLD4, 6: OLD6}, {4: NEW4, 6: NEW6}
SOA = ("example", "a.example. hostmaster.example. 1 3600 600 86400 {minimum}")
STALE, STALE_NXDOMAIN = 3, 19  # RFC 8914


def old(q: Question, ttl: int = 1) -> bytes:
    return addresses(q, OLD4, OLD6, ttl=ttl)


def negative(q: Question, rcode: str, ttl: int, minimum: int) -> bytes:
    return answer(q, rcode=rcode, soa=(SOA[0], ttl, SOA[1].format(minimum=minimum)))


def listed(daemon: Daemon, *hosts: str) -> None:
    daemon.load(*(manifests.service_entry(h, resolution="NONE") for h in hosts))


def let_pass(seconds: float) -> None:
    """TTLs are whole seconds of the daemon's own clock: there is nothing to wait for."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 1, "the time")


def test_item_51_the_ttl_counts_down(daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    listed(daemon, "*.example")
    upstream.script = lambda q: old(q, ttl=300)
    for way in WAYS:
        assert way.ask(pod.namespace).ttl == 300
    for way in WAYS:
        wait_until(lambda way=way: way.ask(pod.namespace).ttl < 300, 3, "a lower TTL")
        assert 290 < way.ask(pod.namespace).ttl < 300
    assert len(upstream.asked()) == len(WAYS)


@pytest.mark.parametrize(("told", "got"), [(0, 0), (0x80000000, 0), (0xffffffff, 0),
                                           (0x7fffffff, 3570), (7200, 3570)])
def test_item_52_ttls_out_of_range(daemon: Daemon, upstream: FakeUpstream, pod: Pod, told: int,
                                   got: int) -> None:
    """The top bit set is 0 (RFC 2181 section 8); the most is what a lease may last."""
    listed(daemon, "*.example")

    def script(q: Question) -> bytes:
        return with_ttl(old(q, ttl=1), q, 1, told)

    upstream.script = script
    for n, way in enumerate(WAYS):
        reply = way.ask(pod.namespace)
        assert reply.addresses() == [OLD[way.family]] and reply.ttl == got
        way.ask(pod.namespace)
        assert len(upstream.asked()) == (n + 1) * (2 if got == 0 else 1)


def with_ttl(wire: bytes, q: Question, before: int, after: int) -> bytes:
    """The TTL of the first address record that has the one before."""
    size = b"\0\4" if q.type == "A" else b"\0\x10"
    at = wire.index(before.to_bytes(4, "big") + size)
    return wire[:at] + after.to_bytes(4, "big") + wire[at + 4:]


def test_item_53_the_lowest_ttl_is_for_all(daemon: Daemon, upstream: FakeUpstream,
                                           pod: Pod) -> None:
    listed(daemon, "*.example")
    upstream.script = two_ttls
    for way in WAYS:
        reply = way.ask(pod.namespace)
        assert sorted(reply.addresses()) == [OLD[way.family], NEW[way.family]] and reply.ttl == 45


def two_ttls(q: Question) -> bytes:
    both = (OLD4, NEW4) if q.type == "A" else (OLD6, NEW6)
    return with_ttl(answer(q, *(f"@ {q.type} {a}" for a in both)), q, 300, 45)


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
@pytest.mark.parametrize(("ttl", "minimum", "got"), [(40, 90, 40), (90, 40, 40),
                                                     (90000, 90000, 3570)])
def test_item_54_the_soa_says_how_long_nothing_is_there(
        daemon: Daemon, upstream: FakeUpstream, pod: Pod, rcode: str, ttl: int, minimum: int,
        got: int) -> None:
    listed(daemon, "*.example")
    upstream.script = lambda q: negative(q, rcode, ttl, minimum)
    for way in 2 * WAYS:
        reply = way.ask(pod.namespace)
        assert reply.rcode == rcode and not reply.message.answer
        assert got - 2 <= reply.message.authority[0].ttl <= got
    assert len(upstream.asked()) == len(WAYS)


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
def test_item_54_without_a_soa_it_is_not_kept(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                              rcode: str) -> None:
    listed(daemon, "*.example")
    upstream.script = lambda q: answer(q, rcode=rcode)
    for n, way in enumerate(2 * WAYS):
        assert way.ask(pod.namespace).rcode == rcode
        assert len(upstream.asked()) == n + 1


def test_item_55_nxdomain_is_for_all_types(daemon: Daemon, upstream: FakeUpstream,
                                           pod: Pod) -> None:
    listed(daemon, "*.example")
    upstream.script = lambda q: negative(q, "NXDOMAIN", 60, 60)
    for first in WAYS:
        for way in [first, *WAYS]:
            reply = way.ask(pod.namespace, first.name)
            assert reply.rcode == "NXDOMAIN" and reply.has_soa
    assert [q.type for q in upstream.asked()] == [way.rdtype for way in WAYS]


def test_item_55_nodata_is_for_one_type(daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    listed(daemon, "*.example")
    upstream.script = lambda q: (negative(q, "NOERROR", 60, 60) if q.type == "AAAA"
                                 else old(q, ttl=60))
    for four, six in zip(WAYS[:2], WAYS[2:]):
        for _ in range(2):
            nothing = six.ask(pod.namespace, four.name)
            assert nothing.rcode == "NOERROR" and not nothing.message.answer
            assert four.ask(pod.namespace).addresses() == [OLD4]
    assert sorted(q.type for q in upstream.asked()) == ["A", "A", "AAAA", "AAAA"]


def test_item_56_what_the_client_says_besides_is_not_part_of_the_key(
        daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    """One question upstream, and each reply as its query asks for it."""
    listed(daemon, "one.example")
    upstream.script = lambda q: old(q, ttl=60)
    for edns in (None, 0, dns.flags.DO):
        for flags in (dns.flags.RD, dns.flags.RD | dns.flags.CD, dns.flags.RD | dns.flags.AD, 0):
            for way in WAYS:
                query = make_query("oNe.example", way.rdtype, edns=edns is not None)
                query.flags = flags
                if edns:
                    query.want_dnssec(True)
                reply = way.send(pod.namespace, query)
                assert reply.addresses() == [OLD[way.family]]
                assert (reply.message.edns >= 0) == (edns is not None)
                assert bool(reply.message.ednsflags & dns.flags.DO) == bool(edns)
                assert reply.message.flags & dns.flags.CD == flags & dns.flags.CD
                assert not reply.message.flags & dns.flags.AD
    assert sorted(q.type for q in upstream.asked()) == ["A", "AAAA"]


def test_item_50_without_rd_nobody_is_asked(daemon: Daemon, upstream: FakeUpstream,
                                            pod: Pod) -> None:
    listed(daemon, "*.example")
    upstream.script = lambda q: old(q, ttl=60)
    for n, way in enumerate(WAYS):
        query = make_query(way.name, way.rdtype)
        query.flags &= ~dns.flags.RD
        assert way.send(pod.namespace, query).rcode == "REFUSED"
        assert len(upstream.asked()) == n
        way.ask(pod.namespace)
        assert way.send(pod.namespace, query).addresses() == [OLD[way.family]]
    assert all(q.message.flags & dns.flags.RD for q in upstream.asked())


def test_item_48_a_failure_is_remembered_for_a_second(daemon: Daemon, upstream: FakeUpstream,
                                                      pod: Pod) -> None:
    listed(daemon, "*.example")
    for way in WAYS:
        before = len(upstream.asked())
        upstream.script = lambda q: answer(q, rcode="SERVFAIL")
        began = time.monotonic()
        asked = 0
        while time.monotonic() < began + 0.5:
            assert way.ask(pod.namespace).rcode == "SERVFAIL"
            asked += 1
        assert asked > 2 and len(upstream.asked()) == before + 1
        upstream.script = lambda q: old(q, ttl=60)
        assert way.ask(pod.namespace, "other.example").addresses() == [OLD[way.family]], "another question"
        wait_until(lambda way=way: way.ask(pod.namespace).addresses() == [OLD[way.family]], 2, "an answer")


def test_item_48_the_other_type_is_another_question(daemon: Daemon, upstream: FakeUpstream,
                                                    pod: Pod) -> None:
    listed(daemon, "*.example")
    for first, second in zip(WAYS, [*WAYS[2:], *WAYS[:2]]):
        upstream.script = lambda q: answer(q, rcode="SERVFAIL")
        assert first.ask(pod.namespace).rcode == "SERVFAIL"
        upstream.script = lambda q: old(q, ttl=60)
        assert second.ask(pod.namespace, first.name).addresses() == [OLD[second.family]]


# Old answers

def let_all_age(daemon: Daemon, upstream: FakeUpstream, pod: Pod, script: Script = old) -> None:
    """What each way's name was, is no longer fresh."""
    listed(daemon, "*.example")
    upstream.script = script
    for way in WAYS:
        way.ask(pod.namespace)
    let_pass(1.1)


def test_item_57_an_old_answer_serves_while_the_upstream_fails(
        daemon: Daemon, upstream: FakeUpstream, pod: Pod, other_pod: Pod) -> None:
    let_all_age(daemon, upstream, pod)
    upstream.script = lambda q: answer(q, rcode="SERVFAIL")
    for way in WAYS:
        for place in (pod, other_pod):
            reply = way.ask(place.namespace)
            assert reply.addresses() == [OLD[way.family]] and reply.ttl == 30
            assert reply.ede_codes() == [STALE]
            held = [e for e in daemon.leases() if e.pod == place.address(way.family)]
            assert [e.destination for e in held] == [OLD[way.family]] and held[0].expires_s > 30
    assert daemon.counter("cache_stale") == 2 * len(WAYS)
    upstream.script = lambda q: addresses(q, NEW4, NEW6)
    for way in WAYS:
        wait_until(lambda way=way: way.ask(pod.namespace).addresses() == [NEW[way.family]], 3, "the new answer")


def test_item_57_silence_is_waited_out_for_a_while_only(daemon: Daemon, upstream: FakeUpstream,
                                                        pod: Pod) -> None:
    daemon.configure({"upstreams": [f"{FAKE4}:53"], "cache": {"staleAfter": "300ms"}})
    let_all_age(daemon, upstream, pod)
    upstream.script = silence
    for n, way in enumerate(WAYS):
        first = way.ask(pod.namespace)
        assert first.addresses() == [OLD[way.family]]
        assert first.took_s >= 0.25 or n > 0, "a silent server is known by then"
        again = way.ask(pod.namespace)
        assert again.addresses() == [OLD[way.family]] and again.took_s < 0.25, "the question goes on"
    assert daemon.counter("upstream_pending") >= 1


def test_item_57_a_known_outage_is_not_waited_out(daemon: Daemon, upstream: FakeUpstream,
                                                  pod: Pod) -> None:
    daemon.configure({"upstreams": [f"{FAKE4}:53"], "cache": {"staleAfter": "30s"}})
    let_all_age(daemon, upstream, pod)
    upstream.script = silence
    first = WAYS[0].ask(pod.namespace)
    assert first.addresses() == [OLD4] and first.took_s > 1, "the time of a question"
    for way in WAYS:
        second = way.ask(pod.namespace)
        assert second.addresses() == [OLD[way.family]] and second.ede_codes() == [STALE]
        assert second.took_s < 1 and second.ttl == 30
    upstream.script = lambda q: addresses(q, NEW4, NEW6)
    for way in WAYS:
        wait_until(lambda way=way: way.ask(pod.namespace).addresses() == [NEW[way.family]], 3, "the new one")


@pytest.mark.parametrize(("rcode", "code"), [("NXDOMAIN", STALE_NXDOMAIN), ("NOERROR", STALE)])
def test_item_57_what_is_not_there_any_more_is_said_too(
        daemon: Daemon, upstream: FakeUpstream, pod: Pod, rcode: str, code: int) -> None:
    let_all_age(daemon, upstream, pod, lambda q: negative(q, rcode, 1, 1))
    upstream.script = lambda q: answer(q, rcode="REFUSED")
    for way in WAYS:
        reply = way.ask(pod.namespace)
        assert reply.rcode == rcode and reply.ede_codes() == [code]


@pytest.mark.parametrize("stale", ["0s", "1s"])
def test_item_57_not_beyond_the_limit(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                      stale: str) -> None:
    daemon.configure({"upstreams": [f"{FAKE4}:53"], "cache": {"stale": stale}})
    let_all_age(daemon, upstream, pod)
    upstream.script = lambda q: answer(q, rcode="SERVFAIL")
    let_pass(1)
    for way in WAYS:
        assert way.ask(pod.namespace).rcode == "SERVFAIL"
    assert daemon.counter("cache_stale") == 0


def test_item_57_a_withdrawn_name_is_not_served_from_old(daemon: Daemon, upstream: FakeUpstream,
                                                         pod: Pod) -> None:
    let_all_age(daemon, upstream, pod)
    upstream.script = silence
    listed(daemon, "other.example")
    for way in WAYS:
        assert way.ask(pod.namespace).rcode == "NXDOMAIN"


def test_what_is_popular_is_asked_for_in_time(daemon: Daemon, upstream: FakeUpstream,
                                              pod: Pod) -> None:
    """Asked all the time with a TTL of 3 s: nobody waits for the second answer."""
    listed(daemon, "one.example")
    upstream.script = lambda q: old(q, ttl=3)
    way = WAYS[0]
    way.ask(pod.namespace, "one.example")
    wait_until(lambda: way.ask(pod.namespace, "one.example").addresses() == [OLD4]
               and len(upstream.asked()) == 2, 5, "a second question")
    assert daemon.counter("cache_refreshes") == 1
    assert daemon.counter("cache_misses") == 1
