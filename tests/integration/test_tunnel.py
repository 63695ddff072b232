# SPDX-License-Identifier: Apache-2.0
"""Data that leaves as names below a wildcard host: each pod has a budget (attack A22)."""

from __future__ import annotations

import base64
import random
from collections import Counter

import pytest

import manifests
import zone
from daemon import Daemon, is_event
from dnsclient import Reply, ask, ask_each, node_local
from lab import Pod

WILD = "wild.example.com"
NAMES, LENGTH = 300, 200


def tunnel_name(data: random.Random) -> str:
    """As iodine makes them: LENGTH bytes on the wire, most of them data."""
    text = base64.b32encode(data.randbytes(120)).decode().lower().rstrip("=")
    labels, left = [], LENGTH - len(WILD) - 2
    while left > 1:
        size = min(57, left - 1)
        labels.append(text[:size])
        text, left = text[size:], left - size - 1
    return ".".join([*labels, WILD])


def send(pod: Pod, names: list[str], rdtype: str = "A", family: int = 4) -> Counter[str]:
    """What became of each of them."""
    return Counter(Reply(wire, 0).rcode for wire in ask_each(
        pod.namespace, names, rdtype, server=node_local(family)))


def budget(daemon: Daemon, names: int, size: str, *pods: Pod, mode: str = "REGISTRY_ONLY",
           **config: str) -> None:
    daemon.configure({"pods": {"wildcardNamesPerMinute": names, "wildcardBytesPerMinute": size},
                      **config})
    daemon.load(manifests.service_entry(f"*.{WILD}", resolution="NONE"),
                manifests.service_entry("google.com"),
                *(manifests.pod(f"pod{i}", [p.v4, p.v6]) for i, p in enumerate(pods)),
                mode=mode)


def test_a22_names_have_a_budget(daemon: Daemon, pod: Pod, other_pod: Pod, family: int) -> None:
    """One for both families of a pod that the registry knows."""
    budget(daemon, NAMES, "0", pod, other_pod)
    mark = daemon.log.mark()
    names = [f"n{i}.{WILD}" for i in range(NAMES + 200)]
    assert send(pod, names, "A", family) == {"NOERROR": NAMES, "SERVFAIL": 200}
    # what was asked for may be asked for again, whatever its type; nothing else
    assert send(pod, names[:NAMES], "AAAA", 10 - family) == {"NOERROR": NAMES}
    late = ask(pod.namespace, f"late.{WILD}", server=node_local(family))
    assert late.rcode == "SERVFAIL" and "wildcard" in late.ede()[0][1]
    assert ask(pod.namespace, "google.com").addresses() == [zone.GOOGLE4]
    assert send(other_pod, names) == {"NOERROR": len(names)}, "the cache has most of them"
    assert daemon.counter("wildcard_limited") == 201
    record = daemon.log.wait_for(is_event("limit"), since=mark)
    assert record["EGRESSD_POD_ADDRESS"] == pod.address(family)
    assert f"*.{WILD}" in record["message"] and "wildcardNamesPerMinute" in record["message"]
    assert len(daemon.log.since(mark, "limit")) == 1, "a record for each is a flood too"


def test_a22_a_pod_is_told_of_once(daemon: Daemon, pod: Pod, other_pod: Pod) -> None:
    """On both families together, with what is used up and what it took."""
    budget(daemon, 0, "1KiB", pod, other_pod)
    mark = daemon.log.mark()
    names = [f"n{i:03}.{WILD}" for i in range(100)]
    size = len(names[0]) + 2
    for family in (4, 6):
        send(pod, names, "A", family)
    ask(other_pod.namespace, "google.com")
    record = daemon.log.wait_for(is_event("limit"), since=mark)
    assert record["EGRESSD_LIMIT"] == "pods.wildcardBytesPerMinute"
    may = 1024 // size
    assert f"{may} names of {may * size} bytes" in record["message"]
    assert len(daemon.log.since(mark, "limit")) == 1


@pytest.mark.parametrize("rdtype", ["HTTPS", "SVCB"])
def test_a22_a_type_is_no_way_round(daemon: Daemon, pod: Pod, rdtype: str) -> None:
    """A name counts once for all types, and a new one counts whatever its type."""
    budget(daemon, NAMES, "0", pod, httpsRecords="lease")
    names = [f"n{i}.{WILD}" for i in range(NAMES + 200)]
    assert send(pod, names, rdtype) == {"NOERROR": NAMES, "SERVFAIL": 200}
    assert send(pod, names) == {"NOERROR": NAMES, "SERVFAIL": 200}


@pytest.mark.parametrize("rdtype", ["TXT", "NULL", "CNAME", "MX", "HTTPS"])
def test_a22_what_is_not_served_is_not_asked(daemon: Daemon, pod: Pod, rdtype: str) -> None:
    budget(daemon, NAMES, "0", pod)
    asked = daemon.counter("upstream_questions")
    names = [f"n{i}.{WILD}" for i in range(NAMES + 200)]
    assert send(pod, names, rdtype) == {"NOERROR": len(names)}
    assert daemon.counter("upstream_questions") == asked


def test_a22_who_may_reach_anything_has_no_budget(daemon: Daemon, pod: Pod) -> None:
    budget(daemon, NAMES, "1KiB", pod, mode="ALLOW_ANY")
    names = [f"n{i}.{WILD}" for i in range(NAMES + 200)]
    assert send(pod, names) == {"NOERROR": len(names)}
    assert daemon.counter("wildcard_limited") == 0


def tunnel(daemon: Daemon, pod: Pod, other_pod: Pod, count: int) -> None:
    """No more than the budget's bytes leave; the other pod has lost nothing."""
    budget(daemon, 1000, "64KiB", pod)
    data = random.Random(22)
    names = [tunnel_name(data) for _ in range(count)]
    may = 65536 // LENGTH
    assert send(pod, names) == {"NOERROR": may, "SERVFAIL": count - may}
    assert daemon.counter("upstream_questions") == may
    assert ask(other_pod.namespace, f"n1.{WILD}").addresses() == ["198.51.100.85"]
    assert daemon.counter("wildcard_limited") == count - may


def test_a22_a_tunnel_is_cut(daemon: Daemon, pod: Pod, other_pod: Pod) -> None:
    tunnel(daemon, pod, other_pod, 2000)


@pytest.mark.slow
def test_a22_a_long_tunnel_is_cut(daemon: Daemon, pod: Pod, other_pod: Pod) -> None:
    tunnel(daemon, pod, other_pod, 50000)
