# SPDX-License-Identifier: Apache-2.0
"""Entries that lead elsewhere, and the far end that tells where a connection has come out."""

from __future__ import annotations

import socket
import struct
from typing import Any

import manifests
import zone
from dnsclient import ask, node_local
from lab import Lab, Pod
from namespace import family_of

RDTYPE = {4: "A", 6: "AAAA"}
VIP = {4: "240.240.0.1", 6: "2001:2::1"}  # as Istio allocates them
BEHIND = {4: ("198.51.100.201", "198.51.100.202", "198.51.100.203"),
          6: ("2001:db8::201", "2001:db8::202", "2001:db8::203")}
PORT, INNER = 8088, 9099  # asked for, and behind it; nobody else's
ONE, TWO, THREE = 0, 1, 2


def entry(host: str = "google.com", *, port: int = PORT, protocol: str = "TCP",
          target: int | None = None, **spec: Any) -> manifests.Manifest:
    made = manifests.service_entry(host, ports=[(port, protocol)], **spec)
    made["spec"]["ports"][0]["name"] = "main"
    if target is not None:
        made["spec"]["ports"][0]["targetPort"] = target
    return made


def endpoint(address: str, port: int | None = None, weight: int | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"address": address}
    if port is not None:
        made["ports"] = {"main": port}
    if weight is not None:
        made["weight"] = weight
    return made


def vip(*endpoints: dict[str, Any], host: str = "vip.example", **spec: Any) -> manifests.Manifest:
    return entry(host, **{"addresses": list(VIP.values()), "resolution": "STATIC",
                          "endpoints": list(endpoints), **spec})


def both(port: int = INNER, *weights: int) -> list[dict[str, Any]]:
    """Endpoints of both families, as many as there are weights."""
    return [endpoint(BEHIND[f][i], port, w) for f in (4, 6) for i, w in enumerate(weights)]


def look_up(pod: Pod, family: int, name: str = "google.com") -> list[str]:
    return ask(pod.namespace, name, RDTYPE[family], server=node_local(family)).addresses()


class Far:
    """Accepts on one port of every address of the internet, and tells on which."""

    def __init__(self, lab: Lab, port: int) -> None:
        self._socket = lab.internet.namespace.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self._socket.bind(("::", port))
        self._socket.listen(64)
        self._socket.settimeout(3)

    def accept(self) -> tuple[socket.socket, str]:
        s, _ = self._socket.accept()
        s.settimeout(3)
        return s, s.getsockname()[0].removeprefix("::ffff:")

    def close(self) -> None:
        self._socket.close()


def open_flow(pod: Pod, address: str, port: int = PORT) -> socket.socket:
    s = pod.namespace.socket(family_of(address), socket.SOCK_STREAM)
    s.settimeout(3)
    # ends without a farewell, so that many of them leave nothing behind
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        s.connect((address, port))
    except OSError:
        s.close()
        raise
    return s


def reached(pod: Pod, far: Far, address: str) -> str:
    """Which address of the internet a new connection ends at."""
    with open_flow(pod, address):
        s, where = far.accept()
        s.close()
    return where


def answers(near: socket.socket, end: socket.socket) -> bool:
    near.send(b"ping")
    if end.recv(16) != b"ping":
        return False
    end.send(b"pong")
    return near.recv(16) == b"pong"


def gone(near: socket.socket, end: socket.socket) -> bool:
    try:
        return not answers(near, end)
    except OSError:
        return True
