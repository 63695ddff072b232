# SPDX-License-Identifier: Apache-2.0
"""Which server a pod asks does not matter: what it sends to port 53 of any comes here, and the
reply comes from the one that it asked. Only such queries are conntrack's business."""

from __future__ import annotations

import socket

import dns.message
import pytest

import manifests
import zone
from conftest import FAKE4
from daemon import Daemon, wait_until
from dnsclient import ask_many, make_query, node_local, replies
from fake_upstream import FakeUpstream, Question, answer
from lab import NODE_LOCAL4, NODE_LOCAL6, Lab, Pod

NAME = "google.com"
ELSEWHERE = {4: "198.51.100.99", 6: "2001:db8:99::99"}
PORTS = 200
TRACKED = {"listen": [f"{NODE_LOCAL4}:53", f"[{NODE_LOCAL6}]:53"]}


def flows(lab: Lab) -> int:
    return int(lab.node.run("cat", "/proc/sys/net/netfilter/nf_conntrack_count", check=True).stdout)


def open_port(pod: Pod, family: int) -> socket.socket:
    s = pod.namespace.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    s.settimeout(5)
    return s


def ask_from(s: socket.socket, server: str) -> str:
    """Who answered; the answer is a good one."""
    query = make_query(NAME, "A" if s.family == socket.AF_INET else "AAAA")
    s.sendto(query.to_wire(), (server, 53))
    wire, peer = s.recvfrom(4096)
    reply = dns.message.from_wire(wire)
    assert query.is_response(reply) and reply.answer
    return peer[0]


@pytest.fixture(autouse=True)
def no_flows_before(lab: Lab) -> None:
    """Of another test, turned to where this one asks."""
    for family in ("ipv4", "ipv6"):
        lab.node.run("conntrack", "-D", "-f", family, "-p", "udp", "--orig-port-dst", "53")


@pytest.mark.parametrize("family", [4, 6])
def test_queries_to_the_listener_make_no_flows(daemon: Daemon, lab: Lab, pod: Pod,
                                               family: int) -> None:
    """A pod that asks from many ports would fill the node's table."""
    daemon.load(manifests.service_entry(NAME))
    with open_port(pod, family) as s:
        assert ask_from(s, node_local(family)) == node_local(family)
    before = flows(lab)
    for _ in range(PORTS):
        with open_port(pod, family) as s:
            assert ask_from(s, node_local(family)) == node_local(family)
    assert flows(lab) == before
    with open_port(pod, family) as s:
        ask_from(s, ELSEWHERE[family])
    assert flows(lab) == before + 1


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("config", [{}, TRACKED], ids=["untracked", "tracked"])
def test_the_server_that_was_asked_answers(daemon: Daemon, pod: Pod, config: dict[str, object],
                                           family: int) -> None:
    """From one port, by turns: with the one kind of query before the other, and behind it."""
    daemon.configure(config)
    daemon.load(manifests.service_entry(NAME))
    daemon.stop()
    daemon.start()
    for servers in ([node_local(family), ELSEWHERE[family]],
                    [ELSEWHERE[family], node_local(family)]):
        with open_port(pod, family) as s:
            assert [ask_from(s, server) for server in 2 * servers] == 2 * servers


def hold(upstream: FakeUpstream) -> None:
    def script(question: Question) -> bytes:
        return answer(question, f"@ A {zone.PUBLIC4}")
    upstream.script = script
    upstream.holding = True


def test_a_way_back_outlives_a_reload(daemon: Daemon, upstream: FakeUpstream, pod: Pod) -> None:
    daemon.configure({"upstreams": [f"{FAKE4}:53"]})
    daemon.load(manifests.service_entry("*.held.example", resolution="NONE"))
    hold(upstream)
    with ask_many(pod.namespace, ["own.held.example"]) as own, open_port(pod, 4) as other:
        other.connect((ELSEWHERE[4], 53))
        other.send(make_query("other.held.example").to_wire())
        for name in ("own.held.example", "other.held.example"):
            upstream.wait_asked(1, name)
        daemon.load(manifests.service_entry("*.held.example", resolution="NONE"),
                    manifests.service_entry(NAME))
        upstream.release()
        assert replies(own, 1) == replies(other, 1) == 1


@pytest.mark.parametrize("family", [4, 6])
def test_an_older_flow_keeps_its_way_back(installed: Daemon, lab: Lab, pod: Pod,
                                          family: int) -> None:
    """From before there was a port apart: as long as somebody uses it, all is tracked."""
    installed.configure(TRACKED)
    installed.register(manifests.service_entry(NAME))
    installed.start()
    with open_port(pod, family) as s:
        assert ask_from(s, ELSEWHERE[family]) == ELSEWHERE[family]
        installed.stop()
        installed.configure({})
        installed.start()
        for _ in range(3):
            assert ask_from(s, ELSEWHERE[family]) == ELSEWHERE[family]
            installed.reload()
        before = flows(lab)
        with open_port(pod, family) as other:
            assert ask_from(other, node_local(family)) == node_local(family)
        assert flows(lab) == before + 1
    lab.node.run("conntrack", "-D", "-f", f"ipv{family}", "-p", "udp", "--orig-port-dst", "53",
                 check=True)

    def is_untracked() -> bool:
        installed.reload()
        before = flows(lab)
        with open_port(pod, family) as other:
            assert ask_from(other, node_local(family)) == node_local(family)
        return flows(lab) == before

    wait_until(is_untracked, 10, "queries without flows")
