# SPDX-License-Identifier: Apache-2.0
"""A DNS client that shows bytes: what a pod asks and exactly what it gets."""

from __future__ import annotations

import random
import select
import socket
import struct
import time
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from lab import NODE_LOCAL4, NODE_LOCAL6
from namespace import Namespace, family_of

EDE_OPTION = 15  # RFC 8914
DEADLINE_S = 6.0


@dataclass
class Reply:
    wire: bytes
    took_s: float
    message: dns.message.Message = field(init=False)

    def __post_init__(self) -> None:
        self.message = dns.message.from_wire(self.wire)

    @property
    def rcode(self) -> str:
        return dns.rcode.to_text(self.message.rcode())

    @property
    def truncated(self) -> bool:
        return bool(self.message.flags & dns.flags.TC)

    def addresses(self) -> list[str]:
        return sorted(rr.address for rrset in self.message.answer for rr in rrset
                      if rr.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA))

    @property
    def ttl(self) -> int:
        return min(rrset.ttl for rrset in self.message.answer)

    @property
    def has_soa(self) -> bool:
        return any(r.rdtype == dns.rdatatype.SOA for r in self.message.authority)

    def ede(self) -> list[tuple[int, str]]:
        """Extended DNS Errors: code and text."""
        found = []
        for option in self.message.options:
            if int(option.otype) == EDE_OPTION:
                data = option.to_wire()
                found.append((struct.unpack("!H", data[:2])[0], data[2:].decode()))
        return found

    def ede_codes(self) -> list[int]:
        return [code for code, _ in self.ede()]


def make_query(name: str, rdtype: str = "A", *, edns: bool = True,
               payload: int = 1232) -> dns.message.Message:
    query = dns.message.make_query(name, rdtype, use_edns=0 if edns else -1, payload=payload)
    query.id = random.randrange(65536)
    return query


def node_local(family: int) -> str:
    return NODE_LOCAL4 if family == 4 else NODE_LOCAL6


def open_udp(place: Namespace, server: str, port: int = 53) -> socket.socket:
    """Connected: the kernel drops what comes from anybody but server."""
    s = place.socket(family_of(server), socket.SOCK_DGRAM)
    s.settimeout(DEADLINE_S)
    s.connect((server, port))
    return s


def open_tcp(place: Namespace, server: str, port: int = 53) -> socket.socket:
    s = place.socket(family_of(server), socket.SOCK_STREAM)
    s.settimeout(DEADLINE_S)
    s.connect((server, port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def ask_many(place: Namespace, names: list[str]) -> socket.socket:
    """Ask over UDP, all at once, and read no reply."""
    s = open_udp(place, NODE_LOCAL4)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    for name in names:
        s.send(make_query(name).to_wire())
    return s


def replies(s: socket.socket, at_least: int, patience_s: float = 5) -> int:
    """Count them: wait for at_least, then take what is there."""
    count = 0
    while select.select([s], [], [], patience_s if count < at_least else 0)[0]:
        s.recv(4096)
        count += 1
    return count


def frame(wire: bytes) -> bytes:
    return struct.pack("!H", len(wire)) + wire


def read_exactly(s: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = s.recv(size - len(data))
        if not more:
            raise EOFError(f"the connection ended after {len(data)} of {size} bytes")
        data += more
    return data


def read_frame(s: socket.socket) -> bytes:
    return read_exactly(s, struct.unpack("!H", read_exactly(s, 2))[0])


def exchange(place: Namespace, wire: bytes, server: str, *, tcp: bool = False,
             timeout: float = DEADLINE_S) -> bytes:
    """Raw bytes there and back; TimeoutError when nothing comes."""
    with (open_tcp if tcp else open_udp)(place, server) as s:
        s.settimeout(timeout)
        s.sendall(frame(wire) if tcp else wire)
        return read_frame(s) if tcp else s.recv(65535)


WINDOW = 50  # whose answers, of a kilobyte each, a socket has room for


def ask_each(place: Namespace, names: list[str], rdtype: str = "A", *,
             server: str = NODE_LOCAL4) -> list[bytes]:
    """Over UDP, some at once; each is answered somehow."""
    replies = []
    with open_udp(place, server) as s:
        for i in range(0, len(names), WINDOW):
            some = names[i:i + WINDOW]
            for name in some:
                s.send(make_query(name, rdtype).to_wire())
            replies += [s.recv(4096) for _ in some]
    return replies


def ask(place: Namespace, name: str, rdtype: str = "A", *, server: str = NODE_LOCAL4,
        tcp: bool = False, edns: bool = True, payload: int = 1232) -> Reply:
    query = make_query(name, rdtype, edns=edns, payload=payload)
    start = time.monotonic()
    wire = exchange(place, query.to_wire(), server, tcp=tcp)
    reply = Reply(wire, time.monotonic() - start)
    assert query.is_response(reply.message), "a reply to another question"
    return reply


@dataclass(frozen=True)
class Way:
    """How a pod asks: for a name of its own, and for addresses of the family that it asks over."""

    family: int
    tcp: bool

    def __str__(self) -> str:
        return f"{'tcp' if self.tcp else 'udp'}{self.family}"

    @property
    def name(self) -> str:
        return f"{self}.example"

    @property
    def rdtype(self) -> str:
        return "A" if self.family == 4 else "AAAA"

    def ask(self, place: Namespace, name: str = "") -> Reply:
        return ask(place, name or self.name, self.rdtype, server=node_local(self.family),
                   tcp=self.tcp)

    def send(self, place: Namespace, query: dns.message.Message) -> Reply:
        return Reply(exchange(place, query.to_wire(), node_local(self.family), tcp=self.tcp), 0)


WAYS = [Way(family, tcp) for family in (4, 6) for tcp in (False, True)]
