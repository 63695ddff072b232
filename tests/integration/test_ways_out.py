# SPDX-License-Identifier: Apache-2.0
"""Ways out beside TCP and UDP to an address: refused unless listed. And what must go on."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator

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
from internet import (DNS4, DNS6, ECHO_PORT, PUBLIC_DNS4, PUBLIC_DNS6, UDP_HOST4, UDP_HOST6)
from lab import (GATEWAY4, GATEWAY6, INTERNET4, INTERNET6, NODE_LOCAL4, NODE_LOCAL6, NODE_UPLINK4,
                 NODE_UPLINK6, Lab, Pod, mac)
from witness import Witness, to

GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
UNLISTED = {4: zone.UNLISTED4, 6: zone.UNLISTED6}
PUBLIC_DNS = {4: PUBLIC_DNS4, 6: PUBLIC_DNS6}
UDP_HOST = {4: UDP_HOST4, 6: UDP_HOST6}
INTERNET = {4: INTERNET4, 6: INTERNET6}
DNS = {4: DNS4, 6: DNS6}
METADATA = {4: "169.254.169.254", 6: "fd00:ec2::254"}
RDTYPE = {4: "A", 6: "AAAA"}
UDP_NAME = {4: "four.example.com", 6: "six.example.com"}
LISTENER_PORT = 9999
HOP_BY_HOP, DESTINATION, AUTHENTICATION, MOBILITY, HIP, SHIM6 = 0, 60, 51, 135, 139, 140
# Of a node's own: what a pod could send to without anything leaving.
NODES = {4: ["127.0.0.1", NODE_UPLINK4, NODE_LOCAL4, GATEWAY4, "224.0.0.1", "224.0.0.251",
             "239.1.2.3", "255.255.255.255", "192.0.2.255"],
         6: ["::1", NODE_UPLINK6, NODE_LOCAL6, GATEWAY6, "ff02::1", "ff02::2", "ff02::fb",
             "ff05::1:3", "ff0e::1", "ff01::1", "::ffff:192.0.2.1"]}
GROUPS = {4: ["224.0.0.251", "239.1.2.3"], 6: ["ff02::fb", "ff05::1:3", "ff0e::1"]}


@pytest.fixture
def served(daemon: Daemon, pod: Pod) -> Daemon:
    """google.com on 443 is open to the pod in both families."""
    daemon.load(manifests.service_entry("google.com"))
    for family in (4, 6):
        ask(pod.namespace, "google.com", RDTYPE[family], server=node_local(family))
    return daemon


def test_every_protocol_number(served: Daemon, pod: Pod, wire: Wire, family: int,
                               witness: Witness) -> None:
    """Tunnels of either family in the other among them, and to the listed address too."""
    source, mark = pod.address(family), witness.mark()
    inner = spoof.udp(pod.v4, UNLISTED[4], 4000, 443, b"within")
    for destination in (UNLISTED[family], GOOGLE[family], PUBLIC_DNS[family]):
        for proto in range(256):
            if proto == socket.IPPROTO_TCP:
                continue  # these bytes are port 0x4500, tested elsewhere
            wire.send(forge.ip(source, destination, proto, inner))
    witness.only(mark)


def chain(kinds: list[int], last: int, body: bytes) -> tuple[int, bytes]:
    """The first header's number, and headers of these kinds in front of body."""
    for kind in reversed(kinds):
        if kind == AUTHENTICATION:  # RFC 4302: its length in words, less two
            head = bytes([last, 4]) + b"\0" * 22
        elif kind == forge.FRAGMENT:  # RFC 6946: atomic
            head = struct.pack("!BBHI", last, 0, 0, 7)
        else:  # a PadN of four bytes
            head = bytes([last, 0, 1, 4]) + b"\0" * 4
        last, body = kind, head + body
    return last, body


CHAINS = [[HOP_BY_HOP], [DESTINATION], [HOP_BY_HOP, DESTINATION], [DESTINATION] * 3,
          [forge.FRAGMENT], [DESTINATION, forge.FRAGMENT], [forge.FRAGMENT, DESTINATION],
          [AUTHENTICATION], [MOBILITY], [HIP], [SHIM6], [DESTINATION, AUTHENTICATION],
          [HOP_BY_HOP, HOP_BY_HOP], [DESTINATION] * 12]


def test_extension_headers(served: Daemon, pod: Pod, wire: Wire, witness: Witness) -> None:
    """A port is no other one behind headers, and DNS is not to be hidden behind them."""
    mark = witness.mark()
    query = dnsclient.make_query("unlisted.example").to_wire()
    for i, kinds in enumerate(CHAINS):
        for packet in (spoof.udp(pod.v6, UNLISTED[6], 4100 + i, 443, b"behind"),
                       forge.tcp(pod.v6, UNLISTED[6], 4100 + i, 443, forge.SYN),
                       forge.tcp(pod.v6, GOOGLE[6], 4100 + i, 80, forge.SYN),
                       spoof.udp(pod.v6, PUBLIC_DNS[6], 4100 + i, 53, query),
                       forge.tcp(pod.v6, PUBLIC_DNS[6], 4100 + i, 53, forge.SYN),
                       forge.echo(pod.v6, UNLISTED[6])):
            number, body = chain(kinds, packet[6], packet[40:])
            dst = socket.inet_ntop(socket.AF_INET6, packet[24:40])
            wire.send(forge.ip(pod.v6, dst, number, body))
            wire.send(*forge.fragments(forge.ip(pod.v6, dst, number, body), 8))
    witness.only(mark)


def test_ip_options(served: Daemon, pod: Pod, wire: Wire, witness: Witness) -> None:
    """Record route, timestamp, router alert, security, and padding to the longest header."""
    mark = witness.mark()
    options = [bytes([7, 7, 4, 0, 0, 0, 0, 0]), bytes([68, 8, 5, 0, 0, 0, 0, 0]),
               bytes([148, 4, 0, 0]), bytes([130, 4, 0, 0]), b"\x01" * 40]
    for option in options:
        for packet in (spoof.udp(pod.v4, UNLISTED[4], 4200, 443, b"options"),
                       forge.tcp(pod.v4, GOOGLE[4], 4200, 80, forge.SYN),
                       spoof.udp(pod.v4, PUBLIC_DNS[4], 4200, 53, b"options")):
            dst = socket.inet_ntop(socket.AF_INET, packet[16:20])
            wire.send(forge.ip(pod.v4, dst, packet[9], packet[20:], options=option))
    witness.only(mark)


@pytest.mark.parametrize("port", [853, 5353, 5355, 784, 8853])
def test_dns_by_other_ports(served: Daemon, pod: Pod, family: int, port: int,
                            witness: Witness) -> None:
    mark = witness.mark()
    assert reach.connect(pod.namespace, PUBLIC_DNS[family], port).refused_at_once
    assert reach.datagram(pod.namespace, PUBLIC_DNS[family], port).refused_at_once
    witness.only(mark)


def test_dns_in_fragments(served: Daemon, pod: Pod, wire: Wire, family: int,
                          witness: Witness) -> None:
    """Put together they are a query, and ours; what is missing a part goes nowhere."""
    source, mark = pod.address(family), witness.mark()
    query = dnsclient.make_query("google.com", RDTYPE[family]).to_wire()
    before = served.status()["queries"]
    for i, size in enumerate((8, 16, 24)):
        whole = spoof.udp(source, PUBLIC_DNS[family], 4300 + i, 53, query)
        wire.send(*forge.fragments(whole, size, 100 + i))
        wire.send(forge.fragments(whole, size, 200 + i)[1])
        wire.send(forge.fragments(whole, size, 300 + i)[0])
    wait_until(lambda: served.status()["queries"] >= before + 3, 5, "queries put together")
    witness.only(mark)


def test_a18_sources_that_are_nobodys(served: Daemon, pod: Pod, wire: Wire, family: int,
                                      witness: Witness) -> None:
    sources = {4: ["0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.1", NODE_UPLINK4,
                   NODE_LOCAL4, GATEWAY4, INTERNET4, "10.244.0.0", "10.244.255.255"],
               6: ["::", "::1", "ff02::1", "fe80::1", "fe80::2", NODE_UPLINK6, NODE_LOCAL6,
                   INTERNET6, "::ffff:10.244.0.1", "64:ff9b::1", "fd00:10:244::"]}[family]
    mark = witness.mark()
    for source in sources:
        for destination in (UNLISTED[family], GOOGLE[family], PUBLIC_DNS[family]):
            for port in (53, 443):
                wire.send(spoof.udp(source, destination, 4400, port, b"spoofed"),
                          forge.tcp(source, destination, 4400, port, forge.SYN))
            wire.send(forge.echo(source, destination))
    witness.only(mark)


@pytest.fixture
def listener(lab: Lab, pod: Pod, family: int) -> Iterator[socket.socket]:
    """On all addresses of the node and some groups, of a node that gives all away."""
    keys = [f"ipv4__conf__{place}__{key}" for place in ("all", pod.interface)
            for key in ("route_localnet", "bc_forwarding")]
    lab.node.sysctl(**dict.fromkeys(keys, 1))
    index = lab.node.inside(lambda: socket.if_nametoindex(pod.interface))
    made = lab.node.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    made.bind(("", LISTENER_PORT))
    made.setblocking(False)
    for group in GROUPS[family]:
        if family == 4:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            socket.inet_aton(group) + struct.pack("=4xi", index))
        else:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                            spoof.packed(group) + struct.pack("@I", index))
    yield made
    made.close()
    lab.node.sysctl(**dict.fromkeys(keys, 0))


def heard(listener: socket.socket) -> set[str]:
    """Whatever has arrived, by its text."""
    texts = set()
    while True:
        try:
            texts.add(listener.recv(200).decode())
        except BlockingIOError:
            return texts


def test_the_node_itself_multicast_and_broadcast(served: Daemon, pod: Pod, wire: Wire,
                                                 listener: socket.socket, family: int,
                                                 witness: Witness) -> None:
    def send(source: str) -> None:
        for address in NODES[family]:
            packet = spoof.udp(source, address, 4500, LISTENER_PORT, address.encode())
            wire.send(packet)
            if address.startswith(("ff", "22", "23", "255")):
                wire.send(packet, target=b"\xff" * 6)
        ask(pod.namespace, "google.com")  # behind them, so they have been handled

    mark = witness.mark()
    send(pod.address(family))
    if family == 6:
        send("fe80::2")
        send("::")
    assert heard(listener) == set()
    witness.only(mark)
    served.load(mode="ALLOW_ANY")  # it would have heard
    send(pod.address(family))
    assert NODES[family][1] in heard(listener) and len(NODES[family]) > 3


def test_link_local_addresses_of_the_node(served: Daemon, pod: Pod, lab: Lab) -> None:
    with lab.node.socket(socket.AF_INET6, socket.SOCK_STREAM) as server, \
            pod.namespace.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
        server.bind(("::", 8080))
        server.listen()
        client.settimeout(0.3)
        index = pod.namespace.inside(lambda: socket.if_nametoindex("eth0"))
        with pytest.raises(OSError):
            client.connect((GATEWAY6, 8080, 0, index))


def test_another_pod(daemon: Daemon, pod: Pod, other_pod: Pod, family: int) -> None:
    """It is not listed either, unless its range is internal."""
    daemon.configure({"internal": ["10.96.0.0/12"]})
    daemon.load()
    with other_pod.namespace.socket(dnsclient.family_of(other_pod.address(family)),
                                    socket.SOCK_STREAM) as server:
        server.bind((other_pod.address(family), 8080))
        server.listen()
        assert reach.connect(pod.namespace, other_pod.address(family), 8080).refused_at_once


def test_the_metadata_address_is_open_only_where_it_is_listed(
        daemon: Daemon, pod: Pod, other_pod: Pod, family: int, witness: Witness) -> None:
    """Ahead of internal ranges, and of ranges that hold it."""
    wide = "169.254.0.0/16" if family == 4 else "fd00::/8"
    daemon.configure({"internal": [wide]})
    daemon.load()
    mark = witness.mark()
    for port in (80, 443):
        assert reach.connect(pod.namespace, METADATA[family], port).refused_at_once
        assert reach.datagram(pod.namespace, METADATA[family], port).refused_at_once
    witness.only(mark)
    daemon.load(manifests.service_entry("metadata.listed", ports=[(80, "TCP")], resolution="NONE",
                                        addresses=[METADATA[family]]))
    mark = witness.mark()
    assert not reach.connect(pod.namespace, METADATA[family], 80, 0.2).refused_at_once
    assert reach.connect(pod.namespace, METADATA[family], 443).refused_at_once
    assert len(witness.since(mark)) > 0
    witness.only(mark, to([METADATA[family]], 80))


@pytest.mark.parametrize("addresses", [True, False], ids=["addresses", "endpoint"])
def test_a_name_of_the_metadata_address(daemon: Daemon, pod: Pod, family: int,
                                        addresses: bool) -> None:
    """It takes no lease: the entry's addresses open it, and an endpoint alone does not."""
    listed = {"addresses": [METADATA[family]]} if addresses else {}
    daemon.load(manifests.service_entry("metadata.listed", ports=[(80, "TCP")], resolution="STATIC",
                                        endpoints=[{"address": METADATA[family]}], **listed))
    reply = dnsclient.ask(pod.namespace, "metadata.listed", "A" if family == 4 else "AAAA",
                          server=dnsclient.node_local(family))
    assert reply.addresses() == ([METADATA[family]] if addresses else [])
    assert reply.rcode == ("NOERROR" if addresses else "SERVFAIL")
    assert daemon.leases() == []
    refused = reach.connect(pod.namespace, METADATA[family], 80, 0.2).refused_at_once
    assert refused == (not addresses)


# What must go on


def test_neighbours_are_found(served: Daemon, pod: Pod, lab: Lab) -> None:
    """The node looks for the pod and the pod for the node."""
    number = int(pod.interface.removeprefix("vethpod"))
    lab.node.ip(f"neigh del {pod.v6} dev {pod.interface}\n")
    pod.namespace.ip(f"neigh del {GATEWAY6} dev eth0\n")
    try:
        assert reach.connect(pod.namespace, GOOGLE[6], 443).result == "ok"
    finally:
        lab.node.ip(f"neigh replace {pod.v6} lladdr {mac(number, 2)} dev {pod.interface} "
                    "nud permanent\n")
        pod.namespace.ip(f"neigh replace {GATEWAY6} lladdr {mac(number, 1)} dev eth0 "
                         "nud permanent\n")


@pytest.fixture
def stream(daemon: Daemon, pod: Pod, family: int) -> Iterator[socket.socket]:
    """A socket of the pod's that may send to the UDP echo, and never in fragments."""
    daemon.load(manifests.service_entry(UDP_NAME[family], ports=[(ECHO_PORT, "UDP")],
                                        resolution="NONE"))
    ask(pod.namespace, UDP_NAME[family], RDTYPE[family], server=node_local(family))
    s = pod.namespace.socket(dnsclient.family_of(UDP_HOST[family]), socket.SOCK_DGRAM)
    if family == 4:
        s.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO
    else:
        s.setsockopt(socket.IPPROTO_IPV6, 23, 2)  # IPV6_MTU_DISCOVER
    s.settimeout(5)
    s.connect((UDP_HOST[family], ECHO_PORT))
    yield s
    s.close()
    pod.namespace.run("ip", "route", "flush", "cache")
    pod.namespace.run("ip", "-6", "route", "flush", "cache")


def path_mtu(s: socket.socket) -> int:
    if s.family == socket.AF_INET:
        return s.getsockopt(socket.IPPROTO_IP, 14)  # IP_MTU
    return s.getsockopt(socket.IPPROTO_IPV6, 24)  # IPV6_MTU


def test_the_node_tells_the_path_mtu(stream: socket.socket, lab: Lab) -> None:
    lab.node.ip("link set uplink0 mtu 1400\n")
    try:
        with pytest.raises(OSError) as told:
            stream.send(b"x" * 1440)
            stream.recv(2048)
        assert told.value.errno == errno.EMSGSIZE and path_mtu(stream) == 1400
        stream.send(b"small")
        assert stream.recv(2048) == b"small"
    finally:
        lab.node.ip("link set uplink0 mtu 1500\n")


def test_a_router_beyond_tells_the_path_mtu(stream: socket.socket, pod: Pod, lab: Lab,
                                            family: int) -> None:
    stream.send(b"first")
    assert stream.recv(2048) == b"first"
    inner = spoof.udp(pod.address(family), UDP_HOST[family], stream.getsockname()[1], ECHO_PORT,
                      b"x" * 20)
    if family == 4:
        packet = forge.icmp4(INTERNET4, pod.v4, 3, 4, struct.pack("!HH", 0, 1300) + inner)
    else:
        packet = forge.icmp6(INTERNET6, pod.v6, 2, 64, struct.pack("!I", 1300) + inner)
    reach.send_raw(lab.internet.namespace, family, packet, pod.address(family))
    with pytest.raises(OSError) as told:
        stream.recv(2048)
    assert told.value.errno == errno.EMSGSIZE and path_mtu(stream) == 1300


def test_a_pod_says_that_a_port_is_closed(served: Daemon, pod: Pod, lab: Lab,
                                          family: int) -> None:
    """An error about a flow that began outside."""
    attempt = reach.datagram(lab.internet.namespace, pod.address(family), LISTENER_PORT)
    assert attempt.result == "ECONNREFUSED"


def test_the_nodes_own_queries_are_not_ours(served: Daemon, lab: Lab, pod: Pod,
                                            family: int) -> None:
    """Nothing but pods is caught, so nothing goes round."""
    before = served.status()
    reply = ask(lab.node, "unlisted.example", RDTYPE[family], server=DNS[family])
    assert reply.rcode == "NOERROR" and reply.ede_codes() == []
    assert served.status()["queries"] == before["queries"]
    ask(pod.namespace, "google.com", RDTYPE[family], server=PUBLIC_DNS[family])
    after = served.status()
    assert after["queries"] == before["queries"] + 1
    assert after["upstream_tries"] <= before["upstream_tries"] + 1
