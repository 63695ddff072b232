# SPDX-License-Identifier: Apache-2.0
"""An answer over TCP that its pod does not take: it leaves while its lease surely stands, or
not at all. The kernel would send it again for minutes, and keep what the window has no room
for."""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import manifests
from daemon import Daemon, wait_until
from dnsclient import frame, make_query, node_local, open_tcp
from internet import SINK_PORT
from lab import Lab, Pod
from proof import Proof

NAME = "google.com"
LONG = "many.example.com"  # a kilobyte of addresses
LEASES = {"floor": "1s", "grace": "1s", "cap": "2s"}
PATIENCE_S = 20
QUESTIONS = 200
FEW_QUESTIONS = 64  # their answers fit into TCP_UNREAD_MAX, which ends the reading of questions
SMALL_BUFFER = 4096
LISTEN, TIME_WAIT = "0A", "06"  # include/net/tcp_states.h

DEAF = """table inet deaf {
  chain in {
    type filter hook input priority 0
    tcp sport 53 tcp flags & psh == psh counter drop
  }
}
"""


@contextmanager
def deaf(pod: Pod) -> Iterator[Callable[[], int]]:
    """Loses every answer over TCP; tells how many packets that were."""
    def lost() -> int:
        listed = pod.namespace.run("nft", "-j", "list", "chain", "inet", "deaf", "in", check=True)
        return next(word["counter"]["packets"] for item in json.loads(listed.stdout)["nftables"]
                    if "rule" in item for word in item["rule"]["expr"] if "counter" in word)

    pod.namespace.run("nft", "-f", "-", stdin=DEAF, check=True)
    try:
        yield lost
    finally:
        pod.namespace.run("nft", "delete", "table", "inet", "deaf", check=True)


def connections(lab: Lab) -> list[str]:
    """Of pods to our port, as the kernel has them: also those that no process has."""
    rows = [row.split() for kind in ("tcp", "tcp6") for row in
            Path(f"/proc/{lab.node.pid}/net/{kind}").read_text().splitlines()[1:]]
    return [row[2] for row in rows
            if row[1].endswith(":0035") and row[3] not in (LISTEN, TIME_WAIT)]


@pytest.fixture
def proof(installed: Daemon, lab: Lab, judge: Path) -> Iterator[Proof]:
    made = Proof(lab, judge)
    yield made
    made.close()


@pytest.fixture
def listed(proof: Proof, installed: Daemon) -> Daemon:
    """Under the witness' eyes from the beginning."""
    installed.configure({"lease": LEASES})
    installed.register(manifests.service_entry(NAME, LONG, ports=[(SINK_PORT, "TCP")],
                                               resolution="NONE"))
    installed.start()
    return installed


def question(name: str, family: int) -> bytes:
    return frame(make_query(name, "A" if family == 4 else "AAAA").to_wire())


@pytest.mark.parametrize("killed", [False, True], ids=["lives", "killed"])
def test_no_copy_outlives_the_lease(listed: Daemon, proof: Proof, lab: Lab, pod: Pod, family: int,
                                    killed: bool) -> None:
    with deaf(pod) as lost, open_tcp(pod.namespace, node_local(family)) as s:
        s.sendall(question(NAME, family))
        wait_until(lambda: lost() > 0, PATIENCE_S, "an answer")
        if killed:
            listed.kill()
        wait_until(lambda: not connections(lab), PATIENCE_S, "the kernel gives up")
    assert proof.end().answers > 0
    proof.nothing_found()


@pytest.mark.parametrize("pace", [0, 256], ids=["nothing", "slowly"])
def test_what_is_not_read_does_not_leave_late(listed: Daemon, proof: Proof, pod: Pod, family: int,
                                              pace: int) -> None:
    def are_gone() -> bool:
        read(s, pace)
        return not listed.leases()

    with open_tcp(pod.namespace, node_local(family)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        s.sendall(question(LONG, family) * QUESTIONS)
        wait_until(listed.leases, PATIENCE_S, "leases")
        wait_until(are_gone, PATIENCE_S, "the leases end")
        here = waiting(s)
        assert rest(s) == here, "bytes left the node after their leases had ended"


def waiting(s: socket.socket) -> int:
    """How much has come and was not read."""
    return struct.unpack("i", fcntl.ioctl(s, termios.FIONREAD, bytes(4)))[0]


def read(s: socket.socket, size: int) -> int:
    """So much at most; 0: it is over."""
    try:
        return len(s.recv(size))
    except (ConnectionResetError, TimeoutError):
        return 0


def rest(s: socket.socket) -> int:
    """How much there is to read until it is over."""
    return sum(iter(lambda: read(s, 65536), 0))


def test_what_a_reload_withdraws_does_not_leave_after_it(listed: Daemon, pod: Pod,
                                                         family: int) -> None:
    """There was no room for it before. Leases are long, so that nothing else ends the wait."""
    listed.configure({})
    listed.reload()
    with open_tcp(pod.namespace, node_local(family)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        s.sendall(question(LONG, family) * FEW_QUESTIONS)
        wait_until(lambda: listed.counter("answered") == FEW_QUESTIONS, PATIENCE_S, "answers")
        listed.load()
        here = waiting(s)
        assert rest(s) == here, "bytes left the node after their leases were withdrawn"
