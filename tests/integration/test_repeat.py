# SPDX-License-Identifier: Apache-2.0
"""A popular answer goes out again as it was, and never longer than it would be made the same."""

from __future__ import annotations

import time

import pytest

import manifests
from daemon import Daemon, wait_until
from dnsclient import WAYS, Way, ask
from fake_upstream import FakeUpstream, addresses, answer
from lab import Pod

OLD4, OLD6, NEW4, NEW6 = "198.51.100.81", "2001:db8::81", "198.51.100.82", "2001:db8::82"
OVER_UDP = [way for way in WAYS if not way.tcp]
MANY = 20


def make_popular(daemon: Daemon, upstream: FakeUpstream, pod: Pod, way: Way,
                 ttl: int = 300) -> None:
    """So that replies are repeated."""
    upstream.script = lambda q: addresses(q, OLD4, OLD6, ttl=ttl)
    daemon.load(manifests.service_entry("*.example", resolution="NONE"))
    before = daemon.counter("repeated")
    for _ in range(MANY):
        assert len(way.ask(pod.namespace).addresses()) == 1
    assert daemon.counter("repeated") > before


@pytest.mark.parametrize("way", OVER_UDP, ids=str)
def test_its_ttl_counts_down(daemon: Daemon, upstream: FakeUpstream, pod: Pod, way: Way) -> None:
    make_popular(daemon, upstream, pod, way)
    began = time.monotonic()
    seen = set()

    def all_seen() -> bool:
        ttl = way.ask(pod.namespace).ttl
        assert 300 - (time.monotonic() - began) - 2 <= ttl <= 300
        seen.add(ttl)
        return len(seen) >= 3

    wait_until(all_seen, 5, "three TTLs")
    assert daemon.counter("queries") == daemon.counter("answered")
    assert daemon.counter("repeated") > daemon.counter("cache_hits")
    assert len(upstream.asked()) == 1


@pytest.mark.parametrize("way", OVER_UDP, ids=str)
def test_another_pod_has_a_lease_of_its_own(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                            other_pod: Pod, way: Way) -> None:
    make_popular(daemon, upstream, pod, way)
    assert {e.pod for e in daemon.leases()} == {pod.address(way.family)}
    assert way.ask(other_pod.namespace).addresses() == way.ask(pod.namespace).addresses()
    assert {e.pod for e in daemon.leases()} == {p.address(way.family) for p in (pod, other_pod)}


@pytest.mark.parametrize("way", OVER_UDP, ids=str)
def test_a_withdrawn_name_is_refused_at_once(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                             way: Way) -> None:
    make_popular(daemon, upstream, pod, way)
    daemon.load(manifests.service_entry("other.test"))
    assert way.ask(pod.namespace).rcode == "NXDOMAIN"
    assert daemon.leases() == []
    make_popular(daemon, upstream, pod, way)
    assert len(daemon.leases()) == 1


@pytest.mark.parametrize("way", OVER_UDP, ids=str)
def test_another_port_of_the_name_is_leased_at_once(daemon: Daemon, upstream: FakeUpstream,
                                                    pod: Pod, way: Way) -> None:
    make_popular(daemon, upstream, pod, way)
    entry = manifests.service_entry("*.example", resolution="NONE")
    entry["spec"]["ports"].append({"number": 8443, "name": "tls-more", "protocol": "TLS"})
    daemon.load(entry)
    address, = way.ask(pod.namespace).addresses()
    assert daemon.leased(pod.address(way.family), [address], 8443)


def test_it_ends_with_the_answer(daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    """Which is asked for anew before its end; with nobody there to answer it is over."""
    make_popular(daemon, upstream, pod, WAYS[0], ttl=2)
    upstream.script = lambda q: answer(q, rcode="SERVFAIL")
    began = time.monotonic()
    wait_until(lambda: WAYS[0].ask(pod.namespace).ede_codes() == [3], 4, "an old answer")
    assert time.monotonic() - began < 2.5
    before = daemon.counter("repeated")
    for _ in range(MANY):
        assert WAYS[0].ask(pod.namespace).ttl == 30
    assert daemon.counter("repeated") == before, "an old one is not repeated"
    upstream.script = lambda q: addresses(q, NEW4, NEW6)
    wait_until(lambda: WAYS[0].ask(pod.namespace).addresses() == [NEW4], 4, "the new one")


def test_what_is_not_repeated(daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    """What is refused is told each time; what is empty, or asked over TCP, goes its way."""
    upstream.script = lambda q: (answer(q) if q.name.startswith("empty")
                                 else addresses(q, OLD4, OLD6))
    daemon.load(manifests.service_entry("*.example", resolution="NONE"))
    for _ in range(MANY):
        assert ask(pod.namespace, "unlisted.test").rcode == "NXDOMAIN"
        assert ask(pod.namespace, "empty.example").rcode == "NOERROR"
        assert WAYS[1].ask(pod.namespace).addresses() == [OLD4]
    assert daemon.counter("repeated") == 0
    assert daemon.counter("refused") == MANY
