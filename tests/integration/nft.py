# SPDX-License-Identifier: Apache-2.0
"""What the kernel holds, by nft's own JSON."""

from __future__ import annotations

import json
from typing import Any

from namespace import Namespace
from netlink import TABLE_NAME

TABLE = ("inet", TABLE_NAME)


def table(node: Namespace) -> list[dict[str, Any]] | None:
    """All objects of the table; None when it is not there."""
    listed = node.run("nft", "-j", "list", "table", *TABLE)
    if listed.returncode:
        return None
    return json.loads(listed.stdout)["nftables"]


def lease_text(node: Namespace, family: int) -> str:
    """As a person sees it."""
    return node.run("nft", "list", "set", *TABLE, f"leases{family}", check=True).stdout
