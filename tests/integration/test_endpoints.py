# SPDX-License-Identifier: Apache-2.0
"""Endpoints with names: they are asked in the host's stead."""

from __future__ import annotations

import dns.message
import pytest

import fake_upstream
import manifests
import reach
import zone
from daemon import Daemon
from dnsclient import ask, make_query, node_local, open_udp
from fake_upstream import FakeUpstream, Question, addresses, answer
from internet import FAKE4
from lab import Pod

BLOCKED = 15
HOST = "db.example"
GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
PUBLIC = {4: zone.PUBLIC4, 6: zone.PUBLIC6}
EDGE = {4: zone.EDGE4, 6: zone.EDGE6}
LITERAL = {4: "198.51.100.99", 6: "2001:db8::99"}
RDTYPE = {4: "A", 6: "AAAA"}


def behind(*endpoints: str, host: str = HOST, **spec: object) -> manifests.Manifest:
    return manifests.service_entry(host, endpoints=[{"address": e} for e in endpoints], **spec)


def in_order(message: dns.message.Message) -> list[str]:
    return [r.to_text() for rrset in message.answer for r in rrset]


def look_up(pod: Pod, family: int, name: str = HOST) -> set[str]:
    reply = ask(pod.namespace, name, RDTYPE[family], server=node_local(family))
    assert reply.rcode == "NOERROR"
    for rrset in reply.message.answer:
        assert rrset.name.to_text(omit_final_dot=True) == name, "no alias, no other owner"
    return set(reply.addresses())


def held(daemon: Daemon) -> set[str]:
    return {e.destination for e in daemon.leases()}


def of(question: Question, **what: tuple[str, str]) -> bytes:
    """The first label says which addresses; "fail" fails, and what is not named is empty."""
    label = question.name.split(".")[0]
    if label == "fail":
        return answer(question, rcode="SERVFAIL")
    return addresses(question, *what[label]) if label in what else answer(question)


def test_two_names_and_an_address(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(behind("Google.com", "www.example.com.", LITERAL[4], LITERAL[6]))
    wanted = [LITERAL[family], GOOGLE[family], EDGE[family]]
    reply = ask(pod.namespace, HOST, RDTYPE[family], server=node_local(family))
    assert in_order(reply.message) == wanted and reply.ttl <= 30
    assert look_up(pod, family) == set(wanted)
    assert daemon.leased(pod.address(family), wanted, 443)
    assert {e.name for e in daemon.leases()} == {HOST}
    assert reach.connect(pod.namespace, GOOGLE[family], 443).result == "ok"
    assert reach.connect(pod.namespace, GOOGLE[family], 80).refused_at_once


def test_the_names_themselves_are_not_registered(daemon: Daemon, pod: Pod) -> None:
    daemon.load(behind("google.com"))
    assert look_up(pod, 4) == {zone.GOOGLE4}
    assert ask(pod.namespace, "google.com").rcode == "NXDOMAIN"


def test_the_host_is_not_asked_and_a_name_only_once(daemon: Daemon, upstream: FakeUpstream,
                                                    pod: Pod, other_pod: Pod) -> None:
    daemon.load(behind("one.example", "two.example"))
    upstream.script = lambda q: of(q, one=(zone.PUBLIC4, zone.PUBLIC6),
                                   two=(zone.GOOGLE4, zone.GOOGLE6))
    for p in (pod, other_pod):
        assert look_up(p, 4) == {zone.PUBLIC4, zone.GOOGLE4}
        assert daemon.leased(p.v4, [zone.PUBLIC4, zone.GOOGLE4], 443)
    assert sorted(q.name for q in upstream.asked()) == ["one.example", "two.example"]


@pytest.mark.parametrize("how", ["servfail", "silent"])
def test_a_failing_name_is_left_out(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                    how: str) -> None:
    daemon.load(behind("fail.example", "one.example"))

    def script(q: Question) -> bytes | None:
        if q.name == "fail.example" and how == "silent":
            return fake_upstream.silence(q)
        return of(q, one=(zone.PUBLIC4, zone.PUBLIC6))

    upstream.script = script
    reply = ask(pod.namespace, HOST)
    assert reply.addresses() == [zone.PUBLIC4] and reply.ttl <= 5 and reply.took_s < 5


def test_all_failing_is_a_server_failure(daemon: Daemon, upstream: FakeUpstream,
                                         pod: Pod) -> None:
    daemon.load(behind("fail.one.example", "fail.two.example"))
    upstream.script = of
    reply = ask(pod.namespace, HOST)
    assert reply.rcode == "SERVFAIL" and set(reply.ede_codes()) <= {22, 23}
    assert daemon.leases() == []


def test_no_address_at_all_is_no_record(daemon: Daemon, upstream: FakeUpstream,
                                        pod: Pod) -> None:
    daemon.load(behind("none.example", "gone.example"))
    upstream.script = lambda q: answer(
        q, rcode="NXDOMAIN" if q.name == "gone.example" else "NOERROR")
    assert look_up(pod, 4) == set() and look_up(pod, 6) == set()


def test_a_name_that_leads_inside_is_refused(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(behind("private.example.com", "google.com"), behind(
        "private.example.com", host="alone.example"))
    assert look_up(pod, family) == {GOOGLE[family]}
    reply = ask(pod.namespace, "alone.example", RDTYPE[family], server=node_local(family))
    assert reply.addresses() == [] and reply.ede_codes() == [BLOCKED]
    for name in (HOST, "alone.example"):
        daemon.log.wait_for(lambda r, n=name: r["event"] == "forbidden_address"
                            and r["EGRESSD_NAME"] == n)
    assert held(daemon) == {GOOGLE[family]}


def test_unless_it_may(daemon: Daemon, pod: Pod) -> None:
    daemon.load(behind("private.example.com", location="MESH_INTERNAL"),
                behind("private.example.com", "10.1.2.3", host="listed.example"))
    assert look_up(pod, 4) == {"10.1.2.3"}
    assert look_up(pod, 4, "listed.example") == {"10.1.2.3"}


def test_a_name_in_a_zone_is_asked_there(daemon: Daemon, upstream: FakeUpstream,
                                         pod: Pod) -> None:
    """The default server knows nothing of it, and is not asked."""
    daemon.configure({"zones": [{"name": "corp.example", "upstreams": [f"{FAKE4}:53"]}]})
    daemon.load(behind("one.corp.example", "google.com"))
    upstream.script = lambda q: of(q, one=(zone.PUBLIC4, zone.PUBLIC6))
    assert look_up(pod, 4) == {zone.PUBLIC4, zone.GOOGLE4}
    assert [q.name for q in upstream.asked()] == ["one.corp.example"]


def test_a_wildcard_host(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(behind("google.com", LITERAL[family], host="*.db.example"))
    for name in ("a.db.example", "b.a.db.example"):
        assert look_up(pod, family, name) == {LITERAL[family], GOOGLE[family]}
    assert held(daemon) == {LITERAL[family], GOOGLE[family]}
    assert look_up(pod, family, "db.example") == set()


def test_round_robin_has_one(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(behind("google.com", resolution="DNS_ROUND_ROBIN"))
    assert look_up(pod, family) == {GOOGLE[family]}


def test_addresses_alone_need_no_upstream(daemon: Daemon, upstream: FakeUpstream,
                                          pod: Pod) -> None:
    daemon.load(behind(LITERAL[4]))
    assert look_up(pod, 4) == {LITERAL[4]} and look_up(pod, 6) == set()
    assert upstream.asked() == []


def test_merged_entries(daemon: Daemon, pod: Pod) -> None:
    daemon.load(behind("google.com", name="a"), behind("four.example.com", name="b"))
    assert look_up(pod, 4) == {zone.GOOGLE4, zone.PUBLIC4}


def test_too_many_names(daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    daemon.load(behind(*(f"n{i}.example" for i in range(18))))
    record = daemon.log.wait_for(lambda r: "left out" in r["message"])
    assert "n16.example" in record["message"]
    upstream.script = lambda q: addresses(
        q, f"198.51.100.{q.name.split('.')[0][1:]}", "2001:db8::1")
    assert look_up(pod, 4) == {f"198.51.100.{i}" for i in range(16)}


def test_a_reload_that_changes_names_withdraws_what_they_may_have_given(daemon: Daemon,
                                                                        pod: Pod,
                                                                        family: int) -> None:
    daemon.load(behind("google.com", "www.example.com", LITERAL[family]))
    first = look_up(pod, family)
    daemon.load(behind("www.example.com", LITERAL[family], "google.com"))
    assert held(daemon) == first, "the same names"
    daemon.load(behind("www.example.com", LITERAL[family]))
    assert held(daemon) == {LITERAL[family]}, "nobody knows which name gave the others"
    assert reach.connect(pod.namespace, GOOGLE[family], 443).refused_at_once
    assert look_up(pod, family) == {LITERAL[family], EDGE[family]}
    assert reach.connect(pod.namespace, EDGE[family], 443).result == "ok"


def test_what_was_asked_before_a_reload_is_asked_again(daemon: Daemon, upstream: FakeUpstream,
                                                       pod: Pod) -> None:
    daemon.load(behind("one.example", "two.example"))
    upstream.script = lambda q: of(q, one=(zone.PUBLIC4, zone.PUBLIC6),
                                   two=(zone.GOOGLE4, zone.GOOGLE6))
    upstream.holding = True
    with open_udp(pod.namespace, node_local(4)) as s:
        s.send(make_query(HOST).to_wire())
        upstream.wait_asked(1, "one.example")
        upstream.wait_asked(1, "two.example")
        daemon.load(behind("two.example"))
        upstream.release()
        reply = dns.message.from_wire(s.recv(4096))
    assert in_order(reply) == [zone.GOOGLE4]
    assert held(daemon) == {zone.GOOGLE4}


def test_a_restart_keeps_what_is_listed(daemon: Daemon, pod: Pod) -> None:
    daemon.load(behind("google.com", LITERAL[4]), manifests.service_entry("four.example.com"))
    look_up(pod, 4)
    look_up(pod, 4, "four.example.com")
    daemon.kill()
    daemon.start()
    assert held(daemon) == {LITERAL[4], zone.PUBLIC4}
    assert look_up(pod, 4) == {LITERAL[4], zone.GOOGLE4}


def test_a_lookup_ended_by_a_stop(daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    daemon.load(behind("one.example", "two.example"))
    upstream.holding = True
    upstream.script = of
    with open_udp(pod.namespace, node_local(4)) as s:
        s.send(make_query(HOST).to_wire())
        upstream.wait_asked(1, "two.example")
        assert daemon.stop() == 0
