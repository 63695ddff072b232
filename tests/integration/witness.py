# SPDX-License-Identifier: Apache-2.0
"""The witness: everything that leaves the node by its uplink, as the kernel sends it."""

from __future__ import annotations

import ipaddress
import itertools
import os
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from internet import DNS4, DNS6
from lab import INTERNET4, NODE_UPLINK4, NODE_UPLINK6
from namespace import Namespace

ETH_P_ALL = 0x0003  # linux/if_ether.h
PACKET_OUTGOING = 4  # linux/if_packet.h
PACKET_STATISTICS = 6
SOL_PACKET = 263
SO_RCVBUFFORCE = 33
BUFFER = 128 * 1024 * 1024  # of a whole burst, should we not be scheduled meanwhile
SNAP = 256
MARKER_PORT = 9  # discard
MARKER = b"egressd witness "
FLUSH_DEADLINE_S = 5
ICMPV6, HOP_BY_HOP, FRAGMENT = 58, 0, 44


@dataclass(frozen=True)
class Packet:
    src: str
    dst: str
    proto: int
    sport: int = 0
    dport: int = 0


Predicate = Callable[[Packet], bool]


def parse(data: bytes) -> tuple[Packet, bytes] | None:
    """An IP packet and its payload; None for what is none."""
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= 20:
        header = (data[0] & 15) * 4
        src, dst = (str(ipaddress.IPv4Address(data[i:i + 4])) for i in (12, 16))
        proto, rest = data[9], data[header:]
        first = not struct.unpack_from("!H", data, 6)[0] & 0x1fff
    elif version == 6 and len(data) >= 40:
        src, dst = (str(ipaddress.IPv6Address(data[i:i + 16])) for i in (8, 24))
        proto, rest, first = data[6], data[40:], True
        while proto in (HOP_BY_HOP, FRAGMENT) and len(rest) >= 8:
            if proto == FRAGMENT:
                first = not struct.unpack_from("!H", rest, 2)[0] & 0xfff8
            size = 8 if proto == FRAGMENT else (rest[1] + 1) * 8
            proto, rest = rest[0], rest[size:]
    else:
        return None
    if not first or proto not in (socket.IPPROTO_TCP, socket.IPPROTO_UDP) or len(rest) < 8:
        return Packet(src, dst, proto), rest
    sport, dport = struct.unpack_from("!HH", rest)
    return Packet(src, dst, proto, sport, dport), rest[8:]


class Witness:
    def __init__(self, node: Namespace, interface: str = "uplink0") -> None:
        self._node = node
        self._seen: list[Packet] = []
        self._markers: set[bytes] = set()
        self._arrived = threading.Condition()
        self._numbers = itertools.count()
        self._stop_read, self._stop_write = os.pipe()
        self._capture = node.inside(lambda: self._open(interface))
        self._thread = threading.Thread(target=self._read, name="witness", daemon=True)
        self._thread.start()

    @staticmethod
    def _open(interface: str) -> socket.socket:
        capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        try:
            capture.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        except PermissionError:  # root of a user namespace only
            capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        capture.bind((interface, ETH_P_ALL))  # from here on it sees everything
        capture.setblocking(False)
        return capture

    def close(self) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join()
        self._capture.close()
        os.close(self._stop_read)
        os.close(self._stop_write)

    def _read(self) -> None:
        poll = select.poll()
        poll.register(self._capture, select.POLLIN)
        poll.register(self._stop_read, select.POLLIN)
        while True:
            ready = [fd for fd, _ in poll.poll()]
            if self._stop_read in ready:
                return
            batch: list[tuple[Packet, bytes]] = []
            try:
                while len(batch) < 1000:
                    data, (_, _, kind, *_) = self._capture.recvfrom(SNAP)
                    parsed = parse(data) if kind == PACKET_OUTGOING else None
                    if parsed:
                        batch.append(parsed)
            except BlockingIOError:
                pass
            self._take(batch)

    def _take(self, batch: list[tuple[Packet, bytes]]) -> None:
        with self._arrived:
            for packet, payload in batch:
                if packet.dport == MARKER_PORT and payload.startswith(MARKER):
                    self._markers.add(bytes(payload))
                else:
                    self._seen.append(packet)
            self._arrived.notify_all()

    def _flush(self) -> None:
        """All that left before now has been seen when our own marker has been."""
        marker = MARKER + str(next(self._numbers)).encode() + b"."
        with self._node.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(marker, (INTERNET4, MARKER_PORT))
        with self._arrived:
            if not self._arrived.wait_for(lambda: marker in self._markers, FLUSH_DEADLINE_S):
                raise AssertionError("the witness did not see its marker")
        _, drops = struct.unpack("II", self._capture.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        assert drops == 0, f"the witness lost {drops} packets"

    def mark(self) -> int:
        """A point in the record, to ask what came after it."""
        self._flush()
        return len(self._seen)

    def since(self, mark: int) -> list[Packet]:
        self._flush()
        return self._seen[mark:]

    def only(self, mark: int, *allowed: Predicate) -> None:
        """Nothing has left since mark but what one of allowed names, and the node's own DNS."""
        rules = (is_neighbour_discovery, is_node_dns, *allowed)
        strange = [p for p in self.since(mark) if not any(rule(p) for rule in rules)]
        assert not strange, f"left the node: {len(strange)} packets, first {strange[:5]}"


def is_neighbour_discovery(p: Packet) -> bool:
    """The node's own link-local chatter: router solicitation, neighbours, multicast reports."""
    return p.proto == ICMPV6 and (p.src == "::" or ipaddress.ip_address(p.src).is_link_local)


def is_node_dns(p: Packet) -> bool:
    return p.src in (NODE_UPLINK4, NODE_UPLINK6) and p.dport == 53


def is_node_complaint(p: Packet) -> bool:
    """The kernel's "port unreachable" to an upstream whose answer finds the asker dead."""
    return (p.src, p.dst) in ((NODE_UPLINK4, DNS4), (NODE_UPLINK6, DNS6)) and p.proto in (
        socket.IPPROTO_ICMP, ICMPV6)


def to(destinations: Iterable[str], port: int, proto: int = socket.IPPROTO_TCP) -> Predicate:
    """Packets of any pod to these addresses, this protocol and port."""
    wanted = {str(ipaddress.ip_address(d)) for d in destinations}
    return lambda p: p.dst in wanted and p.proto == proto and p.dport == port


def within(network: ipaddress.IPv4Network | ipaddress.IPv6Network, port: int) -> Predicate:
    return lambda p: (p.proto == socket.IPPROTO_TCP and p.dport == port
                      and ipaddress.ip_address(p.dst) in network)
