# SPDX-License-Identifier: Apache-2.0
"""Packets that no honest pod sends, and the frames they come in."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lab import Pod
from namespace import Namespace
from spoof import HOPS, checksum, packed

SYN, RST, ACK = 0x02, 0x04, 0x10
ICMPV6, ROUTING, FRAGMENT = 58, 43, 44
ETH_P_IP, ETH_P_IPV6, ETH_P_8021Q = 0x0800, 0x86dd, 0x8100  # linux/if_ether.h
# Of a router advertisement: hop limit 64, no flags, a router for 1 s (RFC 4861 section 4.2).
ADVERT = struct.pack("!BBHII", 64, 0, 1, 0, 0)


def ip(src: str, dst: str, proto: int, body: bytes, *, hops: int = HOPS, ident: int = 0,
       fragment: int = 0, options: bytes = b"") -> bytes:
    """A whole packet of either family; the last three are of IPv4's header."""
    addresses = packed(src) + packed(dst)
    if ":" in dst:
        return struct.pack("!IHBB", 6 << 28, len(body), proto, hops) + addresses + body
    size = 20 + len(options)
    header = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0, size + len(body), ident, fragment,
                         hops, proto, 0) + addresses + options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def summed(src: str, dst: str, proto: int, segment: bytes, at: int) -> bytes:
    """With its checksum, which covers the addresses too, in its place."""
    pseudo = packed(src) + packed(dst) + struct.pack("!II", len(segment), proto)
    return segment[:at] + struct.pack("!H", checksum(pseudo + segment)) + segment[at + 2:]


def tcp(src: str, dst: str, sport: int, dport: int, flags: int, payload: bytes = b"") -> bytes:
    bare = struct.pack("!HHIIBBHHH", sport, dport, 1000, 1, 5 << 4, flags, 8192, 0, 0) + payload
    return ip(src, dst, socket.IPPROTO_TCP, summed(src, dst, socket.IPPROTO_TCP, bare, 16))


def icmp4(src: str, dst: str, kind: int, code: int = 0, body: bytes = b"\0" * 8) -> bytes:
    bare = struct.pack("!BBH", kind, code, 0) + body
    return ip(src, dst, socket.IPPROTO_ICMP,
              bare[:2] + struct.pack("!H", checksum(bare)) + bare[4:])


def icmp6(src: str, dst: str, kind: int, hops: int = 255, body: bytes = b"",
          code: int = 0) -> bytes:
    """Without a body: what neighbour discovery has about dst."""
    bare = struct.pack("!BBH", kind, code, 0) + (body or b"\0" * 4 + packed(dst))
    return ip(src, dst, ICMPV6, summed(src, dst, ICMPV6, bare, 2), hops=hops)


def echo(src: str, dst: str) -> bytes:
    return icmp6(src, dst, 128, HOPS, b"\0" * 8) if ":" in dst else icmp4(src, dst, 8)


def errors(src: str, dst: str, inner: bytes) -> list[bytes]:
    """Every kind of ICMP error about inner."""
    if ":" in dst:
        return [icmp6(src, dst, kind, HOPS, b"\0\0\x05\0" + inner[:60], code)
                for kind, code in ((1, 4), (2, 0), (3, 0), (4, 0))]
    return [icmp4(src, dst, kind, code, b"\0" * 4 + inner[:40])
            for kind, code in ((3, 1), (3, 3), (3, 4), (4, 0), (5, 1), (11, 0), (12, 0))]


def fragments(packet: bytes, size: int, ident: int = 0) -> list[bytes]:
    """In two, the first with size bytes behind the IP header."""
    number = ident or int.from_bytes(packet[-4:], "big") & 0xffff | 1
    if packet[0] >> 4 == 6:
        src, dst = (socket.inet_ntop(socket.AF_INET6, packet[i:i + 16]) for i in (8, 24))
        return [ip(src, dst, FRAGMENT, struct.pack("!BBHI", packet[6], 0, word, number) + part)
                for word, part in ((1, packet[40:40 + size]), (size, packet[40 + size:]))]
    src, dst = (socket.inet_ntop(socket.AF_INET, packet[i:i + 4]) for i in (12, 16))
    return [ip(src, dst, packet[9], part, ident=number, fragment=word)
            for word, part in ((0x2000, packet[20:20 + size]), (size // 8, packet[20 + size:]))]


def routed(packet: bytes, onward: str) -> list[bytes]:
    """With each kind of source route: to go on to another address from where it is sent."""
    if packet[0] >> 4 == 4:
        src, dst = (socket.inet_ntop(socket.AF_INET, packet[i:i + 4]) for i in (12, 16))
        # RFC 791: loose and strict, one address, the first of them next, an end of list
        return [ip(src, dst, packet[9], packet[20:], options=bytes([kind, 7, 4]) + packed(onward)
                   + b"\0") for kind in (131, 137)]
    src, dst = (socket.inet_ntop(socket.AF_INET6, packet[i:i + 16]) for i in (8, 24))
    # kind, segments left, and two words: RFC 5095, RFC 6275, RFC 6554, RFC 8754
    headers = [bytes([packet[6], 2, kind, 1]) + b"\0" * 4 + packed(onward) for kind in (0, 2, 3)]
    headers.append(bytes([packet[6], 4, 4, 1, 1, 0, 0, 0]) + packed(onward) + packed(dst))
    return [ip(src, dst, ROUTING, h + packet[40:], hops=packet[7]) for h in headers]


class Wire:
    """A pod's own end of its link: no kernel between it and what is sent."""

    def __init__(self, pod: Pod) -> None:
        node = pod.namespace.run("ip", "neigh", "show", "dev", "eth0", check=True).stdout
        mine = pod.namespace.run("cat", "/sys/class/net/eth0/address", check=True).stdout
        self._node = bytes.fromhex(node.split("lladdr ")[1].split()[0].replace(":", ""))
        self._mine = bytes.fromhex(mine.strip().replace(":", ""))
        self._socket = pod.namespace.inside(self._open)

    @staticmethod
    def _open() -> socket.socket:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        opened.bind(("eth0", 0))
        return opened

    def close(self) -> None:
        self._socket.close()

    def send(self, *packets: bytes, target: bytes | None = None,
             tags: Sequence[int] = ()) -> None:
        tagged = b"".join(struct.pack("!HH", ETH_P_8021Q, tag) for tag in tags)
        for packet in packets:
            kind = ETH_P_IPV6 if packet[0] >> 4 == 6 else ETH_P_IP
            self._socket.send((target or self._node) + self._mine + tagged
                              + struct.pack("!H", kind) + packet)


@dataclass
class Sent:
    count: int = 0


@contextmanager
def flood(pod: Pod, packets: Sequence[bytes]) -> Iterator[Sent]:
    """These packets again and again, from before the body until after it."""
    sent, enough, begun = Sent(), threading.Event(), threading.Event()
    wire = Wire(pod)

    def run() -> None:
        while not enough.is_set():
            wire.send(*packets)
            sent.count += len(packets)
            begun.set()

    thread = threading.Thread(target=run, name="flood", daemon=True)
    thread.start()
    try:
        begun.wait()
        yield sent
    finally:
        enough.set()
        thread.join()
        wire.close()


@contextmanager
def foreign_table(node: Namespace, kind: str, hook: str, priority: int,
                  *rules: str) -> Iterator[None]:
    """Another program's table with one chain."""
    lines = [f"type {kind} hook {hook} priority {priority}", *rules]
    text = "table inet foreign {\nchain foreign {\n" + "\n".join(lines) + "\n}\n}\n"
    node.run("nft", "-f", "-", stdin=text, check=True)
    try:
        yield
    finally:
        node.run("nft", "delete", "table", "inet", "foreign", check=True)
