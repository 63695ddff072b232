# SPDX-License-Identifier: Apache-2.0
"""Datagrams with a source that the sender chose."""

from __future__ import annotations

import socket
import struct

HOPS = 64


def checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packed(address: str) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


def udp(src: str, dst: str, sport: int, dport: int, payload: bytes) -> bytes:
    """A whole IP packet of either family."""
    source, destination = packed(src), packed(dst)
    size = 8 + len(payload)
    pseudo = source + destination + struct.pack("!II", size, socket.IPPROTO_UDP)
    bare = struct.pack("!HHHH", sport, dport, size, 0) + payload
    segment = struct.pack("!HHHH", sport, dport, size, checksum(pseudo + bare) or 0xffff) + payload
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, size, socket.IPPROTO_UDP, HOPS) + source \
            + destination + segment
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size, 0, 0, HOPS, socket.IPPROTO_UDP, 0) \
        + source + destination
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + segment
