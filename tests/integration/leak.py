# SPDX-License-Identifier: Apache-2.0
"""A pod that never stops trying."""

from __future__ import annotations

import socket
import threading
import time

from lab import Lab, Pod
from namespace import family_of

PORT = 9990  # nobody else's
IPV6_FREEBIND = 78  # linux/in6.h


class Leak:
    """A pod that sends to an unlisted host without a pause, and what arrives there, when."""

    def __init__(self, lab: Lab, pod: Pod, address: str) -> None:
        family = family_of(address)
        self._sink = lab.internet.namespace.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            self._sink.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        self._sink.bind((address, PORT))
        self._sink.settimeout(0.1)
        self._source = pod.namespace.socket(family, socket.SOCK_DGRAM)
        self._address = address
        self._ended = threading.Event()
        self.sent = 0
        self.seen: list[float] = []
        self._threads = [threading.Thread(target=t) for t in (self._send, self._receive)]
        for t in self._threads:
            t.start()

    def _send(self) -> None:
        while not self._ended.is_set():
            try:
                self._source.sendto(b"out", (self._address, PORT))
                self.sent += 1
            except OSError:  # an earlier one was refused
                pass

    def _receive(self) -> None:
        while not self._ended.is_set():
            try:
                self._sink.recv(16)
                self.seen.append(time.monotonic())
            except TimeoutError:
                pass

    def end(self) -> None:
        self._ended.set()
        for t in self._threads:
            t.join()
        self._sink.close()
        self._source.close()
