# SPDX-License-Identifier: Apache-2.0
"""What is answered without asking, and what serves when the upstreams fail."""

from __future__ import annotations

import time

import dns.flags
import pytest

import manifests
from daemon import Daemon, wait_until
from dnsclient import Reply, ask, exchange, make_query, node_local
from fake_upstream import FakeUpstream, Question, addresses, answer, silence
from internet import FAKE4
from lab import NODE_LOCAL4, Pod

OLD4, OLD6, NEW4, NEW6 = "198.51.100.81", "2001:db8::81", "198.51.100.82", "2001:db8::82"
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


def rdtype(family: int) -> str:
    return "A" if family == 4 else "AAAA"


def test_item_51_the_ttl_counts_down(daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    listed(daemon, "one.example")
    upstream.script = lambda q: old(q, ttl=300)
    assert ask(pod.namespace, "one.example").ttl == 300
    wait_until(lambda: ask(pod.namespace, "one.example").ttl < 300, 3, "a lower TTL")
    assert 290 < ask(pod.namespace, "one.example").ttl < 300
    assert len(upstream.asked()) == 1


@pytest.mark.parametrize(("told", "got"), [(0, 0), (0x80000000, 0), (0xffffffff, 0),
                                           (0x7fffffff, 3570), (7200, 3570)])
def test_item_52_ttls_out_of_range(daemon: Daemon, upstream: FakeUpstream, pod: Pod, told: int,
                                   got: int) -> None:
    """The top bit set is 0 (RFC 2181 section 8); the most is what a lease may last."""
    listed(daemon, "one.example")

    def script(q: Question) -> bytes:
        wire = bytearray(old(q, ttl=1))
        at = wire.rindex(b"\0\0\0\1\0\4")
        wire[at:at + 4] = told.to_bytes(4, "big")
        return bytes(wire)

    upstream.script = script
    reply = ask(pod.namespace, "one.example")
    assert reply.addresses() == [OLD4] and reply.ttl == got
    ask(pod.namespace, "one.example")
    assert len(upstream.asked()) == (2 if got == 0 else 1)


def test_item_53_the_lowest_ttl_is_for_all(daemon: Daemon, upstream: FakeUpstream,
                                           pod: Pod) -> None:
    listed(daemon, "one.example")
    upstream.script = two_ttls
    reply = ask(pod.namespace, "one.example")
    assert reply.addresses() == [OLD4, NEW4] and reply.ttl == 45


def two_ttls(q: Question) -> bytes:
    wire = bytearray(answer(q, f"@ A {OLD4}", f"@ A {NEW4}"))
    at = wire.index(b"\0\0\1\x2c\0\4")
    wire[at:at + 4] = (45).to_bytes(4, "big")
    return bytes(wire)


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
@pytest.mark.parametrize(("ttl", "minimum", "got"), [(40, 90, 40), (90, 40, 40),
                                                     (90000, 90000, 3570)])
def test_item_54_the_soa_says_how_long_nothing_is_there(
        daemon: Daemon, upstream: FakeUpstream, pod: Pod, rcode: str, ttl: int, minimum: int,
        got: int) -> None:
    listed(daemon, "one.example")
    upstream.script = lambda q: negative(q, rcode, ttl, minimum)
    for _ in range(2):
        reply = ask(pod.namespace, "one.example")
        assert reply.rcode == rcode and not reply.message.answer
        assert got - 2 <= reply.message.authority[0].ttl <= got
    assert len(upstream.asked()) == 1


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
def test_item_54_without_a_soa_it_is_not_kept(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                              rcode: str) -> None:
    listed(daemon, "one.example")
    upstream.script = lambda q: answer(q, rcode=rcode)
    for n in (1, 2):
        assert ask(pod.namespace, "one.example").rcode == rcode
        assert len(upstream.asked()) == n


def test_item_55_nxdomain_is_for_all_types(daemon: Daemon, upstream: FakeUpstream,
                                           pod: Pod) -> None:
    listed(daemon, "one.example")
    upstream.script = lambda q: negative(q, "NXDOMAIN", 60, 60)
    for family in (4, 6):
        reply = ask(pod.namespace, "one.example", rdtype(family), server=node_local(family))
        assert reply.rcode == "NXDOMAIN" and reply.has_soa
    assert [q.type for q in upstream.asked()] == ["A"]


def test_item_55_nodata_is_for_one_type(daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    listed(daemon, "one.example")
    upstream.script = lambda q: (negative(q, "NOERROR", 60, 60) if q.type == "AAAA"
                                 else old(q, ttl=60))
    for _ in range(2):
        nothing = ask(pod.namespace, "one.example", "AAAA", server=node_local(6))
        assert nothing.rcode == "NOERROR" and not nothing.message.answer
        assert ask(pod.namespace, "one.example").addresses() == [OLD4]
    assert sorted(q.type for q in upstream.asked()) == ["A", "AAAA"]


def test_item_56_what_the_client_says_besides_is_not_part_of_the_key(
        daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    """One question upstream, and each reply as its query asks for it."""
    listed(daemon, "one.example")
    upstream.script = lambda q: old(q, ttl=60)
    for edns in (None, 0, dns.flags.DO):
        for flags in (dns.flags.RD, dns.flags.RD | dns.flags.CD, dns.flags.RD | dns.flags.AD, 0):
            for tcp in (False, True):
                query = make_query("oNe.example", edns=edns is not None)
                query.flags = flags
                if edns:
                    query.want_dnssec(True)
                reply = Reply(exchange(pod.namespace, query.to_wire(), NODE_LOCAL4, tcp=tcp), 0)
                if flags == 0 and not upstream.asked():
                    assert reply.rcode == "REFUSED"
                    continue
                assert reply.addresses() == [OLD4]
                assert (reply.message.edns >= 0) == (edns is not None)
                assert bool(reply.message.ednsflags & dns.flags.DO) == bool(edns)
                assert reply.message.flags & dns.flags.CD == flags & dns.flags.CD
                assert not reply.message.flags & dns.flags.AD
    assert len(upstream.asked()) == 1


def test_item_50_without_rd_nobody_is_asked(daemon: Daemon, upstream: FakeUpstream,
                                            pod: Pod) -> None:
    listed(daemon, "one.example")
    query = make_query("one.example")
    query.flags &= ~dns.flags.RD
    upstream.script = lambda q: old(q, ttl=60)
    assert Reply(exchange(pod.namespace, query.to_wire(), NODE_LOCAL4), 0).rcode == "REFUSED"
    assert upstream.asked() == []
    ask(pod.namespace, "one.example")
    assert all(q.message.flags & dns.flags.RD for q in upstream.asked())
    assert Reply(exchange(pod.namespace, query.to_wire(), NODE_LOCAL4), 0).addresses() == [OLD4]


def test_item_48_a_failure_is_remembered_for_a_second(daemon: Daemon, upstream: FakeUpstream,
                                                      pod: Pod) -> None:
    listed(daemon, "one.example", "two.example")
    upstream.script = lambda q: answer(q, rcode="SERVFAIL")
    began = time.monotonic()
    asked = 0
    while time.monotonic() < began + 0.5:
        assert ask(pod.namespace, "one.example").rcode == "SERVFAIL"
        asked += 1
    assert asked > 2 and len(upstream.asked()) == 1
    upstream.script = lambda q: old(q, ttl=60)
    assert ask(pod.namespace, "two.example").addresses() == [OLD4], "another question"
    assert ask(pod.namespace, "one.example", "AAAA", server=node_local(6)).addresses() == [OLD6]
    wait_until(lambda: ask(pod.namespace, "one.example").addresses() == [OLD4], 2, "an answer")


# Old answers

def test_item_57_an_old_answer_serves_while_the_upstream_fails(
        daemon: Daemon, upstream: FakeUpstream, pod: Pod, other_pod: Pod, family: int) -> None:
    listed(daemon, "one.example")
    kind, address = rdtype(family), OLD4 if family == 4 else OLD6
    upstream.script = old
    assert ask(pod.namespace, "one.example", kind, server=node_local(family)).ttl == 1
    let_pass(1.1)
    upstream.script = lambda q: answer(q, rcode="SERVFAIL")
    for place in (pod, other_pod):
        reply = ask(place.namespace, "one.example", kind, server=node_local(family))
        assert reply.addresses() == [address] and reply.ttl == 30
        assert reply.ede_codes() == [STALE]
        held = [e for e in daemon.leases() if e.pod == place.address(family)]
        assert [e.destination for e in held] == [address] and held[0].expires_s > 30
    assert daemon.counter("cache_stale") == 2
    upstream.script = lambda q: addresses(q, NEW4, NEW6)
    wait_until(lambda: ask(pod.namespace, "one.example", kind, server=node_local(family))
               .addresses() == [NEW4 if family == 4 else NEW6], 3, "the new answer")


def test_item_57_silence_is_waited_out_for_a_while_only(daemon: Daemon, upstream: FakeUpstream,
                                                        pod: Pod) -> None:
    daemon.configure({"upstreams": [f"{FAKE4}:53"], "cache": {"staleAfter": "300ms"}})
    listed(daemon, "one.example")
    upstream.script = old
    ask(pod.namespace, "one.example")
    let_pass(1.1)
    upstream.script = silence
    first = ask(pod.namespace, "one.example")
    assert first.addresses() == [OLD4] and first.took_s >= 0.25
    again = ask(pod.namespace, "one.example")
    assert again.addresses() == [OLD4] and again.took_s < first.took_s, "the question goes on"
    assert daemon.counter("upstream_pending") == 1


def test_item_57_a_known_outage_is_not_waited_out(daemon: Daemon, upstream: FakeUpstream,
                                                  pod: Pod) -> None:
    daemon.configure({"upstreams": [f"{FAKE4}:53"], "cache": {"staleAfter": "30s"}})
    listed(daemon, "one.example", "two.example")
    upstream.script = old
    for name in ("one.example", "two.example"):
        ask(pod.namespace, name)
    let_pass(1.1)
    upstream.script = silence
    first = ask(pod.namespace, "one.example")
    assert first.addresses() == [OLD4] and first.took_s > 1, "the time of a question"
    second = ask(pod.namespace, "two.example")
    assert second.addresses() == [OLD4] and second.ede_codes() == [STALE]
    assert second.took_s < 1 and second.ttl == 30
    upstream.script = lambda q: addresses(q, NEW4, NEW6)
    wait_until(lambda: ask(pod.namespace, "two.example").addresses() == [NEW4], 3, "the new one")


def test_item_57_what_is_not_there_any_more_is_said_too(daemon: Daemon, upstream: FakeUpstream,
                                                        pod: Pod) -> None:
    listed(daemon, "one.example", "two.example")
    upstream.script = lambda q: negative(q, "NXDOMAIN" if "one" in q.name else "NOERROR", 1, 1)
    for name in ("one.example", "two.example"):
        ask(pod.namespace, name)
    let_pass(1.1)
    upstream.script = lambda q: answer(q, rcode="REFUSED")
    gone, empty = (ask(pod.namespace, name) for name in ("one.example", "two.example"))
    assert gone.rcode == "NXDOMAIN" and gone.ede_codes() == [STALE_NXDOMAIN]
    assert empty.rcode == "NOERROR" and empty.ede_codes() == [STALE]


@pytest.mark.parametrize("stale", ["0s", "1s"])
def test_item_57_not_beyond_the_limit(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                      stale: str) -> None:
    daemon.configure({"upstreams": [f"{FAKE4}:53"], "cache": {"stale": stale}})
    listed(daemon, "one.example")
    upstream.script = old
    ask(pod.namespace, "one.example")
    upstream.script = lambda q: answer(q, rcode="SERVFAIL")
    let_pass(2.1)
    assert ask(pod.namespace, "one.example").rcode == "SERVFAIL"
    assert daemon.counter("cache_stale") == 0


def test_item_57_a_withdrawn_name_is_not_served_from_old(daemon: Daemon, upstream: FakeUpstream,
                                                         pod: Pod) -> None:
    listed(daemon, "one.example")
    upstream.script = old
    ask(pod.namespace, "one.example")
    let_pass(1.1)
    upstream.script = silence
    listed(daemon, "two.example")
    assert ask(pod.namespace, "one.example").rcode == "NXDOMAIN"


def test_what_is_popular_is_asked_for_in_time(daemon: Daemon, upstream: FakeUpstream,
                                              pod: Pod) -> None:
    """Asked all the time with a TTL of 3 s: nobody waits for the second answer."""
    listed(daemon, "one.example")
    upstream.script = lambda q: old(q, ttl=3)
    ask(pod.namespace, "one.example")
    wait_until(lambda: ask(pod.namespace, "one.example").addresses() == [OLD4]
               and len(upstream.asked()) == 2, 5, "a second question")
    assert daemon.counter("cache_refreshes") == 1
    assert daemon.counter("cache_misses") == 1
