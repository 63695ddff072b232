# SPDX-License-Identifier: Apache-2.0
"""What the kernel holds, by nft's own JSON."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass
from typing import Any

from namespace import Namespace

TABLE = ("inet", "egressd")


@dataclass(frozen=True)
class Element:
    """One lease."""

    pod: str
    destination: str
    proto: str
    port: int
    name: str
    expires_s: int


def table(node: Namespace) -> list[dict[str, Any]] | None:
    """All objects of the table; None when it is not there."""
    listed = node.run("nft", "-j", "list", "table", *TABLE)
    if listed.returncode:
        return None
    return json.loads(listed.stdout)["nftables"]


def elements(node: Namespace, family: int) -> list[Element]:
    listed = node.run("nft", "-j", "list", "set", *TABLE, f"leases{family}", check=True)
    found = []
    for item in json.loads(listed.stdout)["nftables"]:
        for e in item.get("set", {}).get("elem", []):
            e = e["elem"] if "elem" in e else {"val": e}
            pod, destination, proto, port = e["val"]["concat"]
            found.append(Element(pod, destination, str(proto), int(port), e.get("comment", ""),
                                 int(e.get("expires", 0))))
    return found


def leases(node: Namespace) -> list[Element]:
    return elements(node, 4) + elements(node, 6)


def lease_text(node: Namespace, family: int) -> str:
    """As a person sees it."""
    return node.run("nft", "list", "set", *TABLE, f"leases{family}", check=True).stdout


# linux/netlink.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
NETLINK_NETFILTER, NLM_F_REQUEST, NLM_F_ACK, NLMSG_ERROR = 12, 1, 4, 2
NFNL_BATCH_BEGIN, NFNL_BATCH_END, SUBSYSTEM, NFPROTO_INET = 16, 17, 10, 1
MESSAGES = {"NEWTABLE": 0, "DELTABLE": 2, "DELCHAIN": 5, "NEWRULE": 6, "DELRULE": 8,
            "DELSET": 11, "DELSETELEM": 14}
TABLE_FLAGS, DORMANT = 2, 1  # of NEWTABLE


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, flags: int, number: int, family: int, resource: int,
            attributes: bytes = b"") -> bytes:
    body = struct.pack("=BBH", family, 0, socket.htons(resource)) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, flags | NLM_F_REQUEST, number, 0) + body


def change(node: Namespace, kind: str, *, name: str = "", chain: str = "") -> int:
    """One change of the table as any program may ask for it, or its errno. nft(8) itself looks
    at everything first, and never comes to an end while commits come thick and fast.

    The set called name, the chain; or all of them. NEWTABLE: no rule holds any more."""
    attributes = attribute(1, TABLE[1].encode() + b"\0")
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
