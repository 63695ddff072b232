# SPDX-License-Identifier: Apache-2.0
"""Before Linux 6.9 anybody may take the table away: it is noticed and made again.

make check-kernel runs this; on a newer kernel nobody can, and conftest.py leaves it out.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

import manifests
import nft
import reach
import zone
from daemon import Daemon, Record, is_event, wait_until
from dnsclient import ask, node_local
from lab import Lab, Pod
from leak import Leak
from pace import PACE
from test_revoke import TCP, Flow, going, look_up

REPAIR_S = 0.5
RDTYPE = {4: "A", 6: "AAAA"}
UNLISTED = {4: zone.UNLISTED4, 6: zone.UNLISTED6}
LOSSES = {
    "flush-ruleset": ("flush", "ruleset"),
    "delete-table": ("delete", "table", *nft.TABLE),
    "flush-table": ("flush", "table", *nft.TABLE),
    "flush-leases": ("flush", "set", *nft.TABLE, "leases4"),
}


def lose(daemon: Daemon, lab: Lab, *command: str) -> tuple[Record, float]:
    """Until the daemon has said that all stands again."""
    mark, start = daemon.log.mark(), time.monotonic()
    lab.node.run("nft", *command, check=True)
    daemon.log.wait_for(is_event("table_lost"), since=mark)
    record = daemon.log.wait_for(is_event("table_restored"), since=mark)
    return record, time.monotonic() - start


def keys(daemon: Daemon) -> set[tuple[str, str, str, int, str]]:
    return {(e.pod, e.destination, e.proto, e.port, e.name) for e in daemon.leases()}


@pytest.mark.parametrize("command", LOSSES.values(), ids=LOSSES.keys())
def test_what_another_program_takes_away_comes_back(daemon: Daemon, lab: Lab, pod: Pod,
                                                    command: tuple[str, ...]) -> None:
    daemon.load(manifests.service_entry("google.com"), manifests.service_entry("four.example.com"))
    for family, rdtype in RDTYPE.items():
        ask(pod.namespace, "google.com", rdtype, server=node_local(family))
    before = keys(daemon)
    assert len(before) == 2
    _, took_s = lose(daemon, lab, *command)
    assert took_s < REPAIR_S * PACE
    assert keys(daemon) == before
    for address in (zone.GOOGLE4, zone.GOOGLE6):
        assert reach.connect(pod.namespace, address, 443).result == "ok"
    for address in (zone.UNLISTED4, zone.UNLISTED6):
        assert reach.connect(pod.namespace, address, 443).refused_at_once
    fresh = ask(pod.namespace, "four.example.com").addresses()
    assert daemon.leased(pod.v4, fresh, 443)


def test_no_answer_while_the_table_is_gone(daemon: Daemon, lab: Lab, pod: Pod,
                                           family: int) -> None:
    """The enforcer hears of the loss late; nothing is answered that it has not recorded."""
    fresh = {4: "four.example.com", 6: "six.example.com"}[family]
    daemon.load(manifests.service_entry(fresh))
    mark = daemon.log.mark()
    os.kill(daemon.enforcer_pid, signal.SIGSTOP)
    try:
        lab.node.run("nft", "delete", "table", *nft.TABLE, check=True)
        reply = ask(pod.namespace, fresh, RDTYPE[family], server=node_local(family))
        assert reply.rcode == "SERVFAIL" and not reply.message.answer
    finally:
        os.kill(daemon.enforcer_pid, signal.SIGCONT)
    daemon.log.wait_for(is_event("table_restored"), since=mark)
    address = ask(pod.namespace, fresh, RDTYPE[family], server=node_local(family)).addresses()
    assert daemon.leased(pod.address(family), address, 443)


def test_established_flows_live_through_it(daemon: Daemon, lab: Lab, pod: Pod,
                                           family: int) -> None:
    daemon.load(going(TCP))
    with closing(Flow(lab, pod, look_up(pod, family), TCP)) as flow:
        lose(daemon, lab, "flush", "ruleset")
        assert flow.answers()


def test_what_the_kernel_lost_while_nobody_was_there_is_asked_anew(daemon: Daemon, lab: Lab,
                                                                   pod: Pod) -> None:
    """An orphan has no guard; the next start makes the table, and no lease is believed in."""
    daemon.load(manifests.service_entry("google.com"))
    ask(pod.namespace, "google.com")
    daemon.stop()
    lab.node.run("nft", "flush", "ruleset", check=True)
    daemon.start()
    assert daemon.leases() == []
    assert reach.connect(pod.namespace, zone.GOOGLE4, 443).refused_at_once
    assert ask(pod.namespace, "google.com").addresses() == [zone.GOOGLE4]
    assert reach.connect(pod.namespace, zone.GOOGLE4, 443).result == "ok"


@pytest.fixture
def leak(lab: Lab, daemon: Daemon, pod: Pod, family: int) -> Iterator[Leak]:
    made = Leak(lab, pod, UNLISTED[family])
    yield made
    made.end()


def test_the_window_of_a_flush(leak: Leak, daemon: Daemon, lab: Lab,
                               capsys: pytest.CaptureFixture[str]) -> None:
    """What a pod gets out is bounded, and the flow that began in it ends: then nothing does."""
    wait_until(lambda: leak.sent > 100, 5, "the pod sends")
    assert leak.seen == []
    mark, start = daemon.log.mark(), time.monotonic()
    lab.node.run("nft", "flush", "ruleset", check=True)
    record = daemon.log.wait_for(is_event("flows_cut"), since=mark)
    took_s, seen = time.monotonic() - start, list(leak.seen)
    assert int(record["EGRESSD_FLOWS"]) >= 1
    sent = leak.sent
    wait_until(lambda: leak.sent > sent + 100, 5, "the pod sends on")
    assert len(leak.seen) <= len(seen) + 1, "one may have been on its way"
    window_s = seen[-1] - seen[0]
    with capsys.disabled():
        print(f"\na flush: {len(seen)} packets left within {window_s * 1000:.0f} ms; all was over "
              f"{took_s * 1000:.0f} ms after nft was called")
    assert window_s < REPAIR_S * PACE
