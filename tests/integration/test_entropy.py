# SPDX-License-Identifier: Apache-2.0
"""What a forger would have to guess: port, id and letters of the questions upstream (A1)."""

from __future__ import annotations

import json
import math
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from daemon import Daemon
from dnsclient import ask, make_query, open_udp
from fake_upstream import FakeUpstream, Later, answer
from internet import FAKE4
from lab import NODE_LOCAL4, Lab, Pod

HERE = Path(__file__).resolve().parent
IN_FLIGHT = 50
PER_PORT = 8  # resolver/socket_pool.h
PORT = 5300
HEADER, OPT_LEN = 12, 11
LETTERS = "letters"
TRUE4, FALSE4 = "198.51.100.81", "198.51.100.66"
P_LEAST = 0.001
# A fair source fails one test of this kind in a thousand; twice in a row, one in a million.
TRIES = 2


@dataclass
class Seen:
    """What the questions were, in the order of their coming."""

    ports: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    names: list[bytes] = field(default_factory=list)
    shared: int = 0  # questions from a port that another one in flight had


class Holder:
    """An upstream that keeps IN_FLIGHT questions waiting and then answers half of them."""

    ANSWER = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + socket.inet_aton(TRUE4)

    def __init__(self, lab: Lab) -> None:
        self.seen = Seen()
        self._dice = random.Random(1)
        self._socket = lab.internet.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((FAKE4, PORT))
        self._waiting: dict[int, bytes] = {}  # by port
        self._anew = False
        self._thread = threading.Thread(target=self._serve, name="holder", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.sendto(b"", (FAKE4, PORT))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, peer = self._socket.recvfrom(512)
            except ConnectionError:
                continue
            if not data:
                return
            self._note(data, peer[1])
            if len(self._waiting) >= IN_FLIGHT:
                self._answer(peer[0])

    def begin(self) -> None:
        """What an earlier run left without an answer is no longer in flight."""
        self.seen = Seen()
        self._anew = True

    def _note(self, data: bytes, port: int) -> None:
        if self._anew:
            self._anew = False
            self._waiting.clear()
        seen = self.seen
        seen.shared += port in self._waiting
        seen.ports.append(port)
        seen.ids.append(data[0] << 8 | data[1])
        seen.names.append(data[HEADER + 1:HEADER + 1 + len(LETTERS)])
        self._waiting[port] = data

    def _answer(self, host: str) -> None:
        for port in self._dice.sample(sorted(self._waiting), IN_FLIGHT // 2):
            data = self._waiting.pop(port)
            self._socket.sendto(data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + data[HEADER:-OPT_LEN]
                                + self.ANSWER, (host, port))


@pytest.fixture
def holder(lab: Lab) -> Iterator[Holder]:
    made = Holder(lab)
    yield made
    made.close()


def ask_many(pods: Sequence[Pod], first: int, count: int) -> None:
    """Names that nobody has asked for, IN_FLIGHT of them at any time; the last ones get no
    answer, as there is nobody behind them."""
    tail = bytes(make_query("x.example").to_wire()[HEADER + 2:])
    sockets = [open_udp(pod.namespace, NODE_LOCAL4) for pod in pods]
    sent = answered = 0
    while answered < count - IN_FLIGHT:
        while sent < count and sent - answered < IN_FLIGHT:
            label = f"{LETTERS}{first + sent}".encode()
            sockets[sent % len(pods)].send(
                struct.pack("!HHHHHH", sent & 0xffff, 0x0100, 1, 0, 0, 1)
                + bytes([len(label)]) + label + tail)
            sent += 1
        ready, _, _ = select.select(sockets, [], [], 5)
        assert ready, f"{sent} asked, {answered} answered"
        for s in ready:
            reply = s.recv(512)
            assert reply[3] & 15 == 0 and reply[7] == 1, reply
            answered += 1
    for s in sockets:
        s.close()


def p_value(counts: Sequence[float], expected: Sequence[float]) -> float:
    """Of Pearson's chi-square, by Wilson and Hilferty's approximation."""
    chi = sum((c - e) ** 2 / e for c, e in zip(counts, expected))
    k = len(counts) - 1
    z = ((chi / k) ** (1 / 3) - (1 - 2 / (9 * k))) / math.sqrt(2 / (9 * k))
    return 0.5 * math.erfc(z / math.sqrt(2))


def p_uniform(values: Sequence[int], low: int, high: int, bins: int) -> float:
    """That values are drawn evenly from low to high."""
    size = high - low + 1
    got = Counter((v - low) * bins // size for v in values)
    width = Counter((v - low) * bins // size for v in range(low, high + 1))
    return p_value([got[b] for b in range(bins)],
                   [len(values) * width[b] / size for b in range(bins)])


def port_range(lab: Lab) -> tuple[int, int]:
    text = lab.node.run("cat", "/proc/sys/net/ipv4/ip_local_port_range", check=True).stdout
    low, high = text.split()
    return int(low), int(high)


def draws(ports: Sequence[int]) -> list[int]:
    """A port counts where it first comes, and not again until a thousand questions later:
    until then it may be the same socket."""
    last: dict[int, int] = {}
    found = []
    for i, port in enumerate(ports):
        if i - last.get(port, -1000) >= 1000:
            found.append(port)
            last[port] = i
    return found


def least(lab: Lab, seen: Seen) -> float:
    """The lowest p of all that should be fair."""
    low, high = port_range(lab)
    ports = draws(seen.ports)
    assert low <= min(ports) and max(ports) <= high
    capitals = [sum(name[k] < 0x60 for name in seen.names) for k in range(len(LETTERS))]
    half = len(seen.names) / 2
    return min(p_uniform(ports, low, high, min(64, len(ports) // 20)),
               p_uniform(seen.ids, 0, 65535, 64),
               p_uniform([i & 255 for i in seen.ids], 0, 255, 64),
               *(p_value([c, 2 * half - c], [half, half]) for c in capitals))


def check(lab: Lab, seen: Seen) -> float:
    assert seen.shared == 0, "no two in flight share a port"
    low, high = port_range(lab)
    size = high - low + 1
    # As many different ones as when each socket serves PER_PORT questions.
    theory = size * (1 - math.exp(-len(seen.ports) / PER_PORT / size))
    assert len(set(seen.ports)) >= 0.9 * theory
    ids = 65536 * (1 - math.exp(-len(seen.ids) / 65536))
    assert len(set(seen.ids)) >= 0.95 * ids
    return least(lab, seen)


def measure(lab: Lab, holder: Holder, count: int) -> Seen:
    best = 0.0
    for turn in range(TRIES):
        holder.begin()
        ask_many(lab.pods, int(time.monotonic() * 1e6) + turn, count)
        best = max(best, check(lab, holder.seen))
        if best > P_LEAST:
            return holder.seen
    raise AssertionError(f"p = {best}: this is not by chance")


@contextmanager
def masked(lab: Lab) -> Iterator[None]:
    """/dev/urandom and /dev/random of the node give nothing."""
    devices = ("/dev/urandom", "/dev/random")
    for device in devices:
        lab.node.run("mount", "--bind", "/dev/null", device, check=True)
    try:
        assert lab.node.run("head", "-c", "8", "/dev/urandom").stdout == ""
        yield
    finally:
        for device in devices:
            lab.node.run("umount", device, check=True)


@pytest.fixture
def open_daemon(installed: Daemon) -> Daemon:
    """Everything is asked for, and nothing leased."""
    installed.configure({"upstreams": [f"{FAKE4}:{PORT}"], "pods": {"queriesPerSecond": 0}})
    installed.register(mode="ALLOW_ANY")
    return installed


COUNTS = pytest.mark.parametrize(
    "count", [4000, pytest.param(100_000, marks=pytest.mark.slow)])


@COUNTS
def test_a1_ports_ids_and_letters_are_by_chance(open_daemon: Daemon, lab: Lab, holder: Holder,
                                                count: int) -> None:
    open_daemon.start()
    first = measure(lab, holder, count)
    open_daemon.kill()
    open_daemon.start()
    second = measure(lab, holder, count)
    same = sum(a == b for a, b in zip(zip(first.ports, first.ids), zip(second.ports, second.ids)))
    assert same <= 1, "a restart begins anew, not as the last time"


@COUNTS
def test_a1_without_dev_urandom_too(open_daemon: Daemon, lab: Lab, holder: Holder,
                                    count: int) -> None:
    beginnings = []
    with masked(lab):
        for _ in range(2):
            open_daemon.start()
            seen = measure(lab, holder, count)
            beginnings.append(seen.ids[:20])
            open_daemon.kill()
    assert beginnings[0] != beginnings[1]


# Somebody who knows the port, the name and its letters, and guesses the id

GUESSES_MAX, GUESSED_S = 8, 60  # resolver/server.h

@contextmanager
def guesser(lab: Lab, rate: int) -> Iterator[None]:
    process = lab.internet.namespace.start(
        sys.executable, str(HERE / "guesser.py"), FAKE4, str(rate), FALSE4,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout and process.stdout.readline() == "ready\n"
    try:
        yield
        process.stdin.close()
        assert int(process.stdout.readline()) > rate
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(("seconds", "rate"), [
    (3, 5000), pytest.param(60, 50_000, marks=pytest.mark.slow)])
def test_a1_a_guesser_is_not_believed(open_daemon: Daemon, session_upstream: FakeUpstream,
                                      lab: Lab, pod: Pod, seconds: float, rate: int) -> None:
    """The server's own replies take a moment, but those over TCP are out of his reach.

    A guess is right once in 65,536 times, so it is not enough that none was: few are let in.
    """
    open_daemon.configure({"upstreams": [f"{FAKE4}:53"]})
    open_daemon.start()
    session_upstream.reset()
    session_upstream.script = lambda q: Later(0.02, answer(q, f"@ A {TRUE4}"))
    asked = 0
    end = time.monotonic() + seconds
    with guesser(lab, rate):
        while time.monotonic() < end:
            assert ask(pod.namespace, f"n{asked}.example").addresses() == [TRUE4]
            asked += 1
    failures, session_upstream.failures = session_upstream.failures, []
    session_upstream.reset()
    told = json.loads(open_daemon.ctl("status", "--json").stdout)
    assert not failures and asked > seconds
    periods = told["upstream_guessed"]
    assert 1 <= periods <= seconds / GUESSED_S + 1
    assert periods * GUESSES_MAX <= told["upstream_mismatches"] < (periods + 1) * GUESSES_MAX
    assert told["upstream_tcp"] >= asked - told["upstream_mismatches"]
