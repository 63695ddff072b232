# SPDX-License-Identifier: Apache-2.0
"""A reload ends the established flows of what it withdraws, and no others."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

import manifests
import nft
import reach
import zone
from daemon import Daemon, Record, is_event
from dnsclient import ask, node_local
from lab import Lab, Pod
from namespace import family_of
from test_pods import here

RDTYPE = {4: "A", 6: "AAAA"}
GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
PORT = 9999  # nobody else's
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
PROTOCOL = {TCP: "TCP", UDP: "UDP"}
STAYS = {4: "four.example.com", 6: "six.example.com"}
IPV6_FREEBIND = 78  # linux/in6.h
CUT = {"ECONNRESET", "ECONNREFUSED", "EHOSTUNREACH", "EACCES", "EPIPE"}


def going(kind: int) -> manifests.Manifest:
    return manifests.service_entry("google.com", ports=[(PORT, PROTOCOL[kind])])


def staying(kind: int) -> list[manifests.Manifest]:
    return [manifests.service_entry(name, ports=[(PORT, PROTOCOL[kind])])
            for name in STAYS.values()]


class Flow:
    """Both ends of a flow from a pod to the internet, in this process."""

    def __init__(self, lab: Lab, pod: Pod, address: str, kind: int,
                 served_at: str | None = None) -> None:
        family = family_of(address)
        internet = lab.internet.namespace
        self._listener = internet.socket(family, kind)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            self._listener.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        self._listener.bind((served_at or address, PORT))
        self.pod = pod.namespace.socket(family, kind)
        for s in (self._listener, self.pod):
            s.settimeout(3)
        if kind == TCP:
            self._listener.listen()
        self.pod.connect((address, PORT))
        if kind == TCP:
            self.server = self._listener.accept()[0]
            self.server.settimeout(3)
        else:
            self.pod.send(b"first")
            _, peer = self._listener.recvfrom(16)
            self.server = self._listener
            self.server.connect(peer)
        assert self.answers()

    def answers(self) -> bool:
        """There and back; UDP's errors come with the next call."""
        self.pod.send(b"ping")
        if self.server.recv(16) != b"ping":
            return False
        self.server.send(b"pong")
        return self.pod.recv(16) == b"pong"

    def is_cut(self) -> bool:
        """The pod's next packet is refused, and nothing of it comes there."""
        try:
            for _ in range(3):
                self.pod.send(b"after")
                assert self.pod.recv(16).startswith(b"more"), "what the other end had sent itself"
        except OSError as e:
            assert errno.errorcode.get(e.errno or 0, "timeout") in CUT, e
        self.server.setblocking(False)
        try:
            return self.server.recv(16) == b""
        except BlockingIOError:
            return True

    def close(self) -> None:
        for s in (self.pod, self.server, self._listener):
            s.close()


def look_up(pod: Pod, family: int, name: str = "google.com") -> str:
    return ask(pod.namespace, name, RDTYPE[family], server=node_local(family)).addresses()[0]


def reload_that_cuts(daemon: Daemon, *entries: manifests.Manifest,
                     mode: str | None = "REGISTRY_ONLY") -> Record:
    mark = daemon.log.mark()
    daemon.load(*entries, mode=mode)
    return daemon.log.wait_for(is_event("flows_cut"), since=mark)


@pytest.fixture(params=[TCP, UDP], ids=["tcp", "udp"])
def kind(request: pytest.FixtureRequest) -> int:
    return request.param


def test_a_withdrawn_flow_ends_and_another_lives_on(daemon: Daemon, lab: Lab, pod: Pod,
                                                    family: int, kind: int) -> None:
    daemon.load(going(kind), *staying(kind))
    with closing(Flow(lab, pod, look_up(pod, family), kind)) as gone, \
            closing(Flow(lab, pod, look_up(pod, family, STAYS[family]), kind)) as stays:
        reload_that_cuts(daemon, *staying(kind))
        assert gone.is_cut()
        assert stays.answers()


def test_the_other_end_cannot_go_on(daemon: Daemon, lab: Lab, pod: Pod, family: int,
                                    kind: int) -> None:
    """What it sends makes conntrack take it for one who begins, and the pod's for replies."""
    daemon.load(going(kind))
    with closing(Flow(lab, pod, look_up(pod, family), kind)) as gone:
        reload_that_cuts(daemon)
        for _ in range(2):
            gone.server.send(b"more")
        assert gone.is_cut()


def test_flows_may_be_left_alone(daemon: Daemon, lab: Lab, pod: Pod, family: int,
                                 kind: int) -> None:
    daemon.configure({"revoke": "leases"})
    daemon.load(going(kind))
    with closing(Flow(lab, pod, look_up(pod, family), kind)) as flow:
        daemon.load()
        assert daemon.leases() == []
        assert flow.answers()


def test_what_something_else_allows_lives_on(daemon: Daemon, lab: Lab, pod: Pod, family: int,
                                             kind: int) -> None:
    """Another name that led there, or an address that is listed."""
    google = [(PORT, PROTOCOL[kind])]
    other = manifests.service_entry("www.google.com", ports=google)
    listed = manifests.service_entry("listed.example", ports=google, resolution="NONE",
                                     addresses=list(GOOGLE.values()))
    daemon.load(going(kind), other, *staying(kind))
    look_up(pod, family, "www.google.com")
    with closing(Flow(lab, pod, look_up(pod, family), kind)) as flow, \
            closing(Flow(lab, pod, look_up(pod, family, STAYS[family]), kind)) as gone:
        daemon.load(other, *staying(kind))
        assert flow.answers()
        reload_that_cuts(daemon, listed)
        assert gone.is_cut() and flow.answers()


def test_a_translated_flow_is_known_by_what_the_pod_asked_for(daemon: Daemon, lab: Lab, pod: Pod,
                                                              family: int, kind: int) -> None:
    """As kube-proxy does it: replies come from another address."""
    vip = {4: "198.51.100.200", 6: "2001:db8::200"}[family]
    entry = manifests.service_entry("vip.example", ports=[(PORT, PROTOCOL[kind])],
                                    resolution="STATIC", endpoints=[{"address": vip}])
    ip = {4: "ip", 6: "ip6"}[family]
    lab.node.run("nft", "-f", "-", check=True, stdin=f"""table inet services {{
  chain c {{
    type nat hook prerouting priority dstnat;
    {ip} daddr {vip} dnat {ip} to {GOOGLE[family]};
  }}
}}
""")
    try:
        daemon.load(entry)
        assert look_up(pod, family, "vip.example") == vip
        with closing(Flow(lab, pod, vip, kind, served_at=GOOGLE[family])) as flow:
            reload_that_cuts(daemon)
            assert flow.is_cut()
    finally:
        lab.node.run("nft", "delete", "table", "inet", "services", check=True)


def test_an_address_that_changes_hands_takes_no_flow_along(daemon: Daemon, lab: Lab, pod: Pod,
                                                           other_pod: Pod, family: int,
                                                           kind: int) -> None:
    neighbour = here(other_pod, "neighbour")
    daemon.load(here(pod, "a"), neighbour, going(kind), *staying(kind))
    look_up(other_pod, family)
    with closing(Flow(lab, pod, look_up(pod, family), kind)) as gone, \
            closing(Flow(lab, other_pod, look_up(other_pod, family, STAYS[family]),
                         kind)) as stays:
        reload_that_cuts(daemon, here(pod, "b"), neighbour, going(kind), *staying(kind))
        assert gone.is_cut() and stays.answers()


def test_flows_from_before_registry_only_end(daemon: Daemon, lab: Lab, pod: Pod, family: int,
                                             kind: int) -> None:
    public = {4: zone.PUBLIC4, 6: zone.PUBLIC6}[family]
    daemon.configure({"internal": [public]})
    daemon.load(mode="ALLOW_ANY")
    with closing(Flow(lab, pod, GOOGLE[family], kind)) as gone, \
            closing(Flow(lab, pod, public, kind)) as internal:
        reload_that_cuts(daemon)
        assert gone.is_cut() and internal.answers()


def test_flows_outlive_the_way_to_allow_any(daemon: Daemon, lab: Lab, pod: Pod, family: int,
                                            kind: int) -> None:
    daemon.load(going(kind), *staying(kind))
    with closing(Flow(lab, pod, look_up(pod, family), kind)) as flow:
        daemon.load(mode="ALLOW_ANY")
        assert daemon.leases() == [] and flow.answers()


def test_more_flows_than_are_cut_together(daemon: Daemon, lab: Lab, family: int) -> None:
    count, pod = 300, lab.pods[3]  # which no other test here has flows of
    daemon.load(going(UDP))
    address = look_up(pod, family)
    open_sockets = []
    for _ in range(count):
        s = pod.namespace.socket(family_of(address), UDP)
        s.connect((address, PORT))
        s.send(b"one")
        open_sockets.append(s)
    assert reload_that_cuts(daemon)["EGRESSD_FLOWS"] == str(count)
    for s in open_sockets:
        s.close()


def test_a_crash_on_the_way_to_the_flows_is_made_good(daemon: Daemon, lab: Lab, pod: Pod,
                                                      family: int, kind: int) -> None:
    """The lease has gone, the pass has not come to its flow: nobody else may know of it."""
    daemon.load(going(kind), *staying(kind))
    with closing(Flow(lab, pod, look_up(pod, family), kind)) as gone, \
            closing(Flow(lab, pod, look_up(pod, family, STAYS[family]), kind)) as stays:
        daemon.stop()
        lease = next(e for e in daemon.leases() if e.name == "google.com")
        change = (f"delete element inet egressd leases{family} {{ {lease.pod} . "
                  f"{lease.destination} . {lease.proto} . {lease.port} }}; "
                  "add element inet egressd cut4 { 0.0.0.0 . 0.0.0.0 . 0 . 0 }")
        lab.node.run("nft", change, check=True)
        daemon.register(*staying(kind))
        daemon.start()
        daemon.log.wait_for(is_event("flows_cut"))
        assert gone.is_cut()
        assert stays.answers()
        assert "unfinished" not in lab.node.run("nft", "list", "table", *nft.TABLE).stdout
