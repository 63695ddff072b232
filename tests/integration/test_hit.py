# SPDX-License-Identifier: Apache-2.0
"""What an answer from the cache takes, and a refusal: no system call beside those that wait for,
receive and send whole batches, and no allocation."""

from __future__ import annotations

import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOMEM
from pathlib import Path

import pytest

import manifests
from daemon import Daemon
from dnsclient import make_query, node_local, open_udp
from faults import ALLOCATE, Faults
from lab import Pod

TIMES = 200
NEVER = 1 << 30
BATCH_CALLS = {"epoll_wait", "recvmmsg", "sendmmsg"}


@contextmanager
def traced(pid: int, file: Path) -> Iterator[Counter[str]]:
    """The system calls of all its threads; known at the end."""
    calls: Counter[str] = Counter()
    with subprocess.Popen(["strace", "-f", "-o", str(file), "-p", str(pid)],
                          stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        assert "attached" in strace.stderr.readline()
        yield calls
        strace.send_signal(signal.SIGINT)
        strace.communicate()
    calls.update(re.findall(r"^\d+ +(\w+)\(", file.read_text(), re.MULTILINE))


def letters(name: str, i: int) -> str:
    """Each in its case: a packet that was not there before, for the first 256."""
    return "".join(c.upper() if i >> n & 1 else c for n, c in enumerate(name))


def ask_again(pod: Pod, name: str, rdtype: str, family: int, same: bool,
              times: int = TIMES) -> None:
    queries = [make_query(name if same else letters(name, i), rdtype).to_wire()
               for i in range(times)]
    with open_udp(pod.namespace, node_local(family)) as s:
        for query in queries:
            s.send(query)
            assert s.recv(4096)[:2] == query[:2]


@pytest.mark.parametrize("name", ["google.com", "unlisted.example"])
@pytest.mark.parametrize("same", [True, False], ids=["the same packet", "another packet"])
@pytest.mark.parametrize("rdtype", ["A", "AAAA"])
def test_it_takes_a_batch_and_nothing_else(installed: Daemon, faults: Faults, pod: Pod, name: str,
                                           same: bool, rdtype: str, family: int,
                                           tmp_path: Path) -> None:
    installed.register(manifests.service_entry("google.com"))
    installed.start()
    ask_again(pod, name, rdtype, family, same, 2)
    faults.arm(ALLOCATE, ENOMEM, NEVER, process=installed.pid)
    ask_again(pod, name, rdtype, family, same)
    assert faults.seen() == 0
    with traced(installed.pid, tmp_path / "calls") as calls:
        ask_again(pod, name, rdtype, family, same)
    assert calls.keys() <= BATCH_CALLS, calls
    assert calls["sendmmsg"] == TIMES, calls
