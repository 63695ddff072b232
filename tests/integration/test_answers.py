# SPDX-License-Identifier: Apache-2.0
"""What of an upstream's answer reaches the pod, and what is leased."""

from __future__ import annotations

import dns.message
import dns.rrset
import pytest

import fake_upstream
import manifests
import zone
from daemon import Daemon
from dnsclient import ask, make_query, node_local, open_udp
from fake_upstream import FakeUpstream, Question, addresses, answer
from lab import NODE_LOCAL4, Lab, Pod

BLOCKED = 15
GOOD4, GOOD6 = zone.PUBLIC4, zone.PUBLIC6


def listed(*hosts: str, **spec: object) -> manifests.Manifest:
    return manifests.service_entry(*hosts, **spec)


def rdtype(family: int) -> str:
    return "A" if family == 4 else "AAAA"


def good(family: int) -> str:
    return GOOD4 if family == 4 else GOOD6


def test_a_chain_is_followed_and_leased_under_the_name_asked(daemon: Daemon, pod: Pod,
                                                             family: int) -> None:
    daemon.load(listed("www.example.com"))
    reply = ask(pod.namespace, "www.example.com", rdtype(family), server=node_local(family))
    address = zone.EDGE4 if family == 4 else zone.EDGE6
    assert reply.addresses() == [address] and len(reply.message.answer) == 3
    assert reply.ttl <= 100, "the least of the chain"
    assert len({r.ttl for r in reply.message.answer}) == 1
    held = [e for e in daemon.leases() if e.destination == address]
    assert [e.name for e in held] == ["www.example.com"]
    assert ask(pod.namespace, "e1.cdn.example").rcode == "NXDOMAIN", "its target is not listed"


def test_a_chain_has_a_limit(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(listed("chain8.example.com"), listed("chain9.example.com"),
                listed("loop.example.com"))
    server = node_local(family)
    assert ask(pod.namespace, "chain8.example.com", rdtype(family), server=server).addresses()
    for name in ("chain9.example.com", "loop.example.com"):
        reply = ask(pod.namespace, name, rdtype(family), server=server)
        assert reply.rcode == "SERVFAIL" and not reply.message.answer
    assert {e.name for e in daemon.leases()} == {"chain8.example.com"}


def test_an_external_name_must_not_lead_inside(daemon: Daemon, pod: Pod, family: int) -> None:
    names = ["private.example.com", "metadata.example.com", "inward.example.com"]
    daemon.load(*(listed(n) for n in names))
    for name in names:
        reply = ask(pod.namespace, name, rdtype(family), server=node_local(family))
        assert reply.rcode == "NOERROR" and reply.addresses() == []
        assert reply.ede_codes() == [BLOCKED]
        record = daemon.log.wait_for(lambda r: r["event"] == "forbidden_address"
                                     and r["EGRESSD_NAME"] == name)
        assert record["EGRESSD_ADDRESS"]
    assert daemon.leases() == []


def test_the_public_part_of_an_answer_is_kept(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(listed("mixed.example.com"))
    reply = ask(pod.namespace, "mixed.example.com", rdtype(family), server=node_local(family))
    assert reply.addresses() == [good(family)]
    assert {e.destination for e in daemon.leases()} == {good(family)}


FORBIDDEN = {
    4: ["0.0.0.1", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.168.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "10.244.0.2", "169.254.20.10"],
    6: ["::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254", "2002:a00:1::1", "fc00::1", "fd00:10:244::2", "fe80::1",
        "ff02::1"],
}


def test_a6_no_forbidden_address_comes_through(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                               family: int) -> None:
    """Each alone and each beside a public one."""
    daemon.load(listed("*.bad.example", resolution="NONE"))
    for i, bad in enumerate(FORBIDDEN[family]):
        upstream.script = lambda q, bad=bad: answer(
            q, f"@ {q.type} {bad}", *([f"@ {q.type} {good(family)}"] if "mix" in q.name else []))
        alone = ask(pod.namespace, f"n{i}.bad.example", rdtype(family), server=node_local(family))
        assert alone.rcode == "NOERROR" and alone.addresses() == [], bad
        mixed = ask(pod.namespace, f"mix{i}.bad.example", rdtype(family),
                    server=node_local(family))
        assert mixed.addresses() == [good(family)], bad
    assert {e.destination for e in daemon.leases()} == {good(family)}


def test_an_entry_may_lift_the_rule(daemon: Daemon, pod: Pod) -> None:
    daemon.load(listed("private.example.com", location="MESH_INTERNAL"))
    assert ask(pod.namespace, "private.example.com").addresses() == ["10.1.2.3"]


def test_a_wildcard_covers_what_is_below_it(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(listed("*.wild.example.com", resolution="NONE"))
    address = "198.51.100.85" if family == 4 else "2001:db8::85"
    for name in ("a.wild.example.com", "a.b.wild.example.com"):
        reply = ask(pod.namespace, name, rdtype(family), server=node_local(family))
        assert reply.addresses() == [address]
    apex = ask(pod.namespace, "wild.example.com", rdtype(family), server=node_local(family))
    assert apex.rcode == "NOERROR" and not apex.addresses()
    assert ask(pod.namespace, "xwild.example.com").rcode == "NXDOMAIN"


def test_records_off_the_chain_are_left_out(daemon: Daemon, upstream: FakeUpstream,
                                            pod: Pod) -> None:
    daemon.load(listed("one.example"), listed("victim.example"))
    upstream.script = lambda q: answer(
        q, f"@ A {GOOD4}", "victim.example A 198.51.100.66", "other.example A 198.51.100.67")
    reply = ask(pod.namespace, "one.example")
    assert reply.addresses() == [GOOD4]
    assert {e.destination for e in daemon.leases()} == {GOOD4}
    upstream.script = lambda q: answer(q, f"@ A {zone.EDGE4}")
    assert ask(pod.namespace, "victim.example").addresses() == [zone.EDGE4], "not from the cache"


def test_many_askers_are_one_question(daemon: Daemon, upstream: FakeUpstream, lab: Lab) -> None:
    daemon.load(listed("one.example"))
    upstream.script = lambda q: addresses(q, GOOD4, GOOD6)
    upstream.holding = True
    queries = [(pod, make_query("one.example")) for pod in lab.pods for _ in range(10)]
    sockets = [open_udp(pod.namespace, NODE_LOCAL4) for pod, _ in queries]
    for s, (_, query) in zip(sockets, queries):
        s.send(query.to_wire())
    upstream.wait_asked(1, "one.example")
    assert ask(lab.pods[0].namespace, "unlisted.example").rcode == "NXDOMAIN"  # all were read
    upstream.release()
    for s, (_, query) in zip(sockets, queries):
        reply = dns.message.from_wire(s.recv(4096))
        assert query.is_response(reply) and reply.answer
        s.close()
    assert len(upstream.asked("one.example")) == 1
    for pod in lab.pods:
        assert daemon.leased(pod.v4, [GOOD4], 443)


def test_the_cache_answers_the_second_time(daemon: Daemon, upstream: FakeUpstream,
                                           pod: Pod) -> None:
    daemon.load(listed("one.example"), listed("zero.example"))
    upstream.script = lambda q: addresses(q, GOOD4, GOOD6, ttl=0 if "zero" in q.name else 300)
    for _ in range(3):
        assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
        reply = ask(pod.namespace, "zero.example")
        assert reply.addresses() == [GOOD4] and reply.ttl <= 1
    assert len(upstream.asked("one.example")) == 1
    assert len(upstream.asked("zero.example")) == 3, "a TTL of 0 is not kept"
    held = {e.expires_s for e in daemon.leases()}
    assert min(held) > 30, "but leased for the floor at least"


def test_a_lease_outlives_the_ttl_handed_out(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(listed("zero.example.com"), listed("short.example.com"),
                listed("long.example.com"))
    for name in ("zero.example.com", "short.example.com", "long.example.com"):
        reply = ask(pod.namespace, name, rdtype(family), server=node_local(family))
        lease = next(e for e in daemon.leases() if e.destination in reply.addresses())
        assert reply.ttl <= lease.expires_s <= 3600, name


def test_a_truncated_answer_is_asked_again_by_tcp(daemon: Daemon, upstream: FakeUpstream,
                                                  pod: Pod) -> None:
    daemon.load(listed("one.example"))
    upstream.script = lambda q: (fake_upstream.truncated(q) if q.transport == "udp"
                                 else addresses(q, GOOD4, GOOD6))
    assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    assert [q.transport for q in upstream.asked("one.example")] == ["udp", "tcp"]


def wrong_id(q: Question) -> bytes:
    wire = addresses(q, "198.51.100.66", "2001:db8::66")
    return bytes([wire[0] ^ 1]) + wire[1:]


def wrong_name(q: Question) -> bytes:
    other = dns.message.make_query("other.example", q.type, id=q.message.id)
    return addresses(Question(other, q.transport, q.port), "198.51.100.66", "2001:db8::66")


def wrong_case(q: Question) -> bytes:
    wire = bytearray(addresses(q, "198.51.100.66", "2001:db8::66"))
    wire[13] ^= 0x20  # the first letter of the question's name
    return bytes(wire)


def no_response_bit(q: Question) -> bytes:
    wire = bytearray(addresses(q, "198.51.100.66", "2001:db8::66"))
    wire[2] &= 0x7f
    return bytes(wire)


def bad_length(q: Question) -> bytes:
    rdata = bytes([198, 51, 100, 66])
    return answer(q, "@ A 198.51.100.66").replace(b"\0\4" + rdata, b"\0\3" + rdata)


def empty(q: Question) -> bytes:
    return b""


@pytest.mark.parametrize("lie", [wrong_id, wrong_name, wrong_case, no_response_bit, bad_length,
                                 empty])
def test_a_false_reply_does_not_count(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                      lie: fake_upstream.Script) -> None:
    daemon.load(listed("one.example"))
    upstream.script = lambda q: [lie(q), addresses(q, GOOD4, GOOD6)]
    assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    assert {e.destination for e in daemon.leases()} == {GOOD4}


def test_only_the_server_asked_may_answer(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                          lab: Lab) -> None:
    """The right packet from the wrong host, sent before the right one."""
    daemon.load(listed("one.example"))
    stranger = open_udp(lab.internet.namespace, "192.0.2.1", 1)

    def script(q: Question) -> bytes:
        stranger.connect(("192.0.2.1", q.port))
        stranger.send(addresses(q, "198.51.100.66", "2001:db8::66"))
        return addresses(q, GOOD4, GOOD6)

    upstream.script = script
    assert ask(pod.namespace, "one.example").addresses() == [GOOD4]
    stranger.close()


def test_questions_upstream_are_hard_to_guess(daemon: Daemon, upstream: FakeUpstream,
                                              pod: Pod) -> None:
    daemon.load(listed("*.guess.example", resolution="NONE"))
    upstream.script = lambda q: addresses(q, GOOD4, GOOD6)
    for i in range(200):
        assert ask(pod.namespace, f"abcdefgh{i}.guess.example").addresses() == [GOOD4]
    asked = upstream.asked()
    assert len({q.message.id for q in asked}) > 190
    assert len({q.port for q in asked}) >= 200 / 8, "a port serves at most 8 questions"
    letters = {q.message.question[0].name.to_text()[:8] for q in asked}
    assert len(letters) > 100, "the case of the letters is part of the secret"


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"])
def test_an_upstream_error_is_a_server_failure(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                               rcode: str) -> None:
    daemon.load(listed("one.example"))
    upstream.script = lambda q: answer(q, rcode=rcode)
    reply = ask(pod.namespace, "one.example")
    assert reply.rcode == "SERVFAIL" and set(reply.ede_codes()) <= {22, 23}


def test_a_registered_name_that_is_not_there_is_told_so(daemon: Daemon, upstream: FakeUpstream,
                                                        pod: Pod) -> None:
    daemon.load(listed("one.example"))
    upstream.script = lambda q: answer(q, rcode="NXDOMAIN")
    reply = ask(pod.namespace, "one.example")
    assert reply.rcode == "NXDOMAIN" and reply.ede_codes() == []


def test_silent_upstreams_are_a_server_failure(daemon: Daemon, upstream: FakeUpstream,
                                               pod: Pod) -> None:
    daemon.load(listed("one.example"))
    upstream.script = fake_upstream.silence
    reply = ask(pod.namespace, "one.example")
    assert reply.rcode == "SERVFAIL" and reply.took_s < 5 and set(reply.ede_codes()) <= {22, 23}


STATIC = listed("static.example", resolution="STATIC",
                endpoints=[{"address": GOOD4}, {"address": GOOD6}])


def test_a_static_entry_needs_no_upstream(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                          family: int) -> None:
    daemon.load(STATIC)
    reply = ask(pod.namespace, "static.example", rdtype(family), server=node_local(family))
    assert reply.addresses() == [good(family)] and reply.ttl <= 30
    assert daemon.leased(pod.address(family), [good(family)], 443)
    assert upstream.asked() == []
