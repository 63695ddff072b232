# SPDX-License-Identifier: Apache-2.0
"""The table by netlink: what a program may ask of it, and its leases.

nft(8) begins again whenever something changes while it looks, and never comes to an end
while commits come thick and fast.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from namespace import Namespace

TABLE_NAME = "egressd"


@dataclass(frozen=True)
class Element:
    """One lease."""

    pod: str
    destination: str
    proto: str
    port: int
    name: str
    expires_s: int


# linux/netlink.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
NETLINK_NETFILTER, NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 12, 1, 4, 0x300
NLMSG_ERROR, NLMSG_DONE, NLMSG_HEADER, NFGENMSG = 2, 3, 16, 4
NFNL_BATCH_BEGIN, NFNL_BATCH_END, SUBSYSTEM, NFPROTO_INET = 16, 17, 10, 1
MESSAGES = {"NEWTABLE": 0, "DELTABLE": 2, "DELCHAIN": 5, "NEWRULE": 6, "DELRULE": 8,
            "DELSET": 11, "GETSETELEM": 13, "DELSETELEM": 14}
TABLE_FLAGS, DORMANT = 2, 1  # of NEWTABLE


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, flags: int, number: int, family: int, resource: int,
            attributes: bytes = b"") -> bytes:
    body = struct.pack("=BBH", family, 0, socket.htons(resource)) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, flags | NLM_F_REQUEST, number, 0) + body


def change(node: Namespace, kind: str, *, name: str = "", chain: str = "") -> int:
    """One change of the table as any program may ask for it, or its errno.

    The set called name, the chain; or all of them. NEWTABLE: no rule holds any more."""
    attributes = attribute(1, TABLE_NAME.encode() + b"\0")
    if kind == "NEWTABLE":
        attributes += attribute(TABLE_FLAGS, struct.pack("!I", DORMANT))
    if name or chain:
        place = 3 if kind == "DELCHAIN" else 2
        attributes += attribute(place, (name or chain).encode() + b"\0")
    batch = message(NFNL_BATCH_BEGIN, 0, 0, 0, SUBSYSTEM)
    batch += message(SUBSYSTEM << 8 | MESSAGES[kind], NLM_F_ACK, 1, NFPROTO_INET, 0, attributes)
    batch += message(NFNL_BATCH_END, 0, 2, 0, SUBSYSTEM)
    with node.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as s:
        s.settimeout(10)
        s.bind((0, 0))
        s.send(batch)
        while True:
            reply = s.recv(65536)
            _, answered, _, number, _, error = struct.unpack_from("=IHHIIi", reply)
            if answered == NLMSG_ERROR and number == 1:
                return -error


# Of NFT_MSG_GETSETELEM and its answer.
LIST_TABLE, LIST_SET, LIST_ELEMENTS = 1, 2, 3
KEY, EXPIRATION, USERDATA = 1, 5, 6
PROTOCOLS = {6: "tcp", 17: "udp", 132: "sctp"}
KEY_PART = 4  # what every part of a concatenation is rounded up to
DUMPS_MAX = 8


def attributes_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]


def lease_of(data: bytes, size: int, now: float) -> tuple[tuple[str, str, str, int], str, float]:
    """Its key, name and end."""
    of = dict(attributes_of(data))
    key = next(value for _, value in attributes_of(of[KEY]))
    pod, destination = key[:size], key[size:2 * size]
    proto, port = key[2 * size], struct.unpack_from("!H", key, 2 * size + KEY_PART)[0]
    comment = of.get(USERDATA, b"\0\0")  # a type, a length, a text that ends with 0
    left_ms, = struct.unpack("!Q", of[EXPIRATION])
    return ((str(ipaddress.ip_address(pod)), str(ipaddress.ip_address(destination)),
             PROTOCOLS.get(proto, str(proto)), port),
            comment[2:].rstrip(b"\0").decode(), now + left_ms / 1000)


def dump(s: socket.socket, family: int) -> Iterator[tuple[tuple[str, str, str, int], str, float]]:
    """Once through the set; without what is not there, nothing."""
    wanted = attribute(LIST_TABLE, TABLE_NAME.encode() + b"\0")
    wanted += attribute(LIST_SET, f"leases{family}".encode() + b"\0")
    s.send(message(SUBSYSTEM << 8 | MESSAGES["GETSETELEM"], NLM_F_DUMP, 1, NFPROTO_INET, 0, wanted))
    while True:
        data = s.recv(1 << 20)
        now = time.monotonic()
        while data:
            length, kind = struct.unpack_from("=IH", data)
            if kind in (NLMSG_DONE, NLMSG_ERROR):
                return
            for name, value in attributes_of(data[NLMSG_HEADER + NFGENMSG:length]):
                for _, element in attributes_of(value) if name == LIST_ELEMENTS else ():
                    yield lease_of(element, 4 if family == 4 else 16, now)
            data = data[(length + 3) & ~3:]


def leases(node: Namespace) -> list[Element]:
    """Of both families. The kernel leaves out some of a set now and then while it collects what
    has ended: until a dump brings nothing new, and without what ends meanwhile."""
    found: dict[tuple[str, str, str, int], tuple[str, float]] = {}
    with node.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as s:
        s.settimeout(10)
        s.bind((0, 0))
        for family in (4, 6):
            for _ in range(DUMPS_MAX):
                known = len(found)
                found.update((key, (name, end)) for key, name, end in dump(s, family))
                if len(found) == known:
                    break
    now = time.monotonic()
    return [Element(*key, name, int(end - now)) for key, (name, end) in found.items() if end > now]
