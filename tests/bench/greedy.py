# SPDX-License-Identifier: Apache-2.0
"""A client that wants all of a DNS server's TCP for itself.

    greedy.py SERVER SECONDS slow|hasty

slow: HELD connections that each send a byte of a question now and then, opened again when
the server closes them. hasty: one connection after the other, a byte each. Prints how many
connections it made.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator

HELD = 300
PAUSE_S = 0.5


def connect(server: str) -> socket.socket:
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.settimeout(0.2)
    s.connect((server, 53))
    return s


def slow(server: str, end: float) -> Iterator[int]:
    held: list[socket.socket] = []
    while time.monotonic() < end:
        while len(held) < HELD and time.monotonic() < end:
            held.append(connect(server))
            yield 1
        for s in list(held):
            try:
                s.send(b"\1")
            except OSError:  # closed by the server
                held.remove(s)
                s.close()
        time.sleep(PAUSE_S)


def hasty(server: str, end: float) -> Iterator[int]:
    while time.monotonic() < end:
        with connect(server) as s:
            try:
                s.send(b"\1")
            except OSError:  # it has turned us away
                pass
        yield 1


def main(server: str, seconds: str, kind: str) -> None:
    end = time.monotonic() + float(seconds)
    made = 0
    while time.monotonic() < end:
        try:
            for one in (slow if kind == "slow" else hasty)(server, end):
                made += one
        except OSError:  # not even a connection
            pass
    print(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
