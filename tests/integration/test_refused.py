# SPDX-License-Identifier: Apache-2.0
"""What nobody listed: refused in the kernel, at once, and never on the uplink."""

from __future__ import annotations

import socket

import pytest

import dnsclient
import manifests
import reach
import spoof
import zone
from daemon import Daemon
from dnsclient import ask, node_local
from internet import (ECHO_PORT, PUBLIC_DNS4, PUBLIC_DNS6, SINK_PORT, UDP_HOST4, UDP_HOST6)
from lab import Lab, Pod
from witness import Witness, to

GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
UNLISTED = {4: zone.UNLISTED4, 6: zone.UNLISTED6}
UDP_HOST = {4: UDP_HOST4, 6: UDP_HOST6}
PUBLIC_DNS = {4: PUBLIC_DNS4, 6: PUBLIC_DNS6}
RDTYPE = {4: "A", 6: "AAAA"}
FOREIGN = {4: "203.0.113.200", 6: "2001:db8:f::1"}


@pytest.fixture
def served(daemon: Daemon, pod: Pod, family: int) -> Daemon:
    """google.com on 443 is open to the pod."""
    daemon.load(manifests.service_entry("google.com"))
    ask(pod.namespace, "google.com", RDTYPE[family], server=node_local(family))
    assert reach.connect(pod.namespace, GOOGLE[family], 443).result == "ok"
    return daemon


def test_a_listed_name_on_another_port(served: Daemon, pod: Pod, family: int,
                                       witness: Witness) -> None:
    mark = witness.mark()
    for port in (80, 442, 444, SINK_PORT, 853):
        attempt = reach.connect(pod.namespace, GOOGLE[family], port)
        assert attempt.refused_at_once and attempt.result == reach.TCP_REFUSED
    witness.only(mark)


def test_a_listed_port_over_another_protocol(served: Daemon, pod: Pod, family: int,
                                             witness: Witness) -> None:
    """QUIC is not HTTPS over TCP."""
    mark = witness.mark()
    attempt = reach.datagram(pod.namespace, GOOGLE[family], 443)
    assert attempt.refused_at_once and attempt.result in reach.PROHIBITED
    witness.only(mark)


def test_an_address_that_another_pod_was_given(served: Daemon, other_pod: Pod, family: int,
                                               witness: Witness) -> None:
    mark = witness.mark()
    assert reach.connect(other_pod.namespace, GOOGLE[family], 443).refused_at_once
    witness.only(mark)


def test_an_address_that_nobody_listed(served: Daemon, pod: Pod, family: int,
                                       witness: Witness) -> None:
    mark = witness.mark()
    for port in (80, 443, SINK_PORT):
        attempt = reach.connect(pod.namespace, UNLISTED[family], port)
        assert attempt.refused_at_once and attempt.result == reach.TCP_REFUSED
    attempt = reach.datagram(pod.namespace, UDP_HOST[family], ECHO_PORT)
    assert attempt.refused_at_once and attempt.result in reach.PROHIBITED
    witness.only(mark)


def test_the_metadata_address(served: Daemon, pod: Pod, family: int, witness: Witness) -> None:
    mark = witness.mark()
    address = "169.254.169.254" if family == 4 else "fd00:ec2::254"
    assert reach.connect(pod.namespace, address, 80).refused_at_once
    witness.only(mark)


def test_echo_requests_and_other_protocols(served: Daemon, pod: Pod, family: int,
                                           witness: Witness) -> None:
    mark = witness.mark()
    assert pod.namespace.run("ping", "-c", "1", "-W", "1", UNLISTED[family]).returncode != 0
    for proto in (socket.IPPROTO_SCTP, socket.IPPROTO_GRE):
        address_family = socket.AF_INET if family == 4 else socket.AF_INET6
        with pod.namespace.socket(address_family, socket.SOCK_RAW, proto) as s:
            s.sendto(b"\0" * 32, (UNLISTED[family], 0))
    witness.only(mark)


def test_udp_that_is_listed_passes(daemon: Daemon, pod: Pod, family: int,
                                   witness: Witness) -> None:
    name = "four.example.com" if family == 4 else "six.example.com"
    daemon.load(manifests.service_entry(name, ports=[(ECHO_PORT, "UDP")], resolution="NONE"))
    mark = witness.mark()
    assert reach.datagram(pod.namespace, UDP_HOST[family], ECHO_PORT).refused_at_once
    ask(pod.namespace, name, RDTYPE[family], server=node_local(family))
    assert reach.datagram(pod.namespace, UDP_HOST[family], ECHO_PORT).result == "ok"
    witness.only(mark, to([UDP_HOST[family]], ECHO_PORT, socket.IPPROTO_UDP))


def test_spoofed_sources(served: Daemon, pod: Pod, other_pod: Pod, lab: Lab, family: int,
                         witness: Witness) -> None:
    """Not even as the pod that may, and not even the refusal's ICMP leaves the node."""
    mark = witness.mark()
    sources = [other_pod.address(family), FOREIGN[family], UNLISTED[family],
               "192.0.2.1" if family == 4 else "3fff::1"]
    for source in sources:
        for place in (pod, other_pod):
            if source == place.address(family):
                continue
            for destination in (UNLISTED[family], GOOGLE[family]):
                packet = spoof.udp(source, destination, 4000, 443, b"spoofed")
                reach.send_raw(place.namespace, family, packet, destination)
    packet = spoof.udp(pod.address(family), UNLISTED[family], 4000, 443, b"as itself")
    reach.send_raw(pod.namespace, family, packet, UNLISTED[family])
    witness.only(mark)


def test_a_spoofed_question_opens_nothing(served: Daemon, pod: Pod, other_pod: Pod,
                                          family: int) -> None:
    """pod asks as other_pod; the pod's own question behind it proves that it was handled."""
    query = dnsclient.make_query("google.com", RDTYPE[family]).to_wire()
    packet = spoof.udp(other_pod.address(family), node_local(family), 4000, 53, query)
    reach.send_raw(pod.namespace, family, packet, node_local(family))
    ask(pod.namespace, "google.com", RDTYPE[family], server=node_local(family))
    assert not served.leased(other_pod.address(family), [GOOGLE[family]], 443)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_a_question_to_another_server_is_ours(served: Daemon, pod: Pod, family: int, tcp: bool,
                                              witness: Witness) -> None:
    """The socket is connected: the answer must come from the address that was asked."""
    mark = witness.mark()
    for server in (PUBLIC_DNS[family], UNLISTED[family]):
        reply = ask(pod.namespace, "unlisted.example", server=server, tcp=tcp)
        assert reply.rcode == "NXDOMAIN" and reply.ede_codes() == [15]
        reply = ask(pod.namespace, "google.com", RDTYPE[family], server=server, tcp=tcp)
        assert reply.addresses() == [GOOGLE[family]]
    witness.only(mark)


def test_unlisted_may_be_dropped(daemon: Daemon, pod: Pod, family: int,
                                 witness: Witness) -> None:
    daemon.configure({"unlisted": "drop"})
    daemon.reload()
    mark = witness.mark()
    attempt = reach.connect(pod.namespace, UNLISTED[family], 443, patience_s=0.3)
    assert attempt.result == "timeout"
    witness.only(mark)


def test_listed_addresses_need_no_lookup(daemon: Daemon, pod: Pod, family: int,
                                         witness: Witness) -> None:
    """addresses: of an entry, and only on its ports."""
    prefix = f"{UNLISTED[family]}/{32 if family == 4 else 128}"
    daemon.load(manifests.service_entry("by-address.example", ports=[(80, "TCP")],
                                        resolution="NONE", addresses=[prefix]))
    mark = witness.mark()
    assert reach.connect(pod.namespace, UNLISTED[family], 80).result == "ok"
    assert reach.connect(pod.namespace, UNLISTED[family], 443).refused_at_once
    assert reach.connect(pod.namespace, GOOGLE[family], 80).refused_at_once
    witness.only(mark, to([UNLISTED[family]], 80))


def test_answers_to_the_outside_pass(daemon: Daemon, pod: Pod, lab: Lab, family: int) -> None:
    """A flow that began outside is established: a pod may serve."""
    server = pod.namespace.socket(dnsclient.family_of(pod.address(family)), socket.SOCK_STREAM)
    with server:
        server.bind((pod.address(family), 8080))
        server.listen()
        assert reach.connect(lab.internet.namespace, pod.address(family), 8080).result == "ok"


def test_another_nodes_pod_may_ask_a_dns_server_in_here(served: Daemon, pod: Pod, lab: Lab,
                                                        family: int) -> None:
    """Its address is a pod's, but it comes by the uplink: the cluster's DNS runs in a pod."""
    remote = "10.244.99.9" if family == 4 else "fd00:10:244::9909"
    server = pod.namespace.socket(dnsclient.family_of(pod.address(family)), socket.SOCK_DGRAM)
    with server:
        server.settimeout(5)
        server.bind((pod.address(family), 53))
        packet = spoof.udp(remote, pod.address(family), 4000, 53, b"a question")
        reach.send_raw(lab.internet.namespace, family, packet, pod.address(family))
        payload, source = server.recvfrom(512)
    assert payload == b"a question" and source[0] == remote
