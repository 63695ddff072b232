# SPDX-License-Identifier: Apache-2.0
"""Whose an address is: pods that come, go, and take each other's addresses."""

from __future__ import annotations

import json
import os
import signal
import socket
from typing import Any

import pytest

import manifests
import reach
import zone
from daemon import Daemon, is_event, wait_until
from dnsclient import ask, make_query, node_local, open_udp
from fake_upstream import FakeUpstream, addresses
from lab import NODE_UPLINK4, NODE_UPLINK6, Lab, Pod
from witness import Witness

RDTYPE = {4: "A", 6: "AAAA"}
GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
ENTRY = manifests.service_entry("google.com")
PRIVATE = manifests.service_entry("four.example.com", "six.example.com", name="private",
                                  exportTo=["."])
BOTH_FAMILIES = {4: "four.example.com", 6: "six.example.com"}


def here(pod: Pod, name: str, uid: str = "", namespace: str = "default") -> manifests.Manifest:
    """This pod of the lab under a name of the cluster's."""
    made = manifests.pod(name, [pod.v4, pod.v6], namespace)
    if uid:
        made["metadata"]["uid"] = uid
    return made


def look_up(pod: Pod, family: int, name: str = "google.com") -> list[str]:
    return ask(pod.namespace, name, RDTYPE[family], server=node_local(family)).addresses()


def unanswered(s: socket.socket) -> bool:
    s.setblocking(False)
    try:
        s.recv(4096)
    except BlockingIOError:
        return True
    return False


def status(daemon: Daemon) -> dict[str, Any]:
    return json.loads(daemon.ctl("status", "--json").stdout)


@pytest.mark.parametrize("next_owner", [("b", ""), ("a", "other"), None],
                         ids=["another", "recreated", "nobody"])
def test_an_address_that_changes_hands_starts_clean(
        daemon: Daemon, pod: Pod, family: int, witness: Witness,
        next_owner: tuple[str, str] | None) -> None:
    daemon.load(here(pod, "a", "first"), ENTRY)
    assert look_up(pod, family) == [GOOGLE[family]]
    assert reach.connect(pod.namespace, GOOGLE[family], 443).result == "ok"
    daemon.load(*([here(pod, *next_owner)] if next_owner else []), ENTRY)
    assert daemon.leases() == [], "although the next one may see the name too"
    mark = witness.mark()
    assert reach.connect(pod.namespace, GOOGLE[family], 443).refused_at_once
    witness.only(mark)
    assert look_up(pod, family) == [GOOGLE[family]]
    assert reach.connect(pod.namespace, GOOGLE[family], 443).result == "ok"


def test_another_pods_leases_stay(daemon: Daemon, pod: Pod, other_pod: Pod) -> None:
    daemon.load(here(pod, "a"), here(other_pod, "o"), ENTRY)
    look_up(pod, 4)
    look_up(other_pod, 4)
    daemon.load(here(pod, "b"), here(other_pod, "o"), ENTRY)
    assert [e.pod for e in daemon.leases()] == [other_pod.v4]


def test_who_becomes_known_keeps_what_he_may_see(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(ENTRY)
    look_up(pod, family)
    daemon.load(here(pod, "a"), ENTRY)
    assert daemon.leased(pod.address(family), [GOOGLE[family]], 443)
    daemon.load(here(pod, "a"), {**ENTRY, "spec": {**ENTRY["spec"], "exportTo": ["other"]}})
    assert daemon.leases() == []


def test_a_restart_keeps_what_is_allowed_and_then_knows_whose(daemon: Daemon, pod: Pod,
                                                              family: int) -> None:
    daemon.load(here(pod, "a"), ENTRY)
    look_up(pod, family)
    assert daemon.stop() == 0
    daemon.start()
    assert daemon.leased(pod.address(family), [GOOGLE[family]], 443)
    daemon.load(here(pod, "b"), ENTRY)
    assert daemon.leases() == []


def test_a_question_of_a_pod_that_has_gone_opens_nothing(daemon: Daemon, pod: Pod, family: int,
                                                         upstream: FakeUpstream) -> None:
    daemon.load(here(pod, "a"), ENTRY)
    upstream.script = lambda q: addresses(q, zone.PUBLIC4, zone.PUBLIC6)
    upstream.holding = True
    with open_udp(pod.namespace, node_local(family)) as s:
        s.send(make_query("google.com", RDTYPE[family]).to_wire())
        upstream.wait_asked(1, "google.com")
        daemon.load(here(pod, "b"), ENTRY)
        upstream.release()
        upstream.holding = False
        assert look_up(pod, family), "the new one's question, behind the old one's"
        assert unanswered(s)
    assert len(daemon.leases()) == 1


def test_a_commit_of_a_pod_that_has_gone_is_taken_back(daemon: Daemon, pod: Pod,
                                                       family: int) -> None:
    """It was on its way to the kernel when the reload came."""
    daemon.configure({"deadline": {"commit": "10s", "query": "10s"}})
    daemon.load(here(pod, "a"), ENTRY)
    os.kill(daemon.enforcer_pid, signal.SIGSTOP)
    try:
        with open_udp(pod.namespace, node_local(family)) as s:
            s.send(make_query("google.com", RDTYPE[family]).to_wire())
            wait_until(lambda: status(daemon)["commits_waiting"] == 1, 5, "the commit")
            daemon.register(here(pod, "b"), ENTRY)
            mark = daemon.log.mark()
            daemon.signal(signal.SIGHUP)
            wait_until(lambda: status(daemon)["table"] == "changing", 5, "the switch")
            os.kill(daemon.enforcer_pid, signal.SIGCONT)
            daemon.log.wait_for(is_event("reloaded"), since=mark)
            assert unanswered(s)
    finally:
        os.kill(daemon.enforcer_pid, signal.SIGCONT)
    assert daemon.leases() == []


def test_an_unknown_pod_sees_what_is_public(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(ENTRY, PRIVATE)
    assert look_up(pod, family) == [GOOGLE[family]]
    hidden = ask(pod.namespace, BOTH_FAMILIES[family], RDTYPE[family], server=node_local(family))
    assert hidden.rcode == "NXDOMAIN"
    daemon.load(here(pod, "a"), ENTRY, PRIVATE)
    assert look_up(pod, family, BOTH_FAMILIES[family])


def test_a_pod_on_the_hosts_network_has_no_address_of_its_own(daemon: Daemon, lab: Lab, pod: Pod,
                                                              family: int) -> None:
    """Its manifest tells the node's address; even a pod's would not become its."""
    node = {4: NODE_UPLINK4, 6: NODE_UPLINK6}
    hosts = []
    for name, claimed in (("n", list(node.values())), ("p", [pod.v4, pod.v6])):
        made = manifests.pod(name, claimed)
        made["spec"]["hostNetwork"] = True
        hosts.append(made)
    daemon.load(*hosts, ENTRY, PRIVATE)
    reply = ask(lab.node, "google.com", RDTYPE[family], server=node_local(family))
    assert reply.rcode == "REFUSED" and reply.ede_codes() == [18]
    assert reach.connect(lab.node, GOOGLE[family], 80).result == "ok"
    private = ask(pod.namespace, BOTH_FAMILIES[family], RDTYPE[family], server=node_local(family))
    assert private.rcode == "NXDOMAIN", "not default/p's"
    assert daemon.leases() == []


@pytest.mark.parametrize("how", ["reload", "restart"])
@pytest.mark.parametrize("entries", [[], [ENTRY], [manifests.service_entry(
    "google.com", ports=[manifests.HTTPS, manifests.HTTP])]], ids=["gone", "as-it-was", "more"])
def test_ranges_that_lose_an_address(daemon: Daemon, pod: Pod, other_pod: Pod, how: str,
                                     entries: list[manifests.Manifest]) -> None:
    """pods.cidrs shrink: what was leased to a pod outside goes, and nobody else is hurt."""
    daemon.load(ENTRY)
    for p in (pod, other_pod):
        assert look_up(p, 4) == [GOOGLE[4]]
    daemon.configure({"pods": {"cidrs": [f"{other_pod.v4}/32", "fd00:10:244::/56"]}})
    daemon.register(*entries)
    if how == "reload":
        daemon.reload()
    else:
        daemon.stop()
        daemon.start()
    held = {(e.pod, e.port) for e in daemon.leases()}
    assert held == {(other_pod.v4, port["number"]) for e in entries for port in e["spec"]["ports"]}
    if entries:
        assert look_up(other_pod, 4) == [GOOGLE[4]]
