# SPDX-License-Identifier: Apache-2.0
"""What the kernel holds, by nft's own JSON."""

from __future__ import annotations

import json
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
