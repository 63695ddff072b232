# SPDX-License-Identifier: Apache-2.0
"""Packets made to slip by the rules: odd headers, odd fragments, and other programs' tables."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator

import pytest

import dnsclient
import forge
import manifests
import reach
import spoof
import zone
from daemon import Daemon, wait_until
from dnsclient import ask, node_local
from forge import Wire
from internet import ECHO_PORT, PUBLIC_DNS4, PUBLIC_DNS6
from lab import (GATEWAY4, GATEWAY6, INTERNET4, INTERNET6, NODE_UPLINK4, NODE_UPLINK6, Lab, Pod)
from witness import Witness, to

GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
UNLISTED = {4: zone.UNLISTED4, 6: zone.UNLISTED6}
PUBLIC_DNS = {4: PUBLIC_DNS4, 6: PUBLIC_DNS6}
INTERNET = {4: INTERNET4, 6: INTERNET6}
NODE_UPLINK = {4: NODE_UPLINK4, 6: NODE_UPLINK6}
GATEWAY = {4: GATEWAY4, 6: GATEWAY6}
FOREIGN = {4: "203.0.113.200", 6: "2001:db8:f::1"}
RDTYPE = {4: "A", 6: "AAAA"}
FLAGS = [0x00, 0x01, 0x02, 0x03, 0x04, 0x10, 0x11, 0x12, 0x14, 0x18, 0x29, 0xff]
DISCOVERY = (133, 134, 135, 136, 137)  # RFC 4861
REPORTS = (130, 131, 132, 143)
TUNNEL_PORTS = (4789, 8472, 6081)


def open_google(daemon: Daemon, pod: Pod) -> None:
    """google.com on 443 is open to the pod in both families."""
    daemon.load(manifests.service_entry("google.com"))
    for family in (4, 6):
        ask(pod.namespace, "google.com", RDTYPE[family], server=node_local(family))


def attack(pod: Pod, family: int) -> list[bytes]:
    """One packet each of what must never leave, new to conntrack whenever it is sent."""
    source, unlisted = pod.address(family), UNLISTED[family]
    return [
        spoof.udp(source, unlisted, 4000, 443, b"datagram"),
        spoof.udp(source, GOOGLE[family], 4000, 443, b"datagram"),
        forge.tcp(source, unlisted, 4000, 443, forge.SYN),
        forge.tcp(source, unlisted, 4000, 443, forge.ACK, b"in the middle"),
        forge.tcp(source, GOOGLE[family], 4000, 80, forge.SYN),
        forge.echo(source, unlisted),
        forge.ip(source, unlisted, socket.IPPROTO_SCTP, b"\x0f\xa0\x01\xbb" + b"\0" * 28),
        forge.ip(source, unlisted, socket.IPPROTO_GRE, b"\0\0\x08\0" + b"\0" * 28),
        forge.ip(source, unlisted, socket.IPPROTO_IPIP, spoof.udp(
            pod.v4, UNLISTED[4], 1, 1, b"within")),
        *port53(pod, family),
        *[spoof.udp(s, unlisted, 4000, port, b"spoofed")
          for s in (FOREIGN[family], NODE_UPLINK[family], unlisted) for port in (53, 443)],
    ]


def port53(pod: Pod, family: int) -> list[bytes]:
    source, server = pod.address(family), PUBLIC_DNS[family]
    query = dnsclient.make_query("unlisted.example").to_wire()
    whole = spoof.udp(source, server, 4001, 53, query)
    return [
        whole, whole,
        spoof.udp(source, server, 53, 53, query),
        forge.tcp(source, server, 4001, 53, forge.SYN),
        forge.tcp(source, server, 4002, 53, forge.ACK, b"in the middle"),
        forge.tcp(source, server, 4003, 53, forge.RST),
        *forge.fragments(spoof.udp(source, server, 4004, 53, query), 8),
        *forge.fragments(spoof.udp(source, server, 4005, 53, query), 16)[::-1],
    ]


@pytest.mark.parametrize("port", [53, 80, 443])
def test_odd_tcp_flags(daemon: Daemon, pod: Pod, wire: Wire, family: int, port: int,
                       witness: Witness) -> None:
    """conntrack picks a flow up in its middle: that is no reason to pass it."""
    open_google(daemon, pod)
    source, mark = pod.address(family), witness.mark()
    for i, flags in enumerate(FLAGS):
        wire.send(*[forge.tcp(source, UNLISTED[family], 4100 + i, port, f, b"payload")
                    for f in (flags, forge.ACK, forge.ACK)])
    witness.only(mark)


def test_fragments(daemon: Daemon, pod: Pod, wire: Wire, family: int, witness: Witness) -> None:
    """Ports in the second fragment, in both, in neither; later ones first; one alone."""
    open_google(daemon, pod)
    source, mark = pod.address(family), witness.mark()
    for destination, port in ((UNLISTED[family], 443), (GOOGLE[family], 80)):
        for size in (8, 16, 24):
            parts = forge.fragments(forge.tcp(source, destination, 4200 + size, port, forge.SYN,
                                              b"x" * 40), size)
            wire.send(*parts)
            wire.send(*parts[::-1])
        listed = forge.fragments(forge.tcp(source, destination, 4300, 443, forge.SYN, b"x" * 40),
                                 32, ident=7)
        other = forge.fragments(forge.tcp(source, destination, 4300, 80, forge.SYN, b"x" * 40),
                                24, ident=7)
        wire.send(listed[0], other[0], other[1])  # they overlap
        wire.send(other[1])
    witness.only(mark)


@pytest.mark.parametrize("notrack", [-450, -300])
def test_what_another_table_leaves_untracked(daemon: Daemon, pod: Pod, wire: Wire, lab: Lab,
                                             family: int, notrack: int,
                                             witness: Witness) -> None:
    """Below -400 not even fragments are put together."""
    open_google(daemon, pod)
    with forge.foreign_table(lab.node, "filter", "prerouting", notrack, "notrack"):
        mark = witness.mark()
        wire.send(*attack(pod, family))
        witness.only(mark)


@pytest.mark.parametrize("priority", [-199, -151, -106, -100])
def test_what_another_table_turns(daemon: Daemon, pod: Pod, wire: Wire, lab: Lab, priority: int,
                                  witness: Witness) -> None:
    """Port 53 led elsewhere before it gets to us, and to another port at that."""
    open_google(daemon, pod)
    rules = [f"meta l4proto {{tcp, udp}} th dport 53 dnat ip to {UNLISTED[4]}:443",
             f"meta l4proto {{tcp, udp}} th dport 53 dnat ip6 to [{UNLISTED[6]}]:443"]
    with forge.foreign_table(lab.node, "nat", "prerouting", priority, *rules):
        mark = witness.mark()
        wire.send(*attack(pod, 4), *attack(pod, 6))
        witness.only(mark)


@pytest.fixture
def following(lab: Lab, pod: Pod) -> Iterator[None]:
    """A node that follows source routes of all kinds."""
    keys = [f"{family}__conf__{place}__{key}" for place in ("all", pod.interface)
            for family, key in (("ipv4", "accept_source_route"), ("ipv6", "accept_source_route"),
                                ("ipv6", "seg6_enabled"), ("ipv6", "rpl_seg_enabled"))]
    lab.node.sysctl(**dict.fromkeys(keys, 1))
    yield
    lab.node.sysctl(**dict.fromkeys(keys, 0))


@pytest.mark.usefixtures("following")
@pytest.mark.parametrize("intercept", [True, False])
def test_source_routes(daemon: Daemon, pod: Pod, wire: Wire, family: int, intercept: bool,
                       witness: Witness) -> None:
    """What goes to the node itself is allowed in many ways; to go on from there is not."""
    uplink = f"{NODE_UPLINK[family]}/{32 if family == 4 else 128}"
    daemon.configure({"intercept": intercept, "internal": [uplink]})
    open_google(daemon, pod)
    source, mark = pod.address(family), witness.mark()
    for way in (node_local(family), NODE_UPLINK[family], GATEWAY[family]):
        wire.send(*forge.routed(spoof.udp(source, way, 4400, 53, b"routed"), UNLISTED[family]),
                  *forge.routed(forge.tcp(source, way, 4400, 53, forge.SYN), UNLISTED[family]),
                  *forge.routed(spoof.udp(source, way, 4400, 443, b"routed"), UNLISTED[family]))
        if family == 6:
            for kind in DISCOVERY + REPORTS:
                wire.send(*forge.routed(forge.icmp6(source, way, kind), UNLISTED[6]))
    witness.only(mark)


@pytest.mark.parametrize("intercept", [True, False])
def test_nothing_leaves_for_a_listener_whose_address_is_gone(
        daemon: Daemon, lab: Lab, pod: Pod, wire: Wire, family: int, intercept: bool,
        witness: Witness) -> None:
    daemon.configure({"intercept": intercept})
    daemon.load()
    source, listener, mark = pod.address(family), node_local(family), witness.mark()
    address = f"{listener}/{32 if family == 4 else 128} dev lo"
    lab.node.ip(f"addr del {address}\n")
    try:
        for port in (53, 54):
            wire.send(spoof.udp(source, listener, 4500, port, b"strayed"),
                      forge.tcp(source, listener, 4500, port, forge.SYN),
                      forge.tcp(source, listener, 4501, port, 0, b"invalid"))
    finally:
        lab.node.ip(f"addr add {address}{' nodad' if family == 6 else ''}\n")
    witness.only(mark)


def test_tunnels_are_not_internal(daemon: Daemon, pod: Pod, wire: Wire, family: int,
                                  witness: Witness) -> None:
    """A node at their other end would send on what is in them, and not as a pod's."""
    node = INTERNET[family]  # another one of the cluster
    daemon.configure({"internal": [f"{node}/{32 if family == 4 else 128}"]})
    daemon.load()
    source, mark = pod.address(family), witness.mark()
    inner = spoof.udp(FOREIGN[family], UNLISTED[family], 4600, 443, b"tunnelled")
    wire.send(*[forge.ip(source, node, proto, inner)
                for proto in (socket.IPPROTO_IPIP, socket.IPPROTO_IPV6, socket.IPPROTO_GRE)],
              *[spoof.udp(source, node, 4600, port, b"\x08" + b"\0" * 7 + b"\x02" * 12 + inner)
                for port in (*TUNNEL_PORTS, ECHO_PORT)])
    assert len(witness.since(mark)) == 1
    witness.only(mark, to([node], ECHO_PORT, socket.IPPROTO_UDP))


def wait_given_up(lab: Lab, pod: Pod, address: str) -> None:
    """Until the node has looked for a neighbour in vain, and has said so."""
    show = ["ip", "neigh", "show", address, "dev", pod.interface]
    wait_until(lambda: "FAILED" in lab.node.run(*show, check=True).stdout, 5, address)


def test_neighbour_discovery_stays_on_its_link(daemon: Daemon, pod: Pod, wire: Wire, lab: Lab,
                                               witness: Witness) -> None:
    """Nor does what the node says of it: that a neighbour is missing, to whoever sent there."""
    missing = "fe80::99"  # the pod's own packets make the node look for it
    lab.node.sysctl(**{f"ipv6__neigh__{pod.interface}__retrans_time_ms": 20})
    mark = witness.mark()
    for kind in DISCOVERY + REPORTS:
        for source in (pod.v6, "::", "fe80::2", FOREIGN[6]):
            for destination in (UNLISTED[6], "ff05::1", "ff0e::1", missing, NODE_UPLINK6):
                wire.send(*[forge.icmp6(source, destination, kind, hops) for hops in (255, 64)])
    wait_given_up(lab, pod, missing)
    witness.only(mark)
    lab.node.sysctl(**{f"ipv6__neigh__{pod.interface}__retrans_time_ms": 1000})


def test_a_pod_is_no_router(daemon: Daemon, pod: Pod, wire: Wire, lab: Lab) -> None:
    """Even where the node takes its routes from advertisements."""
    key = f"ipv6__conf__{pod.interface}__accept_ra"
    lab.node.sysctl(**{key: 2})
    wire.send(forge.icmp6("fe80::2", "ff02::1", 134, 255, forge.ADVERT))
    ask(pod.namespace, "google.com")  # behind it, so it has been handled
    routes = lab.node.run("ip", "-6", "route", "show", "dev", pod.interface, check=True).stdout
    lab.node.sysctl(**{key: 1})
    assert "default" not in routes


def test_errors_reach_only_the_flow_they_speak_of(daemon: Daemon, pod: Pod, wire: Wire,
                                                  family: int, witness: Witness) -> None:
    """ICMP about a live flow is "related", and its own destination is the sender's choice."""
    open_google(daemon, pod)
    with dnsclient.open_tcp(pod.namespace, GOOGLE[family], 443) as flow:
        mark = witness.mark()
        inner = forge.tcp(GOOGLE[family], pod.address(family), 443, flow.getsockname()[1],
                          forge.ACK)
        for destination in (UNLISTED[family], PUBLIC_DNS[family]):
            wire.send(*forge.errors(pod.address(family), destination, inner))
        witness.only(mark)


def test_odd_frames(daemon: Daemon, pod: Pod, wire: Wire, family: int, witness: Witness) -> None:
    """A priority tag, VLANs, and hardware addresses that are not the node's own."""
    mark = witness.mark()
    packet = spoof.udp(pod.address(family), UNLISTED[family], 4500, 443, b"framed")
    for tags in ([0], [0xe000], [5], [0, 0]):
        wire.send(packet, tags=tags)
    for target in (b"\xff" * 6, b"\x01\0\x5e\0\0\x01", bytes([2, 0, 0, 0, 0, 1])):
        wire.send(packet, target=target)
    witness.only(mark)


def stop(daemon: Daemon) -> None:
    daemon.stop()


def restart(daemon: Daemon) -> None:
    daemon.stop()
    daemon.start()


def kill_loop(daemon: Daemon) -> None:
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.wait()


def kill_enforcer(daemon: Daemon) -> None:
    os.kill(daemon.enforcer_pid, signal.SIGKILL)
    daemon.wait()


def reload_often(daemon: Daemon) -> None:
    for _ in range(5):
        daemon.reload()


def flush_ruleset(daemon: Daemon) -> None:
    daemon.lab.node.run("nft", "flush", "ruleset")


EVENTS = [stop, restart, kill_loop, kill_enforcer, reload_often, flush_ruleset]


@pytest.mark.parametrize("event", EVENTS, ids=[e.__name__ for e in EVENTS])
def test_without_pause(daemon: Daemon, pod: Pod, family: int, witness: Witness,
                       event: Callable[[Daemon], None]) -> None:
    """Attacked before, while and after it happens."""
    open_google(daemon, pod)
    mark = witness.mark()
    with forge.flood(pod, attack(pod, family)) as sent:
        event(daemon)
        assert reach.connect(pod.namespace, GOOGLE[family], 443).result == "ok"
    assert sent.count > 0
    witness.only(mark, to([GOOGLE[family]], 443))


@pytest.mark.parametrize("label", [b"ok.example", b"ok\0", b"ok ", b"*", b"o\xebk", b"xok"])
def test_a_label_is_compared_as_a_whole(daemon: Daemon, pod: Pod, label: bytes) -> None:
    daemon.load(manifests.service_entry("ok.example.com", "*.wild.example.com",
                                        resolution="NONE"))
    rest = b"\x03com\0" if b"." in label else b"\x07example\x03com\0"
    query = b"\x12\x34\x01\0\0\x01" + b"\0" * 6 + bytes([len(label)]) + label + rest \
        + b"\0\x01" * 2
    reply = dnsclient.Reply(dnsclient.exchange(pod.namespace, query, node_local(4)), 0)
    assert reply.rcode == "NXDOMAIN" and not daemon.leases()
