# SPDX-License-Identifier: Apache-2.0
"""When the kernel does not take a lease there is no address, and the table stands."""

from __future__ import annotations

import os
import signal

import pytest

import manifests
import nft
import reach
import zone
from daemon import Daemon, wait_until
from dnsclient import ask, node_local
from lab import Lab, Pod
from pace import PACE
from witness import Witness, to

RDTYPE = {4: "A", 6: "AAAA"}
COMMIT_DEADLINE_S = 1.2 * PACE  # one second by default, and our own way there and back


def test_a_stopped_enforcer_means_no_address(daemon: Daemon, pod: Pod, family: int,
                                             witness: Witness) -> None:
    daemon.load(manifests.service_entry("google.com"), manifests.service_entry("six.example.com"),
                manifests.service_entry("four.example.com"))
    server, rdtype = node_local(family), RDTYPE[family]
    held = ask(pod.namespace, "google.com", rdtype, server=server).addresses()
    fresh = "four.example.com" if family == 4 else "six.example.com"
    mark = witness.mark()
    os.kill(daemon.enforcer_pid, signal.SIGSTOP)
    try:
        reply = ask(pod.namespace, fresh, rdtype, server=server)
        assert reply.rcode == "SERVFAIL" and not reply.message.answer
        assert reply.took_s < COMMIT_DEADLINE_S and reply.ede_codes() == [0]
        assert ask(pod.namespace, "google.com", rdtype, server=server).addresses() == held, \
            "what is leased already needs no commit"
        assert ask(pod.namespace, "unlisted.example", server=server).rcode == "NXDOMAIN"
        assert reach.connect(pod.namespace, held[0], 443).result == "ok"
        daemon.log.wait_for(lambda r: r["event"] == "commit_failed"
                            and r["EGRESSD_NAME"] == fresh)
    finally:
        os.kill(daemon.enforcer_pid, signal.SIGCONT)
    witness.only(mark, to(held, 443))
    address = wait_until(
        lambda: ask(pod.namespace, fresh, rdtype, server=server).addresses(), 3, "recovery")
    assert daemon.leased(pod.address(family), address, 443)


@pytest.mark.owned
def test_nobody_else_can_remove_the_table(daemon: Daemon, lab: Lab, pod: Pod) -> None:
    """Flags owner and persist, Linux 6.9."""
    daemon.load(manifests.service_entry("google.com"))
    ask(pod.namespace, "google.com")
    before = daemon.leases()
    deleted = lab.node.run("nft", "delete", "table", *nft.TABLE)
    assert deleted.returncode != 0 and "Operation not permitted" in deleted.stderr
    flushed = lab.node.run("nft", "flush", "set", *nft.TABLE, "leases4")
    assert flushed.returncode != 0
    lab.node.run("nft", "flush", "ruleset", check=True)
    held = daemon.leases()
    assert [e.destination for e in held] == [e.destination for e in before] == [zone.GOOGLE4]
    assert reach.connect(pod.namespace, zone.UNLISTED4, 443).refused_at_once


SIZE = 16  # leases in each set


def test_a11_a_full_set_means_no_address(installed: Daemon, pod: Pod, other_pod: Pod,
                                         witness: Witness) -> None:
    many = manifests.service_entry("*.burst.example.com", resolution="NONE")
    google = manifests.service_entry("google.com")
    installed.configure({"lease": {"size": SIZE}})
    installed.register(many, google)
    installed.start()
    mark = witness.mark()
    rcodes = [ask(pod.namespace, zone.burst_name(i)).rcode for i in range(2 * SIZE)]
    assert rcodes == ["NOERROR"] * SIZE + ["SERVFAIL"] * SIZE
    assert len(installed.leases()) == SIZE
    reply = ask(other_pod.namespace, zone.burst_name(0))
    assert reply.rcode == "SERVFAIL" and not reply.message.answer and reply.ede_codes() == [0]
    assert installed.counter("leases_refused_size") == SIZE + 1
    assert installed.counter("commits_failed") == 0, "the kernel was not asked"
    witness.only(mark)
    installed.load(google)  # its leases go with the entry
    reply = ask(pod.namespace, "google.com")
    assert reply.addresses() == [zone.GOOGLE4]
    assert installed.leased(pod.v4, [zone.GOOGLE4], 443)


def test_a11_one_pods_many_addresses_leave_others_room(installed: Daemon, pod: Pod,
                                                       other_pod: Pod) -> None:
    """A listed zone that answers with a new address each time fills its pod's share only."""
    installed.configure({"lease": {"perPod": SIZE}})
    installed.register(manifests.service_entry("*.burst.example.com", resolution="NONE"))
    installed.start()
    rcodes = [ask(pod.namespace, zone.burst_name(i)).rcode for i in range(2 * SIZE)]
    assert rcodes == ["NOERROR"] * SIZE + ["SERVFAIL"] * SIZE
    for i in range(SIZE):
        assert ask(other_pod.namespace, zone.burst_name(i)).addresses()
    assert ask(pod.namespace, zone.burst_name(0)).addresses(), "what is open stays open"
    assert len(installed.leases()) == 2 * SIZE


LIMITS = {"perName": "per_name", "perPod": "per_pod", "size": "size"}


@pytest.mark.parametrize("limit", LIMITS)
def test_an_answer_is_trimmed_to_what_was_recorded(installed: Daemon, pod: Pod, family: int,
                                                   limit: str) -> None:
    installed.configure({"lease": {limit: 20}})
    installed.register(manifests.service_entry("many.example.com"))
    installed.start()
    reply = ask(pod.namespace, "many.example.com", RDTYPE[family], server=node_local(family),
                tcp=True)
    assert reply.rcode == "NOERROR" and len(reply.addresses()) == 20
    assert {e.destination for e in installed.leases()} == set(reply.addresses())
    assert installed.counter(f"leases_refused_{LIMITS[limit]}") > 0
    assert installed.counter("commits_failed") == 0
    near, cut = (r for r in installed.log.records if r["event"] == "limit")
    assert near["EGRESSD_LIMIT"] == cut["EGRESSD_LIMIT"] == f"lease.{limit}"
    assert "four fifths" in near["message"] and "cut the answer" in cut["message"]


@pytest.mark.parametrize("limit", ["perPod", "size"])
def test_a_warning_comes_before_the_limit(installed: Daemon, pod: Pod, limit: str) -> None:
    """At four fifths, and once."""
    installed.configure({"lease": {limit: 10}})
    installed.register(manifests.service_entry("*.burst.example.com", resolution="NONE"))
    installed.start()
    for i in range(10):
        assert ask(pod.namespace, zone.burst_name(i)).addresses()
        told = [r for r in installed.log.records if r["event"] == "limit"]
        assert len(told) == (i >= 7), told
    assert told[0]["EGRESSD_LIMIT"] == f"lease.{limit}"
    assert installed.counter("leases_refused") == 0


@pytest.mark.slow
def test_a_name_asked_again_and_again_stays_open(daemon: Daemon, pod: Pod, family: int) -> None:
    """Renewal: the lease's time is never below that of the answer, and never without it."""
    daemon.load(manifests.service_entry("short.example.com"))
    address = "198.51.100.83" if family == 4 else "2001:db8::83"
    for _ in range(2000):
        reply = ask(pod.namespace, "short.example.com", RDTYPE[family], server=node_local(family))
        assert reply.addresses() == [address]
        assert reach.connect(pod.namespace, address, 443).result == "ok"
