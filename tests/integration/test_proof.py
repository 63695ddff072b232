# SPDX-License-Identifier: Apache-2.0
"""The uplink witness: it finds nothing in what is right, and each deliberate fault."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import manifests
import nft
import reach
import zone
from conftest import Programs
from daemon import Daemon
from dnsclient import ask, node_local
from internet import SINK_PORT
from lab import Lab, Pod
from proof import Proof
from test_burst import ENTRY, burst
from test_revoke import GOOGLE, RDTYPE, TCP, Flow, going

LOOKUPS = 4000
CUT_S = 1.0  # JUDGE_CUT_NS
IDLE_S = 1.2  # JUDGE_IDLE_NS, and what a machine takes
LEASE_S = 3.0  # of cap 2s
GOOGLE_ENTRY = manifests.service_entry("google.com", ports=[(SINK_PORT, "TCP")])


@pytest.fixture
def proof(installed: Daemon, lab: Lab, judge: Path) -> Iterator[Proof]:
    """Begins while there is no table."""
    made = Proof(lab, judge)
    yield made
    made.close()


def test_it_finds_nothing_where_all_is_right(installed: Daemon, lab: Lab, programs: Programs,
                                             family: int, proof: Proof) -> None:
    installed.register(ENTRY)
    installed.start()
    tally = burst(lab, programs.burst, family, LOOKUPS, shared=False)
    for pod in lab.pods:
        assert ask(pod.namespace, "unlisted.example").rcode == "NXDOMAIN"
        assert reach.connect(pod.namespace, zone.UNLISTED4, SINK_PORT).refused_at_once
    seen = proof.end()
    proof.nothing_found()
    assert tally.connected == LOOKUPS == seen.answers == seen.leases
    assert seen.opened == LOOKUPS


def test_it_notices_an_answer_before_the_commit(early: Daemon, lab: Lab, programs: Programs,
                                                family: int, proof: Proof) -> None:
    early.register(ENTRY)
    early.start()
    burst(lab, programs.burst, family, LOOKUPS, shared=False)
    proof.end()
    assert proof.found("answered before it was in the set") > 0, proof.seen


def orphan(daemon: Daemon) -> None:
    """The table stands without its owner, so that a hand may change it."""
    daemon.register(GOOGLE_ENTRY)
    daemon.start()
    daemon.kill()


def change_table(lab: Lab, text: str) -> None:
    lab.node.run("nft", "-f", "-", stdin=text, check=True)


def test_it_notices_a_rule_made_by_hand(installed: Daemon, lab: Lab, pod: Pod, family: int,
                                        proof: Proof) -> None:
    orphan(installed)
    change_table(lab, "insert rule inet egressd egress accept\n")
    unlisted = zone.UNLISTED4 if family == 4 else zone.UNLISTED6
    assert reach.connect(pod.namespace, unlisted, SINK_PORT).result == "ok"
    proof.end()
    assert proof.found("left without a lease") > 0, proof.seen


def test_it_notices_a_lease_made_by_hand(installed: Daemon, lab: Lab, pod: Pod, family: int,
                                         proof: Proof) -> None:
    orphan(installed)
    unlisted = zone.UNLISTED4 if family == 4 else zone.UNLISTED6
    change_table(lab, f"add element inet egressd leases{family} "
                 f"{{ {pod.address(family)} . {unlisted} . tcp . {SINK_PORT} timeout 1m }}\n")
    assert reach.connect(pod.namespace, unlisted, SINK_PORT).result == "ok"
    proof.end()
    assert proof.found("left without an answer to this pod") > 0, proof.seen
    assert proof.found("left without a lease") == 0, proof.seen


def test_it_notices_the_end_of_the_table(installed: Daemon, lab: Lab, pod: Pod,
                                         proof: Proof) -> None:
    installed.register(GOOGLE_ENTRY)
    installed.start()
    assert ask(pod.namespace, "google.com").addresses() == [zone.GOOGLE4]
    assert reach.connect(pod.namespace, zone.GOOGLE4, SINK_PORT).result == "ok"
    installed.kill()
    lab.node.run("nft", "delete", "table", *nft.TABLE, check=True)
    assert reach.connect(pod.namespace, zone.GOOGLE4, SINK_PORT).result == "ok"
    proof.end()
    assert proof.found("left without a lease") > 0, proof.seen


def test_it_notices_a_lease_that_is_over(installed: Daemon, lab: Lab, pod: Pod,
                                         family: int, proof: Proof) -> None:
    """Answered once, and in the set once: neither is enough."""
    installed.register(GOOGLE_ENTRY)
    installed.start()
    ask(pod.namespace, "google.com", RDTYPE[family], server=node_local(family))
    installed.kill()
    change_table(lab, f"flush set inet egressd leases{family}\n"
                 "insert rule inet egressd egress accept\n")
    assert reach.connect(pod.namespace, GOOGLE[family], SINK_PORT).result == "ok"
    proof.end()
    assert proof.found("left without a lease") > 0, proof.seen


def test_it_notices_a_renewal_for_nothing(installed: Daemon, lab: Lab, pod: Pod, family: int,
                                          proof: Proof) -> None:
    """By hand, because nothing else does it."""
    installed.configure({"lease": {"floor": "1s", "grace": "1s", "cap": "2s"}})
    installed.register(GOOGLE_ENTRY)
    installed.start()
    ask(pod.namespace, "google.com", RDTYPE[family], server=node_local(family))
    installed.kill()
    key = f"{pod.address(family)} . {GOOGLE[family]} . tcp . {SINK_PORT}"
    name = f"element inet egressd leases{family}"
    change_table(lab, f"add {name} {{ {key} }}\ndelete {name} {{ {key} }}\n"
                 f"add {name} {{ {key} timeout 1m }}\n")
    time.sleep(LEASE_S + IDLE_S)  # over, but for what was done by hand
    assert reach.connect(pod.namespace, GOOGLE[family], SINK_PORT).result == "ok"
    seen = proof.end()
    assert proof.found("left by a lease that was renewed for nothing") > 0, proof.seen
    assert proof.found("left without a lease") == 0 and seen.renewed == 1, proof.seen


def test_it_notices_a_flow_that_outlives_its_withdrawal(installed: Daemon, lab: Lab, pod: Pod,
                                                        family: int, proof: Proof) -> None:
    """Here the configuration asks for just that."""
    installed.configure({"revoke": "leases"})
    installed.register(going(TCP))
    installed.start()
    ask(pod.namespace, "google.com", RDTYPE[family], server=node_local(family))
    with closing(Flow(lab, pod, GOOGLE[family], TCP)) as flow:
        installed.load()
        end = time.monotonic() + 1.5 * CUT_S
        while time.monotonic() < end:
            assert flow.answers()
    proof.end()
    assert proof.found("left after its lease was withdrawn") > 0, proof.seen
    assert proof.found("left without a lease") == 0, proof.seen
