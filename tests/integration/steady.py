# SPDX-License-Identifier: Apache-2.0
"""Asks one DNS server questions over UDP at a steady rate and tells what became of them.

    steady.py SERVER SOURCE,... RATE SECONDS RETRY_S NAME...

The sources ask in turn for the A records of the names in turn; in each name, %d becomes
the question's number. A question without an answer is asked again every RETRY_S (0: never)
until it is 5 seconds old, glibc's and musl's default, and then counts as lost. "started"
goes out with the first answer, one line of JSON at the end.
"""

from __future__ import annotations

import collections
import heapq
import itertools
import json
import select
import socket
import struct
import sys
import time

LIMIT_S = 5.0
BUFFER = 1 << 20
NUMBERS = 65536  # a question's number is its message's id


def packet(number: int, name: str) -> bytes:
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def connect(server: str, source: str) -> socket.socket:
    s = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    s.bind((source, 0))
    s.connect((server, 53))
    return s


class Load:
    def __init__(self, sockets: list[socket.socket], rate: int, packets: list[bytes],
                 retry_s: float) -> None:
        self.sockets = sockets
        self.packets = packets
        self.retry_s = retry_s
        begin = time.monotonic()
        self.due = [(begin + i / rate, i) for i in range(len(packets))]  # a heap
        self.asked: dict[int, float] = {}  # when first
        self.answered: set[int] = set()
        self.again = 0
        self.slowest_s = 0.0
        self.rcodes: collections.Counter[int] = collections.Counter()

    def receive(self, s: socket.socket) -> None:
        try:
            reply = s.recv(4096)
        except ConnectionRefusedError:
            return  # to be asked again, or lost
        number, flags = struct.unpack_from("!HH", reply)
        if number in self.answered:
            return
        if not self.answered:
            print("started", flush=True)
        self.answered.add(number)
        self.rcodes[flags & 15] += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - self.asked[number])

    def send(self, number: int, now: float) -> None:
        """Asks, unless it is answered or too late; the next look at it is put into due."""
        if number in self.answered or now - self.asked.get(number, now) >= LIMIT_S:
            return
        if number not in self.asked or self.retry_s:
            self.again += number in self.asked
            self.asked.setdefault(number, now)
            try:
                self.sockets[number % len(self.sockets)].send(self.packets[number])
            except ConnectionRefusedError:
                pass  # an earlier one's, told now
        end = self.asked[number] + LIMIT_S
        heapq.heappush(self.due, (min(now + (self.retry_s or LIMIT_S), end), number))

    def run(self) -> None:
        while self.due and len(self.answered) < len(self.packets):
            wait = self.due[0][0] - time.monotonic()
            for s in select.select(self.sockets, [], [], max(wait, 0))[0]:
                self.receive(s)
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                self.send(heapq.heappop(self.due)[1], now)


def main(server: str, sources: str, rate: str, seconds: str, retry_s: str,
         *names: str) -> None:
    total = int(int(rate) * float(seconds))
    assert total <= NUMBERS
    turn = itertools.cycle(names)
    packets = [packet(i, next(turn).replace("%d", str(i))) for i in range(total)]
    sockets = [connect(server, source) for source in sources.split(",")]
    load = Load(sockets, int(rate), packets, float(retry_s))
    load.run()
    print(json.dumps({"asked": total, "lost": total - len(load.answered), "again": load.again,
                      "slowest_ms": round(load.slowest_s * 1000), "rcodes": load.rcodes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
