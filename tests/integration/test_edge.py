# SPDX-License-Identifier: Apache-2.0
"""Resolve and connect at once, from eight pods, up to the ends of the leases and beyond.

What is listed is never refused: not in the moment of the answer, and not 50 ms before the
lease ends. What is not listed never passes: not what is nobody's, and not 50 ms after the
end. Beside it the witness looks at every packet. --full: a million lookups.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import manifests
import zone
from conftest import compile_client
from daemon import Daemon
from dnsclient import node_local
from internet import SINK_PORT
from lab import Lab
from proof import Proof

pytestmark = pytest.mark.slow

PODS = 8
LOOKUPS, FULL_LOOKUPS = 40_000, 1_000_000  # on both families together
SUFFIX = "burst.example.com"
ENTRY = manifests.service_entry(f"*.{SUFFIX}", ports=[(SINK_PORT, "TCP")], resolution="NONE")
OUTSIDE = {4: zone.UNLISTED4, 6: zone.UNLISTED6}
# The TTL of the names is far longer, so a lease lives as long as it may: to the cap, and the
# second by which a TTL may be rounded up.
CAP_S = 4
LIFE_MS = (CAP_S + 1) * 1000
# A connection that is open while somebody looks for living flows would renew its lease.
LEASE = {"floor": "1s", "grace": "1s", "cap": f"{CAP_S}s", "perPod": 1_000_000, "flows": "0s"}
DEADLINE_S = 1800


@pytest.fixture(scope="module")
def crowd() -> Iterator[Lab]:
    """A lab of its own, with more pods than the others need."""
    made = Lab(PODS)
    yield made
    made.close()


@pytest.fixture
def server(crowd: Lab, pytestconfig: pytest.Config) -> Iterator[Daemon]:
    made = Daemon(crowd, Path(pytestconfig.getoption("--egressd")).resolve(),
                  Path(pytestconfig.getoption("--egressctl")).resolve())
    made.clean()
    made.configure({"lease": LEASE})
    made.register(ENTRY)
    yield made
    made.close()


def edges(crowd: Lab, program: str, family: int, lookups: int) -> Counter[str]:
    """All pods at the same time, each beginning at names of its own."""
    clients = [pod.namespace.start(
        program, node_local(family), str(family), str(SINK_PORT),
        str(number * zone.BURST_NAMES // PODS), str(lookups // PODS), str(zone.BURST_NAMES),
        SUFFIX, OUTSIDE[family], str(LIFE_MS), stdout=subprocess.PIPE)
        for number, pod in enumerate(crowd.pods)]
    total: Counter[str] = Counter()
    for client in clients:
        out, _ = client.communicate(timeout=DEADLINE_S)
        total.update(json.loads(out))
    return total


def test_no_listed_one_is_refused_and_no_unlisted_one_passes(
        crowd: Lab, server: Daemon, judge: Path, family: int,
        pytestconfig: pytest.Config) -> None:
    lookups = (FULL_LOOKUPS if pytestconfig.getoption("--full") else LOOKUPS) // 2
    program = compile_client(crowd, "edge", "cc")
    proof = Proof(crowd, judge)
    try:
        server.start()
        told = edges(crowd, program, family, lookups)
        seen = proof.end()
    finally:
        proof.close()
    print(f"edges, IPv{family}: {dict(told)}; {seen}")
    proof.nothing_found()
    assert told["now_connected"] == seen.answers == lookups
    assert told["before_refused"] == told["before_lost"] == 0 < told["before_connected"]
    assert told["after_connected"] == told["after_lost"] == 0 < told["after_refused"]
    assert told["outside_connected"] == 0 < told["outside_refused"]
