# SPDX-License-Identifier: Apache-2.0
"""What a pod sees when it tries to reach something."""

from __future__ import annotations

import errno
import json
import re
import socket
import struct
import subprocess
import time
from dataclasses import dataclass

from namespace import Namespace, family_of
from pace import PACE

PATIENCE_S = 3.0
AT_ONCE_S = 0.1 * PACE
# What refusals look like: a reset to TCP; ICMP "administratively prohibited" to the others,
# which Linux gives to programs as EHOSTUNREACH for IPv4 and EACCES for IPv6.
TCP_REFUSED = "ECONNREFUSED"
PROHIBITED = {"EHOSTUNREACH", "EACCES"}


@dataclass(frozen=True)
class Attempt:
    result: str  # "ok", an errno's name, or "timeout"
    took_s: float

    @property
    def refused_at_once(self) -> bool:
        return self.result in {TCP_REFUSED, *PROHIBITED} and self.took_s < AT_ONCE_S


def connect(place: Namespace, address: str, port: int, patience_s: float = PATIENCE_S) -> Attempt:
    """Open a TCP connection and reset it: a farewell would still be under way afterwards."""
    with place.socket(family_of(address), socket.SOCK_STREAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.settimeout(patience_s)
        start = time.monotonic()
        try:
            s.connect((address, port))
            result = "ok"
        except TimeoutError:
            result = "timeout"
        except OSError as e:
            result = errno.errorcode[e.errno or 0]
        return Attempt(result, time.monotonic() - start)


def datagram(place: Namespace, address: str, port: int, payload: bytes = b"hello",
             patience_s: float = PATIENCE_S) -> Attempt:
    """Send a datagram to an echo and wait for it."""
    with place.socket(family_of(address), socket.SOCK_DGRAM) as s:
        s.settimeout(patience_s)
        start = time.monotonic()
        try:
            s.connect((address, port))
            s.send(payload)
            result = "ok" if s.recv(2048) == payload else "garbled"
        except TimeoutError:
            result = "timeout"
        except OSError as e:
            result = errno.errorcode[e.errno or 0]
        return Attempt(result, time.monotonic() - start)


def send_raw(place: Namespace, family: int, packet: bytes, destination: str) -> None:
    """An IP packet as it is, header and all. Nothing comes back to who invents a source."""
    address_family = socket.AF_INET if family == 4 else socket.AF_INET6
    with place.socket(address_family, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        s.sendto(packet, (destination, 0))


@dataclass(frozen=True)
class Page:
    """What curl says."""

    exit: int
    status: str  # of the last response, "000" without one
    line: str  # curl's own words: the status line, or its error
    took_s: float


def curl(place: Namespace, url: str, ca: str, *options: str) -> Page:
    start = time.monotonic()
    done = place.run("curl", "-sSI", "--max-time", "10", "--cacert", ca, *options, url)
    took = time.monotonic() - start
    first = (done.stdout or done.stderr).strip().splitlines() or [""]
    status = re.match(r"HTTP/\S+ (\d+)", first[0])
    return Page(done.returncode, status.group(1) if status else "000", first[0].strip(), took)


# curl's exit codes, curl(1)
CURL_OK, CURL_NO_NAME, CURL_NO_CONNECTION = 0, 6, 7


@dataclass(frozen=True)
class Tally:
    """How a burst ended."""

    connected: int = 0
    refused: int = 0
    timed_out: int = 0
    other: int = 0
    no_reply: int = 0
    no_address: int = 0
    errno: int = 0

    @property
    def lost(self) -> int:
        return self.timed_out + self.other + self.no_reply + self.no_address


def read_tally(process: subprocess.Popen[str]) -> Tally:
    out, _ = process.communicate(timeout=300)
    return Tally(**json.loads(out))


def total(tallies: list[Tally]) -> Tally:
    names = ("connected", "refused", "timed_out", "other", "no_reply", "no_address")
    return Tally(**{n: sum(getattr(t, n) for t in tallies) for n in names})
