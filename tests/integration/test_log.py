# SPDX-License-Identifier: Apache-2.0
"""What the operator is told."""

from __future__ import annotations

import itertools
import json

import manifests
from daemon import Daemon, wait_until
from dnsclient import ask, exchange, make_query, node_local, open_udp
from lab import NODE_LOCAL4, Pod

FLOOD = 5000
RECORDS_A_SECOND = 100


def test_a_refused_lookup_says_who_what_and_why(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(manifests.pod("sleep", [pod.v4, pod.v6]))
    ask(pod.namespace, "unlisted.example", "AAAA", server=node_local(family))
    record = daemon.log.wait_for(lambda r: r["event"] == "refused_lookup")
    assert record["EGRESSD_POD"] == "default/sleep"
    assert record["EGRESSD_NAMESPACE"] == "default"
    assert record["EGRESSD_POD_ADDRESS"] == pod.address(family)
    assert record["EGRESSD_NAME"] == "unlisted.example" and record["EGRESSD_TYPE"] == "AAAA"
    assert record["EGRESSD_REASON"] == "not-registered"
    assert "unlisted.example" in record["message"] and "ServiceEntry" in record["message"]


def test_a_pod_without_a_manifest_is_its_address(daemon: Daemon, pod: Pod, family: int) -> None:
    ask(pod.namespace, "unlisted.example", server=node_local(family))
    record = daemon.log.wait_for(lambda r: r["event"] == "refused_lookup")
    assert record["EGRESSD_POD"] == pod.address(family)


def test_a36_a_name_cannot_write_into_the_log(daemon: Daemon, pod: Pod) -> None:
    label = b'\n{"event":"forged"}\x1b[2J\0\xff'
    query = make_query("x", edns=False).to_wire()
    query = query[:12] + bytes([len(label)]) + label + query[14:]
    exchange(pod.namespace, query, NODE_LOCAL4)
    record = daemon.log.wait_for(lambda r: r["event"] == "refused_lookup")
    assert "forged" in record["EGRESSD_NAME"]
    for line in daemon.log.lines:
        assert line.isprintable() and json.loads(line)["event"] != "forged"


def test_one_name_over_and_over_is_one_record(daemon: Daemon, pod: Pod) -> None:
    for _ in range(50):
        ask(pod.namespace, "unlisted.example")
    ask(pod.namespace, "last.example")
    daemon.log.wait_for(lambda r: r.get("EGRESSD_NAME") == "last.example")
    same = [r for r in daemon.log.since(0, "refused_lookup")
            if r["EGRESSD_NAME"] == "unlisted.example"]
    assert len(same) == 1


def test_a_flood_of_refusals_is_thinned_out_and_counted(daemon: Daemon, pod: Pod) -> None:
    """Different names, faster than anybody reads."""
    with open_udp(pod.namespace, NODE_LOCAL4) as s:
        for i in range(FLOOD):
            s.send(make_query(f"n{i}.flood.example", edns=False).to_wire())
            s.recv(512)
    assert len(daemon.log.since(0, "refused_lookup")) <= 10 * RECORDS_A_SECOND < FLOOD
    numbers = itertools.count()

    def told() -> int:
        """The count stands in the next record, and any refusal may make that."""
        ask(pod.namespace, f"nudge{next(numbers)}.example")
        return max(int(r.get("EGRESSD_SUPPRESSED", 0))
                   for r in daemon.log.since(0, "refused_lookup"))

    assert wait_until(told, 5, "a suppressed count in the log") > 0


def test_start_and_stop_are_told(daemon: Daemon) -> None:
    daemon.log.wait_for(lambda r: r["event"] == "started")
    assert daemon.stop() == 0
    daemon.log.wait_for(lambda r: r["event"] == "stopped")
